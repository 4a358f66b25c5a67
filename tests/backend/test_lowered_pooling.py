"""Pooling natively: ties, borders, masks and bf16."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers

from backend.test_lowering import assert_same, functional, lowered, tensors


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("side", [4, 5, 6, 7])
def test_max_pooling_finds_the_windows_of_keras(padding: str, size: int, stride: int, side: int) -> None:
    # Whole numbers from few: equal maxima, as after a ReLU, must pass their gradient to the same pixel.
    inputs = torch.from_numpy(np.random.default_rng(4).integers(3, size=(2, side, 6, 2)).astype(np.float32))
    layer = layers.MaxPooling2D((size, 2), (stride, 1), padding=padding)
    assert_same(functional((side, 6, 2), layer), inputs, training=True, fallbacks=())


def test_max_pooling_at_the_border_does_not_see_the_padding() -> None:
    (inputs,) = [torch.full((1, 5, 5, 1), -3.0)]
    for size, stride in ((2, 1), (2, 2), (3, 2), (3, 1), (4, 1)):
        outputs = lowered(functional((5, 5, 1), layers.MaxPooling2D(size, stride, padding="same")))
        assert torch.equal(outputs(inputs, training=False).unique(), torch.tensor([-3.0]))


def test_equal_maxima_share_the_gradient_of_global_max_pooling() -> None:
    inputs = torch.zeros(1, 2, 2, 1)
    assert_same(functional((2, 2, 1), layers.GlobalMaxPooling2D()), inputs, training=True, fallbacks=())
    (gradient,) = torch.autograd.grad(
        lowered(functional((2, 2, 1), layers.GlobalMaxPooling2D()))(inputs, training=True).sum(), [inputs]
    )
    assert gradient.flatten().tolist() == [0.25] * 4


def masked(order: str, keepdims: bool, make: Callable[..., Any] = layers.GlobalAveragePooling1D) -> Any:
    shape = (5, 3) if order == "channels_last" else (3, 5)
    inputs, mask = keras.Input(shape), keras.Input((5,), dtype="bool")
    return keras.Model([inputs, mask], make(data_format=order, keepdims=keepdims)(inputs, mask=mask))


@pytest.mark.parametrize("keepdims", [True, False])
@pytest.mark.parametrize("order", ["channels_last", "channels_first"])
def test_a_mean_over_time_leaves_out_what_a_mask_does(order: str, keepdims: bool) -> None:
    mask = torch.tensor([[1, 1, 0, 0, 0], [0, 1, 0, 1, 1]]).bool()
    (inputs,) = tensors([(5, 3) if order == "channels_last" else (3, 5)], batch=2)
    assert_same(masked(order, keepdims), [inputs, mask], training=True, fallbacks=())
    # What is masked may be anything, not a number included.
    hidden = torch.where(mask[:, :, None] if order == "channels_last" else mask[:, None], inputs.detach(), torch.nan)
    assert lowered(masked(order, keepdims))([hidden, mask], training=False).isfinite().all()


def test_a_mask_of_an_embedding_reaches_the_mean_and_ends_there() -> None:
    model = functional((5, 2), layers.Masking(), layers.GlobalAveragePooling1D(), layers.Dense(2))
    (inputs,) = tensors([(5, 2)])
    inputs[:, 3:] = 0
    assert_same(model, inputs, training=True, fallbacks=())
    shorter = lowered(functional((3, 2), layers.GlobalAveragePooling1D()))(inputs[:, :3].detach(), training=False)
    whole = lowered(functional((5, 2), layers.Masking(), layers.GlobalAveragePooling1D()))(inputs, training=False)
    assert torch.allclose(whole, shorter, atol=1e-6)


def test_a_mean_over_a_long_masked_sequence_counts_beyond_256_in_bf16() -> None:
    inputs, mask = torch.ones(1, 1001, 1, dtype=torch.bfloat16), torch.ones(1, 1001, dtype=torch.bool)
    shape = keras.Input((1001, 1), dtype="bfloat16"), keras.Input((1001,), dtype="bool")
    model = keras.Model(list(shape), layers.GlobalAveragePooling1D(dtype="float32")(shape[0], mask=shape[1]))
    assert float(lowered(model)([inputs, mask], training=False)) == 1.0


POOLS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "max": (lambda: layers.MaxPooling2D(3, 2, padding="same"), (8, 8, 3)),
    "average": (lambda: layers.AveragePooling2D(3, 2, padding="same"), (8, 8, 3)),
    "average of a sequence": (lambda: layers.AveragePooling1D(2), (8, 3)),
    "average of a volume": (lambda: layers.AveragePooling3D(2), (4, 4, 4, 3)),
    "max of a volume": (lambda: layers.MaxPooling3D(2), (4, 4, 4, 3)),
    "adaptive": (lambda: layers.AdaptiveAveragePooling2D(3), (8, 8, 3)),
    "mean": (layers.GlobalAveragePooling2D, (32, 32, 3)),
    "maximum": (layers.GlobalMaxPooling2D, (8, 8, 3)),
}


@pytest.mark.parametrize("name", POOLS)
def test_in_bf16_pooling_stays_near_fp32(name: str) -> None:
    make, shape = POOLS[name]
    axes = len(shape) - 1
    convolve = [layers.Conv1D, layers.Conv2D, layers.Conv3D][axes - 1]
    model, (inputs,) = functional(shape, convolve(4, 1, use_bias=False), make()), tensors([shape])
    exact = lowered(model)(inputs, training=True).detach()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = lowered(model)(inputs, training=True)
    # The mean over 1024 pixels is near 0, so what is lost is compared with what was added up.
    scale = max(float(exact.abs().max()), 0.5)
    assert float((outputs.detach().float() - exact).abs().max()) < 0.02 * scale
    (gradient,) = torch.autograd.grad(outputs.float().square().sum(), [model.trainable_variables[0].value])
    assert gradient.isfinite().all()
