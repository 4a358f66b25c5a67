"""One temperature for all labels: it finds the one that was hidden, and never makes the log loss worse."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from sonde.metrics import temperature


@pytest.mark.parametrize("hidden", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_hidden_is_found(hidden: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 3))
    truth = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
    # 12,000 answers: the estimate's standard error is some 2 %.
    assert temperature.fit_labels(logits * hidden, truth) == pytest.approx(hidden, rel=0.08)


def test_it_never_makes_the_log_loss_worse_and_stays_where_examples_are_few() -> None:
    rng = np.random.default_rng(1)
    logits, truth = rng.normal(0, 2, (200, 2)), rng.random((200, 2)) < 0.3
    found = temperature.fit_labels(logits, truth)
    losses = [log_loss(truth.ravel(), temperature.apply_labels(logits, each).ravel()) for each in (found, 1.0)]
    assert losses[0] <= losses[1]
    assert temperature.fit_labels(logits[:19], truth[:19]) == 1.0
    np.testing.assert_allclose(temperature.apply_labels(logits, 2.0), 1 / (1 + np.exp(-logits / 2.0)), rtol=1e-12)
