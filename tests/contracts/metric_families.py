"""One entry for each table of metrics: samples to ask it about, and oracles that say what its rows should give.

The oracles of numbers and masks are scikit-learn's where it has them. Where it has none, and for texts, they are the
definition written out for one sample; BLEU is held against sacrebleu's own numbers in tests/metrics/test_text.py.
"""

# N examples, T targets, Q quantiles, C classes

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as oracle

from contracts import class_oracles as classes
from sonde.metrics.regression import RegressionSample, prepare_regression
from sonde.metrics.segmentation import MaskSample, prepare_masks
from sonde.metrics.text import TextSample, prepare_text

Rows = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """What a table of metrics is asked about."""

    oracles: dict[str, Callable[[Any], Any]]
    """By metric from a sample to its value, or to its C values."""
    draw: Callable[[int], Any]
    """From a seed to a sample of a few examples."""
    perfect: Callable[[int], Any]
    """From a seed to a sample whose predictions are the truth."""
    take: Callable[[Any, Rows], Any]
    """From a sample to some of its examples, in any order and number."""


QUANTILES = (0.1, 0.5, 0.8)


def _draw_numbers(seed: int) -> RegressionSample:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 25)), 1 + seed % 3)
    truth = np.round(rng.normal(5, 2, shape), 1)
    given = np.sort(truth[..., None] + np.round(rng.normal(0, 1, (*shape, 3)), 1), axis=2)
    return prepare_regression(truth, given[..., 1], quantiles=QUANTILES, at_quantiles=given, center=seed % 7)


def _perfect_numbers(seed: int) -> RegressionSample:
    truth = np.random.default_rng(seed).normal(5, 2, (30, 1 + seed % 3))
    return prepare_regression(truth, truth, quantiles=QUANTILES, at_quantiles=np.stack([truth] * 3, axis=2))


def _take_numbers(sample: RegressionSample, rows: Rows) -> RegressionSample:
    return prepare_regression(
        sample.truth_NT[rows],
        sample.prediction_NT[rows],
        quantiles=sample.quantiles,
        at_quantiles=sample.at_quantiles_NTQ[rows],
        center=sample.center_T,
    )


def _of_numbers(function: Callable[..., float]) -> Callable[[RegressionSample], float]:
    return lambda sample: float(function(sample.truth_NT, sample.prediction_NT))


def _r_squared(sample: RegressionSample) -> float:
    varies = np.ptp(sample.truth_NT, axis=0) > 0
    return (
        float(oracle.r2_score(sample.truth_NT[:, varies], sample.prediction_NT[:, varies])) if varies.any() else np.nan
    )


def _pinball(sample: RegressionSample) -> float:
    given = np.moveaxis(sample.at_quantiles_NTQ, 2, 0)
    each = zip(QUANTILES, given, strict=True)
    return float(np.mean([oracle.mean_pinball_loss(sample.truth_NT, at, alpha=share) for share, at in each]))


def _coverage(sample: RegressionSample) -> float:
    low, high = sample.at_quantiles_NTQ[..., 0], sample.at_quantiles_NTQ[..., -1]
    return float(np.mean((low <= sample.truth_NT) & (sample.truth_NT <= high)))


def _width(sample: RegressionSample) -> float:
    return float(np.mean(sample.at_quantiles_NTQ[..., -1] - sample.at_quantiles_NTQ[..., 0]))


OF_NUMBERS: dict[str, Callable[[RegressionSample], float]] = {
    "mae": _of_numbers(oracle.mean_absolute_error),
    "rmse": _of_numbers(oracle.root_mean_squared_error),
    "r2": _r_squared,
    "median_absolute_error": _of_numbers(oracle.median_absolute_error),
    "pinball_loss": _pinball,
    "coverage": _coverage,
    "interval_width": _width,
}


def _draw_masks(seed: int) -> MaskSample:
    """Return masks of unequal sizes whose last class never occurs, and whose last but one is only predicted."""
    rng = np.random.default_rng(seed)
    sizes = [(int(rng.integers(1, 6)), int(rng.integers(1, 6))) for _ in range(int(rng.integers(1, 12)))]
    truth = [rng.integers(0, 3, size) for size in sizes]
    return prepare_masks(
        truth, [np.where(rng.random(a.shape) < 0.3, rng.integers(0, 4, a.shape), a) for a in truth], classes=5
    )


def _perfect_masks(seed: int) -> MaskSample:
    truth = np.random.default_rng(seed).integers(0, 3, (6, 4, 4))
    return prepare_masks(list(truth), list(truth), classes=4)


def _pixels(sample: MaskSample) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    rows, columns = np.indices(sample.confusion_NCC.shape[1:])
    times = sample.confusion_NCC.sum(axis=0).astype(int).ravel()
    return np.repeat(rows.ravel(), times), np.repeat(columns.ravel(), times)


def _by_mask_class(function: Callable[..., Floats]) -> Callable[[MaskSample], Floats]:
    def each(sample: MaskSample) -> Floats:
        truth, predicted = _pixels(sample)
        labels = np.arange(sample.confusion_NCC.shape[1])
        values = function(truth, predicted, labels=labels, average=None, zero_division=0)
        return np.where(np.isin(labels, truth) | np.isin(labels, predicted), values, np.nan)

    return each


