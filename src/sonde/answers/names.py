"""Names of classes and labels: their order, how a message lists them, and how a report shows an unknown one."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sonde.errors import DataError, ModelError, did_you_mean

MOST_CLASSES = 100_000


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return different names sorted; whole numbers by their value."""
    found = sorted(set(names))
    if all(name.isascii() and name.isdecimal() for name in found):
        found.sort(key=lambda name: (int(name) if len(name) < 1000 else 0, name))
    return tuple(found)


def some(names: Sequence[str]) -> str:
    """Return the first few names, quoted, and how many more there are."""
    return ", ".join(f"'{name}'" for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def counted(counts: Mapping[str, int]) -> str:
    """Return the first few names with their counts, and how many more there are."""
    words = [f"'{name}' {count}" for name, count in sorted(counts.items())[:5]]
    return ", ".join(words) + (f" and {len(counts) - 5} more" if len(counts) > 5 else "")


def refuse_unknown(unknown: Sequence[str], known: Sequence[str], what: str) -> None:
    """Raise where the data has names that the model does not know.

    Raises:
        DataError: the text names the first of them and what is known.
    """
    if unknown:
        raise DataError(
            f"The label '{unknown[0]}' is none of the model's {len(known)} {what}."
            f"{did_you_mean(unknown[0], known)} They are: {some(list(known))}."
        )


def refuse_unseen(counts: Mapping[str, Counter[str]], what: str) -> None:
    """Raise where validation or test hold names that training never sees, or nothing at all.

    Args:
        counts: examples by split and name.

    Raises:
        DataError: the text names them and the fix.
    """
    for name in ("validation", "test"):
        unseen = sorted(set(counts[name]) - set(counts["train"]))
        if unseen:
            raise DataError(
                f"These {what} occur in the {name} split but never in training: {some(unseen)}. A model "
                f"cannot learn them; move some of their examples to train, or remove them from {name}."
            )


def names_in(values: Mapping[str, Any], what: str) -> tuple[str, ...]:
    """Read the names of a target in a model folder, which may be anybody's.

    Raises:
        ModelError: they are no list of two or more different names.
    """
    names = values.get("classes")
    if (
        not isinstance(names, list | tuple)
        or not 2 <= len(names) <= MOST_CLASSES
        or not all(isinstance(name, str) for name in names)
        or len(set(names)) < len(names)
    ):
        raise ModelError(f"Its target names no {what}: two or more different names belong there.")
    return tuple(names)
