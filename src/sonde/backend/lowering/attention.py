"""Attention as native torch operations: one product for all that is read from one tensor, and the fastest core.

On a processor in bf16, `scaled_dot_product_attention` is slow backward: 64 x 4 heads x 128 tokens x 32 numbers take
96 ms forward and backward on one thread of an EPYC with AVX512-BF16, where product, softmax and product take 22 ms. In
fp32 it is the faster one (37 ms against 50 ms).
"""

# B batch, T tokens of the query, S tokens of key and value, N heads of the query, H heads of key and value (as many,
# unless several of the query share one), D width of a head, F features

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import torch
from torch.nn import functional

from sonde.backend.lowering import noise
from sonde.backend.lowering.calls import Call, Run

MASKED = -0.7 * 3.38953e38
"""Added to the score of a masked pair, as in Keras: rows without any other pair become means of all values."""
MASKED_IN_PLAIN = -1e9
"""The same in the layers without heads."""
MOST_SCORES = 2**27
"""Scores that are held in memory for the sake of speed; 256 MB in bf16, for each layer."""

Scores = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(query, key) -> how well each pair goes together, B x T x S."""


@dataclass(frozen=True)
class _Mechanics:
    """What the layers with heads differ in."""

    scale: float
    """Of the scores."""
    window: int | None
    """Pairs this far apart, or farther, are masked."""
    projections: tuple[Any, ...]
    """Keras's dense layers for query, key and value, and the one for the gate if there is one."""
    output: Any
    """Keras's dense layer behind."""
    drop: Call
    """Dropout of the weights."""
    may_drop: bool
    """Whether there is any; Keras then masks rows that see nothing to zero."""
    hides_masks: bool
    """Whether the layer takes the notes off its inputs, and knows the mask of its query from there alone."""


def multi_head_attention(layer: Any) -> Call | None:
    """Return attention with heads over the tokens of sequences."""
    # Sequences of one axis; Keras attends over several of an image jointly, or over some of them.
    if tuple(layer._attention_axes) != (1,) or len(layer._dot_product_equation.split(",")[0]) != 4:
        return None
    drop = noise.dropout(layer._dropout_layer)
    if drop is None:
        return None
    return _with_heads(
        _Mechanics(
            scale=layer._inverse_sqrt_key_dim,
            window=layer._sliding_window,
            projections=_projections(layer, layer._use_gate),
            output=layer._output_dense,
            drop=drop,
            may_drop=layer._dropout > 0,
            hides_masks=True,
        )
    )


def grouped_query_attention(layer: Any) -> Call | None:
    """Return attention in which several heads of the query share one of key and value."""
    drop = noise.dropout(layer._dropout_layer)
    if drop is None:
        return None
    return _with_heads(
        _Mechanics(
            scale=layer._inverse_sqrt_head_dim,
            window=layer.sliding_window,
            projections=_projections(layer, layer.use_gate),
            output=layer._output_dense,
            drop=drop,
            may_drop=layer.dropout > 0,
            hides_masks=False,
        )
    )


