"""A whole run with `minutes`: what is refused before anything is written, what is said, what stands in its files."""

import functools
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import small_runs
from sonde import planning, stages
from sonde.config import RUNS, RunFolder, Settings, from_words
from sonde.errors import ConfigError
from sonde.planning import Plan
from sonde.training import Budget, Costs, Step, Watch
from sonde.training.options import LONGEST, guess, longest

_numbers = count()


class Clock:
    """A clock that a hand moves."""

    def __init__(self) -> None:
        self.now = 500.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    held = Clock()
    monkeypatch.setattr(stages, "Watch", functools.partial(Watch, held))
    return held


def plan_of(begun: Any, words: dict[str, Any]) -> Plan:
    name = f"minutes-{next(_numbers)}"
    options = {**small_runs.WORDS, "run.data": str(begun.source), "run.model": "mlp", "run.name": name, **words}
    return planning.make_plan(from_words({key: value for key, value in options.items() if key != "model.width"}))


def test_a_run_with_minutes_says_what_it_chose_and_keeps_it(
    begun: Any, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stages.train(plan_of(begun, {"run.minutes": 2.0, "run.epochs": 3}), clock.now - 4.0)
    told = capsys.readouterr().out
    assert "Budget: 2 min, of which 4 s have passed. A step takes" in told
    assert "15 steps (3 epochs), all that the epochs allow, and" in told and "epoch 3/3" in told
    assert "The run took 4 s of the 120 s. The epochs allowed no more; --epochs raises that bound." in told
    budget = folder.read_json(folder.environment_file)["budget"]
    assert (budget["minutes"], budget["steps"], budget["seconds_used"], budget["stopped"]) == (2.0, 15, 4.0, False)
    assert folder.settings().value("run.minutes") == 2.0
    assert [record["clock"]["planned_steps"] for record in folder.history()] == [15, 15, 15]
    report = folder.report_file.read_text(encoding="utf-8")
    assert "2 minutes. The training ended after 4.0 s, with 15 steps, and" in report


def test_without_minutes_nothing_is_measured_and_nothing_is_said_of_a_budget(
    begun: Any, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stages.train(plan_of(begun, {"run.epochs": 1}), clock.now)
    assert "Budget" not in capsys.readouterr().out
    assert "budget" not in folder.read_json(folder.environment_file)
    assert "planned_steps" not in folder.history()[0]["clock"]


def test_a_budget_that_is_spent_before_the_first_step_leaves_nothing_behind(begun: Any, clock: Clock) -> None:
    plan = plan_of(begun, {"run.minutes": 0.5})
    with pytest.raises(ConfigError, match=r"0\.5 minutes are too few here: 90 s have passed.* Use --minutes=2\.\d"):
        stages.train(plan, clock.now - 90.0)
    assert not (RUNS / plan.settings.value("run.name")).exists()


def test_a_run_that_is_killed_before_its_first_checkpoint_is_measured_anew(
    begun: Any, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stages.start(plan_of(begun, {"run.minutes": 2.0, "run.epochs": 2}))
    stages.go_on(folder, begun.dataset, began=clock.now)
    assert "Budget: 2 min, of which 0 s have passed." in capsys.readouterr().out
    assert len(folder.history()) == 2


def test_a_run_with_minutes_that_is_gone_on_with_says_what_it_has_used(
    begun: Any, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = stages.start(plan_of(begun, {"run.minutes": 2.0, "run.epochs": 2}))
    session = small_runs.open_session(folder, begun.dataset)
    watch = Watch(clock, began=clock.now - 30.0)
    budget = Budget.begin(session, watch, minutes=2.0, costs=Costs(0.1, 0.1, 1.0))
    next(record for record in budget.records() if isinstance(record, Step) and record.step == 7)
    session.checkpoint()
    stages.go_on(folder, begun.dataset, began=clock.now - 3.0)
    told = capsys.readouterr().out
    assert "Going on from step 7 of 10.\nOf its 120 s, 33 s are used, those before the stop included." in told
    assert "The run took 33 s of the 120 s." in told


def test_what_a_budget_takes_from_the_scoring_stands_in_the_run_file_and_in_the_report(
    begun: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sonde.evaluation import costs

    # A machine on which one drawing takes a tenth of a second.
    monkeypatch.setattr(costs, "_seconds_of_a_drawing", lambda dataset, task, clock: 0.01)
    plan = plan_of(begun, {"run.minutes": 2.0, "run.epochs": 1})
    settings = Settings({key: each for key, each in plan.settings.items() if key != "evaluation.resamples"})
    plan = replace(plan, settings=planning.complete(settings))
    assert plan.settings.value("evaluation.resamples") == 1000
    folder = stages.train(plan, clock.now)
    assert "evaluation.resamples = 200: 2 minutes leave no time for more drawings." in capsys.readouterr().out
    setting = folder.settings()["evaluation.resamples"]
    assert setting.value == 200 and folder.scores()["resamples"] == 200
    report = folder.report_file.read_text(encoding="utf-8")
    assert "Drawings of the bootstrap: 200. Why: 2 minutes leave no time for more drawings." in report


def test_layers_that_run_as_keras_wrote_them_are_named_on_the_terminal_and_in_the_files(
    begun: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sonde import training

    real = training.open_session

    def open_session(folder: RunFolder, settings: Settings, dataset: Any) -> Any:
        session = real(folder, settings, dataset)
        monkeypatch.setattr(type(session.engine), "fallbacks", ("strange_layer",))
        return session

    monkeypatch.setattr(training, "open_session", open_session)
    folder = stages.train(plan_of(begun, {"run.epochs": 1}), 0.0)
    told = capsys.readouterr().out
    assert told.count("Run as Keras wrote them, for want of a native equivalent: strange_layer.") == 1
    assert folder.read_json(folder.environment_file)["fallbacks"] == ["strange_layer"]
    assert "strange_layer" in folder.report_file.read_text(encoding="utf-8")


TASK = {"run.task": "image-classification"}


def test_minutes_let_the_guess_of_the_epochs_be_a_bound_and_leave_what_was_said() -> None:
    said = from_words({**TASK, "run.minutes": 5.0})
    guessed = said.over(guess(said, examples=60_000))
    assert guessed.value("run.epochs") == 5
    bound = longest(guessed).over(guessed)
    assert bound.value("run.epochs") == 5 * LONGEST and "the minutes decide" in bound["run.epochs"].reason
    spoken = from_words({**TASK, "run.minutes": 5.0, "run.epochs": 3})
    assert longest(spoken.over(guess(spoken, examples=60_000))) == Settings()
    assert longest(guess(from_words(TASK), examples=60_000)) == Settings()


def test_steps_make_the_epochs_that_hold_them() -> None:
    found = guess(from_words({**TASK, "training.steps": 1000, "training.batch_size": 100}), examples=60_000)
    assert found.value("run.epochs") == 2


@pytest.mark.parametrize("minutes", [-1.0, 10_081.0, float("nan"), float("inf"), "ten"])
def test_minutes_that_are_none_are_refused(begun: Any, minutes: Any) -> None:
    with pytest.raises(ConfigError, match=r"run\.minutes = .* is not possible: expected a number, at least 0"):
        plan_of(begun, {"run.minutes": minutes})


@pytest.mark.parametrize(
    ("now", "left", "aside"),
    [
        ({"run.minutes": 3.0}, {}, "run.epochs = 7"),
        ({"run.minutes": 3.0, "run.epochs": 9}, {}, ""),
        ({"run.epochs": 9}, {}, ""),
        ({"training.steps": 40}, {}, "run.epochs = 7"),
        ({}, {"run.epochs": 7}, ""),
    ],
)
def test_a_bound_that_is_said_now_goes_before_another_kind_of_bound_in_a_file(
    workplace: Path, now: dict[str, Any], left: dict[str, Any], aside: str
) -> None:
    file = Path(f"bound-{next(_numbers)}.toml")
    file.write_text('[run]\ndata = "digits"\nepochs = 7\n')
    merged, note = planning.merge(from_words(now), str(file))
    for key, value in {**now, **left}.items():
        assert merged.value(key) == value
    assert ("run.epochs" in merged) == ("run.epochs" in {**now, **left})
    assert (aside in note) if aside else note == ""


@pytest.mark.parametrize(("examples", "parts", "batch"), [(60_000, 3, 126), (60_000, 4, 128), (80, 4, 4), (80, 7, 7)])
def test_a_guessed_batch_can_be_cut(examples: int, parts: int, batch: int) -> None:
    assert (
        guess(from_words({**TASK, "training.accumulate": parts}), examples=examples).value("training.batch_size")
        == batch
    )
