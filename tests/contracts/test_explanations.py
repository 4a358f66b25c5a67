"""What explanations promise on each backend: two halves make the whole, parts add up, attention sums to 1."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import each_backend
from contracts.explanation_worker import CASES
from contracts.parity import ALONE
from sharing import once
from sonde.evaluation.explanations.integrated import SMALLEST, TOLERANCE

WORKER = Path(__file__).with_name("explanation_worker.py")
Seen = dict[str, dict[str, Any]]

on_each_backend = pytest.mark.parametrize("name", each_backend.marked())


@pytest.fixture
def seen(name: str, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Return what the worker wrote on a backend, by case."""
    folder = once(tmp_path_factory, f"explanations-{name}", lambda place: look(name, place))
    found: Seen = json.loads((folder / "seen.json").read_text(encoding="utf-8"))
    return found


def look(name: str, folder: Path) -> None:
    """Run the worker on a backend."""
    command = [sys.executable, "-W", "error", str(WORKER), name, str(folder / "seen.json")]
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"} | ALONE
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{name}:\n{(done.stdout + done.stderr)[-3000:]}"


@on_each_backend
def test_the_two_halves_of_a_model_are_the_model(name: str, seen: Seen) -> None:
    # The same layers in the same order; a backend may fuse what it computes in another way at the cut.
    assert {case: said["halves"] < 1e-4 for case, said in seen.items() if "halves" in said} == {
        "image": True,
        "text": True,
    }


@on_each_backend
@pytest.mark.parametrize("case", CASES)
def test_integrated_gradients_are_complete(name: str, case: str, seen: Seen) -> None:
    for difference, gap, steps, _ in seen[case]["parts"]:
        assert abs(difference) > SMALLEST, "nothing would be seen"
        assert abs(gap) <= TOLERANCE * abs(difference), f"after {steps} steps"


@on_each_backend
@pytest.mark.parametrize("case", ["text", "series"])
def test_padding_is_given_no_part(name: str, case: str, seen: Seen) -> None:
    assert seen[case]["parts"][1][3] == 0


@on_each_backend
def test_attention_sums_to_one_and_never_looks_at_padding(name: str, seen: Seen) -> None:
    (attention,) = seen["text"]["attention"]
    shape, sums, behind = attention
    assert shape == [2, 2]
    assert np.array(sums) == pytest.approx(1.0, abs=1e-5)
    assert not np.array(behind).any()
