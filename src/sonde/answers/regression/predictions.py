"""The predictions of a run on its test examples, and the parquet file that keeps them.

    predictions.parquet: name, target, prediction, low, high, and q_0, q_1, ... where quantiles are predicted

All are in the data's own unit. `low` and `high` are the ends of the prediction interval, empty where there is none. The
shares of the quantiles stand in the file's metadata.
"""

# N examples, Q quantiles

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sonde.answers.answer import Kept
from sonde.answers.prediction_file import MOST_NUMBERS, damaged, opened, part_of, require_columns, write_table
from sonde.answers.regression.fitted import Fitted, Interval
from sonde.answers.regression.target import LARGEST, Floats, NumberTarget, written
from sonde.config.untrusted import Unsound, parse_json
from sonde.data.target import Column

QUANTILES_KEY = b"sonde.quantiles"
COVERAGE_KEY = b"sonde.coverage"


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of each test example, beside the truth, in the data's own unit."""

    names: tuple[str, ...]
    truth: Floats
    """N."""
    predicted: Floats
    """N."""
    interval: tuple[Floats, Floats] | None = None
    """Lower and upper ends, N each; None where there is no interval."""
    coverage: float = 0.0
    """Share of the intervals that are to hold the truth."""
    quantiles: tuple[float, ...] = ()
    at_quantiles: Floats | None = None
    """What is predicted at each quantile, N x Q; None where there are none."""

    def __len__(self) -> int:
        return len(self.names)

    def part(self, rows: Sequence[int]) -> "Predictions":
        """Return some of them."""
        some = part_of(self, rows, ("truth", "predicted", "at_quantiles"))
        chosen = np.asarray(rows, np.int64)
        ends = None if self.interval is None else (self.interval[0][chosen], self.interval[1][chosen])
        return replace(some, interval=ends)

    @property
    def error(self) -> Floats:
        """Prediction minus truth, N."""
        return self.predicted - self.truth


def predict(target: NumberTarget, fitted: Fitted, kept: Kept, truth: Column, names: Sequence[str]) -> Predictions:
    """Return what a model says of examples, from the numbers that were kept."""
    numbers_NQ = np.asarray(kept["numbers"], np.float64)
    return Predictions(
        names=tuple(map(str, names)),
        truth=np.asarray(truth, np.float64)[:, 1],
        predicted=target.restored(numbers_NQ[:, target.middle]),
        interval=None if fitted.interval is None else ends(target, fitted.interval, numbers_NQ),
        coverage=0.0 if fitted.interval is None else fitted.interval.coverage,
        quantiles=target.quantiles,
        at_quantiles=target.restored(numbers_NQ) if target.quantiles else None,
    )


