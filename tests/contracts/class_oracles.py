"""What scikit-learn says of classes and labels: the oracles of four tables of metrics, and the samples to ask about."""

# N examples, C classes, K labels

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve

from sonde.metrics import LabelSample, Sample, prepare, prepare_labels

Floats = NDArray[np.float64]
OfClasses = Callable[[Sample], Any]
OfLabels = Callable[[LabelSample], Any]


def draw(seed: int) -> Sample:
    """Return 1 to 25 examples of 2 to 7 classes, with tied probabilities and missing classes."""
    rng = np.random.default_rng(seed)
    classes, examples = 2 + seed % 6, int(rng.integers(1, 26))
    raw_NC = rng.integers(0, 5, (examples, classes)).astype(float)
    raw_NC[raw_NC.sum(axis=1) == 0, 0] = 1.0
    return prepare(rng.integers(0, classes, examples), raw_NC / raw_NC.sum(axis=1, keepdims=True))


def perfect(seed: int) -> Sample:
    """Return examples of all classes whose truths are certain."""
    classes = 2 + seed % 6
    truth = np.arange(30) % classes
    return prepare(truth, np.eye(classes)[truth])


def take(sample: Sample, rows: NDArray[np.intp]) -> Sample:
    """Return some of the examples, in any order and number."""
    return prepare(sample.truth_N[rows], sample.probabilities_NC[rows], positive=sample.positive)


def draw_labels(seed: int) -> LabelSample:
    """Return 40 examples of 4 labels, with tied probabilities; the last label is never true in every other sample."""
    rng = np.random.default_rng(seed)
    truth = rng.random((40, 4)) < np.linspace(0.6, 0.1, 4)
    truth[:3], truth[3:6] = True, False
    if seed % 2:
        truth[:, -1] = False
    given = np.round(np.clip(0.6 * truth + rng.normal(0.2, 0.3, truth.shape), 0, 1), 1)
    return prepare_labels(truth, given, (0.5, 0.3, 0.7, 0.5))


def perfect_labels(seed: int) -> LabelSample:
    """Return examples whose labels are certain."""
    truth = draw_labels(2 * seed).truth_NK
    return prepare_labels(truth, truth)


def take_labels(sample: LabelSample, rows: NDArray[np.intp]) -> LabelSample:
    """Return some of the examples, in any order and number."""
    return prepare_labels(sample.truth_NK[rows], sample.probabilities_NK[rows], sample.thresholds_K)


def _of_guesses(function: Callable[..., float], **options: Any) -> OfClasses:
    return lambda sample: float(function(sample.truth_N, sample.probabilities_NC.argmax(axis=1), **options))


def _top(k: int) -> OfClasses:
    def top(sample: Sample) -> float:
        if k >= sample.classes:
            return 1.0
        # Of tied classes scikit-learn takes the last and we, as argmax does, the first: hence the mirror.
        labels = np.arange(sample.classes)
        mirrored = labels[-1] - sample.truth_N, sample.probabilities_NC[:, ::-1]
        return float(oracle.top_k_accuracy_score(*mirrored, k=k, labels=labels))

    return top


def _one_against_rest(function: Callable[..., float], *, needs_rest: bool) -> Callable[[Any], Floats]:
    def each(sample: Sample | LabelSample) -> Floats:
        values = []
        for index in range(sample.classes):
            positive, given = sample.column(index)
            known = positive.any() and not (needs_rest and positive.all())
            values.append(function(positive, given) if known else np.nan)
        return np.array(values)

    return each


def _mean_over_known(each: Callable[[Any], Floats]) -> Callable[[Any], float]:
    def mean(sample: Sample | LabelSample) -> float:
        values = each(sample)
        return float(np.nanmean(values)) if not np.isnan(values).all() else np.nan

    return mean


def _calibration_error(came_true: NDArray[np.bool_], stated: Floats) -> float:
    shares, chances = calibration_curve(came_true, stated, n_bins=15, strategy="uniform")
    bins = np.searchsorted(np.linspace(0, 1, 16)[1:-1], stated)
    sizes = np.unique(bins, return_counts=True)[1]
    return float((np.abs(shares - chances) * sizes).sum() / len(stated))


def _of_confidence(sample: Sample) -> float:
    given = sample.probabilities_NC
    return _calibration_error(given.argmax(axis=1) == sample.truth_N, given.max(axis=1))