IOU, DICE = _by_mask_class(oracle.jaccard_score), _by_mask_class(oracle.f1_score)
OF_MASKS: dict[str, Callable[[MaskSample], float]] = {
    "mean_iou": lambda sample: float(np.nanmean(IOU(sample))),
    "mean_dice": lambda sample: float(np.nanmean(DICE(sample))),
    "pixel_accuracy": lambda sample: float(oracle.accuracy_score(*_pixels(sample))),
}

WORDS = ("a", "b", "cat", "cats", "sat")


def _draw_texts(seed: int) -> TextSample:
    rng = np.random.default_rng(seed)
    references = []
    predictions = []
    for _ in range(int(rng.integers(1, 10))):
        true = [" ".join(rng.choice(WORDS, rng.integers(1, 9))) for _ in range(1 + seed % 3)]
        words = true[0].split()
        references.append(true)
        changed = [str(rng.choice(WORDS)) if rng.random() < 0.2 else word for word in words]
        predictions.append(" ".join(changed[: rng.integers(0, len(words) + 1) if rng.random() < 0.3 else len(words)]))
    return prepare_text(predictions, references)


def _perfect_texts(seed: int) -> TextSample:
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(WORDS, rng.integers(4, 9))) for _ in range(8)]
    return prepare_text(texts, texts)


def _take_texts(sample: TextSample, rows: Rows) -> TextSample:
    return prepare_text([sample.predictions[row] for row in rows], [sample.references[row] for row in rows])


@cache
def _edits(a: str, b: str) -> int:
    if not a or not b:
        return len(a) + len(b)
    return min(_edits(a[1:], b) + 1, _edits(a, b[1:]) + 1, _edits(a[1:], b[1:]) + (a[0] != b[0]))


def _nearest(sample: TextSample) -> list[tuple[str, str]]:
    pairs = zip(sample.predictions, sample.references, strict=True)
    return [(text, min(known, key=lambda one: _edits(text, one))) for text, known in pairs]


def _error_rate(sample: TextSample) -> float:
    pairs = _nearest(sample)
    return sum(_edits(*pair) for pair in pairs) / sum(len(true) for _, true in pairs)


def _token_accuracy(sample: TextSample) -> float:
    pairs = [(text.split(), true.split()) for text, true in _nearest(sample)]
    right = [place < len(text) and text[place] == word for text, true in pairs for place, word in enumerate(true)]
    return sum(right) / len(right)


def _bleu(sample: TextSample) -> float:
    made, true, matched, every = 0, 0, [0] * 4, [0] * 4
    for text, known in zip(sample.predictions, sample.references, strict=True):
        length, lengths = len(text.split()), sorted(len(one.split()) for one in known)
        made, true = made + length, true + min(lengths, key=lambda each: abs(each - length))
        for n in range(1, 5):
            grams, counted = _grams(text, n), [_grams(one, n) for one in known]
            every[n - 1] += sum(grams.values())
            matched[n - 1] += sum(min(times, max(each[gram] for each in counted)) for gram, times in grams.items())
    if not any(matched) or not all(every):
        return 0.0
    smooth, logs = 1.0, 0.0
    for hits, all_of_n in zip(matched, every, strict=True):
        smooth = smooth * 2 if not hits else smooth
        logs += math.log(100 * (hits or 1 / smooth) / all_of_n) / 4
    return math.exp(logs) * (1.0 if made >= true else math.exp(1 - true / made))


def _grams(text: str, n: int) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(tuple(words[start : start + n]) for start in range(len(words) - n + 1))


OF_TEXTS: dict[str, Callable[[TextSample], float]] = {
    "bleu": _bleu,
    "exact_match": lambda sample: float(
        np.mean([text in known for text, known in zip(sample.predictions, sample.references, strict=True)])
    ),
    "token_accuracy": _token_accuracy,
    "character_error_rate": _error_rate,
}

FAMILIES: dict[str, Family] = {
    "METRICS": Family(classes.OF_CLASSES, classes.draw, classes.perfect, classes.take),
    "PER_CLASS": Family(classes.OF_EACH_CLASS, classes.draw, classes.perfect, classes.take),
    "LABEL_METRICS": Family(classes.OF_LABELS, classes.draw_labels, classes.perfect_labels, classes.take_labels),
    "PER_LABEL": Family(classes.OF_EACH_LABEL, classes.draw_labels, classes.perfect_labels, classes.take_labels),
    "REGRESSION_METRICS": Family(OF_NUMBERS, _draw_numbers, _perfect_numbers, _take_numbers),
    "SEGMENTATION_METRICS": Family(
        OF_MASKS, _draw_masks, _perfect_masks, lambda sample, rows: MaskSample(sample.confusion_NCC[rows])
    ),
    "PER_MASK_CLASS": Family(
        {"iou": IOU, "dice": DICE},
        _draw_masks,
        _perfect_masks,
        lambda sample, rows: MaskSample(sample.confusion_NCC[rows]),
    ),
    "TEXT_METRICS": Family(OF_TEXTS, _draw_texts, _perfect_texts, _take_texts),
}
"""By the table's name in `metrics.ALL_TABLES`."""
