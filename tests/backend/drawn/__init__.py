"""Strategies that draw a layer of each kind that is lowered."""

from hypothesis import strategies as st

from backend.drawn import (
    activations,
    convolution,
    linear,
    merging,
    noise,
    normalization,
    pooling,
    recurrence,
    shapes,
)
from backend.drawn.drawing import Drawn

FAMILIES = (
    linear,
    convolution,
    pooling,
    normalization,
    activations,
    noise,
    shapes,
    merging,
    recurrence,
)

DRAWN: dict[type, st.SearchStrategy[Drawn]] = {kind: its for family in FAMILIES for kind, its in family.DRAWN.items()}
"""A strategy for each row of `LOWERED`."""
