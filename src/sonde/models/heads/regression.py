"""The head for a number: one output for it, or one for each of its quantiles, with the losses of both."""

# B batch, Q quantiles

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from sonde.models.features import Features

NAME = "answer"
"""Name of the head's layer."""
OUTPUT = "numbers"
"""Name of what it gives."""

VARYING: dict[str, tuple[int, ...]] = {}
"""Axes of what the loss reads whose size differs from batch to batch."""


def outputs(features: Features, sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Add a dense layer that gives the standardised number, in float32 also under a bf16 policy.

    It begins at 0, which is the mean of the training targets: the first steps then learn what differs between examples.

    Args:
        sizes: "outputs" is the number of quantiles, 1 where the number itself is asked.
    """
    dense = keras.layers.Dense(sizes["outputs"], name=NAME, dtype="float32", kernel_initializer="zeros")
    return {OUTPUT: dense(features.vector)}


def loss(options: Mapping[str, Any]) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Any]:
    """Return the weighted sum of the losses of numbers (B x Q) against standardised truths (B).

    Args:
        options: as far as they are given,
            quantiles: shares, Q; the loss is then the pinball loss, its mean over them (Koenker & Bassett, 1978);
            huber: distance in standard deviations from which on an error counts linearly (Huber, 1964).
            Without either it is the squared error.
    """
    quantiles, huber = tuple(options.get("quantiles", ())), float(options.get("huber", 0.0))

    def of_numbers(outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> Any:
        numbers_BQ = outputs[OUTPUT]
        under_BQ = ops.cast(batch["truth"], "float32")[:, None] - numbers_BQ
        if quantiles:
            share_Q = ops.convert_to_tensor(np.asarray(quantiles, np.float32))
            each_BQ = ops.maximum(share_Q * under_BQ, (share_Q - 1.0) * under_BQ)
        elif huber:
            distance_BQ = ops.abs(under_BQ)
            # Twice Huber's own, so that small errors count as the squared error does.
            inside_BQ = ops.minimum(distance_BQ, huber)
            each_BQ = inside_BQ * inside_BQ + 2.0 * huber * (distance_BQ - inside_BQ)
        else:
            each_BQ = ops.square(under_BQ)
        return ops.sum(batch["weights"] * ops.mean(each_BQ, axis=-1))

    return of_numbers


def scores(outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the explained share of the training targets' variance, which is 1 here; of quantiles by the middle one."""
    numbers_BQ = outputs[OUTPUT]
    middle_B = numbers_BQ[:, numbers_BQ.shape[-1] // 2]
    return {"r2": 1.0 - ops.mean(ops.square(ops.cast(batch["truth"], "float32") - middle_B))}


def solve_targets(truth_N2: NDArray[Any], outputs: int) -> NDArray[np.float64]:
    """Return the standardised truths, N x 1; see `answers.regression.target` for what stands beside them."""
    return np.asarray(truth_N2, np.float64)[:, :1]


def sharpness(scores_N1: NDArray[np.float64], truth_N2: NDArray[Any]) -> float:
    """Return 1: what a ridge regression gives for a number is that number."""
    return 1.0
