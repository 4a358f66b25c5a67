"""Writes texts on one backend with and without kept keys and values, and prints them: decoding_worker.py BACKEND."""

import json
import sys
from typing import Any

import numpy as np

from sonde import backend

LENGTH = 8
"""Places of the decoder."""


def sources() -> np.ndarray:
    """Return texts of five lengths, filled up with 0."""
    inputs = np.random.default_rng(0).integers(2, 14, (5, 8)).astype(np.int32)
    for row, length in enumerate((8, 5, 2, 7, 1)):
        inputs[row, length:] = 0
    return inputs


def parts(model: str = "transformer") -> tuple[Any, Any]:
    """Return a fresh Keras model with a decoder, and what builds engines on the backend of this process."""
    from sonde.backend import EngineSettings
    from sonde.models import options_of
    from sonde.models.assemble import Blueprint, build
    from sonde.models.heads import head
    from sonde.models.reads import Reads

    name = backend.in_use()
    assert name is not None
    module, file = backend.use(name), head("generation")
    options = options_of(model)(width=16, depth=1, heads=2)
    sizes = {"depth": 2, "heads": 2, "length": LENGTH, "dropout": 0.1}
    made = build(Blueprint(model, "generation", Reads((None,), "int32", (14,), False), 30, options, sizes), seed=3)
    settings = EngineSettings(optimizer="sgd", momentum=0.0)
    return made, lambda part: module.build(part, file.loss({}), file.scores, settings, varying=file.VARYING)


def written(engine: Any, inputs: np.ndarray) -> list[list[int]]:
    """Return the texts that a decoder writes, each filled up with 0 to all places."""
    tokens = engine.predict({"inputs": inputs})["tokens"]
    return np.pad(tokens, ((0, 0), (0, LENGTH - tokens.shape[1]))).tolist()


def written_anew(model: Any, build: Any, inputs: np.ndarray) -> list[list[int]]:
    """Return the same from the whole model: all tokens are looked at again for each place."""
    from sonde.models.decoding import BEGIN, END, PADDING

    whole = build(model)
    teacher = np.zeros((len(inputs), LENGTH), np.int32)
    teacher[:, 0] = BEGIN
    tokens = np.zeros_like(teacher)
    for place in range(LENGTH):
        logits = whole.predict({"inputs": inputs, "teacher": teacher})["logits"][:, place].copy()
        logits[:, [PADDING, BEGIN]] = -np.inf
        tokens[:, place] = logits.argmax(axis=1)
        teacher[:, place + 1 : place + 2] = tokens[:, place : place + 1]
    ended = np.cumsum(tokens == END, axis=1) > 0
    return np.where(ended, PADDING, tokens).tolist()


def likelihoods(model: Any, build: Any, inputs: np.ndarray) -> list[list[float]]:
    """Return the log-likelihood of what is written for each example: as the writer and as an explanation has it."""
    from sonde.models.decoding import END, PADDING, greedy
    from sonde.models.heads import head

    told = greedy(model, build).predict({"inputs": inputs})
    found = []
    for row, tokens in enumerate(np.asarray(told["tokens"])):
        length = int((tokens != PADDING).sum())
        text = (*tokens[:length].tolist(), *([END] if length < LENGTH else []))
        alone = build(head("generation").explained(model, text)).predict({"inputs": inputs[row : row + 1]})
        found.append([float(told["log_likelihood"][row]), float(alone["logits"][0, 0])])
    return found


def measure() -> dict[str, Any]:
    """Return texts written with and without what is kept, all at once and one by one, and their likelihoods."""
    from sonde.models.decoding import greedy

    model, build = parts()
    inputs, engine = sources(), greedy(model, build)
    return {
        "kept": written(engine, inputs),
        "anew": written_anew(model, build, inputs),
        "likelihoods": likelihoods(model, build, inputs),
        "one by one": [row for each in range(len(inputs)) for row in written(engine, inputs[each : each + 1])],
    }


if __name__ == "__main__":
    backend.use(sys.argv[1]).start(threads=1)
    print(json.dumps(measure()))
