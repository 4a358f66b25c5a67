"""What one row of a table of augmentations holds; each modality's file has such a table."""

# B batch, K random numbers

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Augmentation:
    """One augmentation: its function, how many random numbers it needs, its range, and its default."""

    function: Callable[[Any, float, NDArray[np.float64]], Any]
    """Takes its strength and random numbers B x K, and before them, by kind:

    - geometric: a size, and returns the matrices of a `motion.Motion`, which truths follow. Of images (H, W) to
      B x 2 x 3; in time the steps of each example, B, to B x 2.
    - values: a batch of stored inputs, which it may change, and returns a batch: images B x H x W x C; series,
      recordings and texts an array or `Ragged`. No truth moves."""
    draws: int
    """How many random numbers each example needs."""
    doc: str
    """One sentence, with what the strength means."""
    low: float
    high: float
    guess: Callable[[Any], tuple[float, str]]
    """The default strength, and the reason; from what the modality's own guesses look at (for images a `Look`)."""
    kind: Literal["geometric", "values"] = "values"
    apply: Callable[[Any, float, NDArray[np.float64]], Any] | None = None
    """Of a geometric one: moves a batch as its matrices say, faster than `motion.warp`; called like a function of
    values. At most one such function of a modality may interpolate, since they are applied one after another. Where one
    without it is drawn, all matrices are multiplied and the batch is warped once."""
    mirrored: bool = False
    """Whether the second of two epochs takes the complements of the first one's numbers, so that an image mirrored with
    probability one half is so in exactly one of them (alternating flips; Jordan, 2024)."""
    neutral: float = 0.0
    """The strength that changes nothing."""
    mixes: bool = False
    """Whether it takes another training example beside each: the function then gets the pair of batch and others, and
    the last of its random numbers has chosen the other. The answer stays that of the batch."""
