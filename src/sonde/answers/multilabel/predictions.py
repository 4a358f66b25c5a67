"""The predictions of a run with several labels for each example, and the parquet file that keeps them.

    predictions.parquet: name, target, prediction, correct, and p_0, p_1, ... in the order of the labels

Target and prediction are labels joined by "|"; `answers.probability_file` has the rest.
"""

# N examples, K labels

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from sonde.answers.answer import Kept
from sonde.answers.multilabel.fitted import Fitted
from sonde.answers.multilabel.target import LabelsTarget, join_labels
from sonde.answers.prediction_file import CLASSES_KEY, damaged, part_of, refuse_other_names
from sonde.answers.probability_file import (
    DECISION_KEY,
    probabilities_in,
    read_columns,
    rounded,
    write_columns,
)
from sonde.data.target import Column
from sonde.errors import DataError
from sonde.metrics import temperature


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of each test example, beside the truth."""

    names: tuple[str, ...]
    classes: tuple[str, ...]
    truth: NDArray[np.uint8]
    """1 where an example has a label, N x K."""
    probabilities: NDArray[np.float64]
    """N x K; numbers that a 32-bit float holds."""
    decision: tuple[float, ...]
    """Threshold of each label."""
    raw: NDArray[np.float64] | None = None
    """Probabilities before temperature scaling, where they are known; no file holds them."""

    def __len__(self) -> int:
        return len(self.names)

    def part(self, rows: Sequence[int]) -> "Predictions":
        """Return some of them."""
        return part_of(self, rows, ("truth", "probabilities", "raw"))

    @property
    def predicted(self) -> NDArray[np.bool_]:
        """Return which labels are given, N x K."""
        return np.asarray(self.probabilities >= np.asarray(self.decision))


def predictions(
    names: Sequence[str],
    classes: Sequence[str],
    truth_NK: ArrayLike,
    probabilities_NK: ArrayLike,
    thresholds_K: ArrayLike,
) -> Predictions:
    """Put predictions together, with the probabilities rounded as the file will hold them.

    Args:
        names: name of each example, N.
        classes: names of the labels, in order.
        truth_NK: 1 where an example has a label.
        probabilities_NK: probability of each label for each example.
        thresholds_K: probability from which on each label is given.
    """
    held = rounded(np.asarray(probabilities_NK))
    truth = (np.asarray(truth_NK) > 0).astype(np.uint8)
    assert held.shape == truth.shape == (len(names), len(classes)), "N x K must fit"
    thresholds = tuple(float(each) for each in np.asarray(thresholds_K))
    return Predictions(tuple(map(str, names)), tuple(map(str, classes)), truth, held, thresholds)


def write_predictions(path: Path, made: Predictions) -> None:
    """Write predictions to a parquet file, in one step.

    Args:
        path: the run's `predictions_file`.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    predicted = made.predicted
    columns: dict[str, pa.Array] = {
        "name": pa.array(made.names, pa.string()),
        "target": pa.array(_joined(made.truth > 0, made.classes), pa.string()),
        "prediction": pa.array(_joined(predicted, made.classes), pa.string()),
        "correct": pa.array((predicted == (made.truth > 0)).all(axis=1)),
    }
    about = {CLASSES_KEY: json.dumps(made.classes).encode(), DECISION_KEY: json.dumps(made.decision).encode()}
    write_columns(path, columns, made.probabilities, about)


def read_predictions(path: Path) -> Predictions:
    """Read the predictions of a run with several labels for each example.

    Args:
        path: the run's `predictions_file`.

    Raises:
        RunError: the file is missing, damaged or not ours; the text says which rule it breaks.
    """
    table, classes, decision = read_columns(path)
    try:
        truth = LabelsTarget(classes).encode(np.array(table.column("target").to_pylist(), dtype=np.str_))
    except DataError:
        raise damaged(path, "a true label is not among its labels") from None
    probabilities = probabilities_in(table, classes)
    if not np.isfinite(probabilities).all() or probabilities.min() < 0 or probabilities.max() > 1:
        raise damaged(path, "its probabilities are not between 0 and 1")
    thresholds = decision or (0.5,) * len(classes)
    return Predictions(tuple(table.column("name").to_pylist()), classes, np.asarray(truth), probabilities, thresholds)


def _joined(has_NK: NDArray[np.bool_], classes: Sequence[str]) -> list[str]:
    return [join_labels(classes, row) for row in has_NK]


def halves(target: LabelsTarget, fitted: Fitted) -> tuple[float, ...]:
    """Return the threshold of each label: what was fitted, else one half."""
    return fitted.decision or (0.5,) * len(target.classes)


def predict(target: LabelsTarget, fitted: Fitted, kept: Kept, truth: Column, names: Sequence[str]) -> Predictions:
    """Return what a model says of examples, from the logits that were kept."""
    logits_NK = np.asarray(kept["logits"])
    shares_NK = temperature.apply_labels(logits_NK, fitted.temperature)
    made = predictions(names, target.classes, np.asarray(truth), shares_NK, halves(target, fitted))
    return replace(made, raw=temperature.apply_labels(logits_NK, 1.0))


def align(first: Predictions, second: Predictions) -> Predictions:
    """Return the second with its labels in the order of the first's.

    Raises:
        RunError: they have different labels.
    """
    refuse_other_names(first.classes, second.classes)
    columns = [second.classes.index(name) for name in first.classes]
    return replace(
        second,
        classes=first.classes,
        truth=second.truth[:, columns],
        probabilities=second.probabilities[:, columns],
        decision=tuple(second.decision[column] for column in columns),
        raw=None if second.raw is None else second.raw[:, columns],
    )


def pool(parts: Sequence[tuple[Fitted, Predictions]]) -> tuple[Fitted, Predictions]:
    """Put the predictions of several models for different examples together, with the mean of their thresholds."""
    fitted = [each for each, _ in parts]
    made = [each for _, each in parts]
    tuned = [each.decision for each in fitted if each.decision]
    decision = tuple(np.mean(tuned, axis=0).tolist()) if len(tuned) == len(parts) else ()
    whole = Predictions(
        tuple(name for each in made for name in each.names),
        made[0].classes,
        np.concatenate([each.truth for each in made]),
        np.concatenate([each.probabilities for each in made]),
        decision or (0.5,) * len(made[0].classes),
    )
    return Fitted(decision=decision, tuned_for=fitted[0].tuned_for, fitted_on=fitted[0].fitted_on), whole


def truth_in_words(made: Predictions, row: int) -> str:
    """Return the true labels of one example."""
    return ", ".join(made.classes[index] for index in np.flatnonzero(made.truth[row]))


def unequal_truths(first: Predictions, second: Predictions) -> NDArray[np.bool_]:
    """Return which examples of two aligned predictions have another truth, N."""
    return np.asarray((first.truth != second.truth).any(axis=1))


def truths(made: Predictions) -> Column:
    """Return the truths as the data holds them, N."""
    return np.array(_joined(made.truth > 0, made.classes), dtype=np.str_)
