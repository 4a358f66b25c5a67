"""The curves that plots draw lie on those of scikit-learn, and are short enough to draw."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from sonde.metrics import Sample, curves, prepare, value


def _sample(examples: int = 3000) -> Sample:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, examples)
    raw_NC = np.round(rng.random((examples, 3)) + 0.6 * np.eye(3)[truth], 2)  # Rounded, so that many are tied.
    return prepare(truth, raw_NC / raw_NC.sum(axis=1, keepdims=True))


def test_every_point_of_the_roc_curve_is_one_of_scikit_learns() -> None:
    sample = _sample()
    curve = curves.roc(sample, 1)
    assert curve is not None
    x, y, _ = oracle.roc_curve(sample.truth_N == 1, sample.probabilities_NC[:, 1], drop_intermediate=False)
    assert set(zip(curve.x, curve.y, strict=True)) <= set(zip(x, y, strict=True))
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)


def test_every_point_of_the_precision_recall_curve_is_one_of_scikit_learns() -> None:
    sample = _sample()
    curve = curves.precision_recall(sample, 2)
    assert curve is not None
    precision, recall, _ = oracle.precision_recall_curve(sample.truth_N == 2, sample.probabilities_NC[:, 2])
    theirs = np.stack([recall, precision], axis=1)
    for point in np.stack([curve.x, curve.y], axis=1)[1:]:
        assert np.abs(theirs - point).sum(axis=1).min() < 1e-12
    assert curve.x[0] == 0 and curve.x[-1] == 1 and (np.diff(curve.x) >= 0).all()


@pytest.mark.parametrize("draw", [curves.roc, curves.precision_recall])
def test_a_thinned_curve_has_few_points_and_nearly_the_same_area(draw: object) -> None:
    sample = _sample()
    curve = draw(sample, 0)  # type: ignore[operator]
    assert 100 < len(curve.x) <= curves.MOST_POINTS
    truth, score = sample.truth_N == 0, sample.probabilities_NC[:, 0]
    whole = oracle.roc_auc_score if draw is curves.roc else oracle.average_precision_score
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(whole(truth, score), abs=0.005)


def test_a_class_without_examples_has_no_curve() -> None:
    sample = prepare([0, 0, 1], [[0.6, 0.2, 0.2], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    assert curves.roc(sample, 2) is None and curves.precision_recall(sample, 2) is None


def test_the_reliability_bins_add_up_to_the_calibration_error() -> None:
    sample = _sample()
    bins = curves.reliability(sample)
    filled = bins.counts > 0
    gaps = np.abs(bins.accuracy - bins.confidence)[filled] * bins.counts[filled]
    assert bins.counts.sum() == len(sample) and np.isnan(bins.accuracy[~filled]).all()
    expected = value("expected_calibration_error", sample.truth_N, sample.probabilities_NC)
    assert gaps.sum() / len(sample) == pytest.approx(expected, abs=1e-12)
