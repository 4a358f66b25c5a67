"""The steps of TensorFlow and JAX: parts of a batch, native layers, precision; each backend in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import each_backend
from sharing import once

NAMES = each_backend.marked(("tensorflow", "jax"))
Seen = Callable[[str], dict[str, Any]]
ROUNDING = 1e-6
"""Sums of some tens of float32 products in another order, over three steps: 6e-8 for each."""


@pytest.fixture
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Give what the worker saw on a backend; it runs once for all tests."""

    def read(name: str) -> dict[str, Any]:
        folder = once(tmp_path_factory, f"compiled-{name}", lambda place: look(name, place))
        found: dict[str, Any] = json.loads((folder / "seen.json").read_text(encoding="utf-8"))
        return found

    return read


def look(name: str, folder: Path) -> None:
    """Run the worker on a backend."""
    alone = {
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "JAX_PLATFORMS": "cpu",
    }
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"} | alone
    worker = Path(__file__).with_name("compiled_worker.py")
    command = [sys.executable, "-W", "error", str(worker), name]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-4000:]
    (folder / "seen.json").write_text(ended.stdout.splitlines()[-1], encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_in_parts_takes_the_step_of_the_whole_batch(name: str, seen: Seen) -> None:
    found = seen(name)["accumulation"]
    assert max(found["gaps"]) < ROUNDING
    whole = found["told"]["1"]
    for parts in ("2", "4"):
        for (loss, score), (whole_loss, whole_score) in zip(found["told"][parts], whole, strict=True):
            assert loss == pytest.approx(whole_loss, rel=ROUNDING) and score == whole_score


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_in_parts_is_one_update(name: str, seen: Seen) -> None:
    assert seen(name)["accumulation"]["steps"] == {"1": 3, "2": 3, "4": 3}


@pytest.mark.parametrize("name", NAMES)
def test_running_statistics_move_with_each_part(name: str, seen: Seen) -> None:
    assert seen(name)["statistics_gap"] < ROUNDING


@pytest.mark.parametrize("name", NAMES)
def test_steps_in_parts_are_the_same_bit_for_bit(name: str, seen: Seen) -> None:
    assert seen(name)["same_bits"]


@pytest.mark.tensorflow
@pytest.mark.parametrize("case", ["images", "sequences", "vectors"])
def test_tensorflows_batch_norm_is_the_one_of_keras(case: str, seen: Seen) -> None:
    found = seen("tensorflow")["batch_norm"][case]
    assert found["fused"] == [True, False]
    # It multiplies the input by a scale and adds an offset at once; the differences are some ten roundings.
    assert found["gap"] < 1e-5


@pytest.mark.tensorflow
@pytest.mark.parametrize("case", ["frozen", "small epsilon"])
def test_batch_norm_that_tensorflow_does_not_have_stays_as_keras_wrote_it(case: str, seen: Seen) -> None:
    found = seen("tensorflow")["batch_norm"][case]
    assert found["fused"] == [False, False] and found["gap"] == 0.0


@pytest.mark.tensorflow
def test_a_layer_is_keras_again_after_the_trace(seen: Seen) -> None:
    assert not any(each["left"] for each in seen("tensorflow")["batch_norm"].values())


@pytest.mark.tensorflow
def test_tensorflow_chooses_bf16_where_a_trial_finds_it_right_and_clearly_faster(seen: Seen) -> None:
    found = seen("tensorflow")["precision"]
    for work in ("convolution", "matrix product"):
        assert found[f"{work}, 2.00"] == [
            "bf16",
            f"a trial {work} was 2.0 times as fast as in fp32 here, and right",
        ]
        assert found[f"{work}, 1.10"] == ["fp32", f"a trial {work} in bf16 was 1.1 times as fast as in fp32 here"]
        assert found[f"{work}, 0.25"] == ["fp32", f"a trial {work} in bf16 was 0.2 times as fast as in fp32 here"]


@pytest.mark.tensorflow
def test_tensorflow_keeps_fp32_for_recurrence(seen: Seen) -> None:
    answer = ["fp32", "bf16 gains nothing with TensorFlow where a model is mostly recurrence"]
    assert seen("tensorflow")["precision"]["recurrence, 2.00"] == answer


@pytest.mark.tensorflow
def test_bf16_that_is_wrong_is_not_chosen_on_tensorflow(seen: Seen) -> None:
    value, reason = seen("tensorflow")["precision"]["wrong"]
    assert value == "fp32" and reason.startswith("bf16 is wrong here: a trial convolution was off by")


@pytest.mark.jax
def test_jax_keeps_fp32_on_a_processor(seen: Seen) -> None:
    assert set(seen("jax")["precision"].values()) == {"fp32"}
