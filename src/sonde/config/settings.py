"""Every option of a run with the place it came from: command line over file over guessed over default.

A run's options are a flat mapping from "part.option" to a `Setting`. The rooms that own a part turn theirs into a
typed value with `fill`; nobody else looks inside.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sonde.config.untrusted import Unsound, parse_word
from sonde.errors import ConfigError, did_you_mean, shortened

Origin = Literal["command line", "file", "guessed", "default"]
RANK: dict[Origin, int] = {"command line": 3, "file": 2, "guessed": 1, "default": 0}
"""Who wins where two say something of one option."""


@dataclass(frozen=True)
class Setting:
    """One option's value, who said it and where."""

    value: Any
    origin: Origin
    place: str = ""
    """For errors: "run.toml, line 12" or "--set training.epochs=x"."""
    reason: str = ""
    """For guesses: why this value."""


class Settings(Mapping[str, Setting]):
    """An immutable mapping from "part.option" to `Setting`."""

    def __init__(self, entries: Mapping[str, Setting] | None = None):
        self._entries = dict(entries or {})

    def __getitem__(self, key: str) -> Setting:
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def over(self, other: "Settings") -> "Settings":
        """Merge two; the origin that ranks higher wins, and of equal ones this one."""
        merged = dict(other)
        for key, setting in self.items():
            if key not in merged or RANK[setting.origin] >= RANK[merged[key].origin]:
                merged[key] = setting
        return Settings(merged)

    def part(self, name: str) -> dict[str, Setting]:
        """Return the options of one table, by their name inside it."""
        start = f"{name}."
        return {key.removeprefix(start): setting for key, setting in self.items() if key.startswith(start)}

    def value(self, key: str, default: Any = None) -> Any:
        """Return an option's value, or the default where nobody set it."""
        return self._entries[key].value if key in self._entries else default


def guessed(key: str, value: Any, reason: str) -> Settings:
    """Return settings that hold one guess and its reason."""
    return Settings({key: Setting(value, "guessed", reason=reason)})


def from_words(words: Mapping[str, Any], *, flag: str = "") -> Settings:
    """Return command-line settings from options that were given by name; `None` means not given.

    Args:
        words: value by "part.option".
        flag: how the shell spells it, with `{}` for the option's name; used in errors.
    """
    return Settings(
        {
            key: Setting(value, "command line", place=flag.format(key.split(".", 1)[1]) if flag else key)
            for key, value in words.items()
            if value is not None
        }
    )


def from_assignments(assignments: list[str] | tuple[str, ...]) -> Settings:
    """Read `part.option=value` words; the value is TOML, or a bare word taken as text.

    Raises:
        ConfigError: a word without `=`, or with an unknown part.
    """
    entries = {}
    for text in assignments:
        key, equals, raw = str(text).partition("=")
        key, place = key.strip(), f"--set {shortened(str(text))}"
        if not equals or not raw.strip():
            raise ConfigError(f"{place}: expected part.option=value, such as --set training.batch_size=64.")
        check_key(key, place=place)
        try:
            entries[key] = Setting(parse_word(raw.strip()), "command line", place=place)
        except Unsound as error:
            raise ConfigError(f"{place}: {error}.") from None
    return Settings(entries)


def check_key(key: str, *, place: str) -> None:
    """Refuse a key that is not "part.option".

    Raises:
        ConfigError: the part or the option is missing.
    """
    part, dot, option = key.partition(".")
    if not part or not dot or not option:
        raise ConfigError(
            f"{place}: '{shortened(key)}' does not say which table it belongs to; write table.option, such as "
            "training.batch_size."
        )


def check_tables(settings: "Settings", tables: Sequence[str]) -> None:
    """Refuse options of tables that there are not.

    Args:
        settings: the options that were given.
        tables: every table that there may be.

    Raises:
        ConfigError: the text names the table and the nearest one.
    """
    for key, setting in settings.items():
        part = key.partition(".")[0]
        if part not in tables:
            place = f"{setting.place}: " if setting.place else ""
            raise ConfigError(
                f"{place}there is no table called '{shortened(part)}'.{did_you_mean(part, tables)} "
                f"Tables: {', '.join(tables)}."
            )


def is_run_file(path: str) -> bool:
    """Tell whether the argument of `sonde train` names a run file and not data."""
    return Path(path).suffix.lower() == ".toml"
