"""Turns the settings of one part into its typed options, with errors that say where, what and what instead."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from sonde.config.options import Options
from sonde.config.settings import Setting, Settings
from sonde.errors import ConfigError, did_you_mean, shortened

Filled = TypeVar("Filled", bound=Options)

OTHER_NAMES = {
    "batch": "training.batch_size",
    "bs": "training.batch_size",
    "lr": "training.learning_rate",
    "n_epochs": "run.epochs",
    "num_epochs": "run.epochs",
    "epochs": "run.epochs",
    "opt": "training.optimizer",
    "random_state": "run.seed",
    "seed": "run.seed",
    "wd": "training.weight_decay",
}
"""What other tools call an option, and ours."""

PATTERNS = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": "letters, digits, '.', '_' and '-' only, starting with a letter or digit",
    r"^(|groups|[0-9]{1,4})$": 'such as "5", or "groups"',
    r"^(|[0-9]{1,5}/([0-9]{1,5}|groups))$": 'such as "2/5" or "2/groups"',
}
"""What the patterns of options mean."""


def fill(options: type[Filled], part: str, settings: Settings) -> Filled:
    """Build a part's options from the settings.

    Args:
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
    resolved = {f"{part}.{name}": Setting(getattr(options, name), "default") for name in type(options).model_fields}
    return settings.over(Settings(resolved))


def describe(options: type[Options]) -> dict[str, str]:
    """Return the help sentence of each option, with its allowed range where it has one."""
    return {name: _sentence(field) for name, field in options.model_fields.items()}


def unknown_option(name: str, part: str, setting: Setting, choices: Iterable[str]) -> str:
    """Return the message for an option that its part does not know."""
    known = sorted(choices)
    ours = OTHER_NAMES.get(name, "").removeprefix(f"{part}.")
    meant = f" Did you mean '{ours}'?" if ours else did_you_mean(name, known)
    knows = ", ".join(known) or "none"
    return f"{_at(setting)}[{part}] has no option called '{shortened(name)}'.{meant} It knows: {knows}."


def allowed(field: FieldInfo) -> str:
    """Return a field's type and range in words, such as "a whole number, at least 1, at most 100"."""
    return ", ".join([_type_words(field.annotation), *_bounds(field.metadata)])


def _bounds(rules: Iterable[Any]) -> list[str]:
    words = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}
    found = []
    for rule in rules:
        for part in getattr(rule, "metadata", [rule]):
            limits = [(text, getattr(part, name, None)) for name, text in words.items()]
            found += [text.format(_number(limit)) for text, limit in limits if limit is not None]
            if pattern := getattr(part, "pattern", None):
                found.append(PATTERNS.get(pattern, f"of the form {pattern}"))
    return found


def _number(limit: float) -> str:
    return f"{limit:,}" if isinstance(limit, int) else f"{limit:g}"


def _explain(error: ValidationError, options: type[Options], part: str, given: dict[str, Setting]) -> str:
    lines, missing = [], []
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if name not in options.model_fields:
            lines.append(f"[{part}] {problem['msg']}")
        elif name not in given:
            missing.append(f"[{part}] needs the option '{name}' ({allowed(options.model_fields[name])}).")
        else:
            value = given[name].value
            lines.append(
                f"{_at(given[name])}{part}.{name} = {_shown(value)} is not possible: "
                f"expected {allowed(options.model_fields[name])}.{_suggest(value, options.model_fields[name])}"
            )
    # An option may lack only since its guess follows from one that is wrong.
    return "\n".join(dict.fromkeys(lines or missing))


def _shown(value: Any) -> str:
    try:
        return shortened(repr(value))
    except (ValueError, RecursionError):
        # Of a number of thousands of digits, and of lists without end, Python makes no text.
        return f"a {type(value).__name__} that is too large to be shown"


def _suggest(value: Any, field: FieldInfo) -> str:
    choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
    return did_you_mean(value, choices) if isinstance(value, str) and choices else ""


def _at(setting: Setting) -> str:
    return f"{setting.place}: " if setting.place else ""


def _as_tuples(value: Any) -> Any:
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value


def _type_words(annotation: Any) -> str:
    simple = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}
    if annotation in simple:
        return simple[annotation]
    kind, parts = get_origin(annotation), get_args(annotation)
    if kind is Literal:
        return f"one of {', '.join(str(choice) for choice in parts)}"
    if kind is tuple and parts[-1] is ...:
        return f"a list, each {_type_words(parts[0])}"
    if kind is tuple:
        each = [", ".join([_type_words(get_args(part)[0]), *_bounds(part.__metadata__)]) for part in parts]
        return f"a list of {len(parts)}, each {each[0]}"
    if kind is Annotated:
        return _type_words(parts[0])
    return str(annotation)


def _sentence(field: FieldInfo) -> str:
    text = " ".join((field.description or "").split())
    return f"{text} [{allowed(field)}]"
