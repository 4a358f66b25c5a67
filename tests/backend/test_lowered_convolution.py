"""Convolutions natively: in bf16, in torch's channels-last layout, and on gradients that are views."""

from collections.abc import Callable
from typing import Any

import keras
import pytest
import torch
from keras import layers

from backend.test_lowering import assert_same, functional, lowered, scattered, tensors
from sonde.backend.lowering import convolution

KINDS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "a sequence": (lambda: layers.Conv1D(4, 3, padding="causal", activation="relu"), (9, 3)),
    "an image": (lambda: layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"), (8, 8, 3)),
    "a volume": (lambda: layers.Conv3D(4, 2, padding="same"), (5, 5, 5, 3)),
    "groups": (lambda: layers.Conv2D(4, 3, groups=2), (8, 8, 4)),
    "each channel by itself": (lambda: layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2), (8, 8, 3)),
    "each channel by itself, strided": (lambda: layers.DepthwiseConv2D(3, strides=2), (8, 8, 3)),
    "as many groups as channels": (lambda: layers.Conv2D(6, 5, groups=3, padding="same"), (8, 8, 3)),
    "each channel, then all": (lambda: layers.SeparableConv2D(4, 3, strides=2, padding="same"), (8, 8, 3)),
    "transposed": (lambda: layers.Conv2DTranspose(4, 3, strides=2, padding="same"), (4, 4, 3)),
}


@pytest.mark.parametrize("name", KINDS)
def test_in_bf16_a_convolution_stays_near_fp32_and_in_bf16(name: str) -> None:
    make, shape = KINDS[name]
    model, (inputs,) = functional(shape, make()), tensors([shape])
    exact = lowered(model)(inputs, training=True).detach()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = lowered(model)(inputs.requires_grad_(), training=True)
    assert outputs.dtype == torch.bfloat16
    # bf16 keeps 8 bits: 0.4 % for each rounding of inputs, kernel and output.
    assert float((outputs.detach().float() - exact).abs().max() / exact.abs().max()) < 0.02
    kernels = [variable.value for variable in model.trainable_variables]
    gradients = torch.autograd.grad(outputs.float().square().mean(), [inputs, *kernels])
    assert all(each.isfinite().all() and each.dtype == torch.float32 for each in gradients)


@pytest.mark.parametrize("name", sorted({*KINDS} - {"transposed"}))
def test_a_convolution_leaves_values_in_the_order_of_keras(name: str) -> None:
    # Channels last in memory too: whatever comes next copies nothing.
    make, shape = KINDS[name]
    assert lowered(functional(shape, make()))(tensors([shape])[0], training=False).is_contiguous()


@pytest.mark.parametrize("name", KINDS)
def test_a_gradient_that_is_a_view_is_taken(name: str) -> None:
    make, shape = KINDS[name]
    axes = len(shape) - 1
    pool = [layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D][axes - 1]
    assert_same(functional(shape, make(), pool()), tensors([shape])[0], training=True, fallbacks=())


@pytest.mark.parametrize("extra", [None, 0, 1, 2])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_transposed_convolution_is_as_long_as_in_keras(
    padding: str, stride: int, size: int, extra: int | None
) -> None:
    if extra is not None and extra >= stride:
        return
    layer = layers.Conv1DTranspose(2, size, strides=stride, padding=padding, output_padding=extra)
    assert_same(functional((4, 2), layer), tensors([(4, 2)])[0], training=False, fallbacks=())


def test_an_activation_over_channels_finds_them() -> None:
    for order in ("channels_last", "channels_first"):
        layer = layers.Conv2D(3, 2, activation="softmax", data_format=order)
        assert_same(functional((4, 5, 6), layer), tensors([(4, 5, 6)])[0], training=True, fallbacks=())


def test_low_rank_weights_of_a_kernel_run_as_keras_wrote_them() -> None:
    layer = layers.Conv2D(3, 2, name="low")
    layer.build((None, 4, 4, 2))
    layer.enable_lora(1)
    assert_same(functional((4, 4, 2), layer), tensors([(4, 4, 2)])[0], training=True, fallbacks=("low",))


def test_one_layer_takes_images_of_several_sizes() -> None:
    inputs = keras.Input((None, None, 2))
    model = scattered(keras.Model(inputs, layers.Conv2D(2, 3, strides=2, padding="same")(inputs)))
    for side in (4, 5, 7, 8):
        assert_same(model, tensors([(side, side + 1, 2)])[0], training=False, fallbacks=())


@pytest.mark.parametrize("size", [1, 2, 3])
def test_one_channel_out_of_one_image_has_its_gradient(size: int) -> None:
    # As written, Keras on torch cannot do this where the window is wider than a pixel; with two filters it can.
    one, two = (functional((7, 7, 3), layers.Conv2D(filters, size)) for filters in (1, 2))
    for mine, wider in zip(one.variables, two.variables, strict=True):
        mine.assign(wider.value[..., :1])
    (inputs,) = tensors([(7, 7, 3)], batch=1)
    kernels = [model.variables[0].value for model in (one, two)]
    outputs = [lowered(model)(inputs, training=True)[..., :1] for model in (one, two)]
    first, second = (
        torch.autograd.grad(each.square().sum(), kernel)[0][..., :1]
        for each, kernel in zip(outputs, kernels, strict=True)
    )
    assert torch.allclose(outputs[0], outputs[1], atol=1e-5) and torch.allclose(first, second, atol=1e-4)


def test_every_table_is_by_the_number_of_axes_torch_sees() -> None:
    assert set(convolution.CONVOLVE) == set(convolution.TRANSPOSED) == {2, 3}
