"""Writes the section on explanations: the columns that the answers need, and a few answers with what spoke for them."""

from typing import Any

from sonde.answers.facts import Facts
from sonde.drawing.markup import Child, Markup
from sonde.drawing.numbers_in_words import count
from sonde.drawing.page import element, figure, section, sentences
from sonde.metrics.words import title

KEY = "explained"
"""What the names of the pictures begin with."""

CAUTION = (
    "They say what the model did, not what is true: look for reasons that a person would not accept, such as a "
    "background, a border, a stray word or the silence around a sound."
)


def explanations(facts: Facts) -> Markup | None:
    """Return the explanations of a few test examples, and what a table's columns are worth."""
    drawn = {name: picture for name, picture in facts.pictures.items() if name.startswith(f"{KEY}-")}
    if not drawn:
        return None
    importance: dict[str, Any] = facts.scores.get("importance") or {}
    parts: list[Child] = []
    if f"{KEY}-importance" in drawn:
        rows, repeats = int(importance.get("rows") or 0), int(importance.get("repeats") or 0)
        told = (
            f"What {title(str(importance.get('metric', '')))} loses when a column is shuffled among "
            f"{count(rows, 'test example')}, the mean of {count(repeats, 'shuffle')} with its 95% interval. Columns "
            "that say the same stand in for each other, so that each of them may look unimportant."
        )
        parts.append(figure(drawn.pop(f"{KEY}-importance"), told, style="full"))
    if drawn:
        words = (
            f"{count(len(drawn), 'test example')}: right answers of usual confidence, and wrong ones that were surest. "
        )
        parts += [sentences(words, CAUTION), *(figure(picture, "", style="full") for picture in drawn.values())]
    more = f"sonde explain {facts.run} FILE"
    parts.append(element("p", "quiet", "For other examples: ", element("code", "", more)))
    return section("explanations", "Explanations", *parts)
