"""Scores predicted numbers: errors, their direction, what a mean would have done, quantiles and intervals."""

# N examples

from collections.abc import Mapping
from typing import Any

import numpy as np

from sonde.answers.answer import FITTED_ON, Scored, Worst
from sonde.answers.regression.options import Options
from sonde.answers.regression.predictions import Predictions
from sonde.answers.regression.target import Floats, NumberTarget, near, written
from sonde.metrics import REGRESSION_METRICS, AnyMetric
from sonde.metrics.intervals import Score, score_sample
from sonde.metrics.regression import RegressionSample, prepare_regression

OF_INTERVALS = ("coverage", "interval_width")
OF_QUANTILES = ("pinball_loss",)
COMPARED = ("mae", "rmse", "r2")
"""Metrics that a comparison shows beside the headline."""
SHARES = (0.5, 0.9)
"""Shares of the predictions of which it is said how far off they are at most."""


def metrics(target: NumberTarget, own: Options) -> Mapping[str, AnyMetric]:
    """Return the metrics of a single number; those of intervals and quantiles, which baselines lack, stand apart."""
    return {name: row for name, row in REGRESSION_METRICS.items() if name not in (*OF_INTERVALS, *OF_QUANTILES)}


def headline(target: NumberTarget, own: Options) -> str:
    """Return the metric that stands first: how far off a prediction is on average, in the data's unit."""
    return "mae"


def sample(made: Predictions, own: Options) -> RegressionSample:
    """Return what the metrics read: truths and predictions, and quantiles and intervals where there are any."""
    return prepare_regression(
        made.truth,
        made.predicted,
        quantiles=made.quantiles,
        at_quantiles=made.at_quantiles,
        interval=made.interval,
        center=float(made.truth.mean()),
    )


def figure(own: RegressionSample) -> Floats:
    """Return the absolute error of each example, negated, so that higher is better."""
    return -np.abs(own.truth_NT - own.prediction_NT)[:, 0]


def judge(scored: Scored, test: Mapping[str, Score]) -> dict[str, Any]:
    """Return what scores.json holds of numbers beside the metrics.

    Args:
        scored: the model's predictions, and how they are judged.
    """
    made, fitted, target = scored.predictions, scored.fitted, scored.target
    error_N = made.error
    absolute_N = np.abs(error_N)
    return {
        "fitted_on": FITTED_ON[fitted.fitted_on],
        "scale": "plain" if target.least is None else "log",
        "target": {
            "mean": float(made.truth.mean()),
            "deviation": float(made.truth.std()),
            "low": float(made.truth.min()),
            "high": float(made.truth.max()),
            "examples": len(made),
        },
        "errors": {
            "mean": _mean(error_N, scored),
            "at_shares": [[share, float(np.quantile(absolute_N, share))] for share in SHARES],
            "largest": float(absolute_N.max()),
            # What a prediction of the test targets' own median, the best constant there is, would be off by.
            "of_a_constant": float(np.abs(made.truth - np.median(made.truth)).mean()),
        },
        "intervals": _of(scored, OF_INTERVALS) if made.interval is not None else None,
        "quantiles": _quantiles(scored) if made.quantiles else None,
    }


def _mean(error_N: Floats, scored: Scored) -> dict[str, float]:
    """Return the mean error with the ends of its bootstrap interval."""
    bootstrap, count = scored.bootstrap, len(error_N)
    rng = np.random.default_rng([bootstrap.seed, count])
    drawn = [float(error_N[rng.integers(0, count, count)].mean()) for _ in range(bootstrap.resamples)]
    low, high = np.quantile(drawn, [(1 - bootstrap.confidence) / 2, (1 + bootstrap.confidence) / 2])
    return {"value": float(error_N.mean()), "low": float(low), "high": float(high), "n": count}


def _of(scored: Scored, names: tuple[str, ...]) -> dict[str, Any]:
    table = {name: REGRESSION_METRICS[name] for name in names}
    found = score_sample(sample(scored.predictions, scored.own), table, bootstrap=scored.bootstrap)
    known = scored.fitted.interval
    return {
        "wanted": scored.predictions.coverage,
        "examples": 0 if known is None else known.examples,
        **{name: each.to_dict() for name, each in found.items()},
    }


def _quantiles(scored: Scored) -> dict[str, Any]:
    """Return the pinball loss, and the share of targets below each quantile, which should be that quantile's own."""
    made = scored.predictions
    below = (made.truth[:, None] <= made.at_quantiles).mean(axis=0)
    table = {name: REGRESSION_METRICS[name] for name in OF_QUANTILES}
    found = score_sample(sample(made, scored.own), table, bootstrap=scored.bootstrap)
    return {
        "below": [[share, float(each)] for share, each in zip(made.quantiles, below.tolist(), strict=True)],
        **{name: each.to_dict() for name, each in found.items()},
    }


def worst(scored: Scored) -> list[Worst]:
    """Pick the predictions that are furthest off."""
    made = scored.predictions
    chosen = np.argsort(-np.abs(made.error), kind="stable")[: scored.mistakes]
    return [
        Worst(
            row=int(row),
            name=made.names[row],
            predicted=written(float(made.predicted[row])),
            truth=written(float(made.truth[row])),
            note=_off(float(made.error[row])),
        )
        for row in chosen.tolist()
        if made.error[row]
    ]


def _off(error: float) -> str:
    return f"{near(abs(error))} too {'high' if error > 0 else 'low'}"


def telling(scored: Scored, most: int) -> list[int]:
    """Choose test examples to explain: those furthest off, and good ones spread over the range of predictions."""
    made = scored.predictions
    by_error = np.argsort(-np.abs(made.error), kind="stable")
    wrong = by_error[: most // 2].tolist()
    # The better half by error, from the lowest prediction to the highest.
    good = by_error[len(by_error) // 2 :]
    good = good[np.argsort(made.predicted[good], kind="stable")]
    count = min(len(good), most - len(wrong))
    right = [int(good[round(at * (len(good) - 1) / max(count - 1, 1))]) for at in range(count)]
    turns = [row for pair in zip(right, wrong, strict=False) for row in pair]
    return list(dict.fromkeys([*turns, *right, *wrong]))
