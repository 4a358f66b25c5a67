"""Strategies that draw a layer of each kind that is lowered."""

from hypothesis import strategies as st

from backend.drawn import (
    activations,
    attention,
    convolution,
    embedding,
    kernel_shares,
    linear,
    merging,
    noise,
    normalization,
    pooling,
    preprocessing,
    recurrence,
    shapes,
)
from backend.drawn.drawing import Drawn

FAMILIES = (
    linear,
    embedding,
    convolution,
    pooling,
    preprocessing,
    normalization,
    activations,
    noise,
    shapes,
    merging,
    recurrence,
    attention,
    kernel_shares,
)

DRAWN: dict[type, st.SearchStrategy[Drawn]] = {kind: its for family in FAMILIES for kind, its in family.DRAWN.items()}
"""A strategy for each row of `LOWERED`."""
