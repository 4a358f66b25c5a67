"""bf16 is chosen where a trial finds it right and faster, on the threads that the run will use."""

import json
from typing import Any

import pytest
import torch

import small_runs
from sonde import backend, planning
from sonde.backend import torch_precision, trials
from sonde.backend.engine import Precision
from sonde.models.architectures import MODELS

CPU = torch.device("cpu")


def with_times(monkeypatch: pytest.MonkeyPatch, *, fp32: float, bf16: float) -> None:
    """Let this processor have native bf16, and the trial take these seconds."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(trials, "fastest", lambda first, second: (fp32, bf16))


def test_the_two_trials_take_turns() -> None:
    turns: list[str] = []
    trials.fastest(lambda: turns.append("fp32"), lambda: turns.append("bf16"))
    assert turns == ["fp32", "bf16"] * trials.TURNS


@pytest.mark.parametrize(
    ("fp32", "bf16", "value", "reason"),
    [
        (2.0, 1.0, "bf16", "a trial convolution was 2.0 times as fast as in fp32 here, and right"),
        (1.0, 1.0, "fp32", "a trial convolution in bf16 was 1.0 times as fast as in fp32 here"),
        (1.1, 1.0, "fp32", "a trial convolution in bf16 was 1.1 times as fast as in fp32 here"),
        (1.0, 4.0, "fp32", "a trial convolution in bf16 was 0.2 times as fast as in fp32 here"),
    ],
)
def test_bf16_is_chosen_where_it_is_clearly_faster(
    monkeypatch: pytest.MonkeyPatch, fp32: float, bf16: float, value: str, reason: str
) -> None:
    with_times(monkeypatch, fp32=fp32, bf16=bf16)
    assert torch_precision.bfloat16_pays(CPU, "convolution") == Precision(value, reason)


@pytest.mark.parametrize("factor", [2.0, float("nan")])
def test_bf16_that_is_wrong_is_not_chosen_however_fast(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    with_times(monkeypatch, fp32=9.0, bf16=1.0)
    real = torch.nn.functional.conv2d

    def broken(*args: Any, **words: Any) -> torch.Tensor:
        return real(*args, **words) * (factor if torch.is_autocast_enabled("cpu") else 1)

    monkeypatch.setattr(torch.nn.functional, "conv2d", broken)
    found = torch_precision.bfloat16_pays(CPU, "convolution")
    assert found.value == "fp32" and found.reason.startswith("bf16 is wrong here: a trial convolution was off by")


@pytest.mark.parametrize("work", torch_precision.TRIALS)
def test_each_kind_of_work_is_tried_in_both(monkeypatch: pytest.MonkeyPatch, work: str) -> None:
    # Where the processor has none, the trial is told that it has; oneDNN knows better for an LSTM.
    lacking = work == "recurrence" and not torch.cpu._is_avx512_bf16_supported()
    with_times(monkeypatch, fp32=2.0, bf16=1.0)
    if lacking:
        assert torch_precision.bfloat16_pays(CPU, work).reason == "torch has no bf16 recurrence on this processor"
        return
    assert torch_precision.bfloat16_pays(CPU, work).reason.startswith(f"a trial {work} was 2.0 times as fast")


def test_the_work_of_each_model_is_one_that_is_tried() -> None:
    assert {row.work for row in MODELS.values()} <= set(torch_precision.TRIALS)


def asked(monkeypatch: pytest.MonkeyPatch, value: str, times: list[float], **other: Any) -> list[str]:
    """Ask for a precision at each of some times; returns what was answered, a trial's answer as `tried`."""
    words: dict[str, Any] = {"threads": 2, "work": "convolution", **other}
    answers = []
    for now in times:
        monkeypatch.setattr(trials.time, "time", lambda now=now: now)
        tried: list[int] = []

        def trial(tried: list[int] = tried) -> Precision:
            tried.append(1)
            return Precision(value, "because")

        found = trials.remembered(trial, "torch", **words)
        assert found.value == value
        answers.append("tried" if tried else found.reason)
    return answers


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_an_answer_is_remembered_and_asked_again_in_time(monkeypatch: pytest.MonkeyPatch, cache: Any) -> None:
    day = 86400.0
    again = "because (tried before)"
    assert asked(monkeypatch, "bf16", [day, 2 * day, 300 * day, 400 * day]) == ["tried", again, again, "tried"]
    # A clock that was set back is not believed.
    assert asked(monkeypatch, "bf16", [3 * day]) == ["tried"]
    # That bf16 does not pay may have been said by a busy machine.
    assert asked(monkeypatch, "fp32", [day, 1.9 * day, 2.1 * day], threads=1) == ["tried", again, "tried"]


def test_another_machine_or_kind_of_work_asks_for_itself(monkeypatch: pytest.MonkeyPatch, cache: Any) -> None:
    assert asked(monkeypatch, "bf16", [1.0]) == ["tried"]
    assert asked(monkeypatch, "bf16", [2.0], work="recurrence") == ["tried"]
    assert asked(monkeypatch, "bf16", [2.0], threads=1) == ["tried"]
    monkeypatch.setattr(trials, "processor", lambda: "another")
    assert asked(monkeypatch, "bf16", [2.0]) == ["tried"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"KEY": {"value": "fp8", "reason": "x", "time": 1.0}}'])
def test_a_damaged_memory_is_passed_over(monkeypatch: pytest.MonkeyPatch, cache: Any, text: str) -> None:
    asked(monkeypatch, "bf16", [1.0])
    key = next(iter(json.loads((cache / trials.FILE).read_text())))
    (cache / trials.FILE).write_text(text.replace("KEY", key))
    assert asked(monkeypatch, "bf16", [2.0, 3.0]) == ["tried", "because (tried before)"]


def test_without_a_place_to_remember_it_is_tried_each_time(monkeypatch: pytest.MonkeyPatch, cache: Any) -> None:
    cache.write_text("a file where the folder should be")
    assert asked(monkeypatch, "bf16", [1.0, 2.0]) == ["tried", "tried"]
    monkeypatch.setattr(trials, "cache_folder", lambda: None)
    assert asked(monkeypatch, "bf16", [1.0, 2.0]) == ["tried", "tried"]


def test_without_native_bf16_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with_times(monkeypatch, fp32=9.0, bf16=1.0)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert torch_precision.bfloat16_pays(CPU, "convolution") == Precision("fp32", "this processor has no native bf16")


def test_the_trial_runs_on_the_threads_of_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: torch.set_num_threads(1))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    seen = []

    def choose(*, work: str) -> Precision:
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
