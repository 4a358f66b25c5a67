"""Scores of truth against predictions: visible tables, each in the order shown to users.

A metric is sums over examples and a value of sums (`metric.py`), so that one row serves for a plain value, for a
thousand bootstrap drawings, and for batches that are not held.

    sample = metrics.prepare(truth, probabilities)
    metrics.value_of(metrics.METRICS["accuracy"], sample)

scikit-learn is the oracle of every row that it knows (tests/contracts/test_metrics.py); calling it a thousand times for
each metric would take minutes.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sonde.metrics import curves, temperature, thresholds
from sonde.metrics.classification import CALIBRATION, METRICS, PER_CLASS, applicable
from sonde.metrics.metric import AnyMetric, Metric, Ranking
from sonde.metrics.multilabel import LABEL_METRICS, PER_LABEL
from sonde.metrics.regression import REGRESSION_METRICS
from sonde.metrics.sample import AnySample, LabelSample, Sample, prepare, prepare_labels
from sonde.metrics.segmentation import PER_MASK_CLASS, SEGMENTATION_METRICS
from sonde.metrics.sums import Totals, values_of
from sonde.metrics.text import TEXT_METRICS

__all__ = [
    "ALL_TABLES",
    "CALIBRATION",
    "LABEL_METRICS",
    "METRICS",
    "PER_CLASS",
    "PER_LABEL",
    "PER_MASK_CLASS",
    "REGRESSION_METRICS",
    "SEGMENTATION_METRICS",
    "TABLES",
    "TEXT_METRICS",
    "AnyMetric",
    "AnySample",
    "LabelSample",
    "Metric",
    "Ranking",
    "Sample",
    "Totals",
    "applicable",
    "curves",
    "named",
    "prepare",
    "prepare_labels",
    "temperature",
    "thresholds",
    "value",
    "value_of",
    "values_of",
]

TABLES: dict[str, dict[str, AnyMetric]] = {"label": METRICS, "labels": LABEL_METRICS}
"""The table of each answer."""

ALL_TABLES: dict[str, Mapping[str, AnyMetric]] = {
    "METRICS": METRICS,
    "PER_CLASS": PER_CLASS,
    "LABEL_METRICS": LABEL_METRICS,
    "PER_LABEL": PER_LABEL,
    "REGRESSION_METRICS": REGRESSION_METRICS,
    "SEGMENTATION_METRICS": SEGMENTATION_METRICS,
    "PER_MASK_CLASS": PER_MASK_CLASS,
    "TEXT_METRICS": TEXT_METRICS,
}
"""Every table of metrics by its name: what tests and documents go through."""


def named(name: str) -> AnyMetric | None:
    """Return the row of a metric by its name, from whichever of the `TABLES` has it, or None."""
    return next((table[name] for table in TABLES.values() if name in table), None)


def value(name: str, truth_N: ArrayLike, probabilities_NC: ArrayLike) -> float:
    """Compute one metric of one label for each example, without an interval.

    Args:
        name: a name in `METRICS`.
        truth_N: index of the true class of each example.
        probabilities_NC: probability of each class for each example.
    """
    return value_of(METRICS[name], prepare(truth_N, probabilities_NC))


def value_of(metric: AnyMetric, sample: Any) -> float:
    """Compute one metric of a prepared sample, without an interval.

    Args:
        metric: a row of the table that the sample is for.
        sample: the prepared examples.
    """
    return float(values_of(metric, sample, np.ones((1, len(sample))))[0])
