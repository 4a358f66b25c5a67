"""What scoring takes is reckoned up from a small share of it, and bounded where a budget asks for that."""

from pathlib import Path
from typing import Any

import pytest

import small_runs
from sonde import planning
from sonde.config import Settings, from_words
from sonde.evaluation import costs
from sonde.evaluation.costs import scoring
from sonde.planning import Plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("costs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SONDE_CACHE", str(folder / "cache"))
        source = small_runs.write_data(Path("tiny.npz"), train=300)
        words: dict[str, Any] = {**small_runs.WORDS, "run.data": str(source), "evaluation.views": "flip"}
        return planning.make_plan(from_words({key: each for key, each in words.items() if "resamples" not in key}))


def a_tick() -> Any:
    """Return a clock that moves by a second each time that it is read."""
    seconds = iter(range(1000))
    return lambda: float(next(seconds))


def test_the_whole_is_reckoned_up_from_what_was_timed(plan: Plan) -> None:
    found = scoring(plan.dataset, plan.settings, minutes=10_000, clock=a_tick())
    assert found.settings == Settings()
    # 45 test examples were all tried, with 100 drawings in one second: 1,000 of them, three times and what is beside.
    drawing = (1000 + 60) / (100 + 60) * (3 + costs.BESIDE_THE_SCORES)
    assert found.seconds == pytest.approx(drawing + 1.0 + costs.WRITING + 45 * costs.WRITING_EACH)
    assert found.predictions == 2 * 45


def test_a_budget_takes_drawings_and_examples_down_to_its_share_and_no_further(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "FEWEST_EXAMPLES", 200)
    found = scoring(plan.dataset, plan.settings, minutes=0.1, clock=a_tick())
    bounded = {key: setting.value for key, setting in found.settings.items()}
    assert bounded == {"evaluation.resamples": 100, "evaluation.baseline_examples": 200}
    assert all(each.origin == "guessed" and each.reason.startswith("0.1 minutes") for each in found.settings.values())
    some = scoring(plan.dataset, plan.settings, minutes=1.5, clock=a_tick())
    assert some.settings.value("evaluation.resamples") == 300
    assert (300 + 60) / 160 * (3 + costs.BESIDE_THE_SCORES) <= 0.12 * 90


def test_a_small_budget_explains_nothing_and_a_large_one_counts_the_explanations(plan: Plan) -> None:
    open_ = Settings({key: each for key, each in plan.settings.items() if key != "evaluation.explain"})
    small, large = (scoring(plan.dataset, open_, minutes=minutes, clock=a_tick()) for minutes in (2, 10_000))
    assert small.settings["evaluation.explain"].value == 0
    assert small.settings["evaluation.explain"].reason == "2 minutes leave no time for explanations"
    without = scoring(plan.dataset, plan.settings, minutes=10_000, clock=a_tick())
    assert "evaluation.explain" not in large.settings and large.seconds == pytest.approx(without.seconds + 20)


def test_what_a_person_said_of_scoring_is_left_as_it_is(plan: Plan) -> None:
    said = from_words({"evaluation.resamples": 5000, "evaluation.baseline_examples": 20_000}).over(plan.settings)
    found = scoring(plan.dataset, said, minutes=0.1, clock=a_tick())
    assert found.settings == Settings() and found.seconds > 100


@pytest.mark.parametrize(("minutes", "words"), [(1.0, "1 minute leaves"), (0.5, "0.5 minutes leave")])
def test_a_reason_is_a_sentence(minutes: float, words: str) -> None:
    assert costs.minutes_in_words(minutes) == words
