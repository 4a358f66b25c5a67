"""One class out of several: the classes as numbers, and whether the data can carry the task at all."""

# B batch, N examples, C classes

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers import balancing
from sonde.answers.names import counted, in_order, names_in, refuse_unknown, refuse_unseen, some
from sonde.data import Dataset, Listing
from sonde.data.target import Batch, Column, Moment, equal_weights
from sonde.errors import DataError

FIXES = (
    "classification.class_weights=balanced, classification.sampling=balanced, classification.loss=focal or "
    "classification.logit_adjustment=1 in training, classification.tune_for=f1 or balanced_accuracy in deciding"
)
"""What helps where classes are unequal, in words."""
FEWEST = 6
"""Examples in all below which nothing can be said: two classes, each once in training, validation and test."""
KIND = "classification"


@dataclass(frozen=True)
class ClassTarget:
    """Class numbers, from names that the training part holds."""

    classes: tuple[str, ...]
    """In the order of their numbers, C."""

    def encode(self, raw: Column) -> Column:
        """Turn names into class numbers, int32, N; a name that is no class raises DataError."""
        names, places = np.unique(np.asarray(raw), return_inverse=True)
        numbers = {name: number for number, name in enumerate(self.classes)}
        refuse_unknown([str(name) for name in names.tolist() if name not in numbers], self.classes, "classes")
        return np.array([numbers[name] for name in names.tolist()], dtype=np.int32)[places]

    def collate(self, truth: Column, moment: Moment) -> Batch:
        """Return the class numbers and equal weights."""
        return {"truth": np.asarray(truth), "weights": equal_weights(len(truth))}

    def move(self, truth: Column, motion: Any) -> Column:
        """Return the truth as it is: a class does not move with its image."""
        return truth

    def decode(self, outputs: Batch, inputs: Batch) -> Column:
        """Return the name of the class with the largest logit."""
        return np.array(self.classes, dtype=np.str_)[outputs["logits"].argmax(axis=-1)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"kind": KIND, "classes": list(self.classes)}


def learn(truth: Column, options: Any) -> ClassTarget:
    """Return the target of the classes in the training part, sorted; whole numbers by their value."""
    return ClassTarget(in_order(str(name) for name in np.unique(np.asarray(truth)).tolist()))


def target_from(values: Mapping[str, Any]) -> ClassTarget:
    """Rebuild a target from a model folder; raises ModelError where it names no classes."""
    return ClassTarget(names_in(values, "classes"))


def recognise(listing: Listing) -> str:
    """Say that each example has one label, which any text can be."""
    if listing.several or not isinstance(listing.truth, np.ndarray):
        return ""
    return f"one label each, {len(np.unique(listing.truth))} different ones"


def strata(truth: Column) -> NDArray[np.str_]:
    """Return the classes themselves."""
    return np.asarray(truth)


def count(truth: Column) -> Counter[str]:
    """Count the examples of each class."""
    return Counter(map(str, np.asarray(truth).tolist()))


def in_words(target: ClassTarget) -> dict[str, str]:
    """Return the classes for the terminal."""
    names = target.classes[:MOST_NAMED]
    return {
        "classes": f"{len(target.classes)}: {', '.join(names)}{', ...' if len(target.classes) > MOST_NAMED else ''}"
    }


MOST_NAMED = 12
"""Classes that are named on the terminal."""


def check(dataset: Dataset) -> tuple[str, ...]:
    """Refuse data that cannot carry the task, and say what it carries badly.

    Returns:
        Sentences on weaknesses, for the report.

    Raises:
        DataError: too few examples, one class, a class with one example, a class that training never sees, or an empty
            split; the text names the class and the cure.
    """
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    counts = {name: count(examples.truth) for name, examples in splits.items()}
    total = sum((counts[name] for name in splits), Counter[str]())
    if sum(total.values()) < FEWEST:
        raise DataError(
            f"The data set '{dataset.name}' has only {sum(total.values())} examples in all ({counted(total)}). "
            f"Training, choosing and testing need at least 3 of each class, and some 100 in all to mean anything."
        )
    if len(total) == 1:
        raise DataError(
            f"All {sum(total.values()):,} examples belong to one class, '{next(iter(total))}'; there is nothing to "
            "tell apart. Add a second class (one folder for each)."
        )
    lonely = sorted(name for name, times in total.items() if times == 1)
    if lonely:
        raise DataError(
            f"These classes have one example only: {some(lonely)}. One cannot be learned from and tested with; "
            "add at least two more to each, or remove them."
        )
    _check_splits(counts)
    return _weaknesses(counts)


def _check_splits(counts: dict[str, Counter[str]]) -> None:
    refuse_unseen(counts, "classes")
    for name in ("validation", "test"):
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
            notes.append(f"classes without an example in {name}, of which its scores say nothing: {some(missing)}")
    few = {name: times for name, times in counts["train"].items() if times < 10}
    if few:
        notes.append(f"classes with fewer than 10 training examples: {counted(Counter(few))}")
    unequal = balancing.in_words(counts["train"], FIXES)
    return (*notes, unequal) if unequal else tuple(notes)