def ends(target: NumberTarget, interval: Interval, numbers_NQ: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the intervals in the data's unit; they hold the prediction, however much they are narrowed."""
    middle_N = numbers_NQ[:, target.middle]
    low_N = np.minimum(numbers_NQ[:, 0] - interval.radius, middle_N)
    high_N = np.maximum(numbers_NQ[:, -1] + interval.radius, middle_N)
    return target.restored(low_N), target.restored(high_N)


def write_predictions(path: Path, made: Predictions) -> None:
    """Write predictions to a parquet file, in one step.

    Args:
        path: the run's `predictions_file`.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    nothing = pa.nulls(len(made), pa.float64())
    low, high = (nothing, nothing) if made.interval is None else map(pa.array, made.interval)
    columns = {
        "name": pa.array(made.names, pa.string()),
        "target": pa.array(made.truth),
        "prediction": pa.array(made.predicted),
        "low": low,
        "high": high,
    }
    if made.at_quantiles is not None:
        columns |= {f"q_{place}": pa.array(column) for place, column in enumerate(made.at_quantiles.T)}
    about = {QUANTILES_KEY: json.dumps(made.quantiles).encode(), COVERAGE_KEY: json.dumps(made.coverage).encode()}
    write_table(path, columns, about)


def read_predictions(path: Path) -> Predictions:
    """Read the predictions of a run.

    Args:
        path: the run's `predictions_file`.

    Raises:
        RunError: the file is missing, damaged or not ours; the text says which rule it breaks.
    """
    with opened(path) as file:
        quantiles, coverage = _about(file.schema_arrow, path)
        wanted = ["target", "prediction", "low", "high", *(f"q_{place}" for place in range(len(quantiles)))]
        require_columns(file.schema_arrow, {"name": pa.string(), **dict.fromkeys(wanted, pa.float64())}, path)
        if file.metadata.num_rows * len(wanted) > MOST_NUMBERS:
            raise damaged(path, f"it claims more than {MOST_NUMBERS:,} numbers")
        table = file.read(columns=["name", *wanted])
    return _checked(table, wanted, path, (quantiles, coverage))


def _about(schema: pa.Schema, path: Path) -> tuple[tuple[float, ...], float]:
    known = schema.metadata or {}
    try:
        shares, coverage = (parse_json(known[key]) for key in (QUANTILES_KEY, COVERAGE_KEY))
        quantiles, wanted = tuple(float(share) for share in shares), float(coverage)
    except (KeyError, Unsound, TypeError, ValueError):
        raise damaged(path, "its metadata does not name the quantiles and the coverage") from None
    if len(quantiles) > 99 or list(quantiles) != sorted(set(quantiles)) or not 0 <= wanted < 1:
        raise damaged(path, "the quantiles or the coverage in its metadata are none")
    return quantiles, wanted


def _checked(table: pa.Table, wanted: Sequence[str], path: Path, about: tuple[tuple[float, ...], float]) -> Predictions:
    if not table.num_rows:
        raise damaged(path, "it holds no example")
    nulls = {name: table.column(name).null_count for name in ("name", *wanted)}
    no_interval = nulls["low"] == nulls["high"] == table.num_rows
    if any(count for name, count in nulls.items() if not (no_interval and name in ("low", "high"))):
        raise damaged(path, "a value is missing")
    held = {name: table.column(name).to_numpy() for name in wanted if not (no_interval and name in ("low", "high"))}
    if not all(np.isfinite(column).all() for column in held.values()) or np.abs(held["target"]).max() > LARGEST:
        raise damaged(path, "one of its numbers is infinite or none")
    quantiles, coverage = about
    return Predictions(
        names=tuple(table.column("name").to_pylist()),
        truth=held["target"],
        predicted=held["prediction"],
        interval=None if no_interval else (held["low"], held["high"]),
        coverage=coverage,
        quantiles=quantiles,
        at_quantiles=np.stack([held[f"q_{at}"] for at in range(len(quantiles))], axis=1) if quantiles else None,
    )


def align(first: Predictions, second: Predictions) -> Predictions:
    """Return the second as it is: numbers in the data's unit need no common terms."""
    return second


def pool(parts: Sequence[tuple[Fitted, Predictions]]) -> tuple[Fitted, Predictions]:
    """Put the predictions of several models for different examples together, each with its own intervals."""
    made = [each for _, each in parts]
    known = [each.interval for each in made if each.interval is not None]
    interval = None
    if len(known) == len(made):
        interval = np.concatenate([low for low, _ in known]), np.concatenate([high for _, high in known])
    held = [each.at_quantiles for each in made if each.at_quantiles is not None]
    same = len({each.quantiles for each in made}) == 1
    whole = Predictions(
        names=tuple(name for each in made for name in each.names),
        truth=np.concatenate([each.truth for each in made]),
        predicted=np.concatenate([each.predicted for each in made]),
        interval=interval,
        coverage=made[0].coverage if interval is not None else 0.0,
        quantiles=made[0].quantiles if same else (),
        at_quantiles=np.concatenate(held) if same and held else None,
    )
    return Fitted(fitted_on=parts[0][0].fitted_on), whole


def truths(made: Predictions) -> Column:
    """Return the truths as the data holds them, N."""
    return np.array([repr(value) for value in made.truth.tolist()], dtype=np.str_)


def truth_in_words(made: Predictions, row: int) -> str:
    """Return the true number of one example."""
    return written(float(made.truth[row]))


def unequal_truths(first: Predictions, second: Predictions) -> Any:
    """Return which examples of two predictions have another truth, N."""
    return first.truth != second.truth
