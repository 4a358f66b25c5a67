"""MiniRocket (Dempster, Schmidt and Webb, 2021, arXiv 2012.08791): fixed kernels, counted answers, and a linear head.

The 84 kernels of nine steps hold three times 2 and six times -1. Each is laid over the series at several dilations, and
what the head reads is the share of steps at which the answer stands above levels that were taken from training series.
Nothing but the head is learned; a ridge head is solved at once, without steps.

What the kernels read is rounded to a grid of powers of two, so fine that every sum of a kernel is exact: the same on
every backend and processor, in any batch and behind any padding. Otherwise the flat parts of a series, where a kernel's
answer is zero but for rounding, would fall on either side of a level by chance.
"""

# N examples, B batch, T time, C channels, K kernels, L levels, J taps, D dilations

import random
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from pydantic import Field

from sonde.backend.kernel_shares import KERNELS, TAPS, KernelShares, patterns
from sonde.config import Options as _Options
from sonde.models.features import Features
from sonde.models.reads import Reads
from sonde.models.sequences import as_sequence

MOST_DILATIONS = 32
MOST_CHANNELS = 9
"""Channels that one kernel reads together, at most; as many as its taps, as in the authors' code."""
LARGEST = 32.0
"""Values beyond it, in deviations of the training data, are cut; a power of two."""
BITS = 24
"""Of a float32's mantissa: sums below two to this many steps of the grid are exact."""
GOLDEN = (5**0.5 + 1) / 2
AT_ONCE = 1 << 24
"""Numbers of the series that levels are taken from at a time."""
USUAL = 64
"""Steps that dilations are spread over where nothing is known of the length."""


