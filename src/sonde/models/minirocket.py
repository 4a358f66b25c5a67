"""MiniRocket (Dempster, Schmidt and Webb, 2021, arXiv 2012.08791): fixed kernels, counted answers, and a linear head.

The 84 kernels of nine steps hold three times 2 and six times -1. Each is laid over the series at several dilations, and
what the head reads is the share of steps at which the answer stands above levels that were taken from training series.
Nothing but the head is learned; a ridge head is solved at once, without steps.

What the kernels read is rounded to a grid of powers of two, so fine that every sum of a kernel is exact: the same on
every backend and processor, in any batch and behind any padding. Otherwise the flat parts of a series, where a kernel's
answer is zero but for rounding, would fall on either side of a level by chance.
"""

# N examples, B batch, T time, C channels, K kernels, L levels

import random
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Annotated, Any, Literal

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray
from pydantic import Field

from sonde.backend.proportions import Proportions
from sonde.config import Options as _Options
from sonde.models.reads import Reads
from sonde.models.sequences import as_sequence

TAPS = 9
KERNELS = np.array([[2.0 if tap in chosen else -1.0 for tap in range(TAPS)] for chosen in combinations(range(TAPS), 3)])
"""84 x 9."""
MOST_DILATIONS = 32
MOST_CHANNELS = 9
"""Channels that one kernel reads together, at most; as many as its taps, as in the authors' code."""
LARGEST = 32.0
"""Values beyond it, in deviations of the training data, are cut; a power of two."""
BITS = 24
"""Of a float32's mantissa: sums below two to this many steps of the grid are exact."""
GOLDEN = (5**0.5 + 1) / 2
USUAL = 64
"""Steps that dilations are spread over where nothing is known of the length."""


class Options(_Options):
    """Fixed kernels at several dilations, their shares of steps above levels, and a linear head."""

    levels: Annotated[int, Field(ge=1, le=10_000)] = 119
    """Levels of each of the 84 kernels over all dilations, and so features; time and memory grow in step."""

    length: Annotated[float, Field(ge=0.0, le=1e6)] = 0.0
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


def features(inputs: Any, options: Options, reads: Reads) -> Any:
    """Return the features of a batch of series.

    Args:
        inputs: symbolic tensor, batch x time x channels, the last of which may tell padding.
        options: number of levels, and the length where it varies.
        reads: what the inputs are.
    """
    if reads.modality != "sequence":
        raise ValueError("It reads series: steps x channels.")
    sequence = as_sequence(inputs, reads, 1)
    x_BTC, present_BT = sequence.x_BTD, sequence.present_BT
    channels = x_BTC.shape[-1]
    step = _grid(channels)
    # The bounds come first, so that nothing is infinite.
    x_BTC = ops.round(ops.clip(x_BTC, -LARGEST, LARGEST) * (1 / step)) * step
    found = []
    for number, (dilation, count) in enumerate(_dilations(options, reads), 1):
        answers = layers.Conv1D(
            len(KERNELS), TAPS, dilation_rate=dilation, padding="same", use_bias=False, dtype="float32",
            kernel_initializer=Patterns(number), name=f"kernels_{number}",
        )  # fmt: skip
        x_BTK = answers(x_BTC)
        answers.trainable = False
        shares = Proportions(count, dilation * (TAPS // 2), name=f"shares_{number}")
        found.append(shares(x_BTK if present_BT is None else [x_BTK, ops.cast(present_BT, "float32")]))
    return layers.Concatenate(name="features")(found) if len(found) > 1 else found[0]


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
        reads: what the inputs are.
        seed: chooses the series.
    """
    rng = np.random.default_rng([seed, len(KERNELS)])
    step = _grid(series[0].shape[1])
    levels, place = {}, 0
    for number, (dilation, count) in enumerate(_dilations(options, reads), 1):
        patterns_TCK = weights[f"kernels_{number}/kernel"].astype(np.float64)
        reach, kernels = dilation * (TAPS // 2), len(KERNELS)
        found_LK = np.empty((count, kernels), dtype=np.float32)
        for kernel in range(kernels):
            x_TC = np.round(np.clip(series[int(rng.integers(len(series)))], -LARGEST, LARGEST) / step) * step
            wide_TC = np.pad(x_TC, ((reach, reach), (0, 0)))
            answers_T = np.zeros(len(x_TC))
            for tap in range(TAPS):
                answers_T += wide_TC[tap * dilation : tap * dilation + len(x_TC)] @ patterns_TCK[tap, :, kernel]
            inner = kernel >= kernels // 2 and len(x_TC) > 2 * reach
            answers_T = answers_T[reach : len(x_TC) - reach] if inner else answers_T
            # Even steps around the circle of the golden ratio: any run of them is spread evenly over 0 to 1.
            places = np.arange(place + 1, place + count + 1) * GOLDEN % 1 * (len(answers_T) - 1)
            # `np.quantile` takes longer to begin than this to end.
            found_LK[:, kernel] = np.interp(places, np.arange(len(answers_T)), np.sort(answers_T))
            place += count
        levels[f"shares_{number}/level"] = found_LK
    return levels


class Patterns(keras.initializers.Initializer):
    """The 84 kernels, each over channels that are drawn for it.

    The kernels that read beyond the ends of a series come first; which ones these are alternates with the dilation.

    Args:
        number: of the dilation, from 1.
        seed: of the choice of channels; one from Python's generator by default, as Keras takes its own.
    """

    def __init__(self, number: int, seed: int | None = None):
        self.number = number
        self.seed = random.randrange(1 << 31) if seed is None else seed

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        taps, channels, kernels = shape
        rng = np.random.default_rng([self.seed, self.number])
        order = np.concatenate([np.arange(kernels)[self.number % 2 :: 2], np.arange(kernels)[1 - self.number % 2 :: 2]])
        patterns_TCK = np.zeros((taps, channels, kernels), dtype=np.float32)
        for place, kernel in enumerate(order):
            most = min(channels, MOST_CHANNELS)
            # Few channels are drawn as often as many: the logarithm of their number is even.
            count = min(most, int(2 ** rng.uniform(0, np.log2(most + 1))))
            patterns_TCK[:, rng.choice(channels, count, replace=False), place] = KERNELS[kernel][:, None]
        return ops.convert_to_tensor(patterns_TCK, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """Return what makes another one like it."""
        return {"number": self.number, "seed": self.seed}


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
    largest = np.abs(KERNELS).sum(axis=1).max() * min(channels, MOST_CHANNELS) * LARGEST
    return float(2.0 ** (np.ceil(np.log2(largest)) - BITS))
