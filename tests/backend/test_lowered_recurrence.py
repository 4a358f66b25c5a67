"""Recurrent layers lowered: masks of any pattern, states, directions, dropout, gradients and bf16."""

from collections.abc import Callable
from typing import Any

import keras
import pytest
import torch
from keras import layers

from backend.test_lowering import assert_same, functional, lowered, scattered, tensors
from sonde.backend.lowering import recurrent_cores, through_time
from sonde.backend.lowering.through_time import Order, Weights

KINDS = {"SimpleRNN": layers.SimpleRNN, "LSTM": layers.LSTM, "GRU": layers.GRU}
STATES = {"SimpleRNN": 1, "LSTM": 2, "GRU": 1}
MASK = torch.tensor(
    [
        [True, True, True, True, True],
        [True, True, True, False, False],
        [False, False, True, True, True],
        [False, True, False, True, False],
        [False, False, False, False, False],
    ]
)
"""Nothing masked, padding behind, padding before, gaps, and nothing left."""


def masked(layer: Any, *, states: int = 0, dtype: str = "bool") -> Any:
    """Return a model of one layer whose inputs are a sequence, first states and a mask."""
    sequence, mask = keras.Input((5, 2)), keras.Input((5,), dtype=dtype)
    first = [keras.Input((3,)) for _ in range(states)]
    outputs = layer(sequence, mask=mask, **({"initial_state": first} if first else {}))
    return scattered(keras.Model([sequence, *first, mask], outputs))


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("zero", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_any_pattern_of_masked_steps_is_skipped(
    kind: str, sequences: bool, backwards: bool, zero: bool, stated: bool
) -> None:
    layer = KINDS[kind](
        3, return_sequences=sequences, return_state=True, go_backwards=backwards, zero_output_for_mask=zero
    )
    states = STATES[kind] if stated else 0
    batch = [*tensors([(5, 2), *[(3,)] * states], 5), MASK]
    assert_same(masked(layer, states=states), batch, training=True, fallbacks=())


@pytest.mark.parametrize("mask", [MASK[:1], MASK[4:], MASK[:4]])
@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_skip_what_is_masked(kind: str, sequences: bool, mask: torch.Tensor) -> None:
    layer = layers.Bidirectional(KINDS[kind](3, return_sequences=sequences))
    assert_same(masked(layer), [*tensors([(5, 2)], len(mask)), mask], training=True, fallbacks=())


LENGTHS = torch.arange(5) < torch.tensor([5, 3, 1, 0, 4])[:, None]
"""Padding behind what is read, and nothing to read."""


@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("zero", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
@pytest.mark.parametrize("sequences", [True, False])
def test_padding_at_the_end_is_left_to_the_fused_operation(
    sequences: bool, backwards: bool, zero: bool, stated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(through_time, "lstm", lambda *arguments: pytest.fail("the gates were told to skip"))
    layer = layers.LSTM(3, return_sequences=sequences, go_backwards=backwards, zero_output_for_mask=zero)
    batch = [*tensors([(5, 2), *[(3,)] * (2 * stated)], 5), LENGTHS]
    assert_same(masked(layer, states=2 * stated), batch, training=True, fallbacks=())


@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_stop_where_a_sequence_ends(kind: str, sequences: bool) -> None:
    layer = layers.Bidirectional(KINDS[kind](3, return_sequences=sequences))
    assert_same(masked(layer), [*tensors([(5, 2)], 5), LENGTHS], training=True, fallbacks=())


def test_a_mask_of_numbers_is_read_as_in_keras() -> None:
    model = masked(layers.GRU(3), dtype="float32")
    assert_same(model, [*tensors([(5, 2)], 5), MASK.float()], training=False, fallbacks=())


def test_a_sequence_without_masked_steps_takes_the_fused_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    model, inputs = masked(layers.LSTM(3)), tensors([(5, 2)])
    taken = []
    monkeypatch.setattr(through_time, "lstm", lambda *arguments: taken.append(True))
    assert lowered(model)([*inputs, MASK[:1].expand(3, -1)], training=False) is not None
    assert not taken


def test_masks_go_through_a_stack_of_recurrent_layers() -> None:
    inputs = keras.Input((5, 2))
    x, *states = layers.LSTM(3, return_sequences=True, return_state=True)(layers.Masking()(inputs))
    x = layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode="sum")(x)
    x = layers.LSTM(3, return_sequences=True)(x, initial_state=states)
    first, second = layers.Bidirectional(layers.SimpleRNN(3, return_sequences=True), merge_mode=None)(x)
    model = scattered(keras.Model(inputs, [layers.GRU(2)(first), layers.GRU(2)(second)]))
    (batch,) = tensors([(5, 2)], 5)
    assert_same(model, batch * MASK.unsqueeze(-1), training=True, fallbacks=())


def test_a_mask_is_handed_on_beside_first_states() -> None:
    inputs, state = keras.Input((5, 2)), keras.Input((3,))
    x = layers.GRU(3, return_sequences=True)(layers.Masking()(inputs), initial_state=state)
    model = scattered(keras.Model([inputs, state], layers.LSTM(2)(x)))
    sequence, first = tensors([(5, 2), (3,)], 5)
    assert_same(model, [sequence * MASK.unsqueeze(-1), first], training=True, fallbacks=())


@pytest.mark.parametrize("kind", KINDS)
def test_first_states_may_stand_behind_the_sequence(kind: str) -> None:
    sequence, *states = inputs = [keras.Input((5, 2)), *(keras.Input((3,)) for _ in range(STATES[kind]))]
    model = scattered(keras.Model(inputs, KINDS[kind](3)(sequence, states)))
    assert_same(model, tensors([(5, 2), *[(3,)] * len(states)]), training=True, fallbacks=())


def test_two_ways_may_be_unlike() -> None:
    reads_from_the_end = layers.LSTM(3, return_sequences=True, go_backwards=True)
    layer = layers.Bidirectional(reads_from_the_end, backward_layer=layers.GRU(3, return_sequences=True))
    assert_same(masked(layer), [*tensors([(5, 2)], 5), MASK], training=True, fallbacks=())


def test_whole_numbers_and_frozen_weights_are_run_too() -> None:
    for kind in KINDS.values():
        inputs = keras.Input((5, 2), dtype="int32")
        model = scattered(keras.Model(inputs, layers.Dense(2)(kind(3, trainable=False)(inputs))))
        assert_same(model, tensors([(5, 2)], below=3)[0], training=True, fallbacks=())


UNCOVERED: dict[str, Callable[[], Any]] = {
    "another activation": lambda: layers.LSTM(3, activation="relu", name="layer"),
    "a penalty of one way": lambda: layers.Bidirectional(layers.LSTM(3, activity_regularizer="l2"), name="layer"),
    "a cell": lambda: layers.RNN(layers.LSTMCell(3), name="layer"),
    "a cell both ways": lambda: layers.Bidirectional(layers.RNN(layers.GRUCell(3)), name="layer"),
    "stacked cells": lambda: layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)], name="layer"),
}


