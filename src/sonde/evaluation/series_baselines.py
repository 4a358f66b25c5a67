"""What a model of series must beat: the nearest training series, and MiniRocket, the strong cheap classifier."""

# N examples, C classes, T steps of time, F numbers

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import backend
from sonde.backend import Predicts, batches_of, joined, predictions
from sonde.config import fill, guessed
from sonde.data import series
from sonde.data.ragged import Stored, lengths_of
from sonde.evaluation.linear import subset

Floats = NDArray[np.float64]

MOST_STEPS = 1_000
"""Steps that longer series are brought to before they are compared."""
MOST_NEIGHBOURS = 5_000
"""Training series that are compared with each test series; the time grows in step."""
MOST_SOLVED = 2_000
"""Training series that MiniRocket reads as a baseline."""
BLOCK = 256
"""Series that are compared at a time."""


def nearest_neighbour(
    train_raw: Stored, train_truth_N: NDArray[np.int64], test_raw: Stored, classes: int, most: int
) -> Floats:
    """Answer with the class of the nearest training series, by the Euclidean distance between their values.

    What is missing is interpolated, and series of different lengths are stretched to one. How sure the answer is
    follows from how often the same answer is right on the training series themselves.

    Args:
        train_raw: training series.
        train_truth_N: index of the class of each.
        test_raw: test series.
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
    known_NF = _flat(train_raw[chosen], min(usual, MOST_STEPS))
    asked_NF = _flat(test_raw, min(usual, MOST_STEPS))
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


def minirocket(
    train_raw: Stored, train_truth_N: NDArray[np.int64], test_raw: Stored, classes: int, most: int
) -> Floats:
    """Train a MiniRocket of the usual size (Dempster et al., 2021), on the backend that is in use.

    Args:
        train_raw: training series.
        train_truth_N: index of the class of each.
        test_raw: test series.
        classes: number of classes C.
        most: training series that it reads at most.

    Returns:
        N x C probabilities.
    """
    spec = series.learn_spec(train_raw, series.Options(), differs=not isinstance(train_raw, np.ndarray))
    chosen = subset(train_truth_N, min(most, MOST_SOLVED))
    engine = _engine(spec, spec.encode(train_raw[chosen]), train_truth_N[chosen], classes)
    found = joined(predictions(engine, batches_of(spec.encode(test_raw), spec.prepare)))
    logits_NC = found["logits"].astype(np.float64)
    odds_NC = np.exp(logits_NC - logits_NC.max(axis=1, keepdims=True))
    return odds_NC / odds_NC.sum(axis=1, keepdims=True)


def _engine(spec: series.SeriesSpec, inputs: Stored, truth_N: NDArray[np.int64], classes: int) -> Predicts:
    from sonde.models import options_of
    from sonde.models.assemble import Blueprint, rebuild
    from sonde.models.predicting import predicting_engine
    from sonde.models.reads import reads_of
    from sonde.models.solving import Solvable, solved_weights

    module = backend.use(backend.in_use() or next(name for name in backend.BACKENDS if backend.is_installed(name)))
    options: Any = fill(options_of("minirocket"), "model", guessed("model.length", int(spec.longest), "the longest"))
    blueprint = Blueprint("minirocket", "label", reads_of(spec), classes, options)
    weights = solved_weights(blueprint, module, Solvable(inputs, spec.prepare, truth_N), seed=0)
    return predicting_engine(module, rebuild(blueprint, weights), "label")


def _flat(raw: Stored, steps: int) -> NDArray[np.float32]:
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
