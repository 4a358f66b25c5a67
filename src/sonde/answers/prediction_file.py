"""Files of predictions: what every answer writes and checks alike, and how a part of predictions is taken."""

# N examples

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sonde.config.disk import check_regular, write_atomically
from sonde.config.untrusted import Unsound, parse_json
from sonde.errors import RunError

Made = TypeVar("Made", bound=Any)
"""Predictions of one answer, a dataclass."""

CLASSES_KEY = b"sonde.classes"
LARGEST_FILE = 8_000_000_000
"""Bytes of a file; its names and truths may take as much as its numbers."""
MOST_NUMBERS = 500_000_000
"""Numbers in a file; a file that claims more is not read."""


def write_table(path: Path, columns: Mapping[str, Any], about: Mapping[bytes, bytes]) -> None:
    """Write a file of predictions, in one step.

    Args:
        path: the run's `predictions_file`.
        columns: arrays by name.
        about: what stands in the file's metadata.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    table, buffer = pa.table(dict(columns)), io.BytesIO()
    pq.write_table(table.replace_schema_metadata(dict(about)) if about else table, buffer, compression="zstd")
    write_atomically(path, buffer.getvalue())


@contextmanager
def opened(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a file of predictions, which may be anybody's.

    Raises:
        RunError: the file is missing or damaged; so also where reading within fails.
    """
    try:
        check_regular(path, largest=LARGEST_FILE)
        with pq.ParquetFile(path) as file:
            yield file
    except FileNotFoundError:
        raise RunError(f"There is no {path}. (sonde evaluate {path.parent} writes it.)") from None
    except (pa.ArrowException, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise damaged(path, reason.splitlines()[0]) from None


def require_columns(schema: pa.Schema, kinds: Mapping[str, pa.DataType], path: Path) -> None:
    """Raise RunError where a file of predictions lacks a column, has it twice or of another type."""
    for column, kind in kinds.items():
        if schema.names.count(column) != 1 or schema.field(column).type != kind:
            raise damaged(path, f"it needs one column '{column}' of type {kind}")


def named_classes(schema: pa.Schema, path: Path) -> tuple[str, ...]:
    """Return the classes that a file of predictions names in its metadata.

    Raises:
        RunError: they are missing or damaged.
    """
    try:
        classes = parse_json((schema.metadata or {})[CLASSES_KEY])
    except KeyError:
        raise damaged(path, "its metadata does not name the classes") from None
    except Unsound as error:
        raise damaged(path, f"of the classes in its metadata, {error}") from None
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes) or len(classes) < 2:
        raise damaged(path, "the classes in its metadata are not a list of at least two names")
    if len(set(classes)) < len(classes):
        raise damaged(path, "a class occurs twice in its metadata")
    return tuple(classes)


def damaged(path: Path, reason: str) -> RunError:
    """Return the error for a file of predictions that cannot be right."""
    return RunError(f"{path} is damaged: {reason}. (sonde evaluate {path.parent} writes it anew.)")


def refuse_other_names(first: Sequence[str], second: Sequence[str]) -> None:
    """Raise where two predictions have different classes or labels.

    Raises:
        RunError: the text goes on from the names of the two runs.
    """
    odd = sorted(set(first) ^ set(second))
    if odd:
        shown = ", ".join(map(repr, odd[:3])) + (f" and {len(odd) - 3} more" if len(odd) > 3 else "")
        raise RunError(f"have different classes ({shown}), so they were trained on different data.")


def part_of(made: Made, rows: Sequence[int], arrays: Sequence[str]) -> Made:
    """Return some examples of predictions.

    Args:
        made: with `names`.
        rows: places of the examples.
        arrays: fields with N first beside the names; one that is None stays None.
    """
    chosen = np.asarray(rows, np.int64)
    held = {name: getattr(made, name) for name in arrays}
    parts = {name: None if each is None else each[chosen] for name, each in held.items()}
    return replace(made, names=tuple(made.names[row] for row in chosen.tolist()), **parts)