@pytest.mark.parametrize("name", UNCOVERED)
def test_what_is_not_covered_runs_as_written(name: str) -> None:
    inputs = keras.Input(batch_shape=(3, 5, 2))
    model = scattered(keras.Model(inputs, UNCOVERED[name]()(inputs)))
    assert_same(model, tensors([(5, 2)])[0], training=True, fallbacks=("layer",))


@pytest.mark.parametrize("both_ways", [True, False])
def test_layers_that_remember_the_last_batch_run_as_written(both_ways: bool) -> None:
    inputs, inner = keras.Input(batch_shape=(3, 5, 2)), layers.GRU(3, stateful=True, name="layer")
    layer = layers.Bidirectional(inner, name="layer") if both_ways else inner
    model = keras.Model(inputs, layer(inputs))
    ours, (batch,) = lowered(model), tensors([(5, 2)])
    assert ours.fallbacks == ("layer",)
    with torch.no_grad():  # Keras overwrites the state that the way back would need.
        found = [ours(batch, training=False) for _ in range(2)]
        layer.reset_state()
        truth = [model(batch) for _ in range(2)]
    assert all(torch.equal(each, its) for each, its in zip(found, truth, strict=True))
    assert not torch.allclose(*found)


def showing_drops(rate: float) -> Any:
    """Return a layer that counts, for each unit, the steps at which its own feature came through."""
    layer = layers.SimpleRNN(200, "relu", kernel_initializer="identity", recurrent_initializer="identity", dropout=rate)
    inputs = keras.Input((4, 200))
    return keras.Model(inputs, layer(inputs))


def test_dropout_of_inputs_drops_the_same_features_at_all_steps() -> None:
    model, ones = showing_drops(0.25), torch.ones(20, 4, 200)
    outputs = lowered(model)(ones, training=True)
    assert sorted(set(outputs.unique().tolist())) == pytest.approx([0.0, 4 / 0.75])
    # Four standard deviations of a share of 4,000 draws.
    assert float((outputs == 0).float().mean()) == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 4_000) ** 0.5)
    assert float(lowered(model)(ones, training=False).detach().min()) == 4.0


def test_dropout_of_inputs_is_a_function_of_the_generator_alone() -> None:
    model, ones = showing_drops(0.5), torch.ones(2, 4, 200)
    torch.manual_seed(1)
    first = lowered(model)(ones, training=True)
    torch.manual_seed(2)
    ours = lowered(model)
    assert torch.equal(ours(ones, training=True), first)
    assert not torch.equal(ours(ones, training=True), first)


