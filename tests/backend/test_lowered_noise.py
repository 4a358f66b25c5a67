"""Dropout and noise have the statistics they promise, and are functions of the generator alone."""

from collections.abc import Callable
from typing import Any

import keras
import pytest
import torch
from keras import layers

from backend.test_lowering import lowered
from sonde.backend.lowering.calls import Run

KINDS: dict[str, Callable[[], Any]] = {
    "dropout": lambda: layers.Dropout(0.25),
    "dropout of a noise shape": lambda: layers.Dropout(0.25, noise_shape=(None, 1, None)),
    "spatial dropout": lambda: layers.SpatialDropout1D(0.25),
    "gaussian noise": lambda: layers.GaussianNoise(0.5),
    "gaussian dropout": lambda: layers.GaussianDropout(0.25),
    "alpha dropout": lambda: layers.AlphaDropout(0.25),
}


def one(layer: Any, shape: tuple[int, ...] = (40, 50)) -> Callable[..., torch.Tensor]:
    """Return a layer's native call, which takes bfloat16 as it comes; a model would make float32 of it."""
    inputs, generator = keras.Input(shape), torch.Generator().manual_seed(0)
    (step,) = lowered(keras.Model(inputs, layer(inputs)))._program.steps
    assert step.native is not None
    native = step.native
    return lambda x, *, training: native(Run(training, generator), x)


@pytest.mark.parametrize("name", KINDS)
def test_noise_is_a_function_of_the_generator_alone_and_new_at_each_call(name: str) -> None:
    (ones,), ours = [torch.ones(2, 40, 50)], one(KINDS[name]())
    torch.manual_seed(1)
    first, second = ours(ones, training=True), ours(ones, training=True)
    torch.manual_seed(2)
    again = one(KINDS[name]())
    assert torch.equal(again(ones, training=True), first) and not torch.equal(first, second)


@pytest.mark.parametrize("name", KINDS)
def test_without_training_the_input_itself_comes_out(name: str) -> None:
    ones = torch.ones(2, 40, 50)
    assert one(KINDS[name]())(ones, training=False) is ones


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.9])
def test_dropout_keeps_its_share_and_the_mean(rate: float, dtype: torch.dtype) -> None:
    ones = torch.ones(64, 40, 50, dtype=dtype)
    outputs = one(layers.Dropout(rate))(ones, training=True)
    assert outputs.dtype == dtype
    # Four standard deviations of a share of 128,000 draws.
    spread = (rate * (1 - rate) / 128_000) ** 0.5
    assert float((outputs == 0).float().mean()) == pytest.approx(rate, abs=4 * spread)
    # bfloat16 rounds the factor by up to 0.4 %.
    assert float(outputs.float().max()) == pytest.approx(1 / (1 - rate), rel=4e-3)
    drops = (outputs == 0).float().flatten()
    assert abs(float(torch.corrcoef(torch.stack([drops[:-1], drops[1:]]))[0, 1])) < 4 / 128_000**0.5


def test_what_spatial_dropout_drops_are_whole_channels() -> None:
    for kind, shape in [
        (layers.SpatialDropout1D, (6, 50)),
        (layers.SpatialDropout2D, (3, 2, 50)),
        (layers.SpatialDropout3D, (3, 2, 1, 50)),
    ]:
        outputs = one(kind(0.5), shape)(torch.ones(8, *shape), training=True).flatten(1, -2)
        assert bool((outputs == outputs[:, :1]).all())
        assert 0.3 < float((outputs[:, 0] == 0).float().mean()) < 0.7


def test_a_noise_shape_shares_its_draws() -> None:
    layer = layers.Dropout(0.5, noise_shape=(None, 1, 50))
    outputs = one(layer)(torch.ones(8, 40, 50), training=True)
    assert bool((outputs == outputs[:, :1]).all()) and 0.3 < float((outputs == 0).float().mean()) < 0.7


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gaussian_noise_and_dropout_have_their_spread(dtype: torch.dtype) -> None:
    twos = torch.full((64, 40, 50), 2.0, dtype=dtype)
    added = one(layers.GaussianNoise(0.5))(twos, training=True)
    multiplied = one(layers.GaussianDropout(0.2))(twos, training=True)
    assert added.dtype == multiplied.dtype == dtype
    for outputs, spread in [(added.float(), 0.5), (multiplied.float(), 2 * (0.2 / 0.8) ** 0.5)]:
        # The mean of 128,000 draws within four standard errors; their spread within 2 %.
        assert float(outputs.mean()) == pytest.approx(2.0, abs=4 * spread / 128_000**0.5)
        assert float(outputs.std()) == pytest.approx(spread, rel=0.02)
        assert outputs.unique().numel() > 200


def test_alpha_dropout_keeps_mean_and_variance_of_normal_numbers() -> None:
    inputs = torch.randn(64, 40, 50, generator=torch.Generator().manual_seed(3))
    outputs = one(layers.AlphaDropout(0.2))(inputs, training=True)
    assert float((outputs == outputs.flatten().mode().values).float().mean()) == pytest.approx(0.2, abs=0.01)
    assert float(outputs.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(outputs.std()) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("name", KINDS)
def test_noise_lets_gradients_through(name: str) -> None:
    inputs = torch.ones(2, 40, 50, requires_grad=True)
    outputs = one(KINDS[name]())(inputs, training=True)
    (gradient,) = torch.autograd.grad(outputs.sum(), [inputs])
    if "dropout" in name and name != "alpha dropout":  # Outputs are multiples of what comes in, which is one.
        assert torch.allclose(gradient, outputs)
    else:
        assert bool(gradient.isfinite().all()) and bool((gradient != 0).any())
