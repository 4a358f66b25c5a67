"""A run that was stopped or killed and gone on with is, to the bit, the run that was never stopped."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import each_backend
import small_runs
from sharing import once
from small_runs import STEPS
from sonde import stages, training
from sonde.backend import is_installed
from sonde.config import RunFolder
from sonde.data import Dataset
from sonde.evaluation.stage import evaluate
from sonde.training import Session

HERE = Path(__file__).parent
ONE_STEP, EVERY_STEP = 8, [*range(1, STEPS + 1)]
_numbers = count()


@dataclass(frozen=True)
class Outcome:
    """All that a training leaves, comparable bit by bit."""

    state: Mapping[str, Any]
    history: list[dict[str, Any]]
    model: dict[str, bytes]


def outcome(session: Session) -> Outcome:
    """Train a session to its end and return what it left."""
    small_runs.train(session)
    state = small_runs.bits(session.engine.read_state())
    session.finish()
    folder = session.folder
    history = folder.history()
    assert history == session.progress.history
    return Outcome(state, small_runs.without_clock(history), small_runs.files_of(folder.model))


def stopped(folder: RunFolder, dataset: Dataset, step: int, *, says: bool) -> None:
    """Train up to a step and drop everything; write a checkpoint there when the process can still say so."""
    session = small_runs.open_session(folder, dataset)
    small_runs.train(session, steps=step)
    assert session.step == step
    if says:
        session.checkpoint()


@pytest.fixture(scope="module")
def whole(begun: Any) -> tuple[Outcome, RunFolder]:
    """The run that nothing happens to."""
    folder = small_runs.again(begun.folder, "whole")
    found = outcome(small_runs.open_session(folder, begun.dataset))
    evaluate(folder)
    return found, folder


def fresh(begun: Any, words: Mapping[str, Any] | None = None) -> RunFolder:
    return small_runs.again(begun.folder, f"run-{next(_numbers)}", words)


def test_the_small_run_has_all_that_could_differ(whole: tuple[Outcome, RunFolder]) -> None:
    found, folder = whole
    names = " ".join(found.state)
    assert all(word in names for word in ("moving_mean", "_average", "momentum", "velocity", "iteration"))
    assert [record["step"] for record in found.history] == [5, 10, 15, 20]
    assert found.history[-1]["train"]["loss"] < found.history[0]["train"]["loss"]
    assert folder.settings().value("model.dropout") > 0


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_stopping_at_any_step_changes_no_bit(begun: Any, whole: tuple[Outcome, RunFolder], step: int) -> None:
    folder = fresh(begun)
    stopped(folder, begun.dataset, step, says=True)
    session = small_runs.open_session(folder, begun.dataset)
    assert session.step == step
    assert outcome(session) == whole[0]


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_being_killed_at_any_step_changes_no_bit(begun: Any, whole: tuple[Outcome, RunFolder], step: int) -> None:
    folder = fresh(begun, {"training.checkpoint_steps": 3})
    stopped(folder, begun.dataset, step, says=False)
    session = small_runs.open_session(folder, begun.dataset)
    # Every third step inside an epoch of five, and the end of each epoch that was reached, leave a checkpoint.
    assert session.step == max((end for end in (3, 5, 6, 9, 10, 12, 15, 18) if end < step), default=0)
    assert outcome(session) == whole[0]


def test_being_killed_right_after_an_epoch_changes_no_bit(begun: Any, whole: tuple[Outcome, RunFolder]) -> None:
    folder = fresh(begun)
    records = small_runs.open_session(folder, begun.dataset).records()
    assert next(record for record in records if isinstance(record, training.Epoch)).epoch == 1
    del records
    session = small_runs.open_session(folder, begun.dataset)
    assert (session.step, session.progress.epoch, session.progress.step) == (5, 2, 0)
    assert outcome(session) == whole[0]


def test_stopping_after_each_and_every_step_changes_no_bit(begun: Any, whole: tuple[Outcome, RunFolder]) -> None:
    folder = fresh(begun)
    for step in range(1, STEPS):
        stopped(folder, begun.dataset, step, says=True)
    assert outcome(small_runs.open_session(folder, begun.dataset)) == whole[0]


def test_being_killed_between_training_and_model_trains_nothing_twice(
    begun: Any, whole: tuple[Outcome, RunFolder]
) -> None:
    folder = fresh(begun)
    small_runs.train(small_runs.open_session(folder, begun.dataset))
    session = small_runs.open_session(folder, begun.dataset)
    assert session.progress.done and list(session.records()) == []
    assert outcome(session) == whole[0]


@pytest.mark.parametrize("step", [4, 10, 17])
def test_scores_and_predictions_are_the_same_too(begun: Any, whole: tuple[Outcome, RunFolder], step: int) -> None:
    folder = fresh(begun)
    stopped(folder, begun.dataset, step, says=True)
    stages.go_on(folder, begun.dataset)
    for name in ("scores.json", "predictions.parquet", "findings.json"):
        assert (folder.path / name).read_bytes() == (whole[1].path / name).read_bytes()
    assert folder.report_file.exists()


def test_a_run_that_is_done_is_left_as_it_is(begun: Any, whole: tuple[Outcome, RunFolder]) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole[1].path.rglob("*")}
    stages.go_on(whole[1])
    assert {path: path.stat().st_mtime_ns for path in whole[1].path.rglob("*")} == before


@pytest.mark.parametrize(
    "words",
    [
        {"run.model": "mlp", "training.optimizer": "sgd", "training.schedule": "plateau", "training.plateau_epochs": 1},
        {"run.model": "rnn", "training.optimizer": "lion", "training.learning_rate": 1e-3, "training.schedule": "step"},
        {"run.model": "lenet", "training.optimizer": "muon", "training.schedule": "cosine", "training.monitor": "loss"},
        {"run.model": "resnet", "training.patience": 1, "training.average": 0.5, "training.learning_rate": 0.2},
    ],
    ids=lambda words: words["run.model"],
)
def test_every_model_optimizer_and_schedule_goes_on_to_the_same_bits(begun: Any, words: Mapping[str, Any]) -> None:
    name = str(words["run.model"])
    # Not given, since it has none.
    width = {"model.width": None if name == "lenet" else 4}
    folder, dataset = small_runs.start(begun.source, {**width, "model.dropout": 0.3, **words, "run.name": name})
    unbroken = outcome(small_runs.open_session(small_runs.again(folder, f"{name}-whole"), dataset))
    for step in (5, 8):
        cut = small_runs.again(folder, f"{name}-{step}")
        stopped(cut, dataset, step, says=True)
        assert outcome(small_runs.open_session(cut, dataset)) == unbroken


def test_another_seed_gives_other_bits(begun: Any, whole: tuple[Outcome, RunFolder]) -> None:
    other = outcome(small_runs.open_session(fresh(begun, {"run.seed": 1}), begun.dataset))
    assert other.state != whole[0].state and other.history != whole[0].history


@pytest.fixture
def seen(backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Give what resume_worker.py saw on another backend; it runs once, for one step or for all that are asked for."""
    # Looked for, not imported: Keras would settle on it in this process.
    if not is_installed(backend):
        pytest.skip(f"{backend} is not installed")
    mine = [item for item in request.session.items if item.path == request.path and item.get_closest_marker(backend)]
    steps = EVERY_STEP if any(item.get_closest_marker("slow") for item in mine) else [ONE_STEP]
    folder = once(tmp_path_factory, f"resume-{backend}", lambda place: look(backend, steps, place))
    found: dict[str, Any] = json.loads((folder / "seen.json").read_text(encoding="utf-8"))
    return found


