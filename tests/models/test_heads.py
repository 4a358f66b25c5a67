"""The heads: losses as their closed forms say, on three backends, and slopes that stay finite."""

# N examples, C classes

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.metrics import f1_score, log_loss

import each_backend
from models import heads_worker
from sonde import backend
from sonde.data.target import equal_weights
from sonde.models.heads import head as head_of

WORKER = Path(heads_worker.__file__)
ALONE = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
CLOSE = 2e-6
"""Some twenty float32 operations, each right to 6e-8."""

Floats = NDArray[np.float64]


def of_label(smoothing: float, focus: float = 0.0, weights: Any = (), shifts: Any = ()) -> float:
    """Return the loss of one label as its papers write it, in float64."""
    logits, numbers, _ = heads_worker.examples()
    shifted = logits.astype(np.float64) + (np.asarray(shifts) if len(shifts) else 0.0)
    truth = np.eye(3)[numbers]
    target = truth * (1 - smoothing) + smoothing / 3
    if focus:
        target = target * np.maximum(1 - softmax(shifted, axis=1), 1e-6) ** focus
    each = -(target * log_softmax(shifted, axis=1)).sum(axis=1)
    return float((each * (np.asarray(weights)[numbers] if len(weights) else 1.0)).mean())


def of_labels(smoothing: float, focus: float = 0.0, weights: Any = (), shifts: Any = ()) -> float:
    """Return the loss of several labels as its papers write it, in float64."""
    logits, _, table = heads_worker.examples()
    shifted = logits.astype(np.float64) + (np.asarray(shifts) if len(shifts) else 0.0)
    yes = table * (1 - smoothing) + smoothing / 2
    no = 1 - yes
    if focus:
        yes, no = yes * np.maximum(expit(-shifted), 1e-6) ** focus, no * np.maximum(expit(shifted), 1e-6) ** focus
    each = -(yes * log_expit(shifted) + no * log_expit(-shifted))
    return float((each * (np.where(table, np.asarray(weights), 1.0) if len(weights) else 1.0)).mean())


def expected() -> dict[str, float]:
    """Return what every loss of the worker has to be."""
    closed = {"classification": of_label, "multilabel": of_labels}
    return {
        f"{answer} {case} {smoothing}": closed[answer](smoothing, **options)
        for answer in closed
        for case, options in heads_worker.CASES.items()
        for smoothing in heads_worker.SMOOTHINGS
    }


def measured_alone(name: str) -> dict[str, float]:
    """Return what the worker says in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"} | ALONE
    found = subprocess.run(
        [sys.executable, str(WORKER), name], env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr[-2000:]
    told: dict[str, float] = json.loads(found.stdout.splitlines()[-1])
    return told


def tensors(truth: NDArray[Any]) -> dict[str, torch.Tensor]:
    return {"truth": torch.tensor(truth), "weights": torch.tensor(equal_weights(*truth.shape))}


@pytest.mark.parametrize("name", each_backend.marked())
def test_every_loss_is_its_closed_form(name: str) -> None:
    if not backend.is_installed(name):
        pytest.skip(f"{name} is not installed")
    told = heads_worker.measure() if name == backend.in_use() else measured_alone(name)
    scores = {key: told.pop(key) for key in ("classification score", "multilabel score")}
    assert told == pytest.approx(expected(), rel=CLOSE, abs=CLOSE)
    logits, numbers, table = heads_worker.examples()
    assert scores["classification score"] == pytest.approx((logits.argmax(axis=1) == numbers).mean())
    assert scores["multilabel score"] == pytest.approx(f1_score(table, logits >= 0, average="micro"))


def test_the_plain_losses_are_what_scikit_learn_says() -> None:
    # Without the first example, whose doubt scikit-learn rounds up to 2e-16.
    logits, numbers, table = (each[1:] for each in heads_worker.examples())
    wide, outputs = logits.astype(np.float64), torch.tensor(logits)
    found = [
        head_of("classification").loss({})({"logits": outputs}, tensors(numbers)),
        head_of("multilabel").loss({})({"logits": outputs}, tensors(table)),
    ]
    expected_losses = [
        log_loss(numbers, softmax(wide, axis=1), labels=[0, 1, 2]),
        log_loss(table.ravel(), expit(wide).ravel()),
    ]
    assert [float(each) for each in found] == pytest.approx(expected_losses, rel=CLOSE)


@pytest.mark.parametrize("answer", ["classification", "multilabel"])
@pytest.mark.parametrize("case", list(heads_worker.CASES))
def test_the_slope_is_finite_also_where_an_example_is_beyond_doubt(answer: str, case: str) -> None:
    logits, numbers, table = heads_worker.examples()
    outputs = torch.tensor(logits, requires_grad=True)
    batch = tensors(numbers if answer == "classification" else table)
    loss = head_of(answer).loss({"label_smoothing": 0.05, **heads_worker.CASES[case]})
    (slope,) = torch.autograd.grad(loss({"logits": outputs}, batch), [outputs])
    assert torch.isfinite(slope).all() and bool(slope.abs().max() > 0)


@pytest.mark.parametrize("answer", ["classification", "multilabel"])
def test_the_parts_of_a_batch_add_up_to_its_loss(answer: str) -> None:
    logits, numbers, table = heads_worker.examples()
    batch = tensors(numbers if answer == "classification" else table)
    loss = head_of(answer).loss({"label_smoothing": 0.1, **heads_worker.CASES["all"]})
    whole = loss({"logits": torch.tensor(logits)}, batch)
    parts = [
        loss({"logits": torch.tensor(logits[rows])}, {name: each[rows] for name, each in batch.items()})
        for rows in (slice(0, 3), slice(3, 8))
    ]
    assert float(whole) == pytest.approx(float(sum(parts)), rel=CLOSE)


def test_nothing_true_and_nothing_given_is_all_right() -> None:
    none = torch.zeros(3, 2)
    for logits, expected_score in ((none - 1.0, 1.0), (none + 1.0, 0.0)):
        assert float(head_of("multilabel").scores({"logits": logits}, {"truth": none})["f1_micro"]) == expected_score
