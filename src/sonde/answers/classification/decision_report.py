"""Writes how a prediction is decided: unequal classes, and the offsets that were tuned."""

from collections.abc import Mapping
from typing import Any

from sonde.answers.facts import Facts
from sonde.drawing.markup import Child, Markup
from sonde.drawing.numbers_in_words import count
from sonde.drawing.page import element, name, section, sentences, table
from sonde.metrics.words import amount, interval, title


def decision(facts: Facts) -> Markup | None:
    """Return how a prediction is made from probabilities, where that is more than the most probable class."""
    said: Mapping[str, Any] = facts.scores.get("decision") or {}
    parts: list[Child] = [_unequal(facts)]
    if said:
        parts += [sentences(str(said.get("sentence", ""))), effect(said), _values(facts, said)]
    parts = [part for part in parts if part is not None]
    return section("decision", "Decision", *parts) if parts else None


def _unequal(facts: Facts) -> Markup | None:
    told = unequal(facts, "class")
    positive = facts.scores.get("positive")
    if told is None or not positive:
        return told
    ratio = float(facts.scores.get("ratio") or 1.0)
    text = f"The most frequent class has {ratio:.1f} times the training examples of the rarest. The positive class is "
    return element("p", "", text, name(str(positive)), "; its F1 stands first.")


def unequal(facts: Facts, what: str) -> Markup | None:
    """Say how unequal classes or labels are, where they are."""
    if not facts.scores.get("unequal"):
        return None
    ratio = float(facts.scores.get("ratio") or 1.0)
    return sentences(
        f"The most frequent {what} has {ratio:.1f} times the training examples of the rarest. One number for all would "
        f"speak of the frequent ones, so that each {what} and its precision and recall come first."
    )


def effect(said: Mapping[str, Any]) -> Markup | None:
    """Return the score as the model decides beside that of the most probable class."""
    metric, after, before = str(said.get("metric", "")), said.get("with"), said.get("without")
    if not after or not before:
        return None
    rows: list[list[Child]] = [
        [label, amount(metric, score.get("value")), interval(metric, score)]
        for label, score in (("As it decides", after), ("The most probable class", before))
    ]
    caption = f"{title(metric)} on the test split, with the decision and without"
    return table(caption, ["", "Value", "Interval"], rows, numbers=(1, 2), style="tight")


def _values(facts: Facts, said: Mapping[str, Any]) -> Markup | None:
    values: Mapping[str, float] = said.get("values") or {}
    if len(values) < 3:
        return None
    rows: list[list[Child]] = [[name(label), f"{value:+.3f}"] for label, value in values.items()]
    heads = ["Class", "Offset of its log probability"]
    return table(f"Offsets of {count(len(values), 'class', 'classes')}", heads, rows, numbers=(1,), style="tight")
