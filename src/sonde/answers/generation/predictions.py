"""The written texts of a run beside the targets, and the parquet file that keeps them.

predictions.parquet: name, target, prediction, correct, confidence (empty for a text that no model wrote)
"""

# N examples

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sonde.answers.answer import Kept
from sonde.answers.fitted import FittedValues
from sonde.answers.generation.target import TextTarget
from sonde.answers.prediction_file import damaged, opened, part_of, require_columns, write_table
from sonde.data.ragged import Ragged, texts
from sonde.data.target import Column

COLUMNS = {"name": pa.string(), "target": pa.string(), "prediction": pa.string(), "confidence": pa.float32()}
"""Columns that are read again, with their types."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model writes for each test example, beside the truth."""

    names: tuple[str, ...]
    targets: tuple[str, ...]
    written: tuple[str, ...]
    confidence: NDArray[np.float32]
    """Probability that the model gives its text, N; NaN where it is not known."""

    def __len__(self) -> int:
        return len(self.names)

    def part(self, rows: Sequence[int]) -> "Predictions":
        """Return some of them."""
        targets, written = (tuple(each[row] for row in rows) for each in (self.targets, self.written))
        return replace(part_of(self, rows, ("confidence",)), targets=targets, written=written)


def predictions(names: Sequence[str], targets: Sequence[str], written: Sequence[str]) -> Predictions:
    """Put texts together that no model wrote."""
    unknown = np.full(len(names), np.nan, dtype=np.float32)
    return Predictions(tuple(map(str, names)), tuple(targets), tuple(written), unknown)


def predict(target: TextTarget, fitted: FittedValues, kept: Kept, truth: Column, names: Sequence[str]) -> Predictions:
    """Return what a model writes for examples, from the tokens that were kept."""
    confidence = np.exp(np.asarray(kept["log_likelihood"], dtype=np.float32))
    return Predictions(tuple(map(str, names)), target.texts(truth), target.texts(kept["tokens"]), confidence)


def write_predictions(path: Path, made: Predictions) -> None:
    """Write predictions to a parquet file, in one step.

    Args:
        path: the run's `predictions_file`.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    columns = {
        "name": pa.array(made.names, pa.string()),
        "target": pa.array(made.targets, pa.string()),
        "prediction": pa.array(made.written, pa.string()),
        "correct": pa.array([one == other for one, other in zip(made.targets, made.written, strict=True)], pa.bool_()),
        "confidence": pa.array(made.confidence, pa.float32(), from_pandas=True),
    }
    write_table(path, columns, {})


def read_predictions(path: Path) -> Predictions:
    """Read the predictions of a run that writes texts.

    Args:
        path: the run's `predictions_file`.

    Raises:
        RunError: the file is missing, damaged or not ours; the text says which rule it breaks.
    """
    with opened(path) as file:
        require_columns(file.schema_arrow, COLUMNS, path)
        table = file.read(columns=list(COLUMNS))
    if not table.num_rows:
        raise damaged(path, "it holds no example")
    names, targets, written = (table.column(name) for name in ("name", "target", "prediction"))
    if names.null_count or targets.null_count or written.null_count:
        raise damaged(path, "a value is missing")
    # An empty cell becomes NaN.
    confidence = table.column("confidence").to_numpy().astype(np.float32)
    return Predictions(tuple(names.to_pylist()), tuple(targets.to_pylist()), tuple(written.to_pylist()), confidence)


def align(first: Predictions, second: Predictions) -> Predictions:
    """Return the second as it is: texts have no order of classes."""
    return second


def pool(parts: Sequence[tuple[FittedValues, Predictions]]) -> tuple[FittedValues, Predictions]:
    """Put the texts that several models wrote for different examples together."""
    made = [each for _, each in parts]
    whole = Predictions(
        tuple(name for each in made for name in each.names),
        tuple(text for each in made for text in each.targets),
        tuple(text for each in made for text in each.written),
        np.concatenate([each.confidence for each in made]),
    )
    return parts[0][0], whole


def truth_in_words(made: Predictions, row: int) -> str:
    """Return the target text of one example."""
    return made.targets[row]


def unequal_truths(first: Predictions, second: Predictions) -> NDArray[np.bool_]:
    """Return which examples of two predictions have another target, N."""
    return np.array([one != other for one, other in zip(first.targets, second.targets, strict=True)], dtype=np.bool_)


def truths(made: Predictions) -> Ragged:
    """Return the target texts as the data holds them, N."""
    return texts(made.targets)
