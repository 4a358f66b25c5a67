"""bf16 is chosen where a trial finds it right and faster, on the threads that the run will use."""

from typing import Any

import pytest
import torch

import small_runs
from sonde import backend, planning
from sonde.backend import torch_precision
from sonde.backend.engine import Precision

CPU = torch.device("cpu")


def with_times(monkeypatch: pytest.MonkeyPatch, *, fp32: float, bf16: float) -> None:
    """Let this processor have native bf16, and the trial take these seconds."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(torch_precision, "_fastest", lambda first, second: (fp32, bf16))


def test_the_two_trials_take_turns() -> None:
    turns: list[str] = []
    torch_precision._fastest(lambda: turns.append("fp32"), lambda: turns.append("bf16"))
    assert turns == ["fp32", "bf16"] * torch_precision.TURNS


@pytest.mark.parametrize(
    ("fp32", "bf16", "value", "reason"),
    [
        (2.0, 1.0, "bf16", "a trial found it 2.0 times as fast as fp32 here, and right"),
        (1.0, 1.0, "fp32", "a trial found bf16 1.0 times as fast as fp32 here"),
        (1.1, 1.0, "fp32", "a trial found bf16 1.1 times as fast as fp32 here"),
        (1.0, 4.0, "fp32", "a trial found bf16 0.2 times as fast as fp32 here"),
    ],
)
def test_bf16_is_chosen_where_it_is_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, fp32: float, bf16: float, value: str, reason: str
) -> None:
    with_times(monkeypatch, fp32=fp32, bf16=bf16)
    assert torch_precision.bfloat16_pays(CPU) == Precision(value, reason)


def test_bf16_that_is_wrong_is_not_chosen_however_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    with_times(monkeypatch, fp32=9.0, bf16=1.0)
    real = torch.nn.functional.conv2d

    def broken(*args: Any, **words: Any) -> torch.Tensor:
        return real(*args, **words) * (2 if torch.is_autocast_enabled("cpu") else 1)

    monkeypatch.setattr(torch.nn.functional, "conv2d", broken)
    found = torch_precision.bfloat16_pays(CPU)
    assert found.value == "fp32" and found.reason.startswith("bf16 is wrong here: a trial convolution was off by")


def test_without_native_bf16_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with_times(monkeypatch, fp32=9.0, bf16=1.0)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert torch_precision.bfloat16_pays(CPU) == Precision("fp32", "this processor has no native bf16")


def test_the_trial_runs_on_the_threads_of_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: torch.set_num_threads(1))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    seen = []

    def choose() -> Precision:
        seen.append(torch.get_num_threads())
        return Precision("fp32", "")

    monkeypatch.setattr(backend.use("torch"), "choose_precision", choose)
    words = {**small_runs.WORDS, "training.precision": None, "training.threads": 2}
    words["run.data"] = str(small_runs.write_data(tmp_path / "tiny.npz"))
    planning.make_plan(small_runs.settings(words))
    assert seen == [2]


def test_a_run_in_bf16_trains_stops_goes_on_and_writes_its_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    words = {**small_runs.EVERYTHING, "training.precision": "bf16", "run.epochs": 2, "run.name": "half"}
    folder, dataset = small_runs.start(small_runs.write_data(tmp_path / "tiny.npz"), words)
    whole = small_runs.open_session(small_runs.again(folder, "half-whole"), dataset)
    small_runs.train(whole)
    stopped = small_runs.open_session(folder, dataset)
    small_runs.train(stopped, steps=7)
    stopped.checkpoint()
    gone_on = small_runs.open_session(folder, dataset)
    small_runs.train(gone_on)
    assert small_runs.bits(gone_on.engine.read_state()) == small_runs.bits(whole.engine.read_state())
    gone_on.finish()
    assert {str(each.dtype) for each in small_runs.weights_in(folder.model).values()} == {"float32"}
