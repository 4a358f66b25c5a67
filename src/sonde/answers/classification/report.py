"""The report's sections on a classification: each class, confusion, calibration; and what to look at next."""

from collections.abc import Iterator

from sonde.answers.answer import FITTED_ON
from sonde.answers.class_bars import weakest_first
from sonde.answers.classification.confusion_picture import MOST_PAIRS, confused_pairs
from sonde.answers.classification.curve_pictures import MOST_CURVES, WEAKEST
from sonde.answers.classification.decision_report import decision
from sonde.answers.classification.pictures import PICTURES
from sonde.answers.classification.selective_report import selective
from sonde.answers.facts import Facts, Pointer
from sonde.answers.report_parts import cell, drawn
from sonde.drawing.markup import Child, Markup
from sonde.drawing.matrix import MOST_WITH_NUMBERS
from sonde.drawing.numbers_in_words import count, percent
from sonde.drawing.page import element, name, section, sentences, table
from sonde.drawing.safe_text import one_line
from sonde.metrics import PER_CLASS
from sonde.metrics.words import amount, interval, title

NARROW_MATRIX = 6
"""Classes up to which the matrix leaves room for a table beside it."""
MISCALIBRATED = 0.05
"""Mean distance of confidence to accuracy from which on probabilities are called unreliable."""
WEAK = 0.95
"""F1 below which the weakest class is named as weak."""


def classes(facts: Facts) -> Markup | None:
    """Return the scores of each class, the weakest first."""
    if not facts.per_class:
        return None
    rows: list[list[Child]] = [
        [
            name(label),
            f"{int(facts.per_class[label].get('n') or 0):,}",
            *(cell(measure, facts.per_class[label].get(measure)) for measure in PER_CLASS),
        ]
        for label in weakest_first(facts.per_class, "f1")
    ]
    heads = ["Class", "n", *(metric.title for metric in PER_CLASS.values())]
    return section(
        "classes",
        "Classes",
        drawn(facts, PICTURES, "classes", style="wide"),
        table("Scores of each class, the weakest first", heads, rows, numbers=range(1, len(heads)), style="tight"),
    )


def confusion(facts: Facts) -> Markup | None:
    """Return the confusion matrix, and the pairs that are confused most."""
    counts = facts.scores.get("confusion")
    if not counts:
        return None
    pairs = confused_pairs(counts, MOST_PAIRS if len(facts.classes) <= MOST_WITH_NUMBERS else 2 * MOST_PAIRS)
    rows: list[list[Child]] = [
        [name(facts.classes[row]), name(facts.classes[column]), f"{times:,}", percent(share)]
        for row, column, times, share in pairs
    ]
    heads = ["Truth", "Predicted as", "Times", "Share of the truth"]
    pairs_table = table("The most confused pairs", heads, rows, numbers=(2, 3)) if rows else sentences("No mistakes.")
    narrow = len(facts.classes) <= NARROW_MATRIX
    picture = drawn(facts, PICTURES, "confusion", style="matrix" if narrow else "matrix large")
    return section("confusion", "Confusion", element("div", "pictures" if narrow else "", picture, pairs_table))


def calibration(facts: Facts) -> Markup | None:
    """Return whether confidences can be believed, before and after temperature scaling."""
    said = facts.scores.get("calibration") or {}
    picture = drawn(facts, PICTURES, "reliability")
    if not said and picture is None:
        return None
    before, after = said.get("before") or {}, said.get("after") or {}
    rows: list[list[Child]] = [
        [title(metric), cell(metric, before.get(metric)), cell(metric, after.get(metric))]
        for metric in dict.fromkeys([*after, *before])
    ]
    parts: list[Child] = []
    temperature = said.get("temperature")
    if temperature is not None:
        effect = (
            "was too sure" if temperature > 1.02 else ("was too modest" if temperature < 0.98 else "was about right")
        )
        on = one_line(str(facts.scores.get("fitted_on", FITTED_ON["validation"])))
        parts.append(
            sentences(
                f"Temperature {temperature:.2f}, fitted on {on}: the raw model {effect}. "
                "Scaling changes how sure a prediction is, not the order of the classes."
            )
        )
    if rows:
        parts.append(table("Calibration before and after", ["Metric", "Before", "After"], rows, numbers=(1, 2)))
    return section("calibration", "Calibration", element("div", "pictures", picture, element("div", "beside", *parts)))


def ranking(facts: Facts) -> Markup | None:
    """Return the ROC and precision-recall curves."""
    figures = [drawn(facts, PICTURES, "roc"), drawn(facts, PICTURES, "precision-recall")]
    if not any(figures):
        return None
    told = (
        "Each class against the rest, at every threshold. The legend names the classes with the smallest area. "
        "Where classes are rare, precision and recall say more than ROC."
    )
    if len(facts.classes) > MOST_CURVES:
        told += f" Only the {WEAKEST} classes with the smallest area are drawn; the mean is that of all."
    return section("ranking", "Thresholds", sentences(told), element("div", "pictures", *figures))


def _calibration(facts: Facts) -> Iterator[Pointer]:
    after = (facts.scores.get("calibration") or {}).get("after") or {}
    error = (after.get("expected_calibration_error") or {}).get("value")
    if error is not None and error > MISCALIBRATED:
        text = f"Stated confidences are off by {100 * error:.1f} points on average: do not set thresholds on them yet."
        yield Pointer("Confidences mislead", (text,), "calibration")


def _confused_pair(facts: Facts) -> Iterator[Pointer]:
    for row, column, times, share in confused_pairs(facts.scores.get("confusion") or [[0]], 1):
        if times > 1:
            truth, guess = name(facts.classes[row]), name(facts.classes[column])
            text = f": {count(times, 'time')}, {percent(share)} of that class."
            yield Pointer("Most confused pair", (truth, " is predicted as ", guess, text), "confusion")


def _weakest_class(facts: Facts) -> Iterator[Pointer]:
    order = weakest_first(facts.per_class, "f1")
    if len(order) > 1:
        score = facts.per_class[order[0]].get("f1") or {}
        value, n = score.get("value"), facts.per_class[order[0]].get("n") or 0
        if value is not None and value < WEAK:
            text = f" has the lowest F1, {amount('f1', value)} ({interval('f1', score)}, {count(n, 'example')})."
            yield Pointer("Weakest class", (name(order[0]), text), "classes")


def remarks(facts: Facts) -> list[str]:
    """Say on the first screen whether the confidences can be relied on."""
    calibration = facts.scores.get("calibration") or {}
    before, after = (
        ((calibration.get(side) or {}).get("expected_calibration_error") or {}).get("value")
        for side in ("before", "after")
    )
    if after is None:
        return []
    trust = "well calibrated" if after < 0.6 * MISCALIBRATED else "roughly calibrated"
    trust = "unreliable" if after > MISCALIBRATED else trust
    was = f", {100 * before:.1f} before temperature scaling" if before is not None else ""
    return [f"Its confidences are {trust}: off by {100 * after:.1f} points on average{was}."]


def first(facts: Facts) -> tuple[str, ...]:
    """Return the sections that come first where classes are unequal: those that do not drown the rare ones."""
    return ("classes", "ranking", "decision", "scores") if facts.scores.get("unequal") else ()


SECTIONS = {
    "classes": ("Classes", classes),
    "confusion": ("Confusion", confusion),
    "calibration": ("Calibration", calibration),
    "selective": ("Abstention and prediction sets", selective),
    "decision": ("Decision", decision),
    "ranking": ("Thresholds", ranking),
}
POINTERS = (_calibration, _confused_pair, _weakest_class)
