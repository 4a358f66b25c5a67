"""How the two answers of today encode a truth and make of it what a loss reads; see `data.target`."""

# N examples, B batch, K classes or labels

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sonde.data.target import Batch, Column, Moment, Target, equal_weights
from sonde.tasks import label, labels


@dataclass(frozen=True)
class ClassTarget:
    """One class of several."""

    classes: tuple[str, ...]

    def encode(self, raw: Column) -> NDArray[np.int64]:
        """Return class numbers, N; raises DataError where one is not known."""
        return label.encode(np.asarray(raw), self.classes)

    def collate(self, truth: Column, moment: Moment) -> Batch:
        """Return class numbers, int32, B, with equal weights."""
        return {"truth": np.asarray(truth, dtype=np.int32), "weights": equal_weights(len(truth))}

    def move(self, truth: Column, motion: Any) -> Column:
        """Return the same: a class has no place."""
        return truth

    def decode(self, outputs: Batch, inputs: Batch) -> Column:
        """Return the names of the most probable classes, B."""
        return np.array(self.classes)[outputs["logits"].argmax(axis=-1)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; see `target_from`."""
        return {"classes": list(self.classes)}


@dataclass(frozen=True)
class MultilabelTarget:
    """Any of several labels."""

    classes: tuple[str, ...]

    def encode(self, raw: Column) -> NDArray[np.uint8]:
        """Return 1 where an example has a label, N x K; raises DataError where one is not known."""
        return labels.encode(np.asarray(raw), self.classes)

    def collate(self, truth: Column, moment: Moment) -> Batch:
        """Return 0 and 1, int32, B x K, each of the same weight."""
        truth_BK = np.asarray(truth, dtype=np.int32)
        return {"truth": truth_BK, "weights": equal_weights(*truth_BK.shape)}

    def move(self, truth: Column, motion: Any) -> Column:
        """Return the same: a label has no place."""
        return truth

    def decode(self, outputs: Batch, inputs: Batch) -> Column:
        """Return the labels from one half on, joined as in the data, B."""
        given_BK = outputs["logits"] >= 0
        return np.array([labels.join([self.classes[place] for place in np.flatnonzero(row)]) for row in given_BK])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; see `target_from`."""
        return {"classes": list(self.classes)}


TARGETS = {"label": ClassTarget, "labels": MultilabelTarget}
"""By answer."""


def target_from(answer: str, classes: Sequence[str]) -> Target:
    """Return the target of an answer.

    Args:
        answer: a row of `TARGETS`.
        classes: their names, as the answer's `learn_classes` gave them.
    """
    return cast(Target, TARGETS[answer](tuple(classes)))
