"""Every row of the tables of metrics: what scikit-learn says, for any counts, ties and missing classes."""

# N examples, C classes, R resamples

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from numpy.typing import NDArray
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from sonde.metrics import METRICS, PER_CLASS, Sample, applicable, prepare, value

Truth = NDArray[np.intp]
Floats = NDArray[np.float64]
SAME = 1e-10
"""Sums of some 30 numbers in another order."""


@st.composite
def cases(draw: DrawFn) -> tuple[Sample, Floats]:
    """A sample with tied probabilities and missing classes, and two rows of counts, zeros among them."""
    classes, examples = draw(st.integers(2, 7)), draw(st.integers(1, 25))
    truth = draw(st.lists(st.integers(0, classes - 1), min_size=examples, max_size=examples))
    levels = st.lists(st.integers(0, 4), min_size=classes, max_size=classes).filter(any)
    raw_NC = np.array([draw(levels) for _ in range(examples)], float)
    counts = st.lists(st.integers(0, 3), min_size=examples, max_size=examples).filter(any)
    return prepare(truth, raw_NC / raw_NC.sum(axis=1, keepdims=True)), np.array([draw(counts), draw(counts)], float)


def _of_guesses(function: Callable[..., float], **options: Any) -> Callable[[Truth, Floats], float]:
    return lambda truth, probabilities: float(function(truth, probabilities.argmax(axis=1), **options))


def _top(k: int) -> Callable[[Truth, Floats], float]:
    def top(truth: Truth, probabilities: Floats) -> float:
        # Of tied classes scikit-learn takes the last and we, as argmax does, the first: hence the mirror.
        labels = np.arange(probabilities.shape[1])
        return float(oracle.top_k_accuracy_score(labels[-1] - truth, probabilities[:, ::-1], k=k, labels=labels))

    return top


def _one_against_rest(function: Callable[..., float], *, needs_rest: bool) -> Callable[[Truth, Floats], Floats]:
    def each(truth: Truth, probabilities: Floats) -> Floats:
        values = []
        for index in range(probabilities.shape[1]):
            positive = truth == index
            known = positive.any() and not (needs_rest and positive.all())
            values.append(function(positive, probabilities[:, index]) if known else np.nan)
        return np.array(values)

    return each


def _mean_over_known(each: Callable[[Truth, Floats], Floats]) -> Callable[[Truth, Floats], float]:
    def mean(truth: Truth, probabilities: Floats) -> float:
        values = each(truth, probabilities)
        return float(np.nanmean(values)) if not np.isnan(values).all() else np.nan

    return mean


def _calibration_error(truth: Truth, probabilities: Floats) -> float:
    right, confidence = probabilities.argmax(axis=1) == truth, probabilities.max(axis=1)
    accuracies, confidences = calibration_curve(right, confidence, n_bins=15, strategy="uniform")
    bins = np.searchsorted(np.linspace(0, 1, 16)[1:-1], confidence)
    sizes = np.unique(bins, return_counts=True)[1]
    return float((np.abs(accuracies - confidences) * sizes).sum() / len(truth))


def _by_class(function: Callable[..., Floats]) -> Callable[[Truth, Floats], Floats]:
    def each(truth: Truth, probabilities: Floats) -> Floats:
        labels = np.arange(probabilities.shape[1])
        values = function(truth, probabilities.argmax(axis=1), labels=labels, average=None, zero_division=0)
        return np.where(np.isin(labels, truth), values, np.nan)

    return each


def _labels(function: Callable[..., float], **options: Any) -> Callable[[Truth, Floats], float]:
    return lambda truth, given: float(function(truth, given, labels=np.arange(given.shape[1]), **options))


ROC_AUC = _one_against_rest(oracle.roc_auc_score, needs_rest=True)
AVERAGE_PRECISION = _one_against_rest(oracle.average_precision_score, needs_rest=False)


