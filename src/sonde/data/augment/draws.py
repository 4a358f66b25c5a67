"""Random numbers that are a pure function of what they are for, so that neither batches nor resuming change them.

The counter-based way (Salmon et al., 2011: "Parallel random numbers: as easy as 1, 2, 3"): seed, epoch, example and
name are hashed with the finaliser of SplitMix64 (Steele, Lea and Flood, 2014), all examples of a batch at once.
"""

# B batch

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

GOLDEN = 0x9E3779B97F4A7C15
FIRST = 0xBF58476D1CE4E5B9
SECOND = 0x94D049BB133111EB
WORD = 2**64 - 1


def uniform(name: str, count: int, *, seed: int, epoch: int, indices_B: NDArray[np.int64]) -> NDArray[np.float64]:
    """Draw numbers from [0, 1) for each example of a batch.

    Args:
        name: what they are for; other names get other numbers.
        count: how many for each example.
        seed: the run's seed.
        epoch: the epoch.
        indices_B: each example's place in the training split.

    Returns:
        B x count.
    """
    word = int.from_bytes(sha256(name.encode()).digest()[:8], "little")
    state = 0
    for number in (word, seed, epoch):
        state = _mix_one(state + GOLDEN & WORD ^ number % 2**64)
    state_B1 = mix(np.uint64(state + GOLDEN & WORD) ^ np.asarray(indices_B).astype(np.uint64)[:, None])
    bits_BK = mix(state_B1 + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN))
    return (bits_BK >> np.uint64(11)).astype(np.float64) * 2.0**-53


def mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit numbers so that neighbours have nothing in common.

    Args:
        state: any shape.
    """
    state = (state ^ (state >> np.uint64(30))) * np.uint64(FIRST)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(SECOND)
    return state ^ (state >> np.uint64(31))


def _mix_one(state: int) -> int:
    """Scramble one number in the same way; numpy takes ten times as long for a single one."""
    state = (state ^ (state >> 30)) * FIRST & WORD
    state = (state ^ (state >> 27)) * SECOND & WORD
    return state ^ (state >> 31)
