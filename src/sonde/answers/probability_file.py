"""Files of predictions that hold a probability for each class or label: what both kinds write and check alike.

The names stand in the file's metadata as JSON, and what a tuned model decides by beside them. Probabilities are 32-bit
floats; scores are computed from exactly these, so that the file and the scores never disagree.
"""

# N examples, C classes

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sonde.answers.prediction_file import (
    MOST_NUMBERS,
    damaged,
    named_classes,
    opened,
    require_columns,
    write_table,
)
from sonde.config.untrusted import parse_json

DECISION_KEY = b"sonde.decision"


def rounded(probabilities_NC: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return probabilities as the file holds them."""
    return np.asarray(probabilities_NC, np.float32).astype(np.float64)


def write_columns(
    path: Path, columns: Mapping[str, pa.Array], probabilities_NC: NDArray[np.float64], about: Mapping[bytes, bytes]
) -> None:
    """Write a file of predictions, in one step.

    Args:
        path: the run's `predictions_file`.
        columns: those before the probabilities.
        probabilities_NC: of each class or label.
        about: what stands in the file's metadata.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    numbers = {f"p_{index}": pa.array(column.astype(np.float32)) for index, column in enumerate(probabilities_NC.T)}
    write_table(path, {**columns, **numbers}, about)


def read_columns(path: Path) -> tuple[pa.Table, tuple[str, ...], tuple[float, ...]]:
    """Read the columns of a file of predictions: name, truth and probabilities.

    Args:
        path: the run's `predictions_file`.

    Returns:
        The columns, none of them with a gap; the classes or labels; and the tuned decision.

    Raises:
        RunError: the file is missing, damaged or not ours; the text says which rule it breaks.
    """
    with opened(path) as file:
        classes = classes_in(file.schema_arrow, path)
        decision = decision_in(file.schema_arrow, classes, path)
        if file.metadata.num_rows * len(classes) > MOST_NUMBERS:
            raise damaged(path, f"it claims more than {MOST_NUMBERS:,} probabilities")
        table = file.read(columns=["name", "target", *probability_columns(classes)])
    if not table.num_rows:
        raise damaged(path, "it holds no example")
    if any(column.null_count for column in table.columns):
        raise damaged(path, "a value is missing")
    return table, classes, decision


def probabilities_in(table: pa.Table, classes: Sequence[str]) -> NDArray[np.float64]:
    """Return the probabilities of a file of predictions, N x C.

    Args:
        classes: likewise.
    """
    columns = [table.column(name).to_numpy() for name in probability_columns(classes)]
    return np.stack(columns, axis=1).astype(np.float64)


def classes_in(schema: pa.Schema, path: Path) -> tuple[str, ...]:
    """Return the classes that a file of predictions names, once its columns are found to fit them.

    Raises:
        RunError: they are missing or damaged, or a column is.
    """
    classes = named_classes(schema, path)
    numbers = dict.fromkeys(probability_columns(classes), pa.float32())
    require_columns(schema, {"name": pa.string(), "target": pa.string(), **numbers}, path)
    return classes


def decision_in(schema: pa.Schema, classes: Sequence[str], path: Path) -> tuple[float, ...]:
    """Return the tuned decision that a file of predictions holds; none where it holds none.

    Raises:
        RunError: it is damaged.
    """
    try:
        decision = parse_json((schema.metadata or {}).get(DECISION_KEY, b"[]"))
        numbers = tuple(float(each) for each in decision)
    except (ValueError, TypeError):
        raise damaged(path, "the decision in its metadata is no list of numbers") from None
    if numbers and (len(numbers) != len(classes) or not np.isfinite(numbers).all()):
        raise damaged(path, "the decision in its metadata does not fit its classes")
    return numbers


def probability_columns(classes: Sequence[str]) -> list[str]:
    """Return the names of the columns of probabilities, in the order of the classes."""
    return [f"p_{index}" for index in range(len(classes))]
