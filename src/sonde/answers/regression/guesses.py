"""On which scale a number is learned, as the training targets suggest: logarithms where they have a long tail.

Prices, incomes and counts spread over orders of magnitude: standardised as they are, a few large ones make up the whole
loss. Their logarithms spread evenly, and an error then is a factor.
"""

import numpy as np

from sonde.answers.regression.options import Options
from sonde.answers.regression.target import NumberTarget, numbers
from sonde.config import Settings, fill, guessed
from sonde.data.target import Column
from sonde.errors import ConfigError

LONG_TAIL = 2.0
"""Skewness from which on a tail is long; that of an exponential distribution is 2."""
EVEN = 0.5
"""Share of that skewness which the logarithms may keep."""

SUITS: dict[str, tuple[object, str]] = {
    "model.linear": (True, "much of a number is often a straight line"),
    "table.scaling": ("standard", "ranks would bend straight lines"),
}
"""Options of the model and of what is read that go well with a number, and why. First found on made tables (lines with
and without noise, three functions of Friedman) by the errors on their own test parts, then held by validation losses of
others; see docs/regression.md."""


def guess(settings: Settings, train_truth: Column) -> Settings:
    """Guess the scale from the training targets, to stand below what was given."""
    given_N = numbers(train_truth)
    if not len(given_N) or not np.isfinite(given_N).all() or given_N.min() <= 0:
        return Settings()
    plain, logarithm = skewness(given_N), skewness(np.log(given_N))
    if plain < LONG_TAIL or abs(logarithm) > EVEN * plain:
        return Settings()
    why = f"positive targets with a long tail: skewness {plain:.1f}, {logarithm:.1f} of their logarithms"
    return guessed("regression.scale", "log", why)


def skewness(values_N: np.ndarray) -> float:
    """Return the third standardised moment; 0 where nothing varies."""
    deviation = float(values_N.std())
    return float((((values_N - values_N.mean()) / deviation) ** 3).mean()) if deviation else 0.0


def refuse(settings: Settings, target: NumberTarget) -> None:
    """Refuse quantiles without one below and one above a half, between which an interval lies (ConfigError)."""
    own = fill(Options, "regression", settings)
    middle = own.quantiles[len(own.quantiles) // 2]
    if own.loss == "quantiles" and middle != 0.5:
        raise ConfigError(
            f"regression.quantiles = {list(own.quantiles)} has {middle:g} in its middle, and the middle one is the "
            "prediction: put as many shares below 0.5 as above, such as [0.05, 0.5, 0.95]."
        )
