"""Draws recurrent layers, with their options and the shapes of what they read."""

from functools import partial

from hypothesis import strategies as st
from keras import layers

from backend.drawn.drawing import FLAGS, SIDES, SMALL, Drawn


@st.composite
def simple_rnn(draw: st.DrawFn) -> Drawn:
    name = draw(st.sampled_from(["tanh", "relu", "sigmoid"]))
    odd = draw(_odd_recurrence())
    layer = partial(layers.SimpleRNN, draw(SMALL), activation=name, **odd, **_sequences(draw), name="layer")
    return Drawn(layer, (draw(SIDES), 2), is_covered=name != "sigmoid" and not odd)


@st.composite
def lstm(draw: st.DrawFn) -> Drawn:
    name, odd = draw(st.sampled_from(["sigmoid", "sigmoid", "hard_sigmoid"])), draw(_odd_recurrence())
    layer = partial(layers.LSTM, draw(SMALL), recurrent_activation=name, **odd, **_sequences(draw), name="layer")
    return Drawn(layer, (draw(SIDES), 2), is_covered=name == "sigmoid" and not odd)


@st.composite
def gru(draw: st.DrawFn) -> Drawn:
    reset_after, odd = draw(st.sampled_from([True, True, False])), draw(_odd_recurrence())
    layer = partial(layers.GRU, draw(SMALL), reset_after=reset_after, **odd, **_sequences(draw), name="layer")
    return Drawn(layer, (draw(SIDES), 2), is_covered=reset_after and not odd)


def _odd_recurrence() -> st.SearchStrategy[dict[str, bool]]:
    return st.sampled_from([{}, {}, {}, {"go_backwards": True}, {"unroll": True}])


def _sequences(draw: st.DrawFn) -> dict[str, bool]:
    return {"return_sequences": draw(FLAGS), "use_bias": draw(FLAGS)}


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {
    layers.SimpleRNN: simple_rnn(),
    layers.LSTM: lstm(),
    layers.GRU: gru(),
}
