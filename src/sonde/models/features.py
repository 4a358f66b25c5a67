"""What a body gives to a head: a vector for each example, steps, or maps by stride.

return from_maps(levels, pool="mean", dropout=options.dropout)       at the end of an image model
return from_steps(sequence, pool=options.pool)                       at the end of a sequence model

Which of them a model gives stands in its row in `models.architectures`, and which one a head needs in `HEADS`. What
no head reads is no part of the graph. Global pooling is made here; it has no weights, but for the learned mean.
"""

# B batch, T time, D width, H height, W width of an image, C channels

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from keras import layers

from sonde.models.sequences import Sequence, attention_pool, first_step, masked_max, masked_mean, silence

POOLS: dict[str, Callable[[Any, Any | None], Any]] = {
    "mean": masked_mean,
    "max": masked_max,
    "attention": attention_pool,
    "first": first_step,
}
"""What one vector is made of steps with: a mean, a maximum or a learned mean over all, or the first one."""

MAP_POOLS = {"mean": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}


@dataclass(frozen=True)
class Features:
    """Symbolic tensors that a head can stand on."""

    vector: Any
    """B x D."""
    steps: Sequence | None = None
    """B x T x D with zeros at padding; T may be a part of the inputs' steps, where several have become one."""
    levels: Mapping[int, Any] = field(default_factory=dict)
    """By stride, from the finest to the coarsest: B x H/stride x W/stride x C, rounded up or down by the model."""

    beside: Mapping[str, Any] = field(default_factory=dict)
    """What the head reads beside the body, by name, as its `inputs` made them."""

    @property
    def gives(self) -> tuple[str, ...]:
        """Names of what is there."""
        there = {"vector": True, "steps": self.steps is not None, "levels": bool(self.levels)}
        return tuple(name for name, is_there in there.items() if is_there)


def from_maps(levels: Mapping[int, Any], *, pool: str = "mean", dropout: float) -> Features:
    """Return the features of an image model; the vector is what the coarsest map holds anywhere.

    Its steps are the places of that map.

    Args:
        levels: by stride, the last map of each.
        pool: a row of `MAP_POOLS`.
        dropout: share of the vector silenced while training.
    """
    last = levels[max(levels)]
    vector_BC = MAP_POOLS[pool](name="pool")(last)
    # Row by row; what reads steps is told of each step's distance from both ends, by which it knows a place.
    places = Sequence(layers.Reshape((-1, last.shape[-1]), name="places")(last), None)
    return Features(layers.Dropout(dropout, name="dropout")(vector_BC), places, levels)


def from_steps(
    sequence: Sequence, *, pool: str = "mean", dropout: float | None = None, name: str = "dropout"
) -> Features:
    """Return the features of a sequence model.

    Args:
        sequence: anything may stand at padding.
        pool: a row of `POOLS`; that of a single step is a mean in any case.
        dropout: share of the vector silenced while training; None for no such layer.
    """
    vector_BD = POOLS[pool](sequence.x_BTD, sequence.present_BT)
    if dropout is not None:
        vector_BD = layers.Dropout(dropout, name=name)(vector_BD)
    return Features(vector_BD, Sequence(silence(sequence.x_BTD, sequence.present_BT), sequence.present_BT))
