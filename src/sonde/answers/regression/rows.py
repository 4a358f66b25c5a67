"""What `predict` gives for each example: the number, the ends of its interval, and any quantiles."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sonde.answers.answer import Chosen, Kept
from sonde.answers.regression.fitted import Fitted
from sonde.answers.regression.predictions import ends
from sonde.answers.regression.target import NumberTarget, written


def rows(target: NumberTarget, fitted: Fitted, kept: Kept) -> list[dict[str, Any]]:
    """Return what is predicted for each example, as plain values in the data's unit."""
    numbers_NQ = np.asarray(kept["numbers"], np.float64)
    predicted = target.restored(numbers_NQ[:, target.middle]).tolist()
    made: list[dict[str, Any]] = [{"prediction": value, "low": None, "high": None} for value in predicted]
    if fitted.interval is not None:
        low_N, high_N = ends(target, fitted.interval, numbers_NQ)
        for row, low, high in zip(made, low_N.tolist(), high_N.tolist(), strict=True):
            row.update(low=low, high=high, coverage=fitted.interval.coverage)
    if target.quantiles:
        names = [f"{share:g}" for share in target.quantiles]
        for row, values in zip(made, target.restored(numbers_NQ).tolist(), strict=True):
            row["quantiles"] = dict(zip(names, values, strict=True))
    return made


def choose(target: NumberTarget, fitted: Fitted, kept: Kept) -> list[Chosen]:
    """Return the predicted number of each example, which an explanation is about."""
    return [Chosen(target.middle, written(row["prediction"])) for row in rows(target, fitted, kept)]


def _interval(row: Mapping[str, Any]) -> str:
    if row.get("low") is None:
        return "none (too few validation examples)"
    return f"{written(row['low'])} to {written(row['high'])} ({row['coverage']:.0%})"


COLUMNS = {"prediction": lambda row: written(row["prediction"]), "interval": _interval}
"""How the terminal shows a row."""
