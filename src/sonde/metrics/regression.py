"""Metrics of numbers: errors, explained variance, quantiles and intervals, for one target or several.

With several targets each is scored by itself and the mean is taken, as scikit-learn does; bring targets to one scale
first where their units differ.

    sample = prepare_regression(truth, predicted, quantiles=(0.05, 0.5, 0.95), at_quantiles=predicted_NTQ)
    intervals.score_sample(sample, applicable_to(sample), bootstrap=Bootstrap(seed=0))
"""

# N examples, T targets, Q quantiles, R resamples

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sonde.metrics.metric import AnyMetric, Floats, Metric, Ranking, Sums
from sonde.metrics.sums import mean_over_known

ROUNDING = 1e-13
"""A variance below this part of the mean square is what rounding leaves of a truth that does not vary."""


@dataclass(frozen=True, eq=False)
class RegressionSample:
    """True and predicted numbers, where asked for with predicted quantiles and an interval."""

    truth_NT: Floats
    prediction_NT: Floats
    center_T: Floats
    """A number near the truths of each target, one for all batches: squares are taken of the distance to it."""
    quantiles: tuple[float, ...]
    at_quantiles_NTQ: Floats
    """What is predicted at each quantile; Q is 0 where none is."""
    interval: tuple[Floats, Floats] | None
    """Lower and upper end of the interval that is to hold the truth, N x T each."""

    def __len__(self) -> int:
        return len(self.truth_NT)


def prepare_regression(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    quantiles: Sequence[float] = (),
    at_quantiles: ArrayLike | None = None,
    interval: tuple[ArrayLike, ArrayLike] | None = None,
    center: ArrayLike = 0.0,
) -> RegressionSample:
    """Make the sample that the metrics of numbers read.

    Args:
        truth: N, or N x T.
        prediction: in the same shape.
        quantiles: between 0 and 1, rising.
        at_quantiles: what is predicted there, N x Q or N x T x Q.
        interval: lower and upper ends that are to hold the truth, in the truth's shape; where not given, the outermost
            of several quantiles.
        center: of each target or of all, the same for every batch, such as the training truths' mean. Where the truths
            lie far from it in relation to how they vary, R2 loses digits: half of them at a ratio of 10,000.
    """
    truth_NT, prediction_NT = _columns(truth), _columns(prediction)
    assert truth_NT.shape == prediction_NT.shape and len(truth_NT), "N x T twice, N > 0"
    assert np.isfinite(truth_NT).all() and np.isfinite(prediction_NT).all(), "numbers must be finite"
    shape = (*truth_NT.shape, len(quantiles))
    given = np.zeros(shape) if at_quantiles is None else np.asarray(at_quantiles, np.float64).reshape(shape)
    assert np.isfinite(given).all() and (at_quantiles is not None or not quantiles), "a number at each quantile"
    ends = None if interval is None else (_columns(interval[0]), _columns(interval[1]))
    if ends is None and len(quantiles) > 1:
        ends = given[..., 0], given[..., -1]
    assert ends is None or ends[0].shape == ends[1].shape == truth_NT.shape, "two ends for each truth"
    center_T = np.broadcast_to(np.asarray(center, np.float64), truth_NT.shape[1:])
    return RegressionSample(truth_NT, prediction_NT, center_T, tuple(quantiles), given, ends)


def _columns(numbers: ArrayLike) -> Floats:
    array = np.asarray(numbers, np.float64)
    return array[:, None] if array.ndim == 1 else array


def absolute_errors(sample: RegressionSample) -> Sums:
    """Return the absolute error of each target, and a one, N x (T + 1)."""
    return _each(np.abs(sample.truth_NT - sample.prediction_NT))


def squares(sample: RegressionSample) -> Sums:
    """Return of each target squared error, distance to the centre and its square, and a one, N x (3 T + 1)."""
    distance_NT = sample.truth_NT - sample.center_T
    error_NT = sample.truth_NT - sample.prediction_NT
    return _each(np.concatenate([np.square(error_NT), distance_NT, np.square(distance_NT)], axis=1))


def pinball_losses(sample: RegressionSample) -> Sums:
    """Return the pinball loss of each target, its mean over the quantiles, and a one, N x (T + 1).

    Source: Koenker & Bassett, "Regression quantiles", 1978.
    """
    assert sample.quantiles, "the pinball loss needs predicted quantiles"
    under_NTQ = sample.truth_NT[..., None] - sample.at_quantiles_NTQ
    share_Q = np.array(sample.quantiles)
    return _each(np.maximum(share_Q * under_NTQ, (share_Q - 1) * under_NTQ).mean(axis=2))


def held(sample: RegressionSample) -> Sums:
    """Return a one for each target whose truth is in its interval, ends included, and a one, N x (T + 1)."""
    low_NT, high_NT = _ends(sample)
    return _each((low_NT <= sample.truth_NT) & (sample.truth_NT <= high_NT))


