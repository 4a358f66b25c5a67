"""Writes the section on abstention and prediction sets."""

from collections.abc import Mapping
from typing import Any

from sonde.answers.answer import FITTED_ON
from sonde.answers.classification.pictures import PICTURES
from sonde.answers.facts import Facts
from sonde.answers.report_parts import drawn
from sonde.drawing.markup import Child, Markup, tag
from sonde.drawing.numbers_in_words import NOT_KNOWN, percent
from sonde.drawing.page import element, section, sentences, table
from sonde.drawing.safe_text import one_line

METHODS = {"lac": "Smallest sets (LAC)", "aps": "Adaptive sets (APS)"}
SHARES = (1.0, 0.95, 0.9, 0.8, 0.5)
"""Shares of examples predicted that the table shows."""


def selective(facts: Facts) -> Markup | None:
    """Return how good the sets are, and how right the predictions when the unsure ones are left out."""
    sets, abstention = (facts.scores.get(key) or {} for key in ("conformal", "abstention"))
    if not sets and not abstention:
        return None
    return section("selective", "Abstention and prediction sets", *_abstention(facts, abstention), *_sets(facts, sets))


def _abstention(facts: Facts, said: Mapping[str, Any]) -> list[Child]:
    if not said:
        return []
    threshold = float(said.get("threshold") or 0)
    if threshold:
        told = (
            f"The model predicts where its confidence is at least {threshold:.3f} ({one_line(str(said['reason']))}). "
            f"On the test split it predicts {_pair(said['coverage'])} of the examples, and of those predictions "
            f"{_pair(said['accuracy'])} are right."
        )
    else:
        told = (
            "The model never abstains. To have it abstain where it is unsure, train with "
            "--set classification.wanted_accuracy=0.99, or --set classification.abstain_below=0.8."
        )
    curve = said.get("curve") or [[1.0, None, None]]
    rows: list[list[Child]] = []
    for share in SHARES:
        at = min(curve, key=lambda point: abs(point[0] - share))
        if abs(at[0] - share) < 0.05:
            rows.append([percent(at[0]), percent(at[1]), f"{at[2]:.3f}"])
    beside: Child = None
    if rows:
        heads = ["Predicted", "Right, of those", "Confidence from"]
        beside = table("Predicting only the surest test examples", heads, rows, numbers=(0, 1, 2))
    area = said.get("area")
    note = f" Mean error over all shares (area under the risk-coverage curve): {area:.4f}." if area is not None else ""
    return [
        tag("h3", "Abstention"),
        sentences(told + note),
        element("div", "pictures", drawn(facts, PICTURES, "answered"), element("div", "beside", beside)),
    ]


def _sets(facts: Facts, said: Mapping[str, Any]) -> list[Child]:
    if not said:
        return []
    rows: list[list[Child]] = [
        [
            METHODS.get(method, one_line(method)) + (", in use" if method == said["method"] else ""),
            _pair(each["reached"]),
            f"{each['mean_size']:.2f}",
            percent(each["alone"]),
        ]
        for method, each in said["methods"].items()
    ]
    heads = ["Sets", "Contain the truth", "Mean size", "Of one class"]
    told = f"{one_line(str(said['sentence']))} {_origin(facts, said)}"
    caption = f"Prediction sets, {said['wanted']:.0%} wanted" + (", of each class" if said.get("by_class") else "")
    numbers = table(caption, heads, rows, numbers=(1, 2, 3))
    return [
        tag("h3", "Prediction sets"),
        sentences(told),
        element("div", "pictures", drawn(facts, PICTURES, "set-sizes"), element("div", "beside", numbers)),
    ]


def _origin(facts: Facts, said: Mapping[str, Any]) -> str:
    if facts.scores.get("fitted_on") == FITTED_ON["left out"]:
        return (
            f"The thresholds were chosen on {int(said['examples']):,} training and validation examples, each as it is "
            "predicted when left out. So the coverage holds nearly; rely on this check on the test split."
        )
    told = f"The thresholds were chosen on {int(said['examples']):,} validation examples"
    told += (
        " that had no part in the temperature; they helped to choose the epoch."
        if said.get("apart")
        else ", the same that the temperature was fitted on and the epoch chosen by."
    )
    return told + " So the coverage may fall short by a little; rely on this check on the test split."


def _pair(score: Mapping[str, Any]) -> str:
    if score.get("value") is None:
        return NOT_KNOWN
    return f"{percent(score['value'])} ({percent(score['low']).removesuffix('%')} – {percent(score['high'])})"
