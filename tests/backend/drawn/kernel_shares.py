"""Draws layers that count steps above levels, with and without padding."""

from functools import partial

from hypothesis import strategies as st

from backend.drawn.drawing import Drawn
from sonde.backend.kernel_shares import KernelShares


@st.composite
def kernel_shares(draw: st.DrawFn) -> Drawn:
    steps, channels = draw(st.integers(1, 20)), draw(st.integers(1, 3))
    dilations = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=3))
    layer = partial(KernelShares, dilations, "ones", name="layer")
    return Drawn(layer, (steps, channels), others=draw(st.sampled_from([(), ((steps,),)])))


DRAWN: dict[type, st.SearchStrategy[Drawn]] = {KernelShares: kernel_shares()}
