"""Augmentations of texts: each takes the numbers of tokens as `Ragged`, its strength and random numbers.

See what they do:  sonde show DATA
"""

# B texts, K random numbers, S tokens of all texts

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonde.data.augment.augmentation import Augmentation
from sonde.data.augment.draws import GOLDEN, mix
from sonde.data.ragged import Ragged
from sonde.data.text.tokens import UNKNOWN

Draws = NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """What a default is guessed from."""

    texts: int
    """How many there are to learn from."""
    writes: bool = False
    """Whether a text is to be written for each."""


def drop(texts_B: Ragged, share: float, draws_BK: Draws) -> Ragged:
    """Leave out each token with this probability, but never all of a text.

    Args:
        texts_B: numbers of tokens.
        draws_BK: 1 number each.
    """
    kept_S = _draw_each(texts_B, draws_BK[:, 0]) >= share
    counts_B = np.add.reduceat(kept_S, texts_B.offsets[:-1])
    kept_S[texts_B.offsets[:-1][counts_B == 0]] = True
    offsets = np.concatenate([[0], np.cumsum(np.maximum(counts_B, 1))]).astype(np.int64)
    return Ragged(texts_B.values[kept_S], offsets)


def blank(texts_B: Ragged, share: float, draws_BK: Draws) -> Ragged:
    """Make each token the unknown one with this probability.

    Args:
        texts_B: numbers of tokens.
        draws_BK: 1 number each.
    """
    chosen_S = _draw_each(texts_B, draws_BK[:, 0]) < share
    return Ragged(np.where(chosen_S, np.int32(UNKNOWN), texts_B.values), texts_B.offsets)


def swap(texts_B: Ragged, share: float, draws_BK: Draws) -> Ragged:
    """Let each token change places with the one behind it with this probability.

    Args:
        texts_B: numbers of tokens.
        draws_BK: 1 number each.
    """
    chosen_S = _draw_each(texts_B, draws_BK[:, 0]) < share
    # Neither the last of a text, nor one whose neighbour changes places already.
    chosen_S[texts_B.offsets[1:] - 1] = False
    chosen_S[1:] &= ~chosen_S[:-1]
    places = np.flatnonzero(chosen_S)
    values = texts_B.values.copy()
    values[places], values[places + 1] = texts_B.values[places + 1], texts_B.values[places]
    return Ragged(values, texts_B.offsets)


def _draw_each(texts_B: Ragged, draws_B: Draws) -> NDArray[np.float64]:
    """Return a random number for each token, a function of its text's number and of its own place."""
    assert texts_B.offsets[0] == 0 and texts_B.lengths.min(initial=1) > 0
    seeds_B = (draws_B * 2.0**53).astype(np.uint64)
    places_S = np.arange(len(texts_B.values)) - np.repeat(texts_B.offsets[:-1], texts_B.lengths)
    states_S = np.repeat(mix(seeds_B * np.uint64(GOLDEN)), texts_B.lengths) + places_S.astype(np.uint64) * np.uint64(
        GOLDEN
    )
    return (mix(states_S) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _off(look: Look) -> tuple[float, str]:
    return 0.0, "off unless asked for"


def _drop_some(look: Look) -> tuple[float, str]:
    if look.writes:
        return 0.0, "what is to be written hangs on every word"
    return 0.1, "a text seldom hangs on one word"


TABLE: dict[str, Augmentation] = {
    "drop": Augmentation(drop, 1, "Leaves out each token with this probability.", low=0.0, high=0.9, guess=_drop_some),
    "blank": Augmentation(
        blank, 1, "Makes each token the unknown one with this probability.", low=0.0, high=0.9, guess=_off
    ),
    "swap": Augmentation(
        swap, 1, "Lets each token change places with the next with this probability.", low=0.0, high=1.0, guess=_off
    ),
}
"""Every augmentation of texts, in the order in which they are applied and shown."""
