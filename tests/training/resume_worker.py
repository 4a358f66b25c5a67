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
from sonde.evaluation.stage import evaluate


def left_by(folder: Any, session: Any) -> dict[str, Any]:
    """Return everything that a finished training left, by what it is."""
    session.finish()
    evaluate(folder)
    return {
        "state": small_runs.bits(session.engine.read_state()),
        "history": small_runs.without_clock(folder.history()),
        "model": small_runs.files_of(folder.model),
        "scores": folder.scores_file.read_bytes(),
    }


def main(backend: str, steps: list[int]) -> dict[str, Any]:
    """Train once without a stop, leaving a copy of the run at each step; then go on from each copy."""
    source = small_runs.write_data(Path("tiny.npz"))
    folder, dataset = small_runs.start(source, {**small_runs.EVERYTHING, "run.backend": backend, "run.name": "begun"})
    stops = small_runs.again(folder, "stops")
    session = small_runs.open_session(stops, dataset)
    for step in sorted(steps):
        small_runs.train(session, steps=step)
        session.checkpoint()
        shutil.copytree(stops.path, stops.path.with_name(f"from-{step}"))
    whole = small_runs.again(folder, "whole")
    session = small_runs.open_session(whole, dataset)
    small_runs.train(session)
    expected = left_by(whole, session)
    different = {}
    for step in steps:
        cut = type(folder)(stops.path.with_name(f"from-{step}"))
        session = small_runs.open_session(cut, dataset)
        assert session.step == step
        small_runs.train(session)
        found = left_by(cut, session)
        parts = [part for part in expected if found[part] != expected[part]]
        if parts:
            different[str(step)] = parts
    return {"backend": backend, "same": [step for step in steps if str(step) not in different], "different": different}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]))))
