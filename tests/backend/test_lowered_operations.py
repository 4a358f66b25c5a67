"""Operations of `keras.ops` = Keras, drawn one by one and twenty in a row, in float32 and under autocast."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from backend.test_lowering import assert_same, lowered, scattered, tensors
from sonde.backend.lowering.operations import OPERATIONS

Operate = Callable[[Any, Any], Any]
NUMBERS = st.sampled_from([2, 0.5, -1.5, 1])
AXES = st.sampled_from([-1, 1, 2])
PAIRS = (ops.add, ops.subtract, ops.multiply, ops.divide, ops.maximum, ops.minimum)


def paired(operate: Callable[..., Any]) -> st.SearchStrategy[Operate]:
    """Draw an operation on two tensors, or on a tensor and a number on either side, or on a tensor and itself."""
    numbers = NUMBERS.flatmap(
        lambda n: st.sampled_from([lambda x, y: operate(x, n), lambda x, y: operate(n, ops.abs(x) + 1.0)])
    )
    return numbers | st.sampled_from([lambda x, y: operate(x, ops.abs(y) + 1.0), lambda x, y: operate(x, x)])


@st.composite
def pooled(draw: st.DrawFn, operate: Callable[..., Any]) -> Operate:
    size, strides = draw(st.sampled_from([2, (3,)])), draw(st.sampled_from([None, 1, 2]))
    padding, order = draw(st.sampled_from(["valid", "same"])), draw(st.sampled_from([None, "channels_first"]))
    return lambda x, y: operate(x, size, strides, padding=padding, data_format=order)


@st.composite
def bounded(draw: st.DrawFn) -> Operate:
    low = draw(st.sampled_from([-0.5, 0]))
    return lambda x, y: ops.clip(x, low, 0.5)


@st.composite
def averaged(draw: st.DrawFn) -> Operate:
    axis, keepdims = draw(st.sampled_from([None, 1, -1, (1, 2), [0, -1], ()])), draw(st.booleans())
    return lambda x, y: x + ops.sum(ops.mean(y, axis=axis, keepdims=keepdims))


@st.composite
def rectified(draw: st.DrawFn) -> Operate:
    slope, bound = draw(st.sampled_from([0.0, 0.2])), draw(st.sampled_from([None, 0.5, 6.0]))
    threshold = draw(st.sampled_from([0.0, 0.3]))
    return lambda x, y: keras.activations.relu(x, slope, bound, threshold)


def along(operate: Callable[..., Any], **options: Any) -> st.SearchStrategy[Operate]:
    return AXES.map(lambda axis: lambda x, y: operate(x, axis=axis, **options))


def attended(options: dict[str, Any]) -> Operate:
    """Return attention of two heads; a mask comes from the data, and some rows may see nothing."""

    def operate(x: Any, y: Any) -> Any:
        q, v = ops.reshape(x, (-1, 4, 2, 3)), ops.reshape(y, (-1, 4, 2, 3))
        mask = ops.expand_dims(ops.expand_dims(y[:, :, 0] > 0, 1), 1) if options.get("mask") else None
        return ops.dot_product_attention(q, v, v, **{**options, "mask": mask})

    return operate


DRAWN: dict[str, st.SearchStrategy[Operate]] = {
    **{each.__name__: paired(each) for each in PAIRS},
    "power": st.sampled_from([2, 3, 0.5, -1]).map(lambda n: lambda x, y: ops.power(ops.abs(x) + 0.5, n))
    | st.just(lambda x, y: ops.power(ops.abs(x) + 0.5, y)),
    "clip": bounded(),
    "mean": averaged(),
    "matmul": st.just(lambda x, y: ops.matmul(x, ops.transpose(y, (0, 2, 1)))),
    "softmax": along(ops.softmax) | st.just(lambda x, y: ops.softmax(x, axis=None)),
    "normalize": along(ops.normalize) | along(ops.normalize, order=1) | along(ops.normalize, epsilon=0.1),
    "layer_normalization": st.sampled_from([-1, 2, (1, 2), [2]]).map(
        lambda axis: lambda x, y: ops.layer_normalization(x, axis=axis, epsilon=1e-3)
    )
    | st.just(lambda x, y: ops.layer_normalization(x, ops.mean(y, (0, 1)), ops.mean(x, (0, 1)), epsilon=1e-3)),
    "rms_normalization": st.sampled_from([-1, 2, (1, 2)]).map(
        lambda axis: lambda x, y: ops.rms_normalization(x, axis=axis, epsilon=1e-3)
    )
    | st.just(lambda x, y: ops.rms_normalization(x, ops.mean(y, (0, 1)))),
    "max_pool": pooled(ops.max_pool),
    "average_pool": pooled(ops.average_pool),
    "dot_product_attention": st.sampled_from([{}, {"scale": 0.3}, {"mask": True}, {"is_causal": True}]).map(attended),
    "relu": rectified(),
}
"""An operation of each kind that has a rule; what its rule leaves to Keras is drawn too."""


def graph(operate: Operate) -> Any:
    first, second = keras.Input((4, 6)), keras.Input((4, 6))
    return keras.Model([first, second], operate(first, second))


@pytest.mark.parametrize("name", DRAWN)
@settings(max_examples=settings.default.max_examples // 10)
@given(data=st.data())
def test_an_operation_does_the_same_as_in_keras(name: str, data: st.DataObject) -> None:
    model = graph(data.draw(DRAWN[name]))
    assert any(type(step.operation) in OPERATIONS for step in lowered(model)._program.steps)
    assert_same(model, tensors([(4, 6), (4, 6)]), training=True)


def test_every_operation_that_is_lowered_is_drawn() -> None:
    assert len(DRAWN) == len(OPERATIONS)


def test_whole_numbers_are_computed_as_keras_does() -> None:
    inputs = keras.Input((4,), dtype="int32")
    outputs = [
        inputs + 1,
        inputs / 2,
        inputs * 0.5,
        ops.maximum(inputs, 1.5),
        ops.mean(inputs, -1),
        ops.clip(inputs, 1, 2),
    ]
    batch = torch.arange(8, dtype=torch.int32).reshape(2, 4)
    assert_same(keras.Model(inputs, outputs), batch, training=False, fallbacks=())


def test_equals_share_the_slope_of_the_larger() -> None:
    model = graph(lambda x, y: ops.maximum(x, 0.0) + ops.minimum(1, y))
    assert_same(model, [torch.zeros(2, 4, 6), torch.ones(2, 4, 6)], training=True)


def twenty(x: Any, y: Any) -> Any:
    """Use twenty kinds of operations, most of them once."""
    dense = keras.layers.Dense(6, name="dense")
    z = ops.relu(ops.add(dense(x), 0.5))
    z = ops.subtract(ops.multiply(z, y), ops.divide(y, 3.0))
    z = ops.concatenate([ops.tanh(z), ops.clip(y, -1.0, 1.0)], axis=-1)
    z = ops.transpose(ops.reshape(z, (-1, 6, 8)), (0, 2, 1))
    weights = ops.softmax(ops.matmul(z, ops.transpose(z, (0, 2, 1))) * 0.3)
    z = ops.layer_normalization(ops.einsum("bij,bjk->bik", weights, z), epsilon=1e-3)
    z = ops.where(z > 0, z, ops.square(z)) + ops.power(ops.maximum(z, 0.1), 2)
    z = ops.max_pool(ops.rms_normalization(z), 2)
    return ops.mean(ops.squeeze(ops.expand_dims(z, 1), 1), axis=1) + ops.sum(ops.sigmoid(y), axis=1)


def test_a_graph_of_twenty_operations_runs_the_same() -> None:
    model, batch = scattered(graph(twenty)), tensors([(4, 6), (4, 6)], 5)
    assert len({type(step.operation) for step in lowered(model)._program.steps}) >= 20
    assert_same(model, batch, training=True, fallbacks=())


def test_a_graph_of_twenty_operations_runs_alike_under_autocast() -> None:
    model, batch = scattered(graph(twenty)), [each.requires_grad_() for each in tensors([(4, 6), (4, 6)], 5)]
    ours, wanted = lowered(model), [*batch, *(each.value for each in model.trainable_variables)]

    def run(enabled: bool) -> list[torch.Tensor]:
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            outputs = ours(batch, training=True)
        return [outputs.float(), *torch.autograd.grad(outputs.float().square().sum(), wanted)]

    found, truth = run(True), run(False)
    assert all(bool(each.isfinite().all()) for each in found)
    assert float((found[0] - truth[0]).detach().norm() / truth[0].detach().norm()) < 0.02


@pytest.mark.parametrize(
    "operate",
    [
        partial(ops.multiply, 0.5),
        lambda x: ops.matmul(x, x),
        ops.softmax,
        ops.normalize,
        ops.layer_normalization,
        ops.rms_normalization,
        lambda x: ops.mean(x, axis=-1),
        lambda x: ops.max_pool(x, 2),
        lambda x: ops.maximum(x, 0.5),
        lambda x: ops.dot_product_attention(*[ops.expand_dims(x, 2)] * 3),
    ],
)
def test_bfloat16_stays_bfloat16_under_autocast(operate: Callable[[Any], Any]) -> None:
    inputs = keras.Input((6, 6))
    model = lowered(keras.Model(inputs, operate(ops.matmul(inputs, inputs))))
    with torch.autocast("cpu", torch.bfloat16):
        assert model(tensors([(6, 6)])[0], training=True).dtype == torch.bfloat16
