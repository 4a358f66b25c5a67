"""Writes the sections on the results: scores, classes, confusion, training, calibration, ranking."""

from collections.abc import Mapping
from typing import Any

from sonde.drawing.markup import Child, Markup, tag
from sonde.drawing.matrix import MOST_WITH_NUMBERS
from sonde.drawing.names import one_line
from sonde.evaluation.plots import PLOTS
from sonde.evaluation.plots.confusion import MOST_PAIRS, confused_pairs
from sonde.evaluation.plots.intervals import by_f1
from sonde.evaluation.plots.ranking import MOST_CURVES, WEAKEST
from sonde.evaluation.plots.words import NOT_KNOWN, amount, count, duration, interval, level, meaning, percent, title
from sonde.evaluation.report.facts import Facts
from sonde.evaluation.report.page import element, figure, section, sentences, table
from sonde.evaluation.report.pointers import name
from sonde.metrics import PER_CLASS
from sonde.models.restraint import FITTED_ON

BASELINE_READS = "Training examples that the linear baseline learned from, at most"
NARROW_MATRIX = 6
"""Classes up to which the matrix leaves room for a table beside it."""


def scores(facts: Facts) -> Markup | None:
    """Return every score with its interval and its meaning, and the baselines beside it."""
    rows: list[list[Child]] = [
        [
            _metric(metric),
            amount(metric, score.get("value")),
            interval(metric, score),
            f"{int(score.get('n') or 0):,}",
        ]
        for metric, score in facts.test.items()
    ]
    heads = ["Metric", "Value", f"{level(facts.scores)} interval", "n"]
    split = one_line(str(facts.scores.get("splits") or "the test split"))
    return section(
        "scores",
        "Scores",
        sentences(f"Computed on {split}. Nothing was tuned on these examples."),
        table("Scores on the test split", heads, rows, numbers=(1, 2, 3)),
        _baselines(facts),
        *_bounded(facts),
    )


def _bounded(facts: Facts) -> list[Markup]:
    """Say what a budget of time took from the scoring."""
    told = {"evaluation.resamples": "Drawings of the bootstrap", "evaluation.baseline_examples": BASELINE_READS}
    return [
        sentences(f"{told[option.key]}: {int(option.value):,}. Why: {one_line(option.reason)}.")
        for option in facts.options
        if option.key in told and option.origin == "guessed" and isinstance(option.value, int)
    ]


def _metric(metric: str) -> Markup:
    says = meaning(metric)
    return element("span", "metric", title(metric), element("small", "", says) if says else None)


def _baselines(facts: Facts) -> Markup | None:
    baselines: Mapping[str, Any] = facts.scores.get("baselines") or {}
    metrics = [metric for metric in facts.test if any((scores or {}).get(metric) for scores in baselines.values())]
    if not metrics:
        return None
    rows: list[list[Child]] = [
        [title(metric), *(_cell(metric, scores.get(metric)) for scores in (facts.test, *baselines.values()))]
        for metric in metrics
    ]
    heads = ["Metric", "This model", *(one_line(label, longest=60) for label in baselines)]
    return table("Beside the baselines, with intervals", heads, rows, numbers=range(1, len(heads)))


def _cell(metric: str, score: Mapping[str, Any] | None) -> Child:
    if not score or score.get("value") is None:
        return NOT_KNOWN
    return element("span", "pair", amount(metric, score["value"]), element("small", "", interval(metric, score)))


def classes(facts: Facts) -> Markup | None:
    """Return the scores of each class, the weakest first."""
    if not facts.per_class:
        return None
    rows: list[list[Child]] = [
        [
            name(label),
            f"{int(facts.per_class[label].get('n') or 0):,}",
            *(_cell(measure, facts.per_class[label].get(measure)) for measure in PER_CLASS),
        ]
        for label in by_f1(facts.per_class)
    ]
    heads = ["Class", "n", *(metric.title for metric in PER_CLASS.values())]
    return section(
        "classes",
        "Classes",
        _figure(facts, "classes", style="wide"),
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
    heads = ["Truth", "Taken for", "Times", "Share of the truth"]
    pairs_table = table("The most confused pairs", heads, rows, numbers=(2, 3)) if rows else sentences("No mistake.")
    narrow = len(facts.classes) <= NARROW_MATRIX
    picture = _figure(facts, "confusion", style="matrix" if narrow else "matrix large")
    return section("confusion", "Confusion", element("div", "pictures" if narrow else "", picture, pairs_table))


def training(facts: Facts) -> Markup | None:
    """Return how the training went."""
    if not facts.history:
        return None
    clocks = [record.get("clock") or {} for record in facts.history]
    seconds = sum(float(clock.get("seconds") or 0) for clock in clocks)
    speed = max((float(clock.get("examples_per_second") or 0) for clock in clocks), default=0.0)
    memory = max((float(clock.get("memory_mb") or 0) for clock in clocks), default=0.0)
    told = f"{count(len(facts.history), 'epoch')}"
    told += f" in {duration(seconds)}" if seconds else ""
    told += f", up to {speed:,.0f} examples a second" if speed else ""
    told += f", {memory:,.0f} MB of memory at most" if memory else ""
    told += f". The weights of epoch {facts.best['epoch']} were kept." if facts.best else "."
    figures = element("div", "pictures", _figure(facts, "loss"), _figure(facts, "metric"))
    return section("training", "Training", sentences(told), figures)


def calibration(facts: Facts) -> Markup | None:
    """Return whether confidences can be believed, before and after temperature scaling."""
    said = facts.scores.get("calibration") or {}
    picture = _figure(facts, "reliability")
    if not said and picture is None:
        return None
    before, after = said.get("before") or {}, said.get("after") or {}
    rows: list[list[Child]] = [
        [title(metric), _cell(metric, before.get(metric)), _cell(metric, after.get(metric))]
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
                "Scaling changes how sure an answer is, not the order of the answers."
            )
        )
    if rows:
        parts.append(table("Calibration before and after", ["Metric", "Before", "After"], rows, numbers=(1, 2)))
    return section("calibration", "Calibration", element("div", "pictures", picture, element("div", "beside", *parts)))


def ranking(facts: Facts) -> Markup | None:
    """Return the ROC and precision-recall curves."""
    figures = [_figure(facts, "roc"), _figure(facts, "precision-recall")]
    if not any(figures):
        return None
    told = (
        "Each class against the rest, at every threshold. The legend names the classes with the smallest area. "
        "Where classes are rare, precision and recall say more than ROC."
    )
    if len(facts.classes) > MOST_CURVES:
        told += f" Only the {WEAKEST} classes with the smallest area are drawn; the mean is that of all."
    return section("ranking", "Thresholds", sentences(told), element("div", "pictures", *figures))


def _figure(facts: Facts, plot: str, *, style: str = "") -> Markup | None:
    row = PLOTS[plot]
    words = element("span", "", tag("b", f"{row.title}. "), row.look_for)
    return figure(facts.pictures.get(plot), words, style=style)
