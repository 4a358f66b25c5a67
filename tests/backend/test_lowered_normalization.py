"""Normalisation where float32 and a batch of several are not the whole story."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from keras import layers

from backend.test_lowering import assert_same, functional, lowered, tensors
from sonde.backend.lowering.calls import Run

KINDS: dict[str, tuple[Callable[[], Any], tuple[int, ...]]] = {
    "batch": (lambda: layers.BatchNormalization(momentum=0.5), (6, 6, 8)),
    "batch over a sequence": (lambda: layers.BatchNormalization(momentum=0.5), (64, 8)),
    "layer": (layers.LayerNormalization, (64, 8)),
    "layer without scale": (lambda: layers.LayerNormalization(scale=False), (64, 8)),
    "layer without offset": (lambda: layers.LayerNormalization(center=False), (64, 8)),
    "group": (lambda: layers.GroupNormalization(2), (6, 6, 8)),
    "group without scale": (lambda: layers.GroupNormalization(2, scale=False), (64, 8)),
    "root mean square": (layers.RMSNormalization, (64, 8)),
    "root mean square over two axes": (lambda: layers.RMSNormalization(axis=(-2, -1)), (64, 4, 2)),
    "unit": (layers.UnitNormalization, (64, 8)),
}


def differences(found: list[torch.Tensor], truth: list[torch.Tensor]) -> list[float]:
    return [float((a.float() - b.float()).norm() / b.float().norm()) for a, b in zip(found, truth, strict=True)]


@pytest.mark.parametrize("name", KINDS)
def test_bfloat16_stays_bfloat16_and_its_slopes_add_up_in_float32(name: str) -> None:
    make, shape = KINDS[name]
    model, (inputs,) = functional(shape, make()), tensors([shape], 128)
    statistics = [each.value.clone() for each in model.non_trainable_variables]
    rounded = inputs.bfloat16()

    def slopes(x: torch.Tensor, *, autocast: bool) -> list[torch.Tensor]:
        for variable, value in zip(model.non_trainable_variables, statistics, strict=True):
            variable.assign(value)
        x = x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            step = lowered(model)._program.steps[0]
            y = step.native(Run(True, torch.Generator()), x)  # type: ignore[misc]
        wanted = [x, *(each.value for each in model.trainable_variables)]
        loss = (y.float() * (rounded.float().roll(1, -1) + 0.3)).sum()
        after = [each.value.clone() for each in model.non_trainable_variables]
        assert y.dtype == x.dtype and all(each.dtype == torch.float32 for each in after)
        return [y.detach(), *after, *torch.autograd.grad(loss, wanted)]

    # A share of 2^-8 is one rounding; a sum of 8,192 slopes in bfloat16 itself is off by 10 to 20 %.
    assert max(differences(slopes(rounded, autocast=True), slopes(rounded.float(), autocast=False))) < 0.01


@pytest.mark.parametrize("name", KINDS)
def test_one_example_is_normalised_as_in_keras(name: str) -> None:
    make, shape = KINDS[name]
    assert_same(functional(shape, make()), tensors([shape], 1)[0], training=True, fallbacks=())


def test_steps_that_lie_apart_in_memory_are_normalised_alike() -> None:
    model = functional((8, 5), layers.Permute((2, 1)), layers.BatchNormalization(momentum=0.5))
    assert_same(model, tensors([(8, 5)])[0], training=True)


def test_batch_norm_leaves_masked_steps_out_as_keras_does() -> None:
    model, (inputs,) = functional((5, 2), layers.Masking(), layers.BatchNormalization(momentum=0.5)), tensors([(5, 2)])
    inputs[:, 3:] = 0
    assert_same(model, inputs, training=True)


def test_a_vector_of_zeros_has_no_direction_and_no_slope() -> None:
    model, zeros = functional((4,), layers.UnitNormalization()), torch.zeros(1, 4, requires_grad=True)
    outputs = lowered(model)(zeros, training=True)
    (gradient,) = torch.autograd.grad(outputs.sum(), [zeros])
    assert not outputs.any() and bool(gradient.isfinite().all())


def test_spectral_normalisation_runs_as_keras_wrote_it() -> None:
    layer = layers.SpectralNormalization(layers.Dense(2), name="spectral")
    assert lowered(functional((4,), layer)).fallbacks == ("spectral",)
