"""Solves the linear head of a model whose features are not trained: a ridge regression on +1 and -1 for each class.

The strength of the ridge is the one of least squared error when each example in turn is left out, which has a closed
form (Golub, Heath and Wahba, 1979). What comes out is scaled, so that its softmax means what it says on examples left
out. Features are brought to deviation 1 first.
"""

# N examples, F features, C classes, A strengths

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.special import logsumexp

from sonde.models.heads import label

STRENGTHS = np.logspace(-3, 3, 10)
"""Strengths of the ridge that are tried; those of the authors of MiniRocket."""
MOST_AT_ONCE = 4_000
"""Examples up to which all strengths are tried on all of them; that takes time with the third power."""
SHARPNESS = np.logspace(-0.5, 2.5, 61)
"""Factors on the scores that are tried."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Head:
    """A solved head."""

    kernel: NDArray[np.float32]
    """F x C."""
    bias: NDArray[np.float32]
    """C."""
    strength: float
    """Of the ridge."""
    accuracy: float
    """Share of training examples that are answered rightly when left out."""

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Return the weights by their name in a model."""
        return {f"{label.NAME}/kernel": self.kernel, f"{label.NAME}/bias": self.bias}


def solve(features_NF: NDArray[np.float32], truth_N: NDArray[np.integer[Any]], classes: int, *, seed: int = 0) -> Head:
    """Solve a head for features.

    Args:
        features_NF: of the training examples.
        truth_N: class numbers.
        classes: number of classes C.
        seed: chooses the examples on which the strength is chosen, where there are more than a few thousand.
    """
    mean_F = features_NF.mean(axis=0, dtype=np.float64)
    std_F = features_NF.std(axis=0, dtype=np.float64)
    std_F[std_F < 1e-9] = 1.0
    target_NC = np.where(truth_N[:, None] == np.arange(classes), 1.0, -1.0)
    some = np.arange(len(truth_N))
    if len(some) > MOST_AT_ONCE:
        some = np.sort(np.random.default_rng(seed).permutation(len(some))[:MOST_AT_ONCE])
    # Single precision suffices for the products, which are the most of the time; what follows is solved in double.
    scaled_NF = ((features_NF[some] - mean_F) / std_F).astype(np.float32)
    dual_NC, left_out_NC, strength = _leave_one_out(scaled_NF, target_NC[some])
    offset_C = target_NC[some].mean(axis=0)
    if len(some) == len(truth_N):
        slope_FC = scaled_NF.T.astype(np.float64) @ dual_NC - scaled_NF.mean(axis=0, dtype=np.float64)[:, None] * dual_NC.sum(axis=0)
    else:
        offset_C = target_NC.mean(axis=0)
        slope_FC = _primal(features_NF, mean_F, std_F, target_NC - offset_C, strength)
    factor = _sharpness(left_out_NC, truth_N[some])
    kernel_FC = factor * slope_FC / std_F[:, None]
    bias_C = factor * offset_C - mean_F @ kernel_FC
    accuracy = float((left_out_NC.argmax(axis=1) == truth_N[some]).mean())
    return Head(kernel_FC.astype(np.float32), bias_C.astype(np.float32), strength, accuracy)


def _leave_one_out(x_NF: NDArray[np.float32], target_NC: Floats) -> tuple[Floats, Floats, float]:
    """Choose the strength; returns the solution in the examples, what each is answered when left out, the strength."""
    count = len(x_NF)
    gram_NN = (x_NF @ x_NF.T).astype(np.float64)
    means_N = gram_NN.mean(axis=0)
    gram_NN += means_N.mean() - means_N - means_N[:, None]
    centred_NC = target_NC - target_NC.mean(axis=0)
    values_N, axes_NN = linalg.eigh(gram_NN, overwrite_a=True, check_finite=False)
    values_N = np.maximum(values_N, 0.0)
    turned_NC, squares_NN = axes_NN.T @ centred_NC, axes_NN**2
    best: tuple[float, Floats, Floats, float] | None = None
    for strength in STRENGTHS.tolist():
        dual_NC = axes_NN @ (turned_NC / (values_N + strength)[:, None])
        # An example's own weight in its answer; the constant's is 1/N.
        own_N = squares_NN @ (values_N / (values_N + strength)) + 1 / count
        errors_NC = strength * dual_NC / np.maximum(1 - own_N, 1e-12)[:, None]
        error = float((errors_NC**2).mean())
        if best is None or error < best[0]:
            best = (error, dual_NC, target_NC - errors_NC, strength)
    assert best is not None
    return best[1:]


def _primal(features_NF: NDArray[np.float32], mean_F: Floats, std_F: Floats, centred_NC: Floats, strength: float) -> Floats:
    """Solve for a given strength where there are more examples than features, in pieces that fit into memory."""
    count = features_NF.shape[1]
    gram_FF, moment_FC = np.zeros((count, count), dtype=np.float32), np.zeros((count, centred_NC.shape[1]))
    for first in range(0, len(features_NF), 2048):
        x_BF = ((features_NF[first : first + 2048] - mean_F) / std_F).astype(np.float32)
        gram_FF += x_BF.T @ x_BF
        moment_FC += x_BF.T.astype(np.float64) @ centred_NC[first : first + 2048]
    whole_FF = gram_FF.astype(np.float64)
    whole_FF[np.diag_indices(count)] += strength
    return linalg.cho_solve(linalg.cho_factor(whole_FF, overwrite_a=True, check_finite=False), moment_FC)


def _sharpness(scores_NC: Floats, truth_N: NDArray[np.integer[Any]]) -> float:
    """Return the factor on scores whose softmax has the least cross-entropy."""
    rows = np.arange(len(truth_N))
    losses = [
        float((logsumexp(factor * scores_NC, axis=1) - factor * scores_NC[rows, truth_N]).mean())
        for factor in SHARPNESS.tolist()
    ]
    return float(SHARPNESS[int(np.argmin(losses))])


def assigned(model: Any, weights: Mapping[str, NDArray[Any]]) -> None:
    """Set weights of a model by their names.

    Args:
        model: a Keras model.
        weights: arrays by name.
    """
    variables = {variable.path: variable for variable in model.variables}
    for path, array in weights.items():
        variables[path].assign(array)