def _of_last(function: Callable[..., float], **options: Any) -> Callable[[Truth, Floats], float]:
    def positive(truth: Truth, probabilities: Floats) -> float:
        last = probabilities.shape[1] - 1
        return float(function(truth == last, probabilities.argmax(axis=1) == last, **options))

    return positive


ORACLES: dict[str, Callable[[Truth, Floats], float]] = {
    "f1_positive": _of_last(oracle.f1_score, zero_division=0),
    "precision_positive": _of_last(oracle.precision_score, zero_division=0),
    "recall_positive": _of_last(oracle.recall_score, zero_division=0),
    "average_precision_positive": lambda truth, given: float(AVERAGE_PRECISION(truth, given)[-1]),
    "accuracy": _of_guesses(oracle.accuracy_score),
    "balanced_accuracy": _of_guesses(oracle.balanced_accuracy_score),
    "top_2_accuracy": _top(2),
    "top_5_accuracy": _top(5),
    "f1_macro": _of_guesses(oracle.f1_score, average="macro", zero_division=0),
    "precision_macro": _of_guesses(oracle.precision_score, average="macro", zero_division=0),
    "recall_macro": _of_guesses(oracle.recall_score, average="macro", zero_division=0),
    "f1_weighted": _of_guesses(oracle.f1_score, average="weighted", zero_division=0),
    "precision_weighted": _of_guesses(oracle.precision_score, average="weighted", zero_division=0),
    "recall_weighted": _of_guesses(oracle.recall_score, average="weighted", zero_division=0),
    "roc_auc": _mean_over_known(ROC_AUC),
    "average_precision": _mean_over_known(AVERAGE_PRECISION),
    "log_loss": _labels(oracle.log_loss),
    "brier": _labels(oracle.brier_score_loss, scale_by_half=False),
    "expected_calibration_error": _calibration_error,
}

ORACLES_PER_CLASS: dict[str, Callable[[Truth, Floats], Floats]] = {
    "precision": _by_class(oracle.precision_score),
    "recall": _by_class(oracle.recall_score),
    "f1": _by_class(oracle.f1_score),
    "roc_auc": ROC_AUC,
    "average_precision": AVERAGE_PRECISION,
}


def _repeated(sample: Sample, counts_N: Floats) -> tuple[Truth, Floats]:
    times = counts_N.astype(int)
    return np.repeat(sample.truth_N, times), np.repeat(sample.probabilities_NC, times, axis=0)


