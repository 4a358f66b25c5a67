"""Writes how answers are decided: unequal classes, what the decision was tuned for, and the thresholds of labels."""

from collections.abc import Mapping
from typing import Any

from sonde.drawing.markup import Child, Markup
from sonde.evaluation.plots.words import amount, count, interval, title
from sonde.evaluation.report.facts import Facts
from sonde.evaluation.report.page import element, section, sentences, table
from sonde.evaluation.report.pointers import name

FIRST = ("classes", "ranking", "decision", "scores")
"""Sections that come first where classes are unequal: those that do not drown the rare ones."""


def is_unequal(facts: Facts) -> bool:
    """Tell whether the frequent classes would drown the rare ones in one number for all.

    Args:
        facts: of the run.
    """
    return bool(facts.scores.get("unequal"))


def in_order(anchors: list[str], facts: Facts) -> list[str]:
    """Return the sections in the order in which they are shown: with unequal classes, each class and its curves first.

    Args:
        anchors: of the sections, in the usual order.
        facts: of the run.
    """
    if not is_unequal(facts):
        return anchors
    first = [anchor for anchor in FIRST if anchor in anchors]
    return first + [anchor for anchor in anchors if anchor not in first]


def decision(facts: Facts) -> Markup | None:
    """Return how an answer is made from probabilities, where that is more than the most probable class."""
    said: Mapping[str, Any] = facts.scores.get("decision") or {}
    parts: list[Child] = [_unequal(facts)]
    if said:
        parts += [sentences(str(said.get("sentence", ""))), _effect(said), _values(facts, said)]
    parts = [part for part in parts if part is not None]
    return section("decision", "Decision", *parts) if parts else None


def _unequal(facts: Facts) -> Markup | None:
    ratio = float(facts.scores.get("ratio") or 1.0)
    if not is_unequal(facts):
        return None
    what = "label" if facts.scores.get("answer") == "labels" else "class"
    told = f"The most frequent {what} has {ratio:.1f} times the training examples of the rarest."
    positive = facts.scores.get("positive")
    if positive:
        return element("p", "", f"{told} What is searched for is ", name(str(positive)), "; its F1 stands first.")
    return sentences(
        f"{told} One number for all would speak of the frequent ones, so that each {what} and its precision and recall "
        "come first."
    )


def _effect(said: Mapping[str, Any]) -> Markup | None:
    metric, after, before = str(said.get("metric", "")), said.get("with"), said.get("without")
    if not after or not before:
        return None
    rows: list[list[Child]] = [
        [label, amount(metric, score.get("value")), interval(metric, score)]
        for label, score in (("As it decides", after), ("The most probable answer", before))
    ]
    caption = f"{title(metric)} on the test split, with the decision and without"
    return table(caption, ["", "Value", "Interval"], rows, numbers=(1, 2), style="tight")


def _values(facts: Facts, said: Mapping[str, Any]) -> Markup | None:
    values: Mapping[str, float] = said.get("values") or {}
    if facts.scores.get("answer") == "labels":
        rows: list[list[Child]] = [
            [
                name(label),
                f"{value:.3g}",
                f"{int((facts.per_class.get(label) or {}).get('given') or 0):,}",
                f"{int((facts.per_class.get(label) or {}).get('n') or 0):,}",
            ]
            for label, value in values.items()
        ]
        heads = ["Label", "Given from", "Times given", "Times true"]
        return table("Thresholds of the labels", heads, rows, numbers=(1, 2, 3), style="tight")
    if len(values) < 3:
        return None
    rows = [[name(label), f"{value:+.3f}"] for label, value in values.items()]
    heads = ["Class", "Offset of its log probability"]
    return table(f"Offsets of {count(len(values), 'class', 'classes')}", heads, rows, numbers=(1,), style="tight")
