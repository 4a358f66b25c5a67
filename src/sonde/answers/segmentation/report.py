"""The report's sections on masks: each class, the confusion of pixels, each image; and what to look at next."""

from collections.abc import Iterator

from sonde.answers.class_bars import weakest_first
from sonde.answers.facts import Facts, Pointer
from sonde.answers.report_parts import cell, drawn
from sonde.answers.segmentation.pictures import PICTURES
from sonde.drawing.markup import Child, Markup
from sonde.drawing.numbers_in_words import count, percent
from sonde.drawing.page import element, name, section, table
from sonde.metrics.words import amount, interval

WEAK = 0.9
"""Dice below which the weakest class is named as weak."""
TELLING = 0.02
"""Share of a class's pixels that are taken for another from which on the pair is named."""


def classes(facts: Facts) -> Markup | None:
    """Return the scores of each class, the weakest first."""
    if not facts.per_class:
        return None
    rows: list[list[Child]] = [
        [
            name(label),
            f"{int(facts.per_class[label].get('n') or 0):,}",
            percent(float(facts.per_class[label].get("share") or 0)),
            percent(float(facts.per_class[label].get("given") or 0)),
            cell("dice", facts.per_class[label].get("dice")),
            cell("iou", facts.per_class[label].get("iou")),
        ]
        for label in weakest_first(facts.per_class, "dice")
    ]
    heads = ["Class", "Images", "Pixels, target", "Pixels, predicted", "Dice", "IoU"]
    return section(
        "classes",
        "Classes",
        drawn(facts, PICTURES, "classes", style="wide"),
        table("Scores of each class, the weakest first", heads, rows, numbers=range(1, len(heads)), style="tight"),
    )


def confusion(facts: Facts) -> Markup | None:
    """Return which class's pixels are taken for which, and how the Dice is spread over the images."""
    pictures = [drawn(facts, PICTURES, "confusion", style="matrix"), drawn(facts, PICTURES, "each")]
    if not any(pictures):
        return None
    return section("confusion", "Pixels", element("div", "pictures", *pictures))


def _weakest_class(facts: Facts) -> Iterator[Pointer]:
    order = weakest_first(facts.per_class, "dice")
    if len(order) > 1:
        each = facts.per_class[order[0]]
        score = each.get("dice") or {}
        if score.get("value") is not None and score["value"] < WEAK:
            images = count(int(each.get("n") or 0), "image")
            text = f" has the lowest Dice, {amount('dice', score['value'])} ({interval('dice', score)}, {images})."
            yield Pointer("Weakest class", (name(order[0]), text), "classes")


def _taken_for(facts: Facts) -> Iterator[Pointer]:
    counts = facts.scores.get("confusion") or []
    pairs = [
        (times / max(1, sum(row)), at, other)
        for at, row in enumerate(counts)
        for other, times in enumerate(row)
        if at != other
    ]
    if pairs and len(counts) > 1:
        share, at, other = max(pairs)
        if share >= TELLING:
            told = (percent(share), " of the pixels of ", name(facts.classes[at]), " are predicted as ")
            yield Pointer("Most confused pair", (*told, name(facts.classes[other]), "."), "confusion")


def remarks(facts: Facts) -> list[str]:
    """Say on the first screen how the classes do, where they are few."""
    told = []
    for label in weakest_first(facts.per_class, "dice")[:MOST_NAMED]:
        score = facts.per_class[label].get("dice") or {}
        if score.get("value") is not None:
            told.append(f"{label} {amount('dice', score['value'])} ({interval('dice', score)})")
    words = "Dice of each class" if len(facts.per_class) <= MOST_NAMED else "Dice of the weakest classes"
    return [f"{words}: {', '.join(told)}."] if told else []


MOST_NAMED = 4
"""Classes that the first screen tells of."""

SECTIONS = {"classes": ("Classes", classes), "confusion": ("Pixels", confusion)}
POINTERS = (_weakest_class, _taken_for)