class Options(_Options):
    """Fixed kernels at several dilations, their shares of steps above levels, and a linear head."""

    levels: Annotated[int, Field(ge=1, le=10_000)] = 119
    """Levels of each of the 84 kernels over all dilations, and so features; time and memory grow in step."""

    length: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Steps that the dilations are spread over where series differ in length; 0 takes 64. Guessed from the data."""

    head: Literal["ridge", "logistic"] = "ridge"
    """A ridge regression that is solved at once, or a logistic one that is trained in steps like other models."""

    refit: bool = True
    """Solve a ridge head once more on training and validation examples, after validation has had its say."""


def solves(options: Options) -> bool:
    """Tell whether the head is solved, so that no steps are taken.

    Args:
        options: say which head.
    """
    return options.head == "ridge"


def features(inputs: Any, options: Options, reads: Reads) -> Features:
    """Return the features of a batch of series.

    Args:
        inputs: symbolic tensor, batch x time x channels, the last of which may tell padding.
        options: number of levels, and the length where it varies.
    """
    if reads.modality != "sequence":
        raise ValueError("It reads series: steps x channels.")
    sequence = as_sequence(inputs, reads, 1)
    x_BTC, present_BT = sequence.x_BTD, sequence.present_BT
    channels = x_BTC.shape[-1]
    step = _grid(channels)
    # The bounds come first, so that nothing is infinite.
    x_BTC = ops.round(ops.clip(x_BTC, -LARGEST, LARGEST) * (1 / step)) * step
    shares = KernelShares(_dilations(options, reads), Channels(), name="shares")
    return Features(shares(x_BTC if present_BT is None else [x_BTC, ops.cast(present_BT, "float32")]))


def measure(
    series: Sequence[NDArray[np.float32]],
    weights: Mapping[str, NDArray[Any]],
    options: Options,
    reads: Reads,
    *,
    seed: int,
) -> dict[str, NDArray[np.float32]]:
    """Return the levels: quantiles of each kernel's answers over a training series that is drawn for it.

    Args:
        series: encoded training series, T x C each, as long as they are.
        weights: the model's, by name; its kernels are read.
        options: number of levels, and the length where it varies.
    """
    rng = np.random.default_rng([seed, KERNELS])
    step = _grid(series[0].shape[1])
    levels, place = [], 0
    for number, (dilation, count) in enumerate(_dilations(options, reads)):
        drawn = [series[row] for row in rng.integers(len(series), size=KERNELS).tolist()]
        patterns_JCK = patterns(number)[:, None] * weights["shares/reads"][number]
        # Even steps around the circle of the golden ratio: any run of them is spread evenly over 0 to 1.
        around_KL = np.arange(place + 1, place + KERNELS * count + 1).reshape(KERNELS, count) * GOLDEN % 1
        size = max(1, AT_ONCE // max(each.size for each in drawn))
        found = []
        for first in range(0, KERNELS, size):
            some = slice(first, first + size)
            answers_KT, counts_K = _answers(drawn[some], patterns_JCK[..., some], dilation, step, first)
            found.append(_quantiles(answers_KT, counts_K, around_KL[some]))
        levels.append(np.concatenate(found).T.reshape(-1))
        place += KERNELS * count
    return {"shares/level": np.concatenate(levels).astype(np.float32)}


def _answers(
    drawn: Sequence[NDArray[np.float32]], patterns_JCK: NDArray[Any], dilation: int, step: float, first: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return what each kernel answers to a series of its own, in ascending order, and how many answers there are."""
    reach, kernels = dilation * (TAPS // 2), len(drawn)
    lengths_K = np.array([len(each) for each in drawn], dtype=np.int64)
    longest, channels = int(lengths_K.max()), drawn[0].shape[1]
    wide_KTC = np.zeros((kernels, longest + 2 * reach, channels), dtype=np.float32)
    for kernel, each in enumerate(drawn):
        wide_KTC[kernel, reach : reach + len(each)] = each
    wide_KTC = np.round(np.clip(wide_KTC, -LARGEST, LARGEST) / np.float32(step)) * np.float32(step)
    answers_KT = np.zeros((kernels, longest), dtype=np.float32)
    read = np.flatnonzero(patterns_JCK.any(axis=(0, 2))).tolist()
    for tap in range(TAPS):
        shifted_KTC = wide_KTC[:, tap * dilation : tap * dilation + longest]
        for channel in read:
            answers_KT += shifted_KTC[..., channel] * patterns_JCK[tap, channel][:, None]
    places_T, inner_K = np.arange(longest), (first + np.arange(kernels) >= KERNELS // 2) & (lengths_K > 2 * reach)
    first_K, last_K = np.where(inner_K, reach, 0), np.where(inner_K, lengths_K - reach, lengths_K)
    # What does not count goes to the end.
    answers_KT[(places_T < first_K[:, None]) | (places_T >= last_K[:, None])] = np.inf
    answers_KT.sort(axis=1)
    return answers_KT, last_K - first_K


def _quantiles(
    sorted_KT: NDArray[np.float32], counts_K: NDArray[np.int64], places_KL: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return quantiles of the first numbers of each row, on the line between neighbours (Hyndman and Fan's type 7)."""
    positions_KL = places_KL * (counts_K - 1)[:, None]
    before_KL = positions_KL.astype(np.int64)
    behind_KL = np.minimum(before_KL + 1, (counts_K - 1)[:, None])
    low_KL = np.take_along_axis(sorted_KT, before_KL, axis=1).astype(np.float64)
    high_KL = np.take_along_axis(sorted_KT, behind_KL, axis=1).astype(np.float64)
    return low_KL + (positions_KL - before_KL) * (high_KL - low_KL)


class Channels(keras.initializers.Initializer):
    """Which channels each kernel of each dilation reads, 1 or 0.

    Args:
        seed: of the choice; one from Python's generator by default, as Keras takes its own.
    """

    def __init__(self, seed: int | None = None):
        self.seed = random.randrange(1 << 31) if seed is None else seed

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        dilations, channels, kernels = shape
        if channels == 1:
            return ops.ones(shape, dtype=dtype)
        rng, most = np.random.default_rng(self.seed), min(channels, MOST_CHANNELS)
        reads_DCK = np.zeros(shape, dtype=np.float32)
        for number, kernel in np.ndindex(dilations, kernels):
            # Few channels are drawn as often as many: the logarithm of their number is even.
            count = min(most, int(2 ** rng.uniform(0, np.log2(most + 1))))
            reads_DCK[number, rng.choice(channels, count, replace=False), kernel] = 1
        return ops.convert_to_tensor(reads_DCK, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Return what makes another one like it."""
        return {"seed": self.seed}


def _dilations(options: Options, reads: Reads) -> list[tuple[int, int]]:
    """Return the dilations, evenly spread over the powers of two that fit into a series, with the levels of each."""
    length = reads.shape[0] or options.length or USUAL
    different = min(options.levels, MOST_DILATIONS)
    widest = max(0.0, np.log2(max(1.0, (length - 1) / (TAPS - 1))))
    sizes, times = np.unique(np.logspace(0, widest, different, base=2).astype(np.int64), return_counts=True)
    counts = times * options.levels // different
    while counts.sum() < options.levels:
        counts[: options.levels - counts.sum()] += 1
    return list(zip(sizes.tolist(), counts.tolist(), strict=True))


def _grid(channels: int) -> float:
    """Return the step of the grid on which every sum of a kernel is exact in float32."""
    largest = np.abs(patterns(0)).sum(axis=0).max() * min(channels, MOST_CHANNELS) * LARGEST
    return float(2.0 ** (np.ceil(np.log2(largest)) - BITS))
