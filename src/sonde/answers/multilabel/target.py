"""Several labels for each example, or none: a table of yes and no, and whether the data can carry the task at all.

In the data the labels of an example are one text, joined by "|"; an empty text has none.
"""

# B batch, N examples, K labels

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers.classification.row import ROW as ONE_LABEL
from sonde.answers.names import in_order, names_in, refuse_unknown, refuse_unseen, some
from sonde.data import Dataset, Listing
from sonde.data.sources import multilabel
from sonde.data.target import Batch, Column, Moment, equal_weights
from sonde.errors import DataError

BETWEEN = "|"
"""Stands between the labels of an example."""
FEWEST = 6
"""Examples in all below which nothing can be said."""
RARE = 0.02
"""Share of the training examples below which a label is called rare."""
MOST_NAMED = 12
"""Labels that are named on the terminal."""
KIND = "multilabel"


@dataclass(frozen=True)
class LabelsTarget:
    """A column of 0 and 1 for each label that the training part holds."""

    classes: tuple[str, ...]
    """The labels, in the order of their columns, K."""

    def encode(self, raw: Column) -> Column:
        """Turn joined labels into a table of yes and no, uint8, N x K; a label that is not known raises DataError."""
        numbers = {name: number for number, name in enumerate(self.classes)}
        kinds, places = np.unique(np.asarray(raw), return_inverse=True)
        table = np.zeros((len(kinds), len(self.classes)), dtype=np.uint8)
        for row, joined in enumerate(kinds.tolist()):
            names = labels_of(joined)
            refuse_unknown([name for name in names if name not in numbers], self.classes, "labels")
            table[row, [numbers[name] for name in names]] = 1
        return np.asarray(table[places.reshape(-1)])

    def collate(self, truth: Column, moment: Moment) -> Batch:
        """Return the table as int32 and equal weights, B x K each."""
        table = np.asarray(truth)
        return {"truth": table.astype(np.int32), "weights": equal_weights(*table.shape)}

    def move(self, truth: Column, motion: Any) -> Column:
        """Return the truth as it is: labels do not move with their image."""
        return truth

    def decode(self, outputs: Batch, inputs: Batch) -> Column:
        """Return the labels from one half on, joined."""
        return np.array([join_labels(self.classes, row) for row in outputs["logits"] >= 0], dtype=np.str_)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"kind": KIND, "classes": list(self.classes)}


def learn(truth: Column, options: Any) -> LabelsTarget:
    """Return the target of the labels in the training part, sorted; whole numbers by their value."""
    return LabelsTarget(
        in_order(name for joined in np.unique(np.asarray(truth)).tolist() for name in labels_of(joined))
    )


def target_from(values: Mapping[str, Any]) -> LabelsTarget:
    """Rebuild a target from a model folder; raises ModelError where it names no labels."""
    return LabelsTarget(names_in(values, "labels"))


def labels_of(joined: str) -> tuple[str, ...]:
    """Return the labels of an example, each once, in their order."""
    return tuple(dict.fromkeys(part for each in joined.split(BETWEEN) if (part := each.strip())))


def join_labels(classes: Sequence[str], has_K: Sequence[Any] | NDArray[Any]) -> str:
    """Return the labels that an example has as one text, as the data holds them."""
    return BETWEEN.join(name for name, has in zip(classes, has_K, strict=True) if has)


def recognise(listing: Listing) -> str:
    """Say that examples have several labels, where the data was read so."""
    if not listing.several:
        return ""
    return f"several labels each, {len(count(listing.truth))} different ones"


def strata(truth: Column) -> NDArray[np.str_]:
    """Return the rarest label of each example; see `sources.multilabel.strata`."""
    return multilabel.strata(np.asarray(truth))


def count(truth: Column) -> Counter[str]:
    """Count the examples of each label; one with several counts for each of them."""
    found: Counter[str] = Counter()
    for joined, times in Counter(np.asarray(truth).tolist()).items():
        found.update(dict.fromkeys(labels_of(joined), times))
    return found


def in_words(target: LabelsTarget) -> dict[str, str]:
    """Return the labels for the terminal."""
    names = target.classes[:MOST_NAMED]
    return {"labels": f"{len(target.classes)}: {', '.join(names)}{', ...' if len(target.classes) > MOST_NAMED else ''}"}


def check(dataset: Dataset) -> tuple[str, ...]:
    """Refuse data that cannot carry the task, and say what it carries badly.

    Returns:
        Sentences on weaknesses, for the report.

    Raises:
        DataError: too few examples, no or one label, a label that training never sees, or an empty split; the text
            names the label and the cure.
    """
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    total = sum(len(examples) for examples in splits.values())
    if total < FEWEST:
        raise DataError(
            f"The data set '{dataset.name}' has only {total} examples in all. Training, choosing and testing need at "
            "least 3 of each label, and some 100 in all to mean anything."
        )
    counts = {name: count(examples.truth) for name, examples in splits.items()}
    known = set().union(*counts.values())
    if len(known) < 2:
        one = f"only the label '{next(iter(known))}'" if known else "no label at all"
        raise DataError(
            f"The examples have {one}. Several labels for each example need at least two different ones; where each "
            "has one label or none, make 'none' a label of its own and name the task of one label each, such as "
            f"--set run.task={ONE_LABEL.tasks[dataset.modality]} (sonde list tasks shows all)."
        )
    refuse_unseen(counts, "labels")
    for name in ("validation", "test"):
        if not len(splits[name]):
            raise DataError(f"The {name} split is empty. Add examples to it, or remove it and it is made.")
    if len(counts["train"]) < 2:
        raise DataError(
            f"The training examples have only the label '{next(iter(counts['train']))}'. Add examples of a second one."
        )
    return _weaknesses(dataset, counts)


def _weaknesses(dataset: Dataset, counts: dict[str, Counter[str]]) -> tuple[str, ...]:
    notes = []
    for name in ("validation", "test"):
        missing = sorted(set(counts["train"]) - set(counts[name]))
        if missing:
            notes.append(f"labels without an example in {name}, of which its scores say nothing: {some(missing)}")
    train = counts["train"]
    few = [name for name, times in sorted(train.items()) if times < 10]
    if few:
        notes.append(f"labels with fewer than 10 training examples: {some(few)}")
    everywhere = sorted(name for name, times in train.items() if times == len(dataset.train))
    if everywhere:
        notes.append(f"labels that every training example has, so that there is nothing to learn: {some(everywhere)}")
    rare = sorted(name for name, times in train.items() if times < RARE * len(dataset.train))
    if rare:
        notes.append(
            f"rare labels, below {RARE:.0%} of the training examples: {some(rare)}; what helps, as --set: "
            "multilabel.class_weights=sqrt, multilabel.loss=focal (thresholds are tuned for each label already)"
        )
    return tuple(notes)
