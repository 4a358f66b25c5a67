"""Draws layers that count steps above levels, with and without padding."""

from functools import partial

from hypothesis import strategies as st

from backend.drawn.drawing import Drawn
from sonde.backend.proportions import Proportions


@st.composite
def proportions(draw: st.DrawFn) -> Drawn:
    steps, channels = draw(st.integers(1, 9)), draw(st.sampled_from([2, 4]))
    layer = partial(Proportions, draw(st.integers(1, 5)), draw(st.integers(0, 3)), name="layer")
    return Drawn(layer, (steps, channels), others=draw(st.sampled_from([(), ((steps,),)])))


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {Proportions: proportions()}
