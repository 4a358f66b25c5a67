"""What one row of a table of augmentations holds; each modality's file has such a table."""

# B batch, K random numbers

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Augmentation:
    """One augmentation: its function, how many random numbers it needs, its range, and its default."""

    function: Callable[[Any, float, NDArray[np.float64]], Any]
    """A batch of stored inputs, which it may change, strength and random numbers B x K, to a batch: images are B x H x
    W x C; series, recordings and texts an array or `Ragged`."""
    draws: int
    """How many random numbers each example needs."""
    doc: str
    """One sentence, with what the strength means."""
    low: float
    high: float
    guess: Callable[[Any], tuple[float, str]]
    """The default strength, and the reason; from what the modality's own guesses look at (for images a `Look`)."""
    mirrored: bool = False
    """Whether the second of two epochs takes the complements of the first one's numbers, so that an image mirrored with
    probability one half is so in exactly one of them (alternating flips; Jordan, 2024)."""
    neutral: float = 0.0
    """The strength that changes nothing."""
    mixes: bool = False
    """Whether it takes another training example beside each: the function then gets the pair of batch and others, and
    the last of its random numbers has chosen the other. The answer stays that of the batch."""
