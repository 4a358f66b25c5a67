"""Metrics of several labels beside the contract of all tables: thresholds, curves, and names that two tables share."""

# N examples, K labels

import numpy as np
import pytest
from sklearn import metrics as oracle

from contracts.class_oracles import draw_labels
from sonde.metrics import LABEL_METRICS, curves, named, prepare_labels, value_of

SAME = 1e-10
"""Sums of some hundred numbers in another order."""


def test_thresholds_change_what_is_given_and_nothing_that_is_read_from_the_order() -> None:
    sample = draw_labels(6)
    other = prepare_labels(sample.truth_NK, sample.probabilities_NK, 0.95)
    for name, metric in LABEL_METRICS.items():
        same = value_of(metric, sample) == value_of(metric, other)
        assert same == (not metric.is_counted), name


def test_curves_of_a_label_are_those_of_its_column() -> None:
    sample = draw_labels(6)
    curve = curves.roc(sample, 1)
    assert curve is not None
    expected = oracle.roc_auc_score(sample.truth_NK[:, 1], sample.probabilities_NK[:, 1])
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(expected, abs=SAME)
    bins = curves.label_reliability(sample)
    assert bins.counts.sum() == sample.truth_NK.size


def test_a_name_that_both_tables_have_means_the_same_in_both() -> None:
    for name in LABEL_METRICS:
        row = named(name)
        assert row is not None and row.title == LABEL_METRICS[name].title and row.doc == LABEL_METRICS[name].doc
    assert named("no such metric") is None
