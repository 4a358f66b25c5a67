"""Writing texts: kept keys and values change nothing, nor does who else is in the batch, on three backends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from each_backend import marked
from models import decoding_worker
from sonde import backend
from sonde.answers.generation import target
from sonde.models import decoding
from sonde.models.decoder import Sizes

ALONE = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}


def measured_alone(name: str) -> dict[str, list[list[int]]]:
    """Return what the worker says in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"} | ALONE
    command = [sys.executable, str(Path(decoding_worker.__file__)), name]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[-2000:]
    told: dict[str, list[list[int]]] = json.loads(found.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("name", marked())
def test_what_is_kept_of_the_tokens_before_changes_no_token(name: str) -> None:
    if not backend.is_installed(name):
        pytest.skip(f"{name} is not installed")
    told = decoding_worker.measure() if name == backend.in_use() else measured_alone(name)
    assert told["kept"] == told["anew"] == told["one by one"]
    for as_written, as_explained in told["likelihoods"]:
        assert as_explained == pytest.approx(as_written, abs=1e-4)
    # Else the test would hold of any decoder that writes one thing.
    assert len({tuple(row) for row in told["kept"]}) > 1


def test_padding_of_the_sources_changes_no_token() -> None:
    engine = decoding.greedy(*decoding_worker.parts())
    inputs = decoding_worker.sources()
    wider = np.pad(inputs, ((0, 0), (0, 8)))
    assert decoding_worker.written(engine, inputs) == decoding_worker.written(engine, wider)


def test_the_likelihood_of_a_text_is_the_product_of_its_tokens() -> None:
    model, build = decoding_worker.parts()
    inputs = decoding_worker.sources()
    told = decoding.greedy(model, build).predict({"inputs": inputs})
    tokens = np.asarray(told["tokens"])
    teacher = np.concatenate([np.full((len(tokens), 1), decoding.BEGIN), tokens[:, :-1]], axis=1).astype(np.int32)
    logits = build(model).predict({"inputs": inputs, "teacher": teacher})["logits"].astype(np.float64)
    logits[:, :, [decoding.PADDING, decoding.BEGIN]] = -np.inf
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    shares /= shares.sum(-1, keepdims=True)
    for row in range(len(tokens)):
        length = int((tokens[row] != decoding.PADDING).sum())
        true = [*tokens[row, :length].tolist(), *([decoding.END] if length < tokens.shape[1] else [])]
        expected = sum(np.log(shares[row, place, token]) for place, token in enumerate(true))
        # Float32 logits of two ways to the same numbers.
        assert told["log_likelihood"][row] == pytest.approx(expected, abs=1e-4)


def test_both_rooms_mean_the_same_by_the_three_special_tokens() -> None:
    assert (decoding.PADDING, decoding.BEGIN, decoding.END) == (target.PADDING, target.BEGIN, target.END)


@pytest.mark.parametrize(
    "wrong", [{"depth": 0}, {"heads": "2"}, {"length": 10**9}, {"dropout": 1.0}, {"outputs": True}]
)
def test_sizes_of_anybodys_folder_are_bounded(wrong: dict[str, object]) -> None:
    sizes = {"outputs": 30, "depth": 2, "heads": 2, "length": 8, "dropout": 0.1}
    assert Sizes.of(sizes, 16).depth == 2
    with pytest.raises(ValueError, match=f"The decoder's {next(iter(wrong))} is no"):
        Sizes.of({**sizes, **wrong}, 16)