def widths(sample: RegressionSample) -> Sums:
    """Return the width of each target's interval, 0 where its ends are crossed, and a one, N x (T + 1)."""
    low_NT, high_NT = _ends(sample)
    return _each(np.maximum(high_NT - low_NT, 0.0))


def _ends(sample: RegressionSample) -> tuple[Floats, Floats]:
    assert sample.interval is not None, "coverage and width need an interval or two quantiles"
    return sample.interval


def _each(amounts_NK: ArrayLike) -> Sums:
    amounts = np.asarray(amounts_NK, np.float64)
    return np.concatenate([amounts, np.ones((len(amounts), 1))], axis=1)


def mean_over_targets(totals_RK: Floats) -> Floats:
    """Return the mean amount of an example, its mean over the targets."""
    return (totals_RK[:, :-1] / totals_RK[:, -1:]).mean(axis=1)


def root_mean_square(totals_RK: Floats) -> Floats:
    """Return the root of the mean squared error, its mean over the targets."""
    squares_RT, _, _ = _of_squares(totals_RK)
    return np.sqrt(squares_RT / totals_RK[:, -1:]).mean(axis=1)


def r_squared(totals_RK: Floats) -> Floats:
    """Return the share of the variance that is explained, its mean over the targets that vary; NaN where none does."""
    squares_RT, distances_RT, squared_distances_RT = _of_squares(totals_RK)
    variation_RT = squared_distances_RT - np.square(distances_RT) / totals_RK[:, -1:]
    varies_RT = variation_RT > ROUNDING * squared_distances_RT
    unexplained_RT = np.divide(squares_RT, variation_RT, out=np.full_like(squares_RT, np.nan), where=varies_RT)
    return mean_over_known(1 - unexplained_RT)


def _of_squares(totals_RK: Floats) -> tuple[Floats, Floats, Floats]:
    targets = totals_RK.shape[1] // 3
    return totals_RK[:, :targets], totals_RK[:, targets : 2 * targets], totals_RK[:, 2 * targets : 3 * targets]


def median_absolute_error(sample: RegressionSample, counts_RN: Floats) -> Floats:
    """Return the median absolute error under some counts, its mean over the targets, R.

    Of an even number of examples it is the mean of the two in the middle.
    """
    error_NT = np.abs(sample.truth_NT - sample.prediction_NT)
    examples_R = counts_RN.sum(axis=1)
    middles = (np.floor((examples_R - 1) / 2), np.floor(examples_R / 2))
    found_TR = []
    for error_N in error_NT.T:
        order_N = np.argsort(error_N, kind="stable")
        running_RN = counts_RN.take(order_N, axis=1).cumsum(axis=1)
        places = [(running_RN > middle_R[:, None]).argmax(axis=1) for middle_R in middles]
        found_TR.append(error_N[order_N[places[0]]] / 2 + error_N[order_N[places[1]]] / 2)
    return np.mean(found_TR, axis=0)


REGRESSION_METRICS: dict[str, AnyMetric] = {
    "mae": Metric(
        absolute_errors,
        mean_over_targets,
        title="Mean absolute error",
        doc="Mean distance of the prediction to the truth, in the truth's unit.",
        better="lower",
        high=math.inf,
    ),
    "rmse": Metric(
        squares,
        root_mean_square,
        title="Root mean squared error",
        doc="Root of the mean squared distance to the truth, in the truth's unit; large errors count more.",
        better="lower",
        high=math.inf,
    ),
    "r2": Metric(
        squares,
        r_squared,
        title="R²",
        doc="Share of the truth's variance that is explained; 0 is as good as its mean, below 0 worse.",
        low=-math.inf,
    ),
    "median_absolute_error": Ranking(
        median_absolute_error,
        title="Median absolute error",
        doc="Distance to the truth that half of the predictions keep; a few large errors do not change it.",
        better="lower",
        high=math.inf,
    ),
    "pinball_loss": Metric(
        pinball_losses,
        mean_over_targets,
        title="Pinball loss",
        doc="Cost of predicted quantiles, their mean; an error above the truth costs 1 - q, one below it q.",
        better="lower",
        high=math.inf,
    ),
    "coverage": Metric(
        held,
        mean_over_targets,
        title="Coverage",
        doc="Share of the truths in their interval; it should be near the share that was wanted.",
        is_share=True,
    ),
    "interval_width": Metric(
        widths,
        mean_over_targets,
        title="Width of the intervals",
        doc="Mean width of the intervals, in the truth's unit; of two with one coverage the narrower is better.",
        better="lower",
        high=math.inf,
    ),
}
"""The scores of predicted numbers, in the order shown to users."""


def applicable_to(sample: RegressionSample) -> dict[str, AnyMetric]:
    """Return the metrics that say something of a sample: those of quantiles and intervals only where there are any."""
    left_out = set() if sample.quantiles else {"pinball_loss"}
    left_out |= set() if sample.interval is not None else {"coverage", "interval_width"}
    return {name: row for name, row in REGRESSION_METRICS.items() if name not in left_out}
