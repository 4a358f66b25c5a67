"""The predictions of a run on its test examples, and the parquet file that keeps them.

    predictions.parquet: name, truth, guess, confidence, correct, and p_0, p_1, ... in class order

The classes stand in the file's metadata as JSON. Probabilities are 32-bit floats, after temperature scaling; scores
are computed from exactly these, so that the file and the scores never disagree.
"""

# N examples, C classes

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from sonde.config.files import write_atomically
from sonde.errors import RunError

CLASSES_KEY = b"sonde.classes"
MOST_NUMBERS = 500_000_000
"""Probabilities in a file (4 bytes each); a file that claims more is not read."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of each test example, beside the truth."""

    names: tuple[str, ...]
    classes: tuple[str, ...]
    truth: NDArray[np.int64]
    """Index of the true class, N."""
    probabilities: NDArray[np.float64]
    """N x C; numbers that a 32-bit float holds."""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def guess(self) -> NDArray[np.int64]:
        """Return the index of the most probable class, N."""
        return self.probabilities.argmax(axis=1)


def predictions(
    names: Sequence[str], classes: Sequence[str], truth_N: ArrayLike, probabilities_NC: ArrayLike
) -> Predictions:
    """Put predictions together, with the probabilities rounded as the file will hold them.

    Args:
        names: name of each example, N.
        classes: names of the classes, in order.
        truth_N: index of the true class of each example.
        probabilities_NC: probability of each class for each example.
    """
    rounded = np.asarray(probabilities_NC, np.float32).astype(np.float64)
    truth = np.asarray(truth_N, np.int64)
    assert rounded.shape == (len(names), len(classes)) and truth.shape == (len(names),), "N, C and N x C must fit"
    return Predictions(tuple(map(str, names)), tuple(map(str, classes)), truth, rounded)


def write_predictions(path: Path, made: Predictions) -> None:
    """Write predictions to a parquet file, in one step.

    Args:
        path: the run's `predictions_file`.
        made: what to write.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    classes = np.array(made.classes, dtype=object)
    columns: dict[str, pa.Array] = {
        "name": pa.array(made.names, pa.string()),
        "truth": pa.array(classes[made.truth], pa.string()),
        "guess": pa.array(classes[made.guess], pa.string()),
        "confidence": pa.array(made.probabilities.max(axis=1).astype(np.float32)),
        "correct": pa.array(made.guess == made.truth),
    }
    for index in range(len(made.classes)):
        columns[f"p_{index}"] = pa.array(made.probabilities[:, index].astype(np.float32))
    table = pa.table(columns).replace_schema_metadata({CLASSES_KEY: json.dumps(made.classes).encode()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_atomically(path, buffer.getvalue())


def read_predictions(path: Path) -> Predictions:
    """Read the predictions of a run.

    Args:
        path: the run's `predictions_file`.

    Raises:
        RunError: the file is missing, damaged or not ours; the text says which rule it breaks.
    """
    try:
        with pq.ParquetFile(path) as file:
            classes = _classes(file.schema_arrow, path)
            if file.metadata.num_rows * len(classes) > MOST_NUMBERS:
                raise _damaged(path, f"it claims more than {MOST_NUMBERS:,} probabilities")
            table = file.read(columns=["name", "truth", *_probability_columns(classes)])
    except FileNotFoundError:
        raise RunError(f"There is no {path}. (sonde evaluate {path.parent} writes it.)") from None
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, str(error).splitlines()[0] if str(error) else type(error).__name__) from None
    return _checked(table, classes, path)


def _classes(schema: pa.Schema, path: Path) -> tuple[str, ...]:
    try:
        classes = json.loads((schema.metadata or {})[CLASSES_KEY])
    except KeyError:
        raise _damaged(path, "its metadata does not name the classes") from None
    except ValueError:
        raise _damaged(path, "the classes in its metadata are not JSON") from None
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes) or len(classes) < 2:
        raise _damaged(path, "the classes in its metadata are not a list of at least two names")
    if len(set(classes)) < len(classes):
        raise _damaged(path, "a class occurs twice in its metadata")
    expected = dict.fromkeys(("name", "truth"), pa.string()) | dict.fromkeys(
        _probability_columns(classes), pa.float32()
    )
    for column, kind in expected.items():
        if schema.names.count(column) != 1 or schema.field(column).type != kind:
            raise _damaged(path, f"it needs one column '{column}' of type {kind}")
    return tuple(classes)


def _checked(table: pa.Table, classes: tuple[str, ...], path: Path) -> Predictions:
    if not table.num_rows:
        raise _damaged(path, "it holds no example")
    if any(column.null_count for column in table.columns):
        raise _damaged(path, "a value is missing")
    index = {name: number for number, name in enumerate(classes)}
    truths = table.column("truth").to_pylist()
    strange = next((name for name in truths if name not in index), None)
    if strange is not None:
        raise _damaged(path, f"the truth {strange!r} is not among its classes")
    columns = [table.column(name).to_numpy() for name in _probability_columns(classes)]
    probabilities = np.stack(columns, axis=1).astype(np.float64)
    if not np.isfinite(probabilities).all() or probabilities.min() < 0 or np.abs(probabilities.sum(1) - 1).max() > 1e-3:
        raise _damaged(path, "its probabilities are not between 0 and 1 with the sum 1")
    truth = np.array([index[name] for name in truths], np.int64)
    return Predictions(tuple(table.column("name").to_pylist()), classes, truth, probabilities)


def _probability_columns(classes: Sequence[str]) -> list[str]:
    return [f"p_{index}" for index in range(len(classes))]


def _damaged(path: Path, reason: str) -> RunError:
    return RunError(f"{path} is damaged: {reason}. (sonde evaluate {path.parent} writes it anew.)")
