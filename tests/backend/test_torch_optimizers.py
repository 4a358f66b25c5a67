"""An update on torch moves the weights and the slots as Keras's own optimizer does."""

import itertools
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers

from batching import named, stepped
from sonde.backend.engine import EngineSettings
from sonde.backend.optimizers import OPTIMIZERS, build_optimizer
from sonde.backend.torch import build
from sonde.backend.torch_optimizers import UPDATES, Update
from sonde.models.heads import classification

TOLERANCE = 2e-6
"""Relative to the largest value: the same few float32 operations, in another order, over eight steps."""


def variables() -> list[Any]:
    rng = np.random.default_rng(0)
    shapes = {"kernel": (3, 3, 2, 4), "wide": (4, 9), "tall": (9, 4), "bias": (4,), "answer_kernel": (4, 5)}
    return [keras.Variable(rng.normal(size=shape).astype(np.float32), name=name) for name, shape in shapes.items()]


def gradients(step: int) -> list[torch.Tensor | None]:
    rng = np.random.default_rng([1, step])
    shapes = [(3, 3, 2, 4), (4, 9), (9, 4), (4,), (4, 5)]
    # Some weights have no part in some losses, and gradients come in any layout.
    found = [torch.from_numpy(rng.normal(size=shape).astype(np.float32)) for shape in shapes]
    found[0] = found[0].permute(3, 2, 0, 1).contiguous().permute(2, 3, 1, 0)
    return [None if step == 3 and place == 1 else each for place, each in enumerate(found)]


def values(each: list[Any]) -> list[np.ndarray]:
    return [np.array(variable.value.detach()) for variable in each]


CASES = list(itertools.product(UPDATES, (0.0, 0.1), (0.0, 1.0)))


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize(("name", "decay", "clip"), CASES)
def test_an_update_is_that_of_keras(name: str, decay: float, clip: float) -> None:
    settings = EngineSettings(
        optimizer=name, weight_decay=decay, clip_norm=clip, rest_factor=0.5, bias_factor=8.0, head="answer"
    )
    ours, theirs = variables(), variables()
    kernel = ours[0].value
    kernel.data = kernel.detach().permute(3, 0, 1, 2).contiguous().permute(1, 2, 3, 0)
    update, truth = Update(settings, ours), build_optimizer(settings, theirs)
    for step in range(8):
        rate = 0.01 * (1 + step % 3)
        with torch.no_grad():
            update.apply([None if each is None else each.clone() for each in gradients(step)], rate)
            truth.learning_rate = rate
            truth.apply(gradients(step), theirs)
    everything = zip(values(ours + update.optimizer.variables), values(theirs + truth.variables), strict=True)
    for mine, its in everything:
        assert np.abs(mine - its).max() <= TOLERANCE * max(1.0, np.abs(its).max())
    assert update.steps == 8


@pytest.mark.parametrize("name", UPDATES)
def test_constraints_hold_after_an_update(name: str) -> None:
    ours = variables()
    for variable in ours:
        variable.constraint = keras.constraints.NonNeg()
    with torch.no_grad():
        Update(EngineSettings(optimizer=name), ours).apply(gradients(0), 0.1)
    assert all(each.min() >= 0 for each in values(ours))


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_gradient_that_is_not_finite_reaches_the_weights(clip: float) -> None:
    ours, found = variables(), gradients(0)
    assert found[4] is not None
    found[4][0, 0] = torch.inf
    with torch.no_grad():
        Update(EngineSettings(optimizer="sgd", clip_norm=clip), ours).apply(found, 0.1)
    assert not all(np.isfinite(each).all() for each in values(ours))


@pytest.mark.parametrize("name", UPDATES)
def test_weights_that_share_one_tensor_as_their_gradient_each_take_their_own_step(name: str) -> None:
    """As those of a layer that uses the sum of two weights, or one joined with another beside a third."""
    rng = np.random.default_rng(2)
    ones = [np.ones(shape, np.float32) for shape in ((6, 4), (6, 4), (2, 4))]
    ours, theirs = ([keras.Variable(each, name="kernel") for each in ones] for _ in range(2))
    settings = EngineSettings(optimizer=name, clip_norm=0.5)
    update, truth = Update(settings, ours), build_optimizer(settings, theirs)
    with torch.no_grad():
        for _ in range(2):
            found = torch.from_numpy(rng.normal(size=(6, 4)).astype(np.float32))
            truth.learning_rate = 0.1
            truth.apply([found.clone(), found.clone(), found[2:4].clone()], theirs)
            update.apply([found, found, found[2:4]], 0.1)
    for mine, its in zip(values(ours), values(theirs), strict=True):
        assert mine == pytest.approx(its, abs=1e-5)


def test_every_optimizer_has_a_native_update() -> None:
    assert list(UPDATES) == list(OPTIMIZERS)


def dense_model() -> Any:
    inputs = keras.Input((6,))
    keras.utils.set_random_seed(1)
    return keras.Model(inputs, layers.Dense(3, kernel_regularizer="l2")(layers.Dense(8, activation="tanh")(inputs)))


def test_a_batch_passed_in_parts_moves_the_weights_as_the_whole_does() -> None:
    rng = np.random.default_rng(0)
    inputs, truth = rng.normal(size=(12, 6)).astype(np.float32), rng.integers(3, size=12).astype(np.int32)
    states, told = [], []
    for parts in (1, 3):
        model = dense_model()
        for variable, seed in zip(model.variables, range(9), strict=False):
            variable.assign(np.random.default_rng(seed).normal(size=variable.shape))
        engine = build(
            named(model),
            classification.loss({}),
            classification.scores,
            EngineSettings(optimizer="sgd", accumulate=parts),
        )
        told.append([stepped(engine, inputs, truth, 0.1) for _ in range(3)])
        states.append(list(engine.read_state().values()))
    assert np.allclose(told[0], told[1], atol=1e-6)
    assert all(np.allclose(whole, parts, atol=1e-6) for whole, parts in zip(*states, strict=True))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_muon_makes_the_update_of_a_convolution_orthogonal_and_leaves_the_head_to_adamw(precision: str) -> None:
    ours = variables()
    before = values(ours)
    settings = EngineSettings(
        optimizer="muon", head="answer", rest_factor=0.1, bias_factor=8.0, momentum=0.9, precision=precision
    )
    update = Update(settings, ours)
    with torch.no_grad():
        update.apply(gradients(0), 0.1)
    moved = [after - old for after, old in zip(values(ours), before, strict=True)]
    for kernel, scale in ((moved[0].reshape(18, 4), 18**0.5), (moved[1], 3.0)):
        # Newton-Schulz leaves singular values near 1, by design within about 0.7 to 1.2.
        sizes = np.linalg.svd(kernel / (0.1 * 0.2 * scale))[1]
        assert sizes.min() > 0.6 and sizes.max() < 1.3
    # Adam's first step is its rate, whatever the gradient: a tenth of Muon's for the head, and 8 times that for a bias.
    assert np.abs(moved[4]) == pytest.approx(np.full((4, 5), 0.01), rel=5e-3)
    assert np.abs(moved[3]) == pytest.approx(np.full(4, 0.08), rel=5e-3)
