"""Three backends, one answer: every model on each of them, in a process of its own, and what an engine promises there.

The processes are started once for all tests; what they do is in `parity_worker` and `engine_checks`. A test is marked
with the backend that it needs, and a backend that no selected test needs is not started.
"""

import importlib.util
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import each_backend
from batching import logits_of
from contracts import parity, parity_worker
from sharing import once
from sonde import backend
from sonde.errors import BackendError
from sonde.models import MODELS

BACKENDS, OTHERS = each_backend.marked(), each_backend.marked(parity.OTHERS)
CASES = list(parity_worker.CASES)

ROUNDING = 1e-5
"""Sums of a few hundred float32 products in another order: 6e-8 for each, some hundred times that at most."""


@pytest.fixture(scope="session")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a process for torch, and one for each other backend that a selected test needs."""
    wanted = each_backend.needed(request.session)
    others = [name for name in parity.OTHERS if name in wanted]
    parts = ("parity", "exchange", "engine")
    return once(tmp_path_factory, "backends", lambda place: parity.run(place, parts, others))


@cache
def engine(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name / "engine.json").read_text())
    return found


def test_every_model_is_compared() -> None:
    assert {parity_worker.split(model)[0] for model, _ in parity_worker.CASES.values()} == set(MODELS)
    assert {parity.REFERENCE, *parity.OTHERS} == set(backend.BACKENDS)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("case", CASES)
def test_a_model_is_the_same_on_another_backend(case: str, other: str, folder: Path) -> None:
    found = parity.difference(folder, case, other)
    # The promise is 1e-4 and 1e-3; what is measured is a hundredth of it. Statistics are means of a batch.
    limits = {"outputs": 1e-4, "gradients": 1e-3, "statistics": ROUNDING}
    # Each step multiplies the rounding of the one before by one plus the learning rate (0.02) times a curvature of
    # some tens, so ten steps keep it far below a ten-thousandth, which any other update or statistic would pass.
    limits |= {"losses": 1e-4, "trained_outputs": 1e-4}
    assert {key: gap for key, gap in asdict(found).items() if key in limits and gap > limits[key]} == {}


@pytest.mark.parametrize("case", CASES)
def test_the_ten_steps_that_are_compared_learn_something(case: str, folder: Path) -> None:
    arrays = parity.arrays(folder / parity.REFERENCE / f"{case}.npz")
    losses = arrays["losses"]
    assert np.isfinite(losses).all() and losses[-3:].mean() < losses[:3].mean() and np.ptp(losses) > 0.01
    assert parity.relative(arrays["outputs"], arrays["trained_outputs"]) > 0.01
    gradients = [key for key in arrays if key.startswith("gradient/")]
    assert gradients and all(arrays[key].any() for key in gradients)


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("case", CASES)
def test_the_batch_score_counts_the_right_guesses_on_each_backend(case: str, name: str, folder: Path) -> None:
    scores = [parity.arrays(folder / each / f"{case}.npz")["scores"] for each in (parity.REFERENCE, name)]
    # Far below one of a batch's 8 classes or 1,152 pixels; as a sum of weights a share of pixels is rounded.
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("other", OTHERS)
def test_a_model_trained_on_torch_predicts_on_another_backend(case: str, other: str, folder: Path) -> None:
    own = parity.arrays(folder / "torch" / f"{case}.npz")["trained_outputs"]
    assert parity.relative(own, parity.arrays(folder / other / "exchange.npz")[case]) < 1e-4


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("other", OTHERS)
def test_a_model_trained_on_another_backend_predicts_on_torch(case: str, other: str, folder: Path) -> None:
    backend.use("torch").start(threads=1)
    own = parity.arrays(folder / other / f"{case}.npz")["trained_outputs"]
    engine = parity_worker.engine_from("torch", folder / other / case, parity_worker.EngineSettings())
    inputs, _ = parity_worker.examples(key=parity_worker.key_of(case))
    assert parity.relative(own, logits_of(engine, inputs)) < 1e-4


@pytest.mark.parametrize("name", BACKENDS)
def test_a_seed_decides_the_first_weights_on_each_backend(name: str, folder: Path) -> None:
    found = engine(folder, name)
    assert found["changed_by_building_again"] == []
    assert found["changed_by_another_seed"] == ["answer/kernel"]
    assert found["python_random_untouched"]


@pytest.mark.parametrize("name", BACKENDS)
def test_a_state_is_read_and_written_bit_for_bit(name: str, folder: Path) -> None:
    assert engine(folder, name)["changed_by_reading_and_writing"] == []


@pytest.mark.parametrize("name", BACKENDS)
def test_equal_states_take_equal_steps_bit_for_bit(name: str, folder: Path) -> None:
    found = engine(folder, name)
    first, again, anew = found["losses_in_turn"]
    assert first == again == anew and len(set(first)) == len(first)
    assert found["changed_by_going_back"] == []
    assert found["changed_by_a_fresh_engine"] == []


@pytest.mark.parametrize("name", BACKENDS)
def test_outputs_do_not_depend_on_the_batch_size(name: str, folder: Path) -> None:
    assert engine(folder, name)["batch_size_error"] < 1e-6


@pytest.mark.parametrize("name", BACKENDS)
def test_the_parts_of_a_batch_add_up_whatever_their_size_and_weight(name: str, folder: Path) -> None:
    found = engine(folder, name)
    assert found["token_gap"] < 1e-6 < 0.05 < found["token_moves"]
    for losses in found["token_losses"].values():
        assert losses == pytest.approx(found["token_losses"]["1"], rel=1e-6)
    for scores in found["token_scores"].values():
        assert scores == pytest.approx(found["token_scores"]["1"], rel=1e-6)


@pytest.mark.parametrize("name", BACKENDS)
def test_outputs_are_as_long_as_the_inputs_that_vary(name: str, folder: Path) -> None:
    found = engine(folder, name)
    assert found["token_shapes"] == [[7, 5, 4], [2, 3, 4]] and found["token_alone_gap"] < 1e-6


@pytest.mark.parametrize("name", BACKENDS)
def test_the_input_gradient_is_the_slope_of_the_loss(name: str, folder: Path) -> None:
    # The difference quotient itself is good to about 1e-4; see `engine_checks.input_gradient_error`.
    assert engine(folder, name)["input_gradient_error"] < 1e-3


@pytest.mark.parametrize("name", BACKENDS)
def test_the_loss_and_the_score_are_those_of_the_outputs_before_the_step(name: str, folder: Path) -> None:
    found = engine(folder, name)
    loss, truth = found["loss_and_numpys"]
    assert loss == pytest.approx(truth, rel=1e-6)
    score, truth = found["score_and_numpys"]
    assert score == truth
    recorded, truth = found["recorded_loss_and_numpys"]
    assert recorded == pytest.approx(truth, rel=1e-6) and abs(recorded - loss) > 1e-3
    assert found["changed_by_recording_another_loss"] == []


@pytest.mark.parametrize("name", BACKENDS)
def test_the_learning_rate_is_heeded_at_each_step(name: str, folder: Path) -> None:
    found = engine(folder, name)
    assert found["move"] > 0.01
    assert found["doubled_rate_error"] < ROUNDING
    assert found["move_at_rate_zero"] == 0.0
    assert found["changed_by_rate_zero"] == []


@pytest.mark.parametrize("name", BACKENDS)
def test_gradients_are_cut_to_the_norm_that_was_asked_for(name: str, folder: Path) -> None:
    moved, bound = engine(folder, name)["clipped_norm_and_bound"]
    assert moved == pytest.approx(bound, rel=ROUNDING)


@pytest.mark.parametrize("name", BACKENDS)
def test_the_average_of_the_weights_is_theirs_over_the_steps(name: str, folder: Path) -> None:
    found = engine(folder, name)
    assert found["average_error"] < 1e-6 < 1e-3 < found["average_moves"]
    assert found["average_of_statistics_moves"] > 1e-3


@pytest.mark.parametrize("name", BACKENDS)
def test_dropout_draws_anew_at_each_step(name: str, folder: Path) -> None:
    first, second = engine(folder, name)["losses_of_two_draws_of_dropout"]
    assert first != second


@pytest.mark.parametrize("name", BACKENDS)
def test_bf16_trains_with_a_finite_loss_and_keeps_float32_weights(name: str, folder: Path) -> None:
    found = engine(folder, name)
    assert np.isfinite(found["bf16_losses"]).all() and len(set(found["bf16_losses"])) == 3
    assert found["bf16_types"] == ["float32"]


@pytest.mark.parametrize("name", BACKENDS)
def test_a_model_trained_in_bf16_predicts_in_fp32(name: str, folder: Path) -> None:
    backend.use("torch").start(threads=1)
    own = parity.arrays(folder / name / "bf16.npz")["outputs"]
    again = parity_worker.engine_from("torch", folder / name / "bf16", parity_worker.EngineSettings())
    # bf16 keeps 8 bits: 0.4 % for each of a few operations.
    assert parity.relative(logits_of(again, parity_worker.examples()[0]), own) < 0.03


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "lion", "muon"])
def test_an_optimizer_takes_the_same_steps_on_another_backend(optimizer: str, other: str, folder: Path) -> None:
    assert engine(folder, other)["optimizers"] == engine(folder, "torch")["optimizers"]
    ours, theirs = (parity.arrays(folder / each / f"{optimizer}.npz") for each in ("torch", other))
    assert set(ours) == set(theirs)
    # 1e-4: Muon multiplies matrices fifteen times, and AdamW divides by slopes as small as 1e-3.
    assert {key: gap for key in ours if (gap := parity.relative(ours[key], theirs[key])) > 1e-4} == {}


def test_each_optimizer_takes_steps_of_its_own(folder: Path) -> None:
    names = engine(folder, "torch")["optimizers"]
    last = {name: parity.arrays(folder / "torch" / f"{name}.npz")["losses"][-1] for name in names}
    assert sorted(names) == ["adamw", "lion", "muon", "sgd"] and len(set(last.values())) == len(last)


def test_a_second_backend_in_one_process_is_refused_with_the_way_out() -> None:
    backend.use("torch")
    with pytest.raises(BackendError) as refusal:
        backend.use("jax")
    assert str(refusal.value) == (
        "This process uses the backend 'torch' already, and Keras allows one per process. "
        "Start a new Python process for 'jax', or use the shell: sonde train DATA --backend jax"
    )
    assert backend.in_use() == "torch" and backend.use("torch").__name__ == "sonde.backend.torch"


def test_a_backend_that_is_not_installed_is_answered_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else found(name))
    with pytest.raises(
        BackendError, match=r"'torch' is not installed\. Install it with: \S+ -m pip install 'sonde\[torch"
    ):
        backend.use("torch")
    assert not backend.is_installed("torch")
    python = backend.python()
    assert [backend.install_command(name) for name in backend.BACKENDS] == [
        f"{python} -m pip install 'sonde[torch]' torch==2.13.0",
        f"{python} -m pip install 'sonde[tensorflow]'",
        f"{python} -m pip install 'sonde[jax]'",
    ]


def test_an_unknown_backend_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(BackendError, match=r"no backend called 'tensorflw'. Did you mean 'tensorflow'\? \(sonde list"):
        backend.use("tensorflw")


@pytest.mark.parametrize("name", BACKENDS)
def test_a_backend_has_a_sentence(name: str) -> None:
    assert backend.BACKENDS[name].sentence.endswith(".")
