"""One label for each example: classes as numbers, and whether the data can carry the task at all."""

# N examples, K classes

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonde.data import Dataset
from sonde.errors import DataError, did_you_mean

FEWEST = 6
"""Examples in all below which nothing can be said: two classes, each once in training, validation and test."""


def learn_classes(train_answers: NDArray[np.str_]) -> tuple[str, ...]:
    """Return the classes in the training answers, sorted; numbers by their value.

    Args:
        train_answers: labels as the data spells them, N.
    """
    names = sorted({str(name) for name in train_answers.tolist()})
    if all(name.isascii() and name.isdecimal() for name in names):
        names.sort(key=lambda name: (int(name), name))
    return tuple(names)


def encode(answers: NDArray[np.str_], classes: Sequence[str]) -> NDArray[np.int64]:
    """Turn labels into class numbers.

    Args:
        answers: labels as the data spells them, N.
        classes: as `learn_classes` gave them, K.

    Returns:
        int64, N, from 0 to K - 1.

    Raises:
        DataError: a label is no class; the text names it.
    """
    names, places = np.unique(answers, return_inverse=True)
    numbers = {name: number for number, name in enumerate(classes)}
    unknown = [str(name) for name in names.tolist() if name not in numbers]
    if unknown:
        raise DataError(
            f"The label '{unknown[0]}' is none of the model's {len(classes)} classes."
            f"{did_you_mean(unknown[0], classes)} It knows: {_some(list(classes))}."
        )
    return np.array([numbers[name] for name in names.tolist()], dtype=np.int64)[places]


def decode(
    probabilities: NDArray[np.floating], classes: Sequence[str], *, top: int = 5
) -> list[list[tuple[str, float]]]:
    """Name the most probable classes of each example, the most probable first.

    Args:
        probabilities: N x K.
        classes: the names, K.
        top: how many to name.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    return [
        [(classes[place], float(row[place])) for place in places]
        for row, places in zip(probabilities, order.tolist(), strict=True)
    ]


def check(dataset: Dataset) -> tuple[str, ...]:
    """Refuse data that cannot carry the task, and say what it carries badly.

    Args:
        dataset: what `data.load` gave.

    Returns:
        Sentences on weaknesses, for the report.

    Raises:
        DataError: too few examples, one class, a class with one example, a class that training never sees, or an empty
            split; the text names the class and the cure.
    """
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    counts = {name: Counter(examples.answers.tolist()) for name, examples in splits.items()}
    total = sum((counts[name] for name in splits), Counter[str]())
    if sum(total.values()) < FEWEST:
        raise DataError(
            f"The data set '{dataset.name}' has only {sum(total.values())} examples in all ({_counted(total)}). "
            f"Training, choosing and testing need at least 3 of each class, and some 100 in all to mean anything."
        )
    if len(total) == 1:
        raise DataError(
            f"All {sum(total.values()):,} examples belong to one class, '{next(iter(total))}'; there is nothing to "
            "tell apart. Add a second class (one folder for each)."
        )
    lonely = sorted(name for name, count in total.items() if count == 1)
    if lonely:
        raise DataError(
            f"These classes have one example only: {_some(lonely)}. One cannot be learned from and tested with; "
            "add at least two more to each, or remove them."
        )
    _check_splits(counts)
    return _weaknesses(counts)


def _check_splits(counts: dict[str, Counter[str]]) -> None:
    for name in ("validation", "test"):
        unseen = sorted(set(counts[name]) - set(counts["train"]))
        if unseen:
            raise DataError(
                f"These classes occur in the {name} split but never in training: {_some(unseen)}. A model "
                f"cannot learn them; move some of their examples to train, or remove them from {name}."
            )
        if not counts[name]:
            raise DataError(f"The {name} split is empty. Add examples to it, or remove it and it is made.")
    if len(counts["train"]) == 1:
        raise DataError(
            f"All training examples belong to one class, '{next(iter(counts['train']))}'. "
            "Add examples of a second class."
        )


def _weaknesses(counts: dict[str, Counter[str]]) -> tuple[str, ...]:
    notes = []
    for name in ("validation", "test"):
        missing = sorted(set(counts["train"]) - set(counts[name]))
        if missing:
            notes.append(f"classes without an example in {name}, of which its scores say nothing: {_some(missing)}")
    few = {name: count for name, count in counts["train"].items() if count < 10}
    if few:
        notes.append(f"classes with fewer than 10 training examples: {_counted(Counter(few))}")
    return tuple(notes)


def _some(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _counted(counts: Counter[str]) -> str:
    words = [f"'{name}' {count}" for name, count in sorted(counts.items())[:5]]
    return ", ".join(words) + (f" and {len(counts) - 5} more" if len(counts) > 5 else "")
