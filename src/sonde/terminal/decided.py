"""Prints what sonde decided by itself, why, and the words that change it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sonde.terminal.text import draw, say, table

if TYPE_CHECKING:
    from sonde.config import Settings

OWN_FLAGS = ("backend", "model", "epochs", "seed", "name")
"""The options of `[run]` that `sonde train` has a flag for; every other one is changed with --set."""


def what_was_decided(settings: "Settings", *, facts: Mapping[str, str] | None = None) -> None:
    """Print the facts that were seen, and each guess with its reason and the flag that changes it.

    Args:
        settings: the run's settings; only the guessed ones are shown.
        facts: what was found, in words: {"data": "digits, built in", "classes": "10: 0, 1, 2, ..."}.
    """
    if facts:
        draw(table(("seen", ""), [*facts.items()]))
        say("")
    guesses = {key: setting for key, setting in settings.items() if setting.origin == "guessed"}
    if not guesses:
        return
    rows = [(key, _shown(setting.value), setting.reason, how_to_change(key)) for key, setting in guesses.items()]
    draw(table(("decided", "value", "because", "change with"), rows))
    say("")


def how_to_change(key: str) -> str:
    """Return the words that change an option, such as "--model=..." or "--set data.image_size=...".

    Args:
        key: "part.option".
    """
    part, _, name = key.partition(".")
    return f"--{name}=..." if part == "run" and name in OWN_FLAGS else f"--set {key}=..."


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_shown(item) for item in value)}]"
    return "not set" if value is None else str(value)
