"""Temperature scaling finds the temperature that is there, and does no harm where nothing can be known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sonde.metrics import temperature


def _logits_and_truth(true_temperature: float, examples: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Logits of a model whose probabilities would be exact at the given temperature."""
    rng = np.random.default_rng(0)
    honest_NC = rng.normal(scale=2, size=(examples, 4))
    probabilities_NC = temperature.apply(honest_NC, 1)
    truth = (probabilities_NC.cumsum(axis=1) < rng.random((examples, 1))).sum(axis=1).clip(max=3)
    return honest_NC * true_temperature, truth


@pytest.mark.parametrize("true_temperature", [0.4, 1.0, 3.0])
def test_a_known_temperature_is_recovered(true_temperature: float) -> None:
    # The standard error of the logarithm is about 0.02 with 4,000 examples.
    assert temperature.fit(*_logits_and_truth(true_temperature, 4000)) == pytest.approx(true_temperature, rel=0.06)


def test_perfect_separation_does_not_drive_the_confidence_to_certainty() -> None:
    truth = np.arange(200) % 4
    fitted = temperature.fit(8 * np.eye(4)[truth], truth)
    assert 0.7 < fitted <= 1.0


def test_the_temperature_stays_within_its_bounds_when_logits_are_pure_noise() -> None:
    rng = np.random.default_rng(0)
    fitted = temperature.fit(1000 * rng.normal(size=(5000, 3)), rng.integers(0, 3, 5000))
    assert temperature.COLDEST <= fitted <= temperature.HOTTEST and fitted > 15


def test_too_few_validation_examples_leave_the_probabilities_as_they_are() -> None:
    logits, truth = _logits_and_truth(3.0, temperature.FEWEST - 1)
    assert temperature.fit(logits, truth) == 1.0


def test_scaling_keeps_the_order_and_sums_to_one_even_for_huge_logits() -> None:
    logits = np.array([[1e4, 0.0, -1e4], [3.0, 2.0, 1.0]])
    probabilities = temperature.apply(logits, 2.5)
    assert probabilities.sum(axis=1) == pytest.approx([1, 1], abs=1e-12)
    assert (np.diff(probabilities, axis=1) <= 0).all()


def test_the_fit_does_not_depend_on_a_constant_added_to_the_logits() -> None:
    logits, truth = _logits_and_truth(2.0, 300)
    assert temperature.fit(logits + 100.0, truth) == pytest.approx(temperature.fit(logits, truth), rel=1e-6)