def _by_class(function: Callable[..., Floats]) -> Callable[[Sample], Floats]:
    def each(sample: Sample) -> Floats:
        labels, guess = np.arange(sample.classes), sample.probabilities_NC.argmax(axis=1)
        values = function(sample.truth_N, guess, labels=labels, average=None, zero_division=0)
        return np.where(np.isin(labels, sample.truth_N), values, np.nan)

    return each


def _of_probabilities(function: Callable[..., float], **options: Any) -> OfClasses:
    return lambda sample: float(
        function(sample.truth_N, sample.probabilities_NC, labels=np.arange(sample.classes), **options)
    )


def _of_last(function: Callable[..., float], **options: Any) -> OfClasses:
    def positive(sample: Sample) -> float:
        last = sample.classes - 1
        return float(function(sample.truth_N == last, sample.probabilities_NC.argmax(axis=1) == last, **options))

    return positive


def _of_given(function: Callable[..., float], **options: Any) -> OfLabels:
    return lambda sample: float(function(sample.truth_NK, _given(sample), **options))


def _given(sample: LabelSample) -> NDArray[np.bool_]:
    return np.asarray(sample.probabilities_NK >= sample.thresholds_K)


def _over_labels(function: Callable[..., Floats]) -> OfLabels:
    def mean(sample: LabelSample) -> float:
        known = np.flatnonzero(sample.truth_NK.any(axis=0) | _given(sample).any(axis=0))
        return float(np.mean(function(sample.truth_NK, _given(sample), labels=known, average=None, zero_division=0)))

    return mean


def _by_label(function: Callable[..., Floats]) -> Callable[[LabelSample], Floats]:
    def each(sample: LabelSample) -> Floats:
        values = function(sample.truth_NK, _given(sample), average=None, zero_division=0)
        return np.where(sample.truth_NK.any(axis=0), values, np.nan)

    return each


def _over_cells(function: Callable[..., float]) -> OfLabels:
    return lambda sample: float(
        function(sample.truth_NK.ravel(), sample.probabilities_NK.ravel(), labels=[False, True])
    )


ROC_AUC = _one_against_rest(oracle.roc_auc_score, needs_rest=True)
AVERAGE_PRECISION = _one_against_rest(oracle.average_precision_score, needs_rest=False)

OF_CLASSES: dict[str, OfClasses] = {
    "f1_positive": _of_last(oracle.f1_score, zero_division=0),
    "precision_positive": _of_last(oracle.precision_score, zero_division=0),
    "recall_positive": _of_last(oracle.recall_score, zero_division=0),
    "average_precision_positive": lambda sample: float(AVERAGE_PRECISION(sample)[-1]),
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
    "log_loss": _of_probabilities(oracle.log_loss),
    "brier": _of_probabilities(oracle.brier_score_loss, scale_by_half=False),
    "expected_calibration_error": _of_confidence,
}

OF_EACH_CLASS: dict[str, Callable[[Sample], Floats]] = {
    "precision": _by_class(oracle.precision_score),
    "recall": _by_class(oracle.recall_score),
    "f1": _by_class(oracle.f1_score),
    "roc_auc": ROC_AUC,
    "average_precision": AVERAGE_PRECISION,
}

OF_LABELS: dict[str, OfLabels] = {
    "f1_micro": _of_given(oracle.f1_score, average="micro", zero_division=0),
    "precision_micro": _of_given(oracle.precision_score, average="micro", zero_division=0),
    "recall_micro": _of_given(oracle.recall_score, average="micro", zero_division=0),
    "f1_macro": _over_labels(oracle.f1_score),
    "precision_macro": _over_labels(oracle.precision_score),
    "recall_macro": _over_labels(oracle.recall_score),
    "subset_accuracy": _of_given(oracle.accuracy_score),
    "hamming_loss": _of_given(oracle.hamming_loss),
    "roc_auc": _mean_over_known(ROC_AUC),
    "average_precision": _mean_over_known(AVERAGE_PRECISION),
    "label_log_loss": _over_cells(oracle.log_loss),
    "label_brier": _over_cells(oracle.brier_score_loss),
    "label_calibration_error": lambda sample: _calibration_error(
        sample.truth_NK.ravel(), sample.probabilities_NK.ravel()
    ),
}

OF_EACH_LABEL: dict[str, Callable[[LabelSample], Floats]] = {
    "precision": _by_label(oracle.precision_score),
    "recall": _by_label(oracle.recall_score),
    "f1": _by_label(oracle.f1_score),
    "roc_auc": ROC_AUC,
    "average_precision": AVERAGE_PRECISION,
}
