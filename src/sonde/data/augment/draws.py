"""Random numbers that are a pure function of what they are for, so that neither batches nor resuming change them.

The counter-based way (Salmon et al., 2011: "Parallel random numbers: as easy as 1, 2, 3"): seed, epoch, example and
name are hashed with the finaliser of SplitMix64 (Steele, Lea and Flood, 2014), all examples of a batch at once.
"""

# B batch

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

GOLDEN = 0x9E3779B97F4A7C15
FIRST = 0xBF58476D1CE4E5B9
SECOND = 0x94D049BB133111EB
WORD = 2**64 - 1

# Made once, since making them takes a fifth of a call.
FACTORS = np.uint64(FIRST), np.uint64(SECOND)
SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
BEYOND_DOUBLE = np.uint64(11)


def uniform(name: str, count: int, *, seed: int, epoch: int, indices_B: NDArray[np.int64]) -> NDArray[np.float64]:
    """Draw numbers from [0, 1) for each example of a batch.

    Args:
        name: what they are for; other names get other numbers.
        count: how many for each example.
        seed: the run's seed.
        indices_B: each example's place in the training split.

    Returns:
        B x count.
    """
    return uniforms({name: (count, epoch)}, seed=seed, indices_B=indices_B)[name]


def uniforms(
    wanted: Mapping[str, tuple[int, int]], *, seed: int, indices_B: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Draw for several names in the time of one.

    Args:
        wanted: how many numbers for each example, and the epoch, by what they are for.
        seed: the run's seed.
        indices_B: each example's place in the training split.

    Returns:
        What `uniform` gives for each name.
    """
    if not wanted:
        return {}
    begins_K1, steps_K1, ends = _begin(tuple(wanted.items()), seed)
    # Examples side by side: a loop of numpy's is then as long as the batch, and not as there are numbers.
    state_KB = mix(np.asarray(indices_B).astype(np.uint64) ^ begins_K1)
    state_KB += steps_K1
    bits_KB = mix(state_KB)
    bits_KB >>= BEYOND_DOUBLE
    numbers_BK = (bits_KB.astype(np.float64) * 2.0**-53).T
    return {name: numbers_BK[:, end - wanted[name][0] : end] for name, end in zip(wanted, ends, strict=True)}


@lru_cache(maxsize=64)
def _begin(
    wanted: tuple[tuple[str, tuple[int, int]], ...], seed: int
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], list[int]]:
    """Return what all examples of an epoch begin with: its batches ask for it again and again.

    That is for each number the state of its name, and how far it is moved on; and where the numbers of each name end.
    """
    begins, steps = [], []
    for name, (count, epoch) in wanted:
        word = int.from_bytes(sha256(name.encode()).digest()[:8], "little")
        state = 0
        for number in (word, seed, epoch):
            state = _mix_one(state + GOLDEN & WORD ^ number % 2**64)
        begins += [state + GOLDEN & WORD] * count
        steps += [place * GOLDEN & WORD for place in range(1, count + 1)]
    ends = np.cumsum([count for _, (count, _) in wanted]).tolist()
    return np.array(begins, dtype=np.uint64)[:, None], np.array(steps, dtype=np.uint64)[:, None], ends


def mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit numbers so that neighbours have nothing in common."""
    state = (state ^ (state >> SHIFTS[0])) * FACTORS[0]
    state ^= state >> SHIFTS[1]
    state *= FACTORS[1]
    state ^= state >> SHIFTS[2]
    return state


def _mix_one(state: int) -> int:
    """Scramble one number in the same way; numpy takes ten times as long for a single one."""
    state = (state ^ (state >> 30)) * FIRST & WORD
    state = (state ^ (state >> 27)) * SECOND & WORD
    return state ^ (state >> 31)
