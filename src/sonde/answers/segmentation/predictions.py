"""The predictions of a run on masks, and the parquet file that keeps them.

    predictions.parquet: name, dice, confidence, and pixels, the C x C counts of each example

The pixels of example n that are of class i and predicted as j stand at i * C + j of its `pixels`. Masks themselves are
written by `sonde predict`.
"""

# N examples, C classes

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sonde.answers.answer import Kept
from sonde.answers.fitted import FittedValues
from sonde.answers.prediction_file import (
    CLASSES_KEY,
    MOST_NUMBERS,
    damaged,
    named_classes,
    opened,
    part_of,
    refuse_other_names,
    require_columns,
    write_table,
)
from sonde.answers.segmentation.target import MaskTarget
from sonde.answers.segmentation.training import counts_of
from sonde.data.target import Column

UNLIKE = 0.01
"""Share of an image by which a class may differ between two truths that are the same, decoded to different sizes."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of each example, beside the truth, counted in pixels."""

    names: tuple[str, ...]
    classes: tuple[str, ...]
    pixels: NDArray[np.int64]
    """Pixels by true (rows) and predicted class, N x C x C."""
    confidence: NDArray[np.float64]
    """Mean probability of what is predicted, N; NaN where there is none."""
    predicted: NDArray[np.uint8] | None = None
    """Small masks for the report, N x h x w; no file holds them."""
    true: NDArray[np.uint8] | None = None
    """Likewise of the truths."""

    def __len__(self) -> int:
        return len(self.names)

    def part(self, rows: Sequence[int]) -> "Predictions":
        """Return some of them."""
        return part_of(self, rows, ("pixels", "confidence", "predicted", "true"))


def dice_of(pixels_NCC: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean Dice of each example over the classes that its truth or prediction holds, N; 1 where none does.

    An example whose pixels are all left out has nothing to be missed.
    """
    hits_NC = np.diagonal(pixels_NCC, axis1=1, axis2=2).astype(np.float64)
    both_NC = (pixels_NCC.sum(axis=2) + pixels_NCC.sum(axis=1)).astype(np.float64)
    there_NC = both_NC > 0
    dice_NC = np.divide(2 * hits_NC, both_NC, out=np.zeros_like(hits_NC), where=there_NC)
    there_N = there_NC.sum(axis=1)
    return np.divide(dice_NC.sum(axis=1), there_N, out=np.ones(len(hits_NC)), where=there_N > 0)


def predict(target: MaskTarget, fitted: FittedValues, kept: Kept, truth: Column, names: Sequence[str]) -> Predictions:
    """Return what a model says of examples, from what was kept."""
    return Predictions(
        tuple(map(str, names)),
        target.classes,
        counts_of(kept),
        np.asarray(kept["confidence"], np.float64),
        np.asarray(kept["predicted"]),
        np.asarray(kept["true"]),
    )


def write_predictions(path: Path, made: Predictions) -> None:
    """Write predictions to a parquet file, in one step.

    Args:
        path: the run's `predictions_file`.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    flat = made.pixels.reshape(len(made), -1)
    columns = {
        "name": pa.array(made.names, pa.string()),
        "dice": pa.array(dice_of(made.pixels)),
        "confidence": pa.array(made.confidence),
        "pixels": pa.FixedSizeListArray.from_arrays(pa.array(flat.reshape(-1)), flat.shape[1]),
    }
    write_table(path, columns, {CLASSES_KEY: json.dumps(made.classes).encode()})


def read_predictions(path: Path) -> Predictions:
    """Read the predictions of a run on masks.

    Args:
        path: the run's `predictions_file`.

    Raises:
        RunError: the file is missing, damaged or not ours; the text says which rule it breaks.
    """
    with opened(path) as file:
        classes = named_classes(file.schema_arrow, path)
        pixels = {"pixels": pa.list_(pa.int64(), len(classes) ** 2)}
        require_columns(file.schema_arrow, {"name": pa.string(), "confidence": pa.float64(), **pixels}, path)
        if file.metadata.num_rows * len(classes) ** 2 > MOST_NUMBERS:
            raise damaged(path, f"it claims more than {MOST_NUMBERS:,} counts")
        table = file.read(columns=["name", "confidence", "pixels"])
    if not table.num_rows or any(column.null_count for column in table.columns):
        raise damaged(path, "it holds no example, or a value is missing")
    counts = table.column("pixels").combine_chunks().flatten().to_numpy().reshape(-1, len(classes), len(classes))
    if counts.min() < 0:
        raise damaged(path, "it counts fewer pixels than none")
    names = tuple(table.column("name").to_pylist())
    return Predictions(names, classes, counts, table.column("confidence").to_numpy())


def align(first: Predictions, second: Predictions) -> Predictions:
    """Return the second with its classes in the order of the first's; RunError where they have others."""
    refuse_other_names(first.classes, second.classes)
    order = [second.classes.index(name) for name in first.classes]
    return replace(second, classes=first.classes, pixels=second.pixels[:, order][:, :, order])


def pool(parts: Sequence[tuple[FittedValues, Predictions]]) -> tuple[FittedValues, Predictions]:
    """Put the predictions of several models for different examples together."""
    made = [each for _, each in parts]
    return parts[0][0], Predictions(
        tuple(name for each in made for name in each.names),
        made[0].classes,
        np.concatenate([each.pixels for each in made]),
        np.concatenate([each.confidence for each in made]),
    )


def shares_of(made: Predictions) -> NDArray[np.float64]:
    """Return the share of each class in the truth of each example, N x C."""
    true_NC = made.pixels.sum(axis=2)
    return np.asarray(true_NC / np.maximum(true_NC.sum(axis=1, keepdims=True), 1))


def truth_in_words(made: Predictions, row: int) -> str:
    """Return the classes of one truth with their shares, the largest first."""
    return in_shares(made.classes, shares_of(made)[row])


def in_shares(classes: Sequence[str], shares_C: NDArray[Any], most: int = 3) -> str:
    """Return the largest classes with their shares, such as "cell: 78%, membrane: 22%"."""
    order = [place for place in np.argsort(-shares_C, kind="stable").tolist() if shares_C[place] > 0]
    more = f" and {len(order) - most} more" if len(order) > most else ""
    return ", ".join(f"{classes[place]}: {shares_C[place]:.0%}" for place in order[:most]) + more


def unequal_truths(first: Predictions, second: Predictions) -> NDArray[np.bool_]:
    """Return which examples of two aligned predictions have another truth, N, as far as the shares of classes tell."""
    return np.asarray((np.abs(shares_of(first) - shares_of(second)) > UNLIKE).any(axis=1))


def truths(made: Predictions) -> Column:
    """Return the true pixels of each class, N x C: masks are no part of predictions."""
    return made.pixels.sum(axis=2)
