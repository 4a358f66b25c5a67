"""Every row of the tables of several labels: what scikit-learn says, for any counts, ties and missing labels."""

# N examples, K labels, R resamples

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from sonde.metrics import LABEL_METRICS, PER_LABEL, LabelSample, curves, named, prepare_labels, value_of

Truth = NDArray[np.bool_]
Floats = NDArray[np.float64]
SAME = 1e-10
"""Sums of some hundred numbers in another order."""
THRESHOLDS = (0.5, 0.3, 0.7, 0.5)


def drawn(seed: int, *, examples: int = 40, labels: int = 4, missing: bool = False) -> LabelSample:
    """Return labels with tied probabilities, the last label never true where one is to be missing."""
    rng = np.random.default_rng(seed)
    truth = rng.random((examples, labels)) < np.linspace(0.6, 0.1, labels)
    truth[0], truth[1] = True, False
    if missing:
        truth[:, -1] = False
    given = np.round(np.clip(0.6 * truth + rng.normal(0.2, 0.3, truth.shape), 0, 1), 1)
    return prepare_labels(truth, given, THRESHOLDS[:labels])


def _of_guesses(function: Callable[..., float], **options: Any) -> Callable[[Truth, Floats], float]:
    return lambda truth, given: float(function(truth, given >= np.array(THRESHOLDS[: truth.shape[1]]), **options))


def _macro(function: Callable[..., Floats]) -> Callable[[Truth, Floats], float]:
    def mean(truth: Truth, given: Floats) -> float:
        guess = given >= np.array(THRESHOLDS[: truth.shape[1]])
        known = np.flatnonzero(truth.any(axis=0) | guess.any(axis=0))
        return float(np.mean(function(truth, guess, labels=known, average=None, zero_division=0)))

    return mean


def _by_label(function: Callable[..., float], *, needs_rest: bool) -> Callable[[Truth, Floats], Floats]:
    def each(truth: Truth, given: Floats) -> Floats:
        known = truth.any(axis=0) & (~truth.all(axis=0) if needs_rest else True)
        return np.array([function(truth[:, k], given[:, k]) if known[k] else np.nan for k in range(truth.shape[1])])

    return each


def _counted_by_label(function: Callable[..., Floats]) -> Callable[[Truth, Floats], Floats]:
    def each(truth: Truth, given: Floats) -> Floats:
        guess = given >= np.array(THRESHOLDS[: truth.shape[1]])
        return np.where(truth.any(axis=0), function(truth, guess, average=None, zero_division=0), np.nan)

    return each


def _calibration_error(truth: Truth, given: Floats) -> float:
    shares, chances = calibration_curve(truth.ravel(), given.ravel(), n_bins=15, strategy="uniform")
    bins = np.searchsorted(np.linspace(0, 1, 16)[1:-1], given.ravel())
    sizes = np.unique(bins, return_counts=True)[1]
    return float((np.abs(shares - chances) * sizes).sum() / truth.size)


def _over_cells(function: Callable[..., float], **options: Any) -> Callable[[Truth, Floats], float]:
    return lambda truth, given: float(function(truth.ravel(), given.ravel(), **options))


ROC_AUC = _by_label(oracle.roc_auc_score, needs_rest=True)
AVERAGE_PRECISION = _by_label(oracle.average_precision_score, needs_rest=False)