def _random_sample(classes: int, *, examples: int = 60, seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    return prepare(rng.integers(0, classes, examples), rng.dirichlet(np.full(classes, 0.5), examples))


def test_every_metric_has_an_oracle() -> None:
    assert ORACLES.keys() == METRICS.keys()
    assert ORACLES_PER_CLASS.keys() == PER_CLASS.keys()


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
@settings(max_examples=settings.default.max_examples // 3)
@given(case=cases())
def test_a_metric_of_counted_examples_is_what_scikit_learn_says_of_repeated_ones(
    name: str, case: tuple[Sample, Floats]
) -> None:
    sample, counts_RN = case
    if name not in applicable(sample.classes, has_positive=True):
        return
    expected = [ORACLES[name](*_repeated(sample, counts_N)) for counts_N in counts_RN]
    np.testing.assert_allclose(METRICS[name].function(sample, counts_RN), expected, rtol=0, atol=SAME)


@pytest.mark.parametrize("name", PER_CLASS)
@settings(max_examples=settings.default.max_examples // 3)
@given(case=cases())
def test_a_metric_by_class_is_what_scikit_learn_says_of_repeated_examples(
    name: str, case: tuple[Sample, Floats]
) -> None:
    sample, counts_RN = case
    expected = [ORACLES_PER_CLASS[name](*_repeated(sample, counts_N)) for counts_N in counts_RN]
    np.testing.assert_allclose(PER_CLASS[name].function(sample, counts_RN), expected, rtol=0, atol=SAME)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_counts_weigh_as_sample_weights_do_in_scikit_learn(classes: int) -> None:
    sample = _random_sample(classes)
    counts_N = np.random.default_rng(1).integers(0, 4, len(sample)).astype(float)
    weighed = {"sample_weight": counts_N, "labels": np.arange(classes)}
    given_NC, truth_N = sample.probabilities_NC, sample.truth_N
    expected = {
        "accuracy": oracle.accuracy_score(truth_N, sample.guess_N, sample_weight=counts_N),
        "f1_macro": oracle.f1_score(truth_N, sample.guess_N, average="macro", **weighed),
        "log_loss": oracle.log_loss(truth_N, given_NC, **weighed),
        "roc_auc": np.mean(
            [
                oracle.roc_auc_score(truth_N == index, given_NC[:, index], sample_weight=counts_N)
                for index in range(classes)
            ]
        ),
    }
    actual = {name: METRICS[name].function(sample, counts_N[None])[0] for name in expected}
    assert actual == pytest.approx(expected, abs=SAME)


def test_roc_auc_of_all_classes_is_scikit_learns_one_against_rest_mean() -> None:
    sample = _random_sample(4)
    expected = oracle.roc_auc_score(sample.truth_N, sample.probabilities_NC, multi_class="ovr", average="macro")
    assert value("roc_auc", sample.truth_N, sample.probabilities_NC) == pytest.approx(expected, abs=SAME)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("classes", [2, 7])
def test_a_perfect_guess_has_the_best_value(name: str, classes: int) -> None:
    truth = np.arange(30) % classes
    assert value(name, truth, np.eye(classes)[truth]) == pytest.approx(METRICS[name].best, abs=SAME)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("classes", [2, 7])
def test_values_stay_in_the_range_that_the_table_states(name: str, classes: int) -> None:
    sample = _random_sample(classes)
    counts_RN = np.random.default_rng(2).multinomial(len(sample), np.full(len(sample), 1 / len(sample)), 50)
    values = METRICS[name].function(sample, counts_RN.astype(float))
    assert values.shape == (50,)
    assert (METRICS[name].low <= values).all() and (values <= METRICS[name].high + SAME).all()


@pytest.mark.parametrize("name", METRICS)
def test_the_order_of_the_examples_does_not_matter(name: str) -> None:
    sample = _random_sample(7)
    shuffled = np.random.default_rng(3).permutation(len(sample))
    before = value(name, sample.truth_N, sample.probabilities_NC)
    after = value(name, sample.truth_N[shuffled], sample.probabilities_NC[shuffled])
    assert after == pytest.approx(before, abs=SAME)


@pytest.mark.parametrize("name", METRICS)
def test_a_resample_scores_the_same_alone_and_among_others(name: str) -> None:
    sample = _random_sample(7)
    counts_RN = np.random.default_rng(4).integers(0, 3, (8, len(sample))).astype(float)
    together = METRICS[name].function(sample, counts_RN)
    alone = np.concatenate([METRICS[name].function(sample, counts_RN[[row]]) for row in range(8)])
    np.testing.assert_allclose(together, alone, rtol=0, atol=SAME)


@pytest.mark.parametrize("row", [*METRICS.values(), *PER_CLASS.values()], ids=lambda row: row.title)
def test_every_row_is_documented(row: Any) -> None:
    assert row.title and row.doc.endswith(".") and row.function.__doc__
    assert row.low < row.high and row.best in (row.low, row.high)


def test_figures_of_a_rare_class_need_two_classes_and_a_name() -> None:
    rows = {name for name, row in METRICS.items() if row.is_of_positive}
    assert rows == {"f1_positive", "precision_positive", "recall_positive", "average_precision_positive"}
    assert rows <= applicable(2, has_positive=True).keys()
    assert not rows & applicable(2).keys() and not rows & applicable(3, has_positive=True).keys()


def test_top_k_is_left_out_where_it_would_always_be_one() -> None:
    assert "top_2_accuracy" not in applicable(2) and "top_2_accuracy" in applicable(3)
    assert "top_5_accuracy" not in applicable(5) and "top_5_accuracy" in applicable(6)
