"""What the reports of several answers are made of: a picture with its caption, a score in a cell."""

from collections.abc import Mapping
from typing import Any

from sonde.answers.answer import Plot
from sonde.answers.facts import Facts, captioned
from sonde.drawing.markup import Child, Markup
from sonde.drawing.numbers_in_words import NOT_KNOWN
from sonde.drawing.page import element
from sonde.metrics.words import amount, interval


def drawn(facts: Facts, pictures: Mapping[str, Plot], key: str, *, style: str = "") -> Markup | None:
    """Return one of an answer's pictures with its caption, or None where it was not drawn."""
    return captioned(facts, key, pictures[key].title, pictures[key].look_for, style=style)


def cell(metric: str, score: Mapping[str, Any] | None) -> Child:
    """Return a score with its interval as a cell of a table."""
    if not score or score.get("value") is None:
        return NOT_KNOWN
    return element("span", "pair", amount(metric, score["value"]), element("small", "", interval(metric, score)))
