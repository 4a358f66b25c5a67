"""The head that writes a text: a decoder that is taught by the true tokens, and writes alone when it predicts."""

# B batch, T time, V vocabulary

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from sonde.backend.engine import Predicts
from sonde.models.decoder import ANSWER, Sizes, likelihood_model, reading_model, taught
from sonde.models.decoding import greedy
from sonde.models.features import Features

NAME = ANSWER
"""Name of the head's last layer."""
OUTPUT = "logits"
"""Name of what it gives."""
VARYING: dict[str, tuple[int, ...]] = {"truth": (1,), "weights": (1,)}
"""Axes of what the loss reads whose size differs from batch to batch."""


def inputs(sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what it reads beside the features: the true tokens, each one place late, B x T."""
    return {"teacher": keras.Input((None,), dtype="int32", name="teacher")}


def outputs(features: Features, sizes: Mapping[str, Any]) -> dict[str, Any]:
    """Add a decoder that gives logits, B x T x V, in float32 also under a bf16 policy.

    Args:
        features: the steps, and the teacher beside them, are read.
        sizes: outputs, depth, heads, length and dropout of `models.decoder.Sizes`; the width is that of the steps.

    Raises:
        ValueError: a size is missing or out of range.
    """
    assert features.steps is not None, "its row in HEADS needs them"
    width = int(features.steps.x_BTD.shape[-1])
    return {"logits": taught(features.steps, features.beside["teacher"], Sizes.of(sizes, width))}


def loss(options: Mapping[str, Any]) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Any]:
    """Return the weighted sum of the cross-entropies of logits (B x T x V) against tokens (B x T).

    What stands behind the end of a text has the weight 0.

    Args:
        options: as far as it is given,
            label_smoothing: share of the truth that is spread over all tokens (Szegedy et al., 2016).
    """
    label_smoothing = options.get("label_smoothing", 0.0)

    def cross_entropy(outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> Any:
        log_probabilities_BTV = ops.log_softmax(outputs["logits"], axis=-1)
        size = outputs["logits"].shape[-1]
        truth_BTV = ops.one_hot(batch["truth"], size, dtype="float32")
        each_BT = -ops.sum(truth_BTV * log_probabilities_BTV, axis=-1)
        if label_smoothing:
            spread_BT = -ops.mean(log_probabilities_BTV, axis=-1)
            each_BT = (1.0 - label_smoothing) * each_BT + label_smoothing * spread_BT
        return ops.sum(batch["weights"] * each_BT)

    return cross_entropy


def scores(outputs: Mapping[str, Any], batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the share of tokens that are the likeliest, given the true ones before them."""
    given_BT = ops.cast(ops.argmax(outputs["logits"], axis=-1), "int32")
    right_BT = ops.cast(ops.equal(given_BT, ops.cast(batch["truth"], "int32")), "float32")
    real_BT = ops.cast(ops.greater(batch["weights"], 0.0), "float32")
    return {"next_token_accuracy": ops.sum(right_BT * real_BT) / ops.maximum(ops.sum(real_BT), 1.0)}


def explained(model: keras.Model, written: Sequence[int]) -> keras.Model:
    """Return what an explanation differentiates: the log-likelihood of a written text, from the example alone."""
    return likelihood_model(model, written)


def reading(model: keras.Model) -> keras.Model:
    """Return the part of a model that reads, where attention shows which parts of an example it looks at."""
    return reading_model(model)


def predicting(model: keras.Model, build: Callable[[keras.Model], Predicts]) -> Predicts:
    """Return what writes texts with a trained model; nobody teaches it then.

    Args:
        build: makes an engine of a Keras model on the backend that is used.
    """
    return greedy(model, build)
