"""Turns the settings of one part into its typed options, with errors that say where, what and what instead."""

from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from sonde.config.options import Options
from sonde.config.settings import Setting, Settings
from sonde.errors import ConfigError, did_you_mean

Filled = TypeVar("Filled", bound=Options)


def fill(options: type[Filled], part: str, settings: Settings) -> Filled:
    """Build a part's options from the settings.

    Args:
        options: the class to fill.
        part: its table's name, such as "training".
        settings: the run's settings; what they do not hold takes its default.

    Raises:
        ConfigError: an unknown option, a wrong type or a value out of range; the text names place, key and range.
    """
    given = settings.part(part)
    for name, setting in given.items():
        if name not in options.model_fields:
            raise ConfigError(unknown_option(name, part, setting, options.model_fields))
    try:
        return options(**{name: _as_tuples(setting.value) for name, setting in given.items()})
    except ValidationError as error:
        raise ConfigError(_explain(error, options, part, given)) from None


def with_defaults(options: Options, part: str, settings: Settings) -> Settings:
    """Return the settings with every option of a part in them, the untouched ones marked as defaults."""
    resolved = {
        f"{part}.{name}": Setting(getattr(options, name), "default") for name in type(options).model_fields
    }
    return settings.over(Settings(resolved))


def describe(options: type[Options]) -> dict[str, str]:
    """Return the help sentence of each option, with its allowed range where it has one."""
    return {name: _sentence(field) for name, field in options.model_fields.items()}


def unknown_option(name: str, part: str, setting: Setting, choices: Iterable[str]) -> str:
    """Return the message for an option that its part does not know."""
    known = sorted(choices)
    return (
        f"{_at(setting)}[{part}] has no option called '{name}'.{did_you_mean(name, known)} "
        f"It knows: {', '.join(known) or 'none'}."
    )


def allowed(field: FieldInfo) -> str:
    """Return a field's type and range in words, such as "int, at least 1, at most 100"."""
    words = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}
    bounds = []
    for rule in field.metadata:
        for name, text in words.items():
            limit = getattr(rule, name, None)
            if limit is not None:
                bounds.append(text.format(limit))
        if getattr(rule, "pattern", None):
            bounds.append("letters, digits, '.', '_' and '-' only, starting with a letter or digit")
    return ", ".join([_type_words(field.annotation), *bounds])


def _explain(error: ValidationError, options: type[Options], part: str, given: dict[str, Setting]) -> str:
    lines = []
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if name not in options.model_fields:
            lines.append(f"[{part}] {problem['msg']}")
        elif name not in given:
            lines.append(f"[{part}] needs the option '{name}' ({allowed(options.model_fields[name])}).")
        else:
            value = given[name].value
            lines.append(
                f"{_at(given[name])}{part}.{name} = {value!r} is not possible: "
                f"expected {allowed(options.model_fields[name])}.{_suggest(value, options.model_fields[name])}"
            )
    return "\n".join(dict.fromkeys(lines))


def _suggest(value: Any, field: FieldInfo) -> str:
    choices = [choice for choice in getattr(field.annotation, "__args__", ()) if isinstance(choice, str)]
    return did_you_mean(value, choices) if isinstance(value, str) and choices else ""


def _at(setting: Setting) -> str:
    return f"{setting.place}: " if setting.place else ""


def _as_tuples(value: Any) -> Any:
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value


def _type_words(annotation: Any) -> str:
    text = getattr(annotation, "__name__", "") if isinstance(annotation, type) and not _is_generic(annotation) else ""
    text = text or str(annotation).replace("typing.", "").replace("Literal[", "one of [").replace("NoneType", "none")
    return {"str": "text", "bool": "true or false", "int": "a whole number", "float": "a number"}.get(text, text)


def _is_generic(annotation: Any) -> bool:
    return bool(getattr(annotation, "__args__", None))


def _sentence(field: FieldInfo) -> str:
    text = " ".join((field.description or "").split())
    return f"{text} [{allowed(field)}]"