def look(backend: str, steps: list[int], folder: Path) -> None:
    """Let resume_worker.py stop and go on with a run on another backend; see there."""
    environment = {
        **os.environ,
        # This tree, wherever the installed package comes from.
        "PYTHONPATH": os.pathsep.join([str(HERE.parents[1] / "src"), str(HERE.parent)]),
        "SONDE_CACHE": str(folder / "cache"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "",
        "JAX_PLATFORMS": "cpu",
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "resume_worker.py"), backend, json.dumps(steps)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (folder / "seen.json").write_text(done.stdout.splitlines()[-1], encoding="utf-8")


@pytest.mark.parametrize("backend", each_backend.marked(("tensorflow", "jax")))
def test_other_backends_go_on_to_the_same_bits(backend: str, seen: dict[str, Any]) -> None:
    # One step, since only reading and writing the state differs; all twenty stand in the slow test below.
    assert seen["backend"] == backend and ONE_STEP in seen["same"] and seen["different"] == {}


@pytest.mark.slow
@pytest.mark.parametrize("backend", each_backend.marked(("tensorflow", "jax")))
def test_other_backends_go_on_from_every_step(backend: str, seen: dict[str, Any]) -> None:
    assert seen == {"backend": backend, "same": EVERY_STEP, "different": {}}
