"""The report's sections on written texts: example pairs, error by length; and what to look at next."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sonde.answers.facts import Facts, Pointer
from sonde.answers.generation.pictures import PICTURES
from sonde.answers.report_parts import drawn
from sonde.drawing.markup import Child, Markup
from sonde.drawing.numbers_in_words import count, percent
from sonde.drawing.page import element, name, section, sentences, table
from sonde.drawing.safe_text import one_line
from sonde.metrics.words import number

LONGEST = 160
"""Letters of a text in a table."""
TWICE = 2.0
"""How many times the error of the shortest targets that of the longest must be to be named."""
NOTABLE = 0.02
"""Character error rate below which no length is named as hard."""


def pairs(facts: Facts) -> Markup | None:
    """Return targets beside what was written for them, the best and the worst."""
    said: Mapping[str, Any] = facts.scores.get("pairs") or {}
    if not said:
        return None
    parts: list[Child] = [sentences(
        "Each row is one test example. The error is the number of characters to put in, take out or replace, over "
        "those of the target. predictions.parquet has every test example."
    )]  # fmt: skip
    for key, caption in (("best", "Best predictions, the longest first"), ("worst", "Worst predictions")):
        rows: Sequence[Mapping[str, Any]] = said.get(key) or ()
        if rows:
            parts.append(_table(caption, rows))
    if not said.get("worst"):
        parts.append(sentences("No test example was written wrong."))
    return section("pairs", "Examples", *parts)


def _table(caption: str, pairs: Sequence[Mapping[str, Any]]) -> Markup:
    rows: list[list[Child]] = [
        [
            name(str(pair["name"])),
            one_line(str(pair.get("source") or ""), longest=LONGEST),
            one_line(str(pair["target"]), longest=LONGEST),
            one_line(str(pair["prediction"]), longest=LONGEST) or "no text",
            percent(float(pair["error"])),
        ]
        for pair in pairs
    ]
    return table(caption, ["Example", "Source", "Target", "Prediction", "Error"], rows, numbers=(4,))


def lengths(facts: Facts) -> Markup | None:
    """Return how the error depends on the length of the target."""
    groups: Sequence[Mapping[str, Any]] = facts.scores.get("by_length") or ()
    if len(groups) < 2:
        return None
    rows: list[list[Child]] = [
        [_span(each), f"{int(each['n']):,}", percent(float(each["exact"])), number(float(each["error"]))]
        for each in groups
    ]
    heads = ["Characters", "n", "Exact matches", "Character error rate"]
    picture = drawn(facts, PICTURES, "length")
    beside = table("By length of the target", heads, rows, numbers=(1, 2, 3))
    return section("lengths", "Lengths", element("div", "pictures", picture, beside))


def _span(group: Mapping[str, Any]) -> str:
    first, last = int(group["shortest"]), int(group["longest"])
    return f"{first:,}" if first == last else f"{first:,} – {last:,}"


def _cut(facts: Facts) -> Iterator[Pointer]:
    said: Mapping[str, Any] = facts.scores.get("target_length") or {}
    longer = int(said.get("longer") or 0)
    if longer:
        text = (
            f"{count(longer, 'training target has', 'training targets have')} more than {int(said['limit']):,} tokens; "
            "what stands behind that was not learned. A larger limit: --set generation.length=N."
        )
        yield Pointer("Targets longer than the limit", (text,), "lengths")


def _hard_length(facts: Facts) -> Iterator[Pointer]:
    groups: Sequence[Mapping[str, Any]] = facts.scores.get("by_length") or ()
    if len(groups) < 2:
        return
    first, last = groups[0], groups[-1]
    if last["error"] > max(TWICE * first["error"], NOTABLE):
        text = (
            f"Targets of {_span(last)} characters have a character error rate of {number(last['error'])}, those of "
            f"{_span(first)} of {number(first['error'])}."
        )
        yield Pointer("Long texts are harder", (text,), "lengths")


def _empty(facts: Facts) -> Iterator[Pointer]:
    empty = int(facts.scores.get("empty") or 0)
    if empty:
        yield Pointer("Nothing written", (f"{count(empty, 'prediction is', 'predictions are')} empty.",), "pairs")


def remarks(facts: Facts) -> list[str]:
    """Say on the first screen how far off a text is in characters."""
    error = (facts.test.get("character_error_rate") or {}).get("value")
    if error is None:
        return []
    return [f"Of 100 characters of a target, {100 * error:.1f} are wrong, missing or too many on average."]


SECTIONS = {"pairs": ("Examples", pairs), "lengths": ("Lengths", lengths)}
POINTERS = (_cut, _hard_length, _empty)
