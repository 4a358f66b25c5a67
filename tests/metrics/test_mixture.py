"""Weights of an average follow the likelihood of the truth, and stay near equal where little is known."""

import numpy as np
import pytest
from scipy.optimize import minimize

from sonde.metrics import mixture


def likelihoods(examples: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).beta([[8.0], [4.0], [1.0]], 2.0, (3, examples))


def test_no_other_weights_are_better() -> None:
    given = likelihoods(400)

    def cost(free: np.ndarray) -> float:
        weights = np.exp(free) / np.exp(free).sum()
        # The prior of the fit, in the same terms.
        prior = mixture.EQUAL / 3 * np.log(weights).sum()
        return -float(np.log(weights @ given).sum() + prior)

    found = minimize(cost, np.zeros(3), method="BFGS").x
    assert mixture.fit(given) == pytest.approx(np.exp(found) / np.exp(found).sum(), abs=1e-3)


def test_weights_are_positive_with_the_sum_one_and_follow_the_better_model() -> None:
    weights = mixture.fit(likelihoods(300))
    assert weights.sum() == pytest.approx(1) and (weights > 0).all()
    assert weights[0] > weights[2]


def test_equal_models_and_no_examples_give_equal_weights() -> None:
    assert mixture.fit(np.tile(likelihoods(50)[:1], (4, 1))) == pytest.approx(np.full(4, 0.25))
    assert mixture.fit(np.empty((2, 0))) == pytest.approx([0.5, 0.5])


def test_a_model_that_gives_the_truth_no_chance_keeps_a_small_weight() -> None:
    weights = mixture.fit(np.stack([np.full(100, 0.9), np.zeros(100)]))
    assert 0 < weights[1] < 0.1