@pytest.mark.parametrize("both_ways", [True, False])
def test_dropout_of_states_is_as_in_keras(both_ways: bool) -> None:
    inner = layers.GRU(50, recurrent_dropout=0.5, seed=1)
    model = functional((5, 2), layers.Bidirectional(inner) if both_ways else inner)
    (batch,) = tensors([(5, 2)])
    assert_same(model, batch, training=False, fallbacks=())
    keras_seeds = [each for each in model.variables if "seed" in each.path]
    before = [keras.ops.copy(each.value) for each in keras_seeds]
    truth = model(batch, training=True)
    for seed, value in zip(keras_seeds, before, strict=True):
        seed.assign(value)
    assert torch.allclose(lowered(model)(batch, training=True), truth, atol=1e-5)
    assert not torch.allclose(truth, model(batch, training=False), atol=1e-2)


CORES: dict[str, tuple[Callable[..., Any], int, int]] = {
    "lstm": (through_time.lstm, 4, 2),
    "gru": (through_time.gru, 3, 1),
    "tanh": (lambda *given: through_time.simple(*given, activation="tanh"), 1, 1),
    "relu": (lambda *given: through_time.simple(*given, activation="relu"), 1, 1),
}
"""What runs over time, with its gates and states."""


def given_to(name: str) -> list[torch.Tensor]:
    """Return what a core takes, in float64: a sequence, states, kernels and a bias."""
    _, gates, states = CORES[name]
    generator = torch.Generator().manual_seed(0)
    shapes = [(2, 3, 2), *[(2, 3)] * states, (2, gates * 3), (3, gates * 3), (2, 9) if name == "gru" else (gates * 3,)]
    return [torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_() for shape in shapes]


def run_core(core: Callable[..., Any], given: list[torch.Tensor], order: Order) -> Any:
    x, *states, kernel, recurrent, bias = given
    return core(x, states, Weights(kernel, recurrent, bias), order)


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize("backwards", [True, False])
@pytest.mark.parametrize("skipped", [None, torch.tensor([[False, True, False], [True, True, False]])])
def test_gradients_agree_with_differences(name: str, backwards: bool, skipped: torch.Tensor | None) -> None:
    order, given = Order(skipped, backwards), given_to(name)
    core = CORES[name][0]
    assert torch.autograd.gradcheck(lambda *each: run_core(core, list(each), order), given)
    # Outputs alone and a state alone: what nobody reads sends no gradient back.
    for index in (0, -1):
        assert torch.autograd.gradcheck(lambda *each, i=index: run_core(core, list(each), order)[i], given)


FUSED: dict[str, Callable[..., Any]] = {
    "lstm": recurrent_cores.lstm,
    "gru": recurrent_cores.fused_gru,
    "tanh": lambda *given: recurrent_cores.fused_simple(*given, activation="tanh"),
    "relu": lambda *given: recurrent_cores.fused_simple(*given, activation="relu"),
}


@pytest.mark.parametrize("name", CORES)
@pytest.mark.parametrize("backwards", [True, False])
def test_ours_and_those_of_torch_are_the_same(name: str, backwards: bool) -> None:
    given = given_to(name)
    outputs = [run_core(core, given, Order(None, backwards)) for core in (CORES[name][0], FUSED[name])]
    for ours, theirs in zip(*outputs, strict=True):
        assert torch.allclose(ours, theirs)
        for mine, its in zip(
            *(torch.autograd.grad(y.sin().sum(), given, retain_graph=True) for y in (ours, theirs)), strict=True
        ):
            assert torch.allclose(mine, its)


@pytest.mark.parametrize("both_ways", [True, False])
@pytest.mark.parametrize("mask", [None, MASK])
@pytest.mark.parametrize("kind", KINDS)
def test_under_autocast_outputs_states_and_gradients_are_close(
    kind: str, mask: torch.Tensor | None, both_ways: bool
) -> None:
    layer = KINDS[kind](3, return_sequences=True, return_state=True)
    model = masked(layers.Bidirectional(layer) if both_ways else layer, states=STATES[kind] * (1 + both_ways))
    batch = tensors([(5, 2), *[(3,)] * (len(model.inputs) - 2)], 5)
    batch.append(torch.ones(5, 5, dtype=torch.bool) if mask is None else mask)
    found = []
    for enabled in (True, False):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            outputs = lowered(model)(batch, training=True)
        weights = [each.value for each in model.trainable_variables]
        gradients = torch.autograd.grad(sum(each.float().square().sum() for each in outputs), weights)
        assert all(each.dtype == torch.float32 for each in gradients)
        found.append([each.detach().float() for each in (*outputs, *gradients)])
    for half, whole in zip(*found, strict=True):
        assert float((half - whole).abs().max()) <= 0.03 * max(float(whole.abs().max()), 1.0)
