"""The thresholds in a model folder may be anybody's: what can be no threshold is refused; old folders need none."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from sonde import backend
from sonde.answers.classification.fitted import Abstention, Fitted, Sets

WHOLE = {
    "coverage": 0.9,
    "method": "lac",
    "thresholds": {"lac": [0.5], "aps": [None]},
    "examples": 9,
    "is_apart": False,
}


@pytest.fixture(scope="module", autouse=True)
def torch_backend() -> None:
    backend.use("torch").start(threads=1)


def read(changes: Mapping[str, Any]) -> Sets:
    return Sets.model_validate_json(json.dumps({**WHOLE, **changes}))


def test_a_missing_threshold_is_infinite() -> None:
    sets = read({})
    assert sets.limits() == (0.5,) and sets.limits("aps") == (float("inf"),) and not sets.is_by_class
    assert Sets.model_validate_json(sets.model_dump_json()) == sets


@pytest.mark.parametrize(
    "changes",
    [
        {"coverage": 1.0},
        {"coverage": 0.0},
        {"method": "raps"},
        {"thresholds": {"lac": [1.5]}},
        {"thresholds": {"lac": [-0.1]}},
        {"thresholds": {"lac": ["0.5"]}},
        {"thresholds": {"lac": []}},
        {"thresholds": {"other": [0.5]}},
        {"examples": -1},
        {"more": 1},
    ],
)
def test_what_is_no_threshold_is_refused(changes: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(changes)


@pytest.mark.parametrize(
    ("thresholds", "fits"),
    [
        ({"lac": [0.1]}, True),
        ({"lac": [0.1, 0.2, 0.3], "aps": [0.1, 0.2, 0.3]}, True),
        ({"lac": [0.1, 0.2]}, False),
        ({"aps": [0.1]}, False),
    ],
)
def test_there_is_one_threshold_or_one_for_each_class(thresholds: Mapping[str, Any], fits: bool) -> None:
    assert read({"thresholds": thresholds}).fits(3) == fits


def test_a_model_without_sets_answers_everything() -> None:
    said = Fitted.model_validate_json("{}")
    assert said.sets is None and said.abstention == Abstention() and said.abstention.threshold == 0