def attention(layer: Any) -> Call | None:
    """Return attention without heads, by products or by sums of what is compared."""

    def product(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        scores = query @ key.transpose(-2, -1)
        return scores if layer.scale is None else scores * layer.scale.value

    def concat(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        pairs = query.unsqueeze(-2) + key.unsqueeze(-3)
        pairs = pairs if layer.scale is None else pairs * layer.scale.value
        summed: torch.Tensor = layer.concat_score_weight.value * pairs.tanh().sum(-1)
        return summed

    return _without_heads(layer, product if layer.score_mode == "dot" else concat)


def additive_attention(layer: Any) -> Call | None:
    """Return attention by a weighted sum over what is compared (Bahdanau et al., 2015)."""

    def scores(query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        pairs = (query.unsqueeze(-2) + key.unsqueeze(-3)).tanh()
        return pairs.sum(-1) if layer.scale is None else pairs @ layer.scale.value

    return _without_heads(layer, scores)


def of_products(operation: Any) -> Call | None:
    """Return the attention of `keras.ops.dot_product_attention`, between tensors that are projected already."""
    if operation.is_causal or operation.flash_attention or operation.attn_logits_soft_cap is not None:
        return None
    written = operation.call

    def call(
        run: Run, query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, scale: float | None = None
    ) -> Any:
        tensors = (query, key, value)
        is_usual = all(isinstance(x, torch.Tensor) and x.ndim == 4 for x in tensors)
        if bias is not None or not is_usual or (mask is not None and mask.dtype != torch.bool):
            return written(query, key, value, bias=bias, mask=mask, scale=scale)
        q, k, v = (x.transpose(1, 2) for x in tensors)
        scale = q.shape[-1] ** -0.5 if scale is None else scale
        in_bf16 = q.device.type == "cpu" and (torch.is_autocast_enabled("cpu") or q.dtype == torch.bfloat16)
        if in_bf16 and q.shape[0] * q.shape[1] * q.shape[2] * k.shape[2] <= MOST_SCORES:
            return _gathered(_weights(q * scale, k, mask), v).transpose(1, 2)
        return _fused(q, k, v, scale, mask, False).transpose(1, 2)

    return call


def _projections(layer: Any, has_gate: bool) -> tuple[Any, ...]:
    gate = (layer._gate_dense,) if has_gate else ()
    return (layer._query_dense, layer._key_dense, layer._value_dense, *gate)


def _with_heads(its: _Mechanics) -> Call | None:
    for dense in (*its.projections, its.output):
        if dense.activity_regularizer is not None or dense.lora_enabled or dense.quantization_mode:
            return None

    def call(
        run: Run,
        query: torch.Tensor,
        value: torch.Tensor,
        key: torch.Tensor | None = None,
        query_mask: torch.Tensor | None = None,
        value_mask: torch.Tensor | None = None,
        key_mask: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        key = value if key is None else key
        noted = getattr(query, "_keras_mask", None)
        if its.hides_masks:
            query_mask = noted
            for each in (query, value, key):
                each._keras_mask = None
        mask = _pairs(attention_mask, query_mask, (value_mask, key_mask))
        sides = query.shape[1], value.shape[1], query.device
        if its.window is not None:
            mask = _both(mask, _near(*sides, its.window))
        if use_causal_mask and mask is not None:
            mask = _both(mask, _earlier(*sides))

        is_fused = _is_fused_better(its, run, query, value, mask is not None, return_attention_scores)
        inputs = (query, key, value, query)[: len(its.projections)]
        q, k, v, *gate = _heads(inputs, its.projections, None if is_fused else its.scale)
        weights = None
        if is_fused:
            y = _fused(q, k, v, its.scale, mask, use_causal_mask and mask is None)
        else:
            seen = _earlier(*sides) if use_causal_mask and mask is None else mask
            weights = _weights(q, k, seen)
            if mask is not None and (its.may_drop or return_attention_scores):
                weights = weights * _over_heads(mask)
            y = _gathered(its.drop(run, weights), v)
        y = _mixed(y * gate[0].sigmoid() if gate else y, its.output)
        if noted is not None:
            y._keras_mask = noted
        return (y, weights) if return_attention_scores else y

    return call


def _is_fused_better(
    its: _Mechanics, run: Run, query: torch.Tensor, value: torch.Tensor, is_masked: bool, wants_weights: bool
) -> bool:
    """Tell whether attention without weights in memory does what Keras does, and does it faster or in less memory."""
    if wants_weights or (its.may_drop and (run.training or is_masked)):
        return False
    if query.device.type != "cpu" or not (torch.is_autocast_enabled("cpu") or query.dtype == torch.bfloat16):
        return True
    heads = its.projections[0].kernel.shape[1]
    return query.shape[0] * heads * query.shape[1] * value.shape[1] > MOST_SCORES


def _heads(inputs: tuple[torch.Tensor, ...], denses: tuple[Any, ...], scale: float | None) -> list[torch.Tensor]:
    """Project each input into heads, views of B x N x T x D; what is read from one tensor is one product.

    Given a scale, the query, which comes first, is scaled by it; its kernel is, for that holds fewer numbers.
    """
    of_one: dict[int, list[int]] = {}
    for place, x in enumerate(inputs):
        of_one.setdefault(id(x), []).append(place)
    found: list[Any] = [None] * len(denses)
    for places in of_one.values():
        factors = [scale if place == 0 else None for place in places]
        kernels = [denses[place].kernel.value.flatten(1) for place in places]
        biases = [denses[place].bias.value.flatten() for place in places if denses[place].bias is not None]
        y = functional.linear(inputs[places[0]], _joined(kernels, factors).T, _joined(biases, factors))
        parts = y.split([kernel.shape[1] for kernel in kernels], -1) if len(places) > 1 else (y,)
        for place, part in zip(places, parts, strict=True):
            found[place] = part.unflatten(-1, denses[place].kernel.shape[1:]).transpose(1, 2)
    return found


def _joined(parts: list[torch.Tensor], factors: list[float | None]) -> Any:
    """Return kernels or biases side by side, each multiplied by its factor; None where there are no biases."""
    if not parts:
        return None
    scaled = [x if factor is None else x * factor for x, factor in zip(parts, factors, strict=True)]
    return torch.cat(scaled, -1) if len(scaled) > 1 else scaled[0]


def _fused(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, mask: torch.Tensor | None, is_causal: bool
) -> torch.Tensor:
    """Return what each token gathers, B x N x T x D."""
    return functional.scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=None if mask is None else _to_add(_over_heads(mask), MASKED, q.dtype),
        is_causal=is_causal,
        scale=scale,
        enable_gqa=q.shape[1] != k.shape[1],
    )


def _weights(q: torch.Tensor, k: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Return how much each token gathers from each other, B x N x T x S."""
    batch, heads, tokens, width = q.shape
    # Heads that share a key stand as more tokens of one head, so that no key is repeated. The key is laid out here: the
    # product would lay it out the other way around, number by number.
    q = q.reshape(batch, k.shape[1], -1, width)
    scores = (q @ k.contiguous().transpose(-2, -1)).view(batch, heads, tokens, -1)
    if mask is not None:
        scores = scores + _to_add(_over_heads(mask), MASKED, scores.dtype)
    return scores.softmax(-1)


def _gathered(weights: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Return what each token gathers by its weights, B x N x T x D."""
    batch, heads, tokens, others = weights.shape
    return (weights.view(batch, v.shape[1], -1, others) @ v.contiguous()).view(batch, heads, tokens, -1)


def _mixed(x: torch.Tensor, dense: Any) -> torch.Tensor:
    """Return what the layer behind makes of all heads, B x T x F."""
    kernel = dense.kernel.value
    bias = None if dense.bias is None else dense.bias.value.flatten()
    y = functional.linear(x.transpose(1, 2).flatten(2), kernel.flatten(2).flatten(0, 1).T, bias)
    return y if kernel.ndim == 3 else y.unflatten(-1, kernel.shape[2:])


def _without_heads(layer: Any, scores: Scores) -> Call | None:
    drop = noise.dropout(keras.layers.Dropout(layer.dropout))
    if drop is None:
        return None

    def call(
        run: Run,
        inputs: list[torch.Tensor],
        mask: list[torch.Tensor | None] | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        query, value = inputs[:2]
        query_mask, value_mask = mask[:2] if mask else (None, None)
        found = scores(query, inputs[2] if len(inputs) > 2 else value)
        seen = value_mask.unsqueeze(-2) if value_mask is not None and value_mask.ndim == 2 else value_mask
        if use_causal_mask:
            seen = _both(seen, _earlier(found.shape[-2], found.shape[-1], found.device))
        if seen is not None:
            found = found + _to_add(seen, MASKED_IN_PLAIN, found.dtype)
        weights = found.softmax(-1)
        y = drop(run, weights) @ value
        if query_mask is not None:
            y = y.masked_fill(~query_mask.bool().unsqueeze(-1), 0)
        return (y, weights) if return_attention_scores else y

    return call


def _pairs(
    mask: torch.Tensor | None, of_query: torch.Tensor | None, of_values: tuple[torch.Tensor | None, ...]
) -> torch.Tensor | None:
    """Return which pairs are not masked, B x T x S or what broadcasts to it."""
    mask = None if mask is None else mask.bool()
    if of_query is not None:
        mask = _both(mask, of_query.bool().unsqueeze(-1))
    for each in of_values:
        if each is not None:
            mask = _both(mask, each.bool().unsqueeze(-2))
    return mask


def _both(first: torch.Tensor | None, second: torch.Tensor) -> torch.Tensor:
    return second if first is None else first & second


def _earlier(tokens: int, others: int, device: torch.device) -> torch.Tensor:
    """Return which pairs are of a token and one that is not later, 1 x T x S."""
    return torch.ones((1, tokens, others), dtype=torch.bool, device=device).tril_()


def _near(tokens: int, others: int, device: torch.device, window: int) -> torch.Tensor:
    """Return which pairs are less than a window apart, 1 x T x S."""
    every = torch.ones((1, tokens, others), dtype=torch.bool, device=device)
    return every.tril_(window - 1).triu_(1 - window)


def _over_heads(mask: torch.Tensor) -> torch.Tensor:
    while mask.ndim < 4:
        mask = mask.unsqueeze(-3)
    return mask


def _to_add(mask: torch.Tensor, value: float, dtype: torch.dtype) -> torch.Tensor:
    """Return what is to be added to scores: the value where the mask is false, else nothing."""
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, value)
