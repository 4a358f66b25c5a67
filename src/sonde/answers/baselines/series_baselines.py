"""What a model of series must beat: the class of the nearest training series."""

# N examples, C classes, T steps of time, F numbers

import numpy as np
from numpy.typing import NDArray

from sonde.answers.baselines.linear_classifier import subset
from sonde.data.ragged import Stored, lengths_of
from sonde.data.series import spec as series

Floats = NDArray[np.float64]

MOST_STEPS = 1_000
"""Steps that longer series are brought to before they are compared."""
MOST_NEIGHBOURS = 5_000
"""Training series that are compared with each test series; the time grows in step."""
BLOCK = 256
"""Series that are compared at a time."""


def nearest_neighbour(
    train_raw: Stored, train_truth_N: NDArray[np.int64], test_raw: Stored, classes: int, most: int
) -> Floats:
    """Answer with the class of the nearest training series, by the Euclidean distance between their values.

    What is missing is interpolated, and series of different lengths are stretched to one. How sure the answer is
    follows from how often the same answer is right on the training series themselves.

    Args:
        train_truth_N: index of the class of each.
        classes: number of classes C.
        most: training series that are compared at most.

    Returns:
        N x C probabilities.
    """
    chosen = subset(train_truth_N, min(most, MOST_NEIGHBOURS))
    truth_N = train_truth_N[chosen]
    lengths = lengths_of(train_raw)
    usual = (
        train_raw.shape[1]
        if isinstance(train_raw, np.ndarray)
        else int(np.median(lengths if lengths is not None else 1))
    )
    known_NF = flat(train_raw[chosen], min(usual, MOST_STEPS))
    asked_NF = flat(test_raw, min(usual, MOST_STEPS))
    # Distances stay what they are, and no sum of large squares swallows them.
    centre_F = known_NF.mean(axis=0, dtype=np.float64)
    known_NF, asked_NF = ((each - centre_F).astype(np.float32) for each in (known_NF, asked_NF))
    itself = _nearest(known_NF, known_NF, apart=True)
    # As if two more had been right and two wrong: nothing is certain after a few examples.
    sure = (float((truth_N[itself] == truth_N).sum()) + 2) / (len(truth_N) + 4) if len(truth_N) > 1 else 0.5
    sure = max(sure, 1.01 / classes)
    probabilities_NC = np.full((len(asked_NF), classes), (1 - sure) / max(1, classes - 1))
    probabilities_NC[np.arange(len(asked_NF)), truth_N[_nearest(asked_NF, known_NF)]] = sure
    return probabilities_NC


def flat(raw: Stored, steps: int) -> NDArray[np.float32]:
    """Return series stretched to so many steps, with what is missing interpolated, N x F."""
    filled = series.filled(raw)
    rows = [series.resampled(np.nan_to_num(filled[row]), steps).reshape(-1) for row in range(len(filled))]
    return np.stack(rows).astype(np.float32)


def _nearest(asked_NF: NDArray[np.float32], known_NF: NDArray[np.float32], *, apart: bool = False) -> NDArray[np.int64]:
    """Return the nearest of the known series for each, with `apart` another one than itself."""
    squares = (known_NF.astype(np.float64) ** 2).sum(axis=1)
    found = []
    for first in range(0, len(asked_NF), BLOCK):
        distances = squares - 2.0 * (asked_NF[first : first + BLOCK] @ known_NF.T)
        if apart:
            rows = np.arange(len(distances))
            distances[rows, first + rows] = np.inf
        found.append(distances.argmin(axis=1))
    return np.concatenate(found)
