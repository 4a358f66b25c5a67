"""Tests whether two models differ, on one figure for each example: a paired permutation test.

If the models were equally good, either could have had either figure of an example, so each difference is as likely with
the other sign. The p value is the share of all flips of signs whose mean difference is at least as far from zero as the
one that was seen.

    p = paired(right_a, right_b, seed=0)                   # right or wrong: McNemar's exact test
    p = paired(np.abs(error_a), np.abs(error_b), seed=0)   # any other figure
    holm([p, ...])                                         # several pairs
"""

# N examples, M of them on which the models differ

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

FLIPS = 20_000
"""Flips that are drawn; the p value's standard error is then at most 0.0035, and 0.0015 at 0.05."""
FEWEST_DRAWN = 15
"""From so many differing examples on flips are drawn; up to 14 all are gone through, 16,384 at most."""
CHUNK = 2_000_000
"""Signs that are held at once."""
SAME = 1e-9
"""Sums of differences as close as this, in relation to the largest possible sum, are ties in spite of rounding."""


def paired(a_N: ArrayLike, b_N: ArrayLike, *, seed: int, flips: int = FLIPS) -> float:
    """Test whether the mean of a figure differs between two models, under flips of the signs of the differences.

    Where all differences have one size, as those of figures 0 and 1, their signs are a binomial test, and the p value
    is exact for any number of examples: McNemar's. It is exact as well where fewer than 15 examples differ. Else signs
    are drawn, and what was seen counts as one of the drawings, so that no p value is below 1 / (flips + 1).

    Args:
        a_N: the first model's figure of each example; any unit.
        b_N: the second model's, of the same examples.
        flips: how many are drawn.

    Returns:
        Two-sided p value; 1 where the models never differ.

    Source: Fisher, "The design of experiments", 1935; Phipson & Smyth, "Permutation p-values should never be zero",
    2010.
    """
    difference_N = np.asarray(a_N, np.float64) - np.asarray(b_N, np.float64)
    assert difference_N.ndim == 1 and np.isfinite(difference_N).all(), "one finite figure for each example, twice"
    difference_M = difference_N[difference_N != 0]
    sizes_M = np.abs(difference_M)
    if not len(difference_M) or sizes_M.max() - sizes_M.min() <= SAME * sizes_M.max():
        return _binomial(int((difference_M > 0).sum()), len(difference_M))
    far = abs(float(difference_M.sum())) - SAME * float(sizes_M.sum())
    if len(difference_M) < FEWEST_DRAWN:
        every = np.arange(2 ** len(difference_M))
        flipped = (every[:, None] >> np.arange(len(difference_M))) & 1
        return float((np.abs(_sums(flipped, difference_M)) >= far).mean())
    return (1 + _as_far(difference_M, far, np.random.default_rng(seed), flips)) / (1 + flips)


def _as_far(difference_M: NDArray[np.float64], far: float, rng: np.random.Generator, flips: int) -> int:
    rows, count = max(1, CHUNK // len(difference_M)), 0
    for start in range(0, flips, rows):
        drawn = min(rows, flips - start)
        bits = np.frombuffer(rng.bytes(drawn * -(-len(difference_M) // 8)), np.uint8).reshape(drawn, -1)
        flipped = np.unpackbits(bits, axis=1, count=len(difference_M))
        count += int((np.abs(_sums(flipped, difference_M)) >= far).sum())
    return count


def _sums(flipped: NDArray[np.integer], difference_M: NDArray[np.float64]) -> NDArray[np.float64]:
    return difference_M.sum() - 2 * (flipped.astype(np.float64) @ difference_M)


def _binomial(plus: int, differing: int) -> float:
    return float(binomtest(plus, differing, 0.5).pvalue) if differing else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for their number, so that one false alarm among all stays as rare as promised.

    Args:
        p_values: one for each test; the corrected ones have the same order.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected
