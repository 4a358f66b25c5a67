"""Prints what sonde chose by itself, why, and the words that change it."""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sonde.terminal.printing import draw, say, table

if TYPE_CHECKING:
    from sonde.config import Settings

OWN_FLAGS = ("backend", "model", "recipe", "epochs", "minutes", "seed", "seeds", "folds", "name")
"""The options of `[run]` that `sonde train` has a flag for; every other one is changed with --set."""


def what_was_decided(settings: "Settings", *, facts: Mapping[str, str] | None = None) -> None:
    """Print the facts that were seen, and each guess as the words that say it, with its reason.

    Args:
        settings: the run's settings; only the guessed ones are shown.
        facts: what was found, in words: {"data": "digits, built in", "classes": "10: 0, 1, 2, ..."}.
    """
    if facts:
        draw(table(("found", ""), [*facts.items()]))
        say("")
    guesses = {key: setting for key, setting in settings.items() if setting.origin == "guessed"}
    if not guesses:
        return
    # Options of one part with one value for one reason share a line: the augmentations that are off, most of all.
    alike: dict[tuple[str, str, str], list[str]] = {}
    for key, setting in guesses.items():
        part, _, name = key.partition(".")
        alike.setdefault((part, _written(setting.value), setting.reason), []).append(name)
    rows = []
    for (part, _, reason), (name, *others) in alike.items():
        also = f" (and {', '.join(others)})" if others else ""
        rows.append((in_words(f"{part}.{name}", guesses[f"{part}.{name}"].value) + also, reason))
    draw(table(("chosen for you (copy to change)", "why"), rows))
    say("")


def in_words(key: str, value: Any) -> str:
    """Return the words of the shell that set an option, such as "--model=cnn" or "--set image.channels=1".

    Args:
        key: "part.option".
        value: what it is set to; one of none is shown as dots.
    """
    part, _, name = key.partition(".")
    if part == "run" and name in OWN_FLAGS:
        return f"--{name}={shlex.quote(_written(value))}"
    return f"--set {shlex.quote(f'{key}={_written(value)}')}"


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{','.join(_written(item) for item in value)}]"
    return "..." if value is None else str(value)
