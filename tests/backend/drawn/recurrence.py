"""Draws recurrent layers, with their options, first states, masks and the shapes of what they read."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import FLAGS, SIDES, SMALL, Drawn


@st.composite
def simple_rnn(draw: st.DrawFn) -> Drawn:
    name = draw(st.sampled_from(["tanh", "relu", "sigmoid"]))
    layer = partial(layers.SimpleRNN, activation=name)
    return _drawn(draw, layer, states=1, is_covered=name != "sigmoid")


@st.composite
def lstm(draw: st.DrawFn) -> Drawn:
    name = draw(st.sampled_from(["sigmoid", "sigmoid", "hard_sigmoid"]))
    layer = partial(layers.LSTM, recurrent_activation=name)
    return _drawn(draw, layer, states=2, is_covered=name == "sigmoid")


@st.composite
def gru(draw: st.DrawFn) -> Drawn:
    reset_after = draw(st.sampled_from([True, True, False]))
    return _drawn(draw, partial(layers.GRU, reset_after=reset_after), states=1, is_covered=reset_after)


@st.composite
def bidirectional(draw: st.DrawFn) -> Drawn:
    kind, states = draw(st.sampled_from([(layers.SimpleRNN, 1), (layers.LSTM, 2), (layers.GRU, 1), (layers.GRU, 1)]))
    units, options, masked = draw(SMALL), _options(draw), draw(FLAGS)
    name = draw(st.sampled_from(["tanh", "tanh", "softsign"]))
    merge, stated = draw(st.sampled_from(["concat", "sum", "mul", "ave", None])), draw(FLAGS)

    def make() -> Any:
        inner = kind(units, activation=name, unroll=False, **options)
        return layers.Bidirectional(inner, merge_mode=merge, name="layer")

    others = ((units,),) * (2 * states) if stated else ()
    call = partial(_called, masked=masked)
    return Drawn(make, (draw(SIDES), 2), others=others, is_covered=name == "tanh", call=call)


def _drawn(draw: st.DrawFn, layer: Any, *, states: int, is_covered: bool) -> Drawn:
    units, options, masked = draw(SMALL), _options(draw), draw(FLAGS)
    backwards = draw(FLAGS)
    # Keras cannot unroll backwards over a mask.
    unroll = draw(FLAGS) and not (backwards and masked)
    dropped = draw(st.sampled_from([{}, {}, {"dropout": 0.5}, {"recurrent_dropout": 0.5}]))
    zero = draw(FLAGS)
    given = {**options, **dropped, "go_backwards": backwards, "unroll": unroll, "zero_output_for_mask": zero}
    others = ((units,),) * states if draw(FLAGS) else ()
    return Drawn(
        partial(layer, units, **given, name="layer"),
        (draw(SIDES), 2),
        others=others,
        is_covered=is_covered,
        call=partial(_called, masked=masked),
        is_random=bool(dropped),
    )


def _options(draw: st.DrawFn) -> dict[str, bool]:
    return {name: draw(FLAGS) for name in ("return_sequences", "return_state", "use_bias")}


def _called(layer: Any, inputs: list[Any], *, masked: bool) -> Any:
    """Call a layer with a sequence, first states if there are any, and a mask that the sequence tells."""
    sequence, *states = inputs
    arguments = {"initial_state": states} if states else {}
    return layer(sequence, **arguments, **({"mask": sequence[:, :, 0] > 0} if masked else {}))


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.SimpleRNN: simple_rnn(),
    layers.LSTM: lstm(),
    layers.GRU: gru(),
    layers.Bidirectional: bidirectional(),
}
