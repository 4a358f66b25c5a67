"""The predictions of a run on its test examples, and the parquet file that keeps them.

    predictions.parquet: name, target, prediction, confidence, correct, and p_0, p_1, ... in class order

Probabilities are those after temperature scaling; `answers.probability_file` has the rest.
"""

# N examples, C classes

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from sonde.answers.answer import Kept
from sonde.answers.classification.fitted import Fitted
from sonde.answers.classification.target import ClassTarget
from sonde.answers.prediction_file import CLASSES_KEY, damaged, part_of, refuse_other_names
from sonde.answers.probability_file import (
    DECISION_KEY,
    probabilities_in,
    read_columns,
    rounded,
    write_columns,
)
from sonde.data.target import Column
from sonde.metrics import temperature, thresholds


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of each test example, beside the truth."""

    names: tuple[str, ...]
    classes: tuple[str, ...]
    truth: NDArray[np.int64]
    """Index of the true class, N."""
    probabilities: NDArray[np.float64]
    """N x C; numbers that a 32-bit float holds."""
    decision: tuple[float, ...] = ()
    """Offset of each class's log probability; none where the most probable class is predicted."""
    raw: NDArray[np.float64] | None = None
    """Probabilities before temperature scaling, where they are known; no file holds them."""

    def __len__(self) -> int:
        return len(self.names)

    def part(self, rows: Sequence[int]) -> "Predictions":
        """Return some of them."""
        return part_of(self, rows, ("truth", "probabilities", "raw"))

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """Return the index of the class that is predicted, N."""
        return thresholds.decide(self.probabilities, self.decision).astype(np.int64)


def predictions(
    names: Sequence[str],
    classes: Sequence[str],
    truth_N: ArrayLike,
    probabilities_NC: ArrayLike,
    *,
    decision: Sequence[float] = (),
) -> Predictions:
    """Put predictions together, with the probabilities rounded as the file will hold them.

    Args:
        names: name of each example, N.
        classes: names of the classes, in order.
        truth_N: index of the true class of each example.
        probabilities_NC: probability of each class for each example.
        decision: offset of each class's log probability, where what is predicted was tuned.
    """
    held = rounded(np.asarray(probabilities_NC))
    truth = np.asarray(truth_N, np.int64)
    assert held.shape == (len(names), len(classes)) and truth.shape == (len(names),), "N, C and N x C must fit"
    return Predictions(tuple(map(str, names)), tuple(map(str, classes)), truth, held, tuple(decision))


def write_predictions(path: Path, made: Predictions) -> None:
    """Write predictions to a parquet file, in one step.

    Args:
        path: the run's `predictions_file`.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    classes = np.array(made.classes, dtype=object)
    columns: dict[str, pa.Array] = {
        "name": pa.array(made.names, pa.string()),
        "target": pa.array(classes[made.truth], pa.string()),
        "prediction": pa.array(classes[made.predicted], pa.string()),
        "confidence": pa.array(made.probabilities[np.arange(len(made)), made.predicted].astype(np.float32)),
        "correct": pa.array(made.predicted == made.truth),
    }
    about = {CLASSES_KEY: json.dumps(made.classes).encode()}
    if made.decision:
        about[DECISION_KEY] = json.dumps(made.decision).encode()
    write_columns(path, columns, made.probabilities, about)


def read_predictions(path: Path) -> Predictions:
    """Read the predictions of a run.

    Args:
        path: the run's `predictions_file`.

    Raises:
        RunError: the file is missing, damaged or not ours; the text says which rule it breaks.
    """
    table, classes, decision = read_columns(path)
    return replace(_checked(table, classes, path), decision=decision)


def _checked(table: pa.Table, classes: tuple[str, ...], path: Path) -> Predictions:
    index = {name: number for number, name in enumerate(classes)}
    truths = table.column("target").to_pylist()
    strange = next((name for name in truths if name not in index), None)
    if strange is not None:
        raise damaged(path, f"the truth {strange!r} is not among its classes")
    probabilities = probabilities_in(table, classes)
    if not np.isfinite(probabilities).all() or probabilities.min() < 0 or np.abs(probabilities.sum(1) - 1).max() > 1e-3:
        raise damaged(path, "its probabilities are not between 0 and 1 with the sum 1")
    truth = np.array([index[name] for name in truths], np.int64)
    return Predictions(tuple(table.column("name").to_pylist()), classes, truth, probabilities)


def predict(target: ClassTarget, fitted: Fitted, kept: Kept, truth: Column, names: Sequence[str]) -> Predictions:
    """Return what a model says of examples, from the logits that were kept."""
    logits_NC = np.asarray(kept["logits"])
    made = predictions(
        names,
        target.classes,
        np.asarray(truth),
        temperature.apply(logits_NC, fitted.temperature),
        decision=fitted.decision,
    )
    return replace(made, raw=temperature.apply(logits_NC, 1.0))


def align(first: Predictions, second: Predictions) -> Predictions:
    """Return the second with its classes in the order of the first's.

    Raises:
        RunError: they have different classes.
    """
    if first.classes == second.classes:
        return second
    refuse_other_names(first.classes, second.classes)
    columns = [second.classes.index(name) for name in first.classes]
    decision = tuple(second.decision[column] for column in columns) if second.decision else ()
    truth = np.argsort(columns)[second.truth].astype(np.int64)
    raw = None if second.raw is None else second.raw[:, columns]
    probabilities = second.probabilities[:, columns]
    return replace(second, classes=first.classes, truth=truth, probabilities=probabilities, decision=decision, raw=raw)


def pool(parts: Sequence[tuple[Fitted, Predictions]]) -> tuple[Fitted, Predictions]:
    """Put the predictions of several models for different examples together; they decide by the mean of what each does.

    Each has a temperature of its own, so that what was there before it is not told.
    """
    fitted = [each for each, _ in parts]
    made = [each for _, each in parts]
    tuned = [each.decision for each in fitted if each.decision]
    decision = tuple(np.mean(tuned, axis=0).tolist()) if len(tuned) == len(parts) else ()
    whole = Predictions(
        tuple(name for each in made for name in each.names),
        made[0].classes,
        np.concatenate([each.truth for each in made]),
        np.concatenate([each.probabilities for each in made]),
        decision,
    )
    return Fitted(decision=decision, tuned_for=fitted[0].tuned_for, fitted_on=fitted[0].fitted_on), whole


def truth_in_words(made: Predictions, row: int) -> str:
    """Return the true class of one example."""
    return made.classes[made.truth[row]]


def unequal_truths(first: Predictions, second: Predictions) -> NDArray[np.bool_]:
    """Return which examples of two aligned predictions have another truth, N."""
    return np.asarray(first.truth != second.truth)


def truths(made: Predictions) -> Column:
    """Return the truths as the data holds them, N."""
    return np.array(made.classes, dtype=np.str_)[made.truth]
