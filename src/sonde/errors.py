"""The mistakes a person can repair: every message says what happened, what would have worked, and what to do.

Anything that is not a `SondeError` is a bug in sonde, and is shown with its traceback.
"""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_SHOWN = 200
"""Letters of a value in a message."""


class SondeError(Exception):
    """A mistake that the reader of the message can repair."""


class ConfigError(SondeError):
    """An option that is unknown, of the wrong type or out of range."""


class DataError(SondeError):
    """Data that cannot be read, or that cannot carry the task."""


class ModelError(SondeError):
    """A model folder or checkpoint that is damaged, tampered with or not ours."""


class RunError(SondeError):
    """A run that does not exist, exists already, or is not in the state that was asked for."""


class BackendError(SondeError):
    """A backend that is missing, or one too many in this process."""


class TrainingError(SondeError):
    """A training that cannot go on, such as a loss that is not finite."""


class StorageError(SondeError):
    """A disk that is full, or a folder that cannot be written."""


def shortened(text: str) -> str:
    """Return a text as a message can hold it: beyond `LONGEST_SHOWN` letters, dots.

    Args:
        text: anything that a person or a file said.
    """
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return " Did you mean 'vit'?" for the closest choice, or an empty string.

    Args:
        word: what was written.
        choices: what would have been understood.
    """
    close = get_close_matches(shortened(word), list(choices), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""


def unknown_name(kind: str, word: str, choices: Iterable[str], see: str) -> str:
    """Return the message for a name that is in no table.

    Args:
        kind: what was looked for, such as "model".
        word: what was written.
        choices: the names in the table.
    """
    return f"There is no {kind} called '{shortened(word)}'.{did_you_mean(word, choices)} ({see} shows all.)"
