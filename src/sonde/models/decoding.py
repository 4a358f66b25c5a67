"""Writes texts with a trained decoder: the likeliest token at each place, given those that were written before.

    engine = greedy(model, build)
    engine.predict({"inputs": ...})["tokens"]

Keys and values of tokens are computed once and kept, so that each step reads one token; looking back and copying still
grow with the length.
"""

# B batch, T time of what is written, L longest text that is written

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np

from sonde.backend.engine import Batch, Predicts
from sonde.models.attending import head_width
from sonde.models.decoder import BEGIN, END, PADDING, Sizes, memory_model, sizes_of, step_model


@dataclass(frozen=True)
class Greedy:
    """Writes by the likeliest token at each place; it ends with the text's end, or where no more places are."""

    reads: Predicts
    """The memory model; see `models.decoder.memory_model`."""
    writes: Predicts
    """The step model."""
    sizes: Sizes

    def predict(self, inputs: Batch) -> Batch:
        """Return "tokens", int32, B x T with 0 behind each text's end, and the "log_likelihood" of each text, B."""
        memory = self.reads.predict(inputs)
        count = len(memory["seen"])
        sizes, every = self.sizes, np.arange(count)
        size = head_width(sizes.width, sizes.heads)
        keys = np.zeros((count, sizes.depth, sizes.length, sizes.heads, size), np.float32)
        values, filled = np.zeros_like(keys), np.zeros((count, sizes.length), np.float32)
        token_B1 = np.full((count, 1), BEGIN, np.int32)
        tokens, total_B = [], np.zeros(count)
        running_B = np.ones(count, dtype=np.bool_)
        for place in range(sizes.length):
            place_B1 = np.full((count, 1), place, np.int32)
            own = {"token": token_B1, "place": place_B1, "filled": filled, "keys": keys, "values": values}
            told = self.writes.predict({**own, **memory})
            logits_BV = told["logits"].astype(np.float64)
            # These two stand in no text.
            logits_BV[:, [PADDING, BEGIN]] = -np.inf
            token_B = logits_BV.argmax(axis=1).astype(np.int32)
            best_B = logits_BV[every, token_B]
            total_B -= np.where(running_B, np.log(np.exp(logits_BV - best_B[:, None]).sum(axis=1)), 0.0)
            running_B &= token_B != END
            tokens.append(np.where(running_B, token_B, PADDING))
            if not running_B.any():
                break
            keys[:, :, place], values[:, :, place], filled[:, place] = told["keys"], told["values"], 1.0
            token_B1 = token_B[:, None]
        return {"tokens": np.stack(tokens, axis=1), "log_likelihood": total_B.astype(np.float32)}


def greedy(model: keras.Model, build: Callable[[keras.Model], Predicts]) -> Predicts:
    """Return what writes texts with a trained model.

    Args:
        model: with a decoder on top.
        build: makes an engine of a Keras model on the backend that is used.
    """
    return Greedy(build(memory_model(model)), build(step_model(model)), sizes_of(model))
