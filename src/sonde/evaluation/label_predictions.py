"""The predictions of a run with several labels for each example, and the parquet file that keeps them.

    predictions.parquet: name, truth, guess, correct, and p_0, p_1, ... in the order of the labels

Truth and guess are labels joined by "|". Labels and thresholds stand in the file's metadata as JSON; scores are
computed from exactly these numbers, as with one label (`predictions`).
"""

# N examples, K labels

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from sonde import tasks
from sonde.errors import DataError
from sonde.evaluation.predictions import (
    CLASSES_KEY,
    DECISION_KEY,
    damaged,
    probabilities_in,
    read_columns,
    write_columns,
)


@dataclass(frozen=True, eq=False)
class LabelPredictions:
    """What a model says of each test example, beside the truth."""

    names: tuple[str, ...]
    classes: tuple[str, ...]
    truth: NDArray[np.uint8]
    """1 where an example has a label, N x K."""
    probabilities: NDArray[np.float64]
    """N x K; numbers that a 32-bit float holds."""
    decision: tuple[float, ...]
    """Threshold of each label."""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def guess(self) -> NDArray[np.bool_]:
        """Return which labels are given, N x K."""
        return tasks.labels.decide(self.probabilities, self.decision)


def label_predictions(
    names: Sequence[str],
    classes: Sequence[str],
    truth_NK: ArrayLike,
    probabilities_NK: ArrayLike,
    thresholds_K: ArrayLike,
) -> LabelPredictions:
    """Put predictions together, with the probabilities rounded as the file will hold them.

    Args:
        names: name of each example, N.
        classes: names of the labels, in order.
        truth_NK: 1 where an example has a label.
        probabilities_NK: probability of each label for each example.
        thresholds_K: probability from which on each label is given.
    """
    rounded = np.asarray(probabilities_NK, np.float32).astype(np.float64)
    truth = (np.asarray(truth_NK) > 0).astype(np.uint8)
    assert rounded.shape == truth.shape == (len(names), len(classes)), "N x K must fit"
    thresholds = tuple(float(each) for each in np.asarray(thresholds_K))
    return LabelPredictions(tuple(map(str, names)), tuple(map(str, classes)), truth, rounded, thresholds)


def write_label_predictions(path: Path, made: LabelPredictions) -> None:
    """Write predictions to a parquet file, in one step.

    Args:
        path: the run's `predictions_file`.
        made: what to write.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    guess = made.guess
    columns: dict[str, pa.Array] = {
        "name": pa.array(made.names, pa.string()),
        "truth": pa.array(_joined(made.truth > 0, made.classes), pa.string()),
        "guess": pa.array(_joined(guess, made.classes), pa.string()),
        "correct": pa.array((guess == (made.truth > 0)).all(axis=1)),
    }
    about = {CLASSES_KEY: json.dumps(made.classes).encode(), DECISION_KEY: json.dumps(made.decision).encode()}
    write_columns(path, columns, made.probabilities, about)


def read_label_predictions(path: Path) -> LabelPredictions:
    """Read the predictions of a run with several labels for each example.

    Args:
        path: the run's `predictions_file`.

    Raises:
        RunError: the file is missing, damaged or not ours; the text says which rule it breaks.
    """
    table, classes, decision = read_columns(path)
    try:
        truth = tasks.labels.encode(np.array(table.column("truth").to_pylist(), dtype=np.str_), classes)
    except DataError:
        raise damaged(path, "a true label is not among its labels") from None
    probabilities = probabilities_in(table, classes)
    if not np.isfinite(probabilities).all() or probabilities.min() < 0 or probabilities.max() > 1:
        raise damaged(path, "its probabilities are not between 0 and 1")
    thresholds = decision or (0.5,) * len(classes)
    return LabelPredictions(tuple(table.column("name").to_pylist()), classes, truth, probabilities, thresholds)


def _joined(has_NK: NDArray[np.bool_], classes: Sequence[str]) -> list[str]:
    return [tasks.labels.join([name for name, has in zip(classes, row, strict=True) if has]) for row in has_NK]