ORACLES: dict[str, Callable[[Truth, Floats], float]] = {
    "f1_micro": _of_guesses(oracle.f1_score, average="micro", zero_division=0),
    "precision_micro": _of_guesses(oracle.precision_score, average="micro", zero_division=0),
    "recall_micro": _of_guesses(oracle.recall_score, average="micro", zero_division=0),
    "f1_macro": _macro(oracle.f1_score),
    "precision_macro": _macro(oracle.precision_score),
    "recall_macro": _macro(oracle.recall_score),
    "subset_accuracy": _of_guesses(oracle.accuracy_score),
    "hamming_loss": _of_guesses(oracle.hamming_loss),
    "roc_auc": lambda truth, given: float(np.nanmean(ROC_AUC(truth, given))),
    "average_precision": lambda truth, given: float(np.nanmean(AVERAGE_PRECISION(truth, given))),
    "label_log_loss": _over_cells(oracle.log_loss, labels=[False, True]),
    "label_brier": _over_cells(oracle.brier_score_loss, labels=[False, True]),
    "label_calibration_error": _calibration_error,
}
ORACLES_PER_LABEL: dict[str, Callable[[Truth, Floats], Floats]] = {
    "precision": _counted_by_label(oracle.precision_score),
    "recall": _counted_by_label(oracle.recall_score),
    "f1": _counted_by_label(oracle.f1_score),
    "roc_auc": ROC_AUC,
    "average_precision": AVERAGE_PRECISION,
}


def counts_for(sample: LabelSample) -> Floats:
    counts = np.random.default_rng(9).integers(0, 3, (3, len(sample))).astype(float)
    counts[:, :2] += 1  # Each label is there and missing at least once.
    return counts


def repeated(sample: LabelSample, counts_N: Floats) -> tuple[Truth, Floats]:
    times = counts_N.astype(int)
    return np.repeat(sample.truth_NK, times, axis=0), np.repeat(sample.probabilities_NK, times, axis=0)


def test_every_metric_has_an_oracle() -> None:
    assert ORACLES.keys() == LABEL_METRICS.keys()
    assert ORACLES_PER_LABEL.keys() == PER_LABEL.keys()


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", LABEL_METRICS)
def test_a_metric_of_counted_examples_is_what_scikit_learn_says_of_repeated_ones(name: str, missing: bool) -> None:
    for seed in range(4):
        sample = drawn(seed, missing=missing)
        counts_RN = counts_for(sample)
        expected = [ORACLES[name](*repeated(sample, counts_N)) for counts_N in counts_RN]
        np.testing.assert_allclose(LABEL_METRICS[name].function(sample, counts_RN), expected, rtol=0, atol=SAME)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", PER_LABEL)
def test_a_metric_of_each_label_is_what_scikit_learn_says(name: str, missing: bool) -> None:
    sample = drawn(7, missing=missing)
    counts_RN = counts_for(sample)
    expected = [ORACLES_PER_LABEL[name](*repeated(sample, counts_N)) for counts_N in counts_RN]
    np.testing.assert_allclose(PER_LABEL[name].function(sample, counts_RN), expected, rtol=0, atol=SAME)


@pytest.mark.parametrize("name", LABEL_METRICS)
def test_a_perfect_guess_has_the_best_value(name: str) -> None:
    truth = drawn(0).truth_NK
    assert value_of(LABEL_METRICS[name], prepare_labels(truth, truth)) == pytest.approx(
        LABEL_METRICS[name].best, abs=SAME
    )


@pytest.mark.parametrize("name", LABEL_METRICS)
def test_values_stay_in_the_range_that_the_table_states(name: str) -> None:
    sample, metric = drawn(3), LABEL_METRICS[name]
    values = metric.function(sample, np.random.default_rng(2).multinomial(40, np.full(40, 1 / 40), 50).astype(float))
    assert values.shape == (50,) and (metric.low <= values).all() and (values <= metric.high + SAME).all()


def test_thresholds_change_what_is_given_and_nothing_that_is_read_from_the_order() -> None:
    sample = drawn(5)
    other = prepare_labels(sample.truth_NK, sample.probabilities_NK, 0.95)
    for name, metric in LABEL_METRICS.items():
        same = value_of(metric, sample) == value_of(metric, other)
        assert same == (metric.needs == "probabilities"), name


def test_curves_of_a_label_are_those_of_its_column() -> None:
    sample = drawn(6)
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


@pytest.mark.parametrize("row", [*LABEL_METRICS.values(), *PER_LABEL.values()], ids=lambda row: row.title)
def test_every_row_is_documented(row: Any) -> None:
    assert row.title and row.doc.endswith(".") and row.function.__doc__
