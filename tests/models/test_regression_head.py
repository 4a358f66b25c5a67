"""The head of a number: losses as their papers write them, and parts of a batch that add up to the whole."""

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss, mean_squared_error

from sonde import backend
from sonde.data.target import equal_weights
from sonde.models.heads import head as head_of

CLOSE = 2e-6
"""Some twenty float32 operations, each right to 6e-8."""
SHARES = (0.05, 0.5, 0.95)


@pytest.fixture(scope="module", autouse=True)
def started() -> None:
    backend.use("torch").start(threads=1)


def loss(numbers: np.ndarray, truth: np.ndarray, weights: np.ndarray | None = None, **options: object) -> float:
    from keras import ops

    weights = equal_weights(len(truth)) if weights is None else weights
    batch = {"truth": ops.convert_to_tensor(truth), "weights": ops.convert_to_tensor(weights)}
    made = head_of("regression").loss(options)({"numbers": ops.convert_to_tensor(numbers)}, batch)
    return float(ops.convert_to_numpy(made))


def examples(outputs: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(0, 2, (8, outputs)).astype(np.float32), rng.normal(0, 2, 8).astype(np.float32)


def test_the_losses_are_those_of_their_papers() -> None:
    numbers, truth = examples(1)
    assert loss(numbers, truth) == pytest.approx(mean_squared_error(truth, numbers[:, 0]), rel=CLOSE)
    error = np.abs(truth.astype(np.float64) - numbers[:, 0])
    huber = 2 * np.where(error < 1.5, error**2 / 2, 1.5 * (error - 0.75))
    assert (error < 1.5).any() and (error > 1.5).any()
    assert loss(numbers, truth, huber=1.5) == pytest.approx(huber.mean(), rel=CLOSE)
    numbers, truth = examples(3)
    each = [mean_pinball_loss(truth, numbers[:, place], alpha=share) for place, share in enumerate(SHARES)]
    assert loss(numbers, truth, quantiles=SHARES) == pytest.approx(np.mean(each), rel=CLOSE)


@pytest.mark.parametrize("options", [{}, {"huber": 1.0}, {"quantiles": SHARES}])
def test_the_parts_of_a_batch_add_up_to_it(options: dict[str, object]) -> None:
    numbers, truth = examples(3 if "quantiles" in options else 1)
    weights = equal_weights(8)
    parts = [loss(numbers[rows], truth[rows], weights[rows], **options) for rows in (slice(0, 3), slice(3, 8))]
    assert sum(parts) == pytest.approx(loss(numbers, truth, **options), rel=CLOSE)
