"""Folds, seeds and members are told on the terminal, in the picture and in the report, whatever they are called."""

import io
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from sonde import terminal
from sonde.answers.classification.fitted import Fitted
from sonde.answers.facts import Facts
from sonde.evaluation import cross_validation
from sonde.evaluation.plots.interval_pictures import beside_one_another
from sonde.evaluation.report import runs_section as sections
from sonde.terminal.runs_table import show_several


def score(value: float | None) -> dict[str, Any]:
    return {"value": value, "low": None if value is None else value - 0.02, "high": value, "n": 50}


def told(labels: tuple[str, ...], *, deviation: float | None = 0.01) -> dict[str, Any]:
    spread = {"value": 0.9, "deviation": deviation, "low": 0.88, "high": 0.92, "n": len(labels)}
    spread |= {"corrected_low": 0.85, "corrected_high": 0.95}
    runs = [
        {
            "name": f"run-{place}",
            "label": label,
            "sizes": {"train": 100, "test": 50},
            "scores": {"accuracy": score(0.9)},
            "baselines": {"majority class": {"accuracy": score(0.5)}},
        }
        for place, label in enumerate(labels)
    ]
    baselines = {"majority class": {"accuracy": {**spread, "value": 0.5}}}
    return {
        "headline": "accuracy",
        "of": "training",
        "runs": runs,
        "spread": {"accuracy": spread},
        "baselines": baselines,
    }


def shown(scores: dict[str, Any]) -> str:
    stream = io.StringIO()
    with terminal.talking_to(stream):
        show_several(scores)
    return stream.getvalue()


def test_each_fold_stands_beside_its_baselines_and_the_mean_below() -> None:
    lines = shown({"folds": told(("fold 1", "fold 2"))}).splitlines()
    assert [line.split()[:2] for line in lines[2:5]] == [["fold", "1"], ["fold", "2"], ["mean", "0.900"]]
    assert lines[4].split() == ["mean", "0.900", "0.500"]
    assert "deviation over folds 0.0100; t-interval of the mean 0.880 to 0.920" in lines[-1]
    assert "corrected for training sets that overlap 0.850 to 0.950" in lines[-1]
    assert "on these same test examples" in shown({"seeds": told(("seed 0", "seed 1"))})


def test_a_run_of_its_own_tells_of_no_others() -> None:
    assert shown({"test": {}}) == ""
    facts = Facts("x", "runs/x", {"headline": "accuracy"})
    assert [section(facts) for section in (sections.folds, sections.seeds, sections.members)] == [None] * 3


def test_one_run_alone_has_no_spread_and_none_is_shown() -> None:
    assert "Standard deviation" not in shown({"folds": told(("fold 1",), deviation=None)})


@pytest.mark.parametrize("key", ["runs", "members"])
def test_names_from_the_data_cannot_break_the_picture(key: str, nasty: tuple[str, ...]) -> None:
    rows = [(f"fold 1, {name}", score(0.5 + 0.01 * place)) for place, name in enumerate(nasty)]
    picture = beside_one_another(rows, "accuracy", told(("a",))["spread"]["accuracy"], key=key)
    assert picture is not None and f'id="plot-{key}-title"' in picture
    names = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture).iter()}
    assert "script" not in names


def test_names_from_the_data_cannot_break_the_page_or_the_terminal(nasty: tuple[str, ...]) -> None:
    said = {"folds": told(nasty)}
    page = sections.folds(Facts("x", "runs/x", {"headline": "accuracy", **said}))
    assert page is not None and "<script>" not in page and "onload=alert(1)>" not in page
    assert "\x1b" not in shown(said) and "\u202e" not in shown(said)


def test_scores_that_no_run_has_draw_no_picture() -> None:
    assert beside_one_another([("fold 1", score(None))], "accuracy", None) is None


def test_pooled_folds_say_that_what_one_tests_another_tuned_on() -> None:
    tuned = Fitted(decision=(0.0, 0.5), tuned_for="balanced_accuracy")
    assert (
        "tuned for balanced accuracy, and what one fold tests another tuned on"
        in cross_validation._on_decisions(tuned)[0]
    )
    assert cross_validation._on_decisions(Fitted(decision=(), tuned_for="f1")) == ()
    assert cross_validation._on_decisions(Fitted(decision=(0.0, 0.5), tuned_for="none")) == ()
