"""The layer that counts steps above levels, on a processor by numpy: in blocks that stay in a core's own cache.

A comparison into bytes and the sum of these are what all the time goes into. numpy does both on one core in the time
that torch takes on two; two threads of numpy are slower than one, since they wait for each other between the calls.

Series stand side by side and time runs downwards, so that a tap is a shift by whole rows, and every step is an addition
or a comparison of long rows. The answers of a pattern are the sum of all taps, shared by all patterns, and of its own
three; each sum is exact on the grid that the model rounds to, in whatever order it is made.
"""

# B batch, T time, C channels, K kernels, L levels, S rows side by side, F features

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sonde.backend.kernel_shares import CHOSEN, KERNELS, TAPS, order
from sonde.backend.lowering.calls import Call, Run

BLOCK = 1 << 18
"""Answers of a kernel that are looked at at a time."""
SERIES, NUMBERS = 512, 1 << 26
"""Series that are looked at at a time, and their numbers, at most."""
ROW = 512
"""Numbers that a row has at least: short ones keep vector units waiting."""
MOST_ROWS = 255
"""Rows whose counts fit into a byte."""
LEVELS = 16
"""Levels that answers are compared with at a time."""
BELOW = np.float32(-np.inf)

Floats = NDArray[np.float32]


def kernel_shares(layer: Any) -> Call:
    """Return the shares of steps above each level; see `backend.kernel_shares`."""

    def call(run: Run, inputs: Any) -> torch.Tensor:
        x_BTC, present_BT = inputs if isinstance(inputs, list | tuple) else (inputs, None)
        if x_BTC.device.type != "cpu":
            # A few large operations, which are what a GPU is good at.
            with torch.no_grad(), torch.autocast(x_BTC.device.type, enabled=False):
                return layer.call(inputs)
        # A comparison has no slope.
        series_BTC = x_BTC.detach().float().numpy()
        lengths_B = None
        if present_BT is not None:
            lengths_B = present_BT.detach().float().sum(dim=1).ceil().clamp(0, series_BTC.shape[1]).long().numpy()
        reads_DCK, level_F = (each.value.detach().numpy() for each in (layer.reads, layer.level))
        shares_BF = np.empty((len(series_BTC), layer.width), dtype=np.float32)
        size = max(1, min(SERIES, NUMBERS // max(1, series_BTC[:1].size)))
        for first in range(0, len(series_BTC), size):
            part = slice(first, first + size)
            some = _Series(series_BTC[part], None if lengths_B is None else lengths_B[part])
            place = 0
            for number, (dilation, levels) in enumerate(layer.dilations):
                mine = slice(place, place + levels * KERNELS)
                level_LK = level_F[mine].reshape(levels, KERNELS)
                some.write_shares(number, dilation, reads_DCK[number], level_LK, shares_BF[part, mine])
                place = mine.stop
        with torch.no_grad():
            return torch.from_numpy(shares_BF).sub_(layer.mean.value).mul_(layer.factor.value)

    return call


class _Series:
    """Some series, side by side."""

    def __init__(self, series_BTC: Floats, lengths_B: NDArray[np.int64] | None):
        self.batch, self.steps, self.channels = series_BTC.shape
        lengths = np.full(self.batch, self.steps) if lengths_B is None else lengths_B
        self.lengths_B = lengths
        self.beside = -(-ROW // max(1, self.batch))
        rows = max(1, min(MOST_ROWS, BLOCK // (self.beside * max(1, self.batch))))
        self.block = self.beside * min(rows, -(-self.steps // self.beside))
        self.filled = -(-self.steps // self.block) * self.block
        self.series_CTB = np.ascontiguousarray(series_BTC.transpose(2, 1, 0))

    def write_shares(self, number: int, dilation: int, reads_CK: Floats, level_LK: Floats, out_BF: Floats) -> None:
        """Write the shares of one dilation.

        Args:
            number: of the dilation.
            dilation: steps between taps.
            reads_CK: which channels each kernel reads.
            out_BF: what is written.
        """
        reach, places = dilation * (TAPS // 2), {CHOSEN[at]: kernel for kernel, at in enumerate(order(number).tolist())}
        counts_LKB = np.zeros((len(level_LK), KERNELS, self.batch), dtype=np.int64)
        sums_LKS = np.empty((len(level_LK), KERNELS, self.beside * self.batch), dtype=np.uint8)
        wide_CTB = np.zeros((self.channels, self.filled + 2 * reach, self.batch), dtype=np.float32)
        wide_CTB[:, reach : reach + self.steps] = self.series_CTB
        above_LTS = np.empty((min(LEVELS, len(level_LK)), self.block // self.beside, sums_LKS.shape[2]), dtype=bool)
        starts = range(0, self.filled, self.block)
        silent = {first: self._silent(first, reach) for first in starts}
        blocks = {first: [slice(at, at + self.block) for at in range(first, first + TAPS * dilation, dilation)]
                  for first in starts}  # fmt: skip
        one = len(wide_CTB) == 1 and (reads_CK > 0).all()
        answers = _of_one(wide_CTB[0], blocks) if one else _of_some(wide_CTB, reads_CK, blocks, places)
        for first, chosen, answers_TB in answers:
            kernel = places[chosen]
            none_TB = silent[first][kernel >= KERNELS // 2]
            if none_TB is not None:
                np.copyto(answers_TB, BELOW, where=none_TB)
            rows_TS = answers_TB.reshape(above_LTS.shape[1:])
            for at in range(0, len(level_LK), LEVELS):
                some_L11 = level_LK[at : at + LEVELS, kernel, None, None]
                above = np.greater(rows_TS, some_L11, out=above_LTS[: len(some_L11)])
                np.add.reduce(above.view(np.uint8), axis=1, dtype=np.uint8, out=sums_LKS[at : at + LEVELS, kernel])
            if len(starts) > 1:
                counts_LKB[:, kernel] += self._together(sums_LKS[:, kernel])
        if len(starts) == 1:
            counts_LKB = self._together(sums_LKS)
        half, all_B = KERNELS // 2, self.lengths_B.astype(np.float32)
        counts_BLK = counts_LKB.transpose(2, 0, 1).astype(np.float32)
        counts_BLK[..., :half] /= np.maximum(all_B, 1)[:, None, None]
        counts_BLK[..., half:] /= np.maximum(all_B - 2 * reach, 1)[:, None, None]
        out_BF[:] = counts_BLK.reshape(self.batch, -1)

    def _together(self, sums: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the sums of each series, ... x B, of those of its parts that stand side by side."""
        return sums.reshape(*sums.shape[:-1], self.beside, self.batch).sum(axis=-2, dtype=np.int64)

    def _silent(self, first: int, reach: int) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
        """Return which answers of a block do not count, for each half of the kernels; None where all do."""
        places_T1 = np.arange(first, first + self.block)[:, None]
        beyond_TB = places_T1 >= self.lengths_B
        outer_TB = (places_T1 < reach) | (places_T1 >= self.lengths_B - reach)
        return (beyond_TB if beyond_TB.any() else None), (outer_TB if outer_TB.any() else None)


def _of_some(
    wide_CTB: Floats, reads_CK: Floats, blocks: dict[int, list[slice]], places: dict[tuple[int, ...], int]
) -> Iterator[tuple[int, tuple[int, ...], Floats]]:
    """Give each block's start, each pattern and what it answers there, where patterns read channels of their own."""
    for chosen, kernel in places.items():
        # All taps of a kernel read the same channels.
        read_TB = np.add.reduce(wide_CTB[reads_CK[:, kernel] > 0], axis=0)
        for first, taps in blocks.items():
            low_TB = -_sum(read_TB, taps)
            for tap in chosen:
                low_TB += 3 * read_TB[taps[tap]]
            yield first, chosen, low_TB


def _of_one(wide_TB: Floats, blocks: dict[int, list[slice]]) -> Iterator[tuple[int, tuple[int, ...], Floats]]:
    """Do so for one channel, which all patterns read: two of the three taps are shared by several patterns.

    The array of the answers is the next ones' too.
    """
    three_TB = 3 * wide_TB
    for first, taps in blocks.items():
        low_TB = -_sum(wide_TB, taps)
        with_one_TB, with_two_TB, with_three_TB = (np.empty_like(low_TB) for _ in range(3))
        for one in range(TAPS - 2):
            np.add(low_TB, three_TB[taps[one]], out=with_one_TB)
            for two, later in _pairs(one):
                np.add(with_one_TB, three_TB[taps[two]], out=with_two_TB)
                for three in later:
                    answers_TB = np.add(with_two_TB, three_TB[taps[three]], out=with_three_TB)
                    yield first, (one, two, three), answers_TB


def _pairs(one: int) -> Iterator[tuple[int, range]]:
    return ((two, range(two + 1, TAPS)) for two in range(one + 1, TAPS - 1))


def _sum(wide_TB: Floats, taps: list[slice]) -> Floats:
    total_TB = wide_TB[taps[0]].copy()
    for tap in taps[1:]:
        total_TB += wide_TB[tap]
    return total_TB
