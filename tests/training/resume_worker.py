"""Stops a small run at some steps and goes on with it, on a backend that is not the test process's own.

Called by test_resume.py, and by hand:  PYTHONPATH=tests python tests/training/resume_worker.py jax "[3, 10]"

Prints the steps after which the run that went on was the same to the bit, and what differed after the others.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import small_runs
from sonde.config import RunFolder
from sonde.evaluation.stage import evaluate
from sonde.training import measure


def left_by(session: Any, *, scored: bool) -> dict[str, Any]:
    """Return everything that a finished training left, by what it is."""
    session.finish()
    left = {
        "state": small_runs.bits(session.engine.read_state()),
        "history": small_runs.without_clock(session.folder.history()),
        "model": small_runs.files_of(session.folder.model),
    }
    if scored:
        evaluate(session.folder)
        left["scores"] = session.folder.scores_file.read_bytes()
    return left


def main(backend: str, steps: list[int]) -> dict[str, Any]:
    """Train once without a stop, leaving a copy of the run at each step; then go on from each copy."""
    source = small_runs.write_data(Path("tiny.npz"))
    # One pair of convolutions: what takes the time here is compiling.
    words = {**small_runs.EVERYTHING, "model.stages": 1, "run.backend": backend, "run.name": "whole"}
    folder, dataset = small_runs.start(source, words)
    session = small_runs.open_session(folder, dataset)
    # As for a budget of time; the runs that go on from the copies are not measured, and must not differ for it.
    before = small_runs.bits(session.engine.read_state())
    measure(session, longest=1.0)
    assert small_runs.bits(session.engine.read_state()) == before, "measuring has left something behind"
    for step in sorted(steps):
        small_runs.train(session, steps=step)
        session.checkpoint()
        shutil.copytree(folder.path, folder.path.with_name(f"from-{step}"))
    small_runs.train(session)
    expected = left_by(session, scored=True)
    different = {}
    for step in steps:
        session = small_runs.open_session(RunFolder(folder.path.with_name(f"from-{step}")), dataset)
        assert session.step == step
        small_runs.train(session)
        found = left_by(session, scored=step == steps[-1])
        parts = [part for part in found if found[part] != expected[part]]
        if parts:
            different[str(step)] = parts
    return {"backend": backend, "same": [step for step in steps if str(step) not in different], "different": different}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))))
