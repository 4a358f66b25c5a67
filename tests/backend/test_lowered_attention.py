"""Attention lowered = Keras where masks are notes on tensors, dropout is drawn and bf16 is on."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers
from torch.nn import functional

from backend.test_lowering import TOLERANCE, assert_same, lowered, scattered, tensors
from sonde.backend.lowering import attention, lower

# Keras's own grouped attention leaves the masks on what its projections read, and they complain.
pytestmark = pytest.mark.filterwarnings("ignore:Layer '(query|key|value)' .* was passed an input with a mask")

PADDED = torch.tensor([[1, 2, 3, 0, 0], [3, 3, 3, 3, 3], [0, 0, 0, 0, 0]], dtype=torch.int32)
"""Tokens of three sequences; 0 pads, and the last is padding alone."""


def multi(**options: Any) -> Any:
    return layers.MultiHeadAttention(2, 3, **options, name="attention")


def grouped(**options: Any) -> Any:
    return layers.GroupQueryAttention(3, 4, 2, **options, name="attention")


def over_itself(layer: Any, width: int = 4, tokens: int | None = None, **flags: bool) -> Any:
    inputs = keras.Input((tokens, width))
    return scattered(keras.Model(inputs, layer(inputs, inputs, **flags)))


def over_padded(layer: Any, *, with_residual: bool, causal: bool = False, twice: bool = False) -> Any:
    """Tokens, some of them padding, attend to each other; a layer that heeds masks reads what comes out."""
    inputs = keras.Input((5,), dtype="int32")
    x = layers.Embedding(4, 4, mask_zero=True)(inputs)
    # Keras's own layers take the notes off what they read, so that the sum has those of its other summand alone.
    y = layer(x, x, use_causal_mask=causal)
    y = layer(y, y) if twice else y
    y = layers.Add()([x, y]) if with_residual else y
    return scattered(keras.Model(inputs, layers.GRU(2, name="reader")(y)))


def over_others(make: Callable[[], Any]) -> Any:
    """Tokens without padding attend to padded ones."""
    tokens, inputs = keras.Input((None,), dtype="int32"), keras.Input((3, 4))
    x = layers.Embedding(4, 4, mask_zero=True)(tokens)
    return scattered(keras.Model([inputs, tokens], make()(inputs, x)))


@pytest.mark.parametrize("rate", [0.0, 0.5])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("with_residual", [False, True])
@pytest.mark.parametrize("make", [multi, grouped])
def test_padding_is_neither_read_nor_forgotten(
    make: Callable[..., Any], with_residual: bool, causal: bool, rate: float
) -> None:
    model = over_padded(make(dropout=rate), with_residual=with_residual, causal=causal)
    assert_same(model, PADDED, training=rate == 0, fallbacks=())


@pytest.mark.parametrize("make", [multi, grouped])
def test_the_mask_of_the_query_goes_through_two_layers(make: Callable[..., Any]) -> None:
    assert_same(over_padded(make(), with_residual=False, twice=True), PADDED, training=True, fallbacks=())


@pytest.mark.parametrize("make", [multi, grouped])
def test_padding_among_what_is_attended_to_changes_nothing(make: Callable[..., Any]) -> None:
    model, (inputs,) = over_others(make), tensors([(3, 4)])
    assert_same(model, [inputs, PADDED], training=True, fallbacks=())
    longer = torch.cat([PADDED, torch.zeros_like(PADDED)], 1)
    ours = lowered(model)
    assert torch.allclose(
        ours([inputs[:2], PADDED[:2]], training=False), ours([inputs[:2], longer[:2]], training=False), atol=TOLERANCE
    )


@pytest.mark.parametrize("kind", [layers.Attention, layers.AdditiveAttention])
@pytest.mark.parametrize("causal", [False, True])
def test_padding_is_heeded_without_heads(kind: Any, causal: bool) -> None:
    inputs = keras.Input((5,), dtype="int32")
    x = layers.Embedding(4, 4, mask_zero=True)(inputs)
    y = kind(name="attention")([x, x], use_causal_mask=causal)
    model = scattered(keras.Model(inputs, layers.GRU(2)(y)))
    assert_same(model, PADDED, training=True, fallbacks=())


def test_one_layer_reads_sequences_of_any_length() -> None:
    model = over_itself(multi(), use_causal_mask=True)
    for tokens in (1, 4, 9):
        assert_same(model, tensors([(tokens, 4)])[0], training=True, fallbacks=())


@pytest.mark.parametrize("flags", [{}, {"use_causal_mask": True}])
def test_a_causal_layer_does_not_read_the_future(flags: dict[str, bool]) -> None:
    model, (inputs,) = over_itself(multi(dropout=0.0), **flags), tensors([(6, 4)])
    changed = inputs.clone()
    changed[:, 4:] += 1.0
    first, second = (lowered(model)(x, training=False)[:, :4] for x in (inputs, changed))
    assert torch.allclose(first, second, atol=TOLERANCE) is bool(flags)


def test_attention_over_several_axes_runs_as_keras_wrote_it() -> None:
    inputs = keras.Input((2, 3, 4))
    model = scattered(keras.Model(inputs, multi()(inputs, inputs)))
    assert_same(model, tensors([(2, 3, 4)])[0], training=True, fallbacks=("attention",))


def test_a_penalty_on_what_the_projections_return_is_not_lost() -> None:
    model = over_itself(multi(activity_regularizer="l2"))
    assert_same(model, tensors([(5, 4)])[0], training=True, fallbacks=("attention",))


def silenced(rate: float, seed: int) -> torch.Tensor:
    """Return what 200 tokens read in training where each weight is the same and each value is one."""
    inputs = keras.Input((200, 1))
    layer = layers.MultiHeadAttention(1, 1, dropout=rate, use_bias=False)
    model = keras.Model(inputs, layer(inputs, inputs))
    for variable, value in zip(model.weights[:4], (0.0, 0.0, 1.0, 1.0), strict=True):
        variable.assign(np.full(variable.shape, value))
    ours = attention_of(model, seed)
    return ours(torch.ones(8, 200, 1), training=True).detach()


def attention_of(model: Any, seed: int) -> Any:
    return lower(model, torch.Generator().manual_seed(seed))


def test_dropout_silences_its_share_of_the_weights() -> None:
    read = silenced(0.25, 0)
    # Each reads 200 weights of 1/200, of which three in four remain, scaled by 4/3.
    spread = (0.25 / 0.75 / 200) ** 0.5
    assert float(read.mean()) == pytest.approx(1.0, abs=4 * spread / 1600**0.5)
    assert float(read.std()) == pytest.approx(spread, rel=0.1)


def test_dropout_is_a_function_of_the_generator_alone() -> None:
    torch.manual_seed(1)
    first = silenced(0.5, 3)
    torch.manual_seed(2)
    assert torch.equal(silenced(0.5, 3), first)
    assert not torch.equal(silenced(0.5, 4), first)


@pytest.fixture
def fused(monkeypatch: pytest.MonkeyPatch) -> list[torch.dtype]:
    """Note each use of the fused operation, by the type of numbers."""
    seen: list[torch.dtype] = []
    native = functional.scaled_dot_product_attention

    def noting(q: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        seen.append(q.dtype)
        return native(q, *args, **options)

    monkeypatch.setattr(attention.functional, "scaled_dot_product_attention", noting)
    return seen


def halved(model: Any, inputs: torch.Tensor) -> list[torch.Tensor]:
    """Return the outputs and gradients of a step in bf16, in float32."""
    wanted = [inputs.requires_grad_(), *(variable.value for variable in model.trainable_variables)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = lowered(model)(inputs, training=True)
    assert outputs.dtype == torch.bfloat16
    return [outputs.detach().float(), *torch.autograd.grad(outputs.float().square().sum(), wanted)]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("make", [multi, grouped])
@pytest.mark.parametrize("most", [attention.MOST_SCORES, 0])
def test_half_precision_is_near_whether_weights_are_in_memory_or_not(
    make: Callable[..., Any],
    causal: bool,
    most: int,
    fused: list[torch.dtype],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attention, "MOST_SCORES", most)
    inputs = keras.Input((9, 8))
    model, (batch,) = keras.Model(inputs, make()(inputs, inputs, use_causal_mask=causal)), tensors([(9, 8)])
    found = halved(model, batch)
    assert fused == ([] if most else [torch.bfloat16])
    truth = lowered(model)(batch, training=True).detach()
    # bf16 keeps 8 bits, and four products follow each other.
    assert float((found[0] - truth).norm() / truth.norm()) < 0.02
    assert all(bool(each.isfinite().all()) for each in found)


def test_full_precision_keeps_no_weights_in_memory_unless_they_are_asked_for(fused: list[torch.dtype]) -> None:
    (batch,) = tensors([(5, 4)])
    lowered(over_itself(multi()))(batch, training=True)
    lowered(over_itself(multi(dropout=0.5)))(batch, training=False)
    assert fused == [torch.float32] * 2
    lowered(over_itself(multi(dropout=0.5)))(batch, training=True)
    lowered(over_itself(multi(), return_attention_scores=True))(batch, training=True)
    assert fused == [torch.float32] * 2


def test_masks_hold_in_half_precision() -> None:
    model = over_padded(multi(), with_residual=False)
    model = keras.Model(model.inputs, model.get_layer("attention").output)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = lowered(model)(PADDED, training=True).detach().float()
    truth = lowered(model)(PADDED, training=True).detach()
    assert float((found - truth).norm() / truth.norm()) < 0.02
