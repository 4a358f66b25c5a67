"""Draws attention layers, with their options, their masks and the shapes of what they read."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import FLAGS, SMALL, Drawn

LENGTHS = st.sampled_from([2, 3, 5])
"""Of sequences; with masks drawn at random, a query often sees nothing at all."""


@st.composite
def multi_head_attention(draw: st.DrawFn) -> Drawn:
    options = {
        "num_heads": draw(SMALL),
        "key_dim": draw(SMALL),
        "value_dim": draw(st.none() | SMALL),
        "output_shape": draw(st.sampled_from([None, None, 3, (2, 3)])),
    }
    axes = draw(st.sampled_from([None, None, None, (1,), (-2,)]))
    has_grid = draw(st.sampled_from([False] * 5 + [True]))
    if has_grid:
        layer = partial(layers.MultiHeadAttention, **options, attention_axes=axes, name="layer")
        return Drawn(layer, (2, 3, 4), call=lambda layer, inputs: layer(inputs[0], inputs[0]), is_covered=False)
    return draw(
        _with_heads(partial(layers.MultiHeadAttention, **options, attention_axes=axes), draw(st.sampled_from([3, 4])))
    )


@st.composite
def grouped_query_attention(draw: st.DrawFn) -> Drawn:
    shared = draw(SMALL)
    heads = {"head_dim": draw(SMALL), "num_key_value_heads": shared, "num_query_heads": shared * draw(SMALL)}
    return draw(_with_heads(partial(layers.GroupQueryAttention, **heads), 4))


@st.composite
def _with_heads(draw: st.DrawFn, make: Any, width: int) -> Drawn:
    rate = draw(st.sampled_from([0.0, 0.0, 0.5]))
    window = draw(st.sampled_from([None, None, 1, 2]))
    layer = partial(make, dropout=rate, sliding_window=window, use_bias=draw(FLAGS), use_gate=draw(FLAGS), name="layer")
    tokens, kind = draw(LENGTHS), draw(st.sampled_from(["self", "cross", "three"]))
    others = tokens if kind == "self" else draw(LENGTHS)
    read = {"self": [], "cross": [(others, 4)], "three": [(others, 4), (others, 2)]}[kind]
    masks = {
        name: shape
        for name, shape in {
            "attention_mask": (tokens, others),
            "value_mask": (others,),
            "query_mask": (tokens,),
        }.items()
        if draw(st.sampled_from([False, False, True]))
    }
    flags = {"use_causal_mask": draw(FLAGS), "return_attention_scores": draw(st.sampled_from([False, False, True]))}

    def call(layer: Any, inputs: list[Any]) -> Any:
        given = [inputs[0], inputs[0]] if kind == "self" else inputs[: 1 + len(read)]
        signs = {name: x > 0 for name, x in zip(masks, inputs[1 + len(read) :], strict=True)}
        return layer(*given, **signs, **flags)

    return Drawn(layer, (tokens, width), others=(*read, *masks.values()), call=call, is_random=rate > 0)


@st.composite
def attention(draw: st.DrawFn) -> Drawn:
    mode = draw(st.sampled_from(["dot", "concat"]))
    return draw(_without_heads(partial(layers.Attention, score_mode=mode)))


@st.composite
def additive_attention(draw: st.DrawFn) -> Drawn:
    return draw(_without_heads(layers.AdditiveAttention))


@st.composite
def _without_heads(draw: st.DrawFn, make: Any) -> Drawn:
    rate = draw(st.sampled_from([0.0, 0.0, 0.5]))
    layer = partial(make, use_scale=draw(FLAGS), dropout=rate, name="layer")
    tokens, others, has_key = draw(LENGTHS), draw(LENGTHS), draw(FLAGS)
    read = [(others, 4)] * (2 if has_key else 1)
    masks = draw(st.sampled_from([(), (True, True), (True, False), (False, True)]))
    shapes = [shape for shape, is_masked in zip([(tokens,), (others,)], masks, strict=False) if is_masked]
    flags = {"use_causal_mask": draw(FLAGS), "return_attention_scores": draw(FLAGS)}

    def call(layer: Any, inputs: list[Any]) -> Any:
        signs = iter([x > 0 for x in inputs[1 + len(read) :]])
        mask = [next(signs) if is_masked else None for is_masked in masks] or None
        return layer(inputs[: 1 + len(read)], mask=mask, **flags)

    return Drawn(layer, (tokens, 4), others=(*read, *shapes), call=call, is_random=rate > 0)


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.MultiHeadAttention: multi_head_attention(),
    layers.GroupQueryAttention: grouped_query_attention(),
    layers.Attention: attention(),
    layers.AdditiveAttention: additive_attention(),
}
