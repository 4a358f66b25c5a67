"""Writes the sections that every run has: scores beside the baselines, and how the training went."""

from collections.abc import Mapping
from typing import Any

from sonde.answers.facts import Facts, captioned, level
from sonde.drawing.markup import Child, Markup
from sonde.drawing.numbers_in_words import NOT_KNOWN, count, duration
from sonde.drawing.page import element, section, sentences, table
from sonde.drawing.safe_text import one_line
from sonde.evaluation.plots import PLOTS
from sonde.metrics.words import amount, interval, meaning, title

BASELINE_READS = "Training examples that the linear baseline learned from, at most"


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


def _figure(facts: Facts, key: str) -> Markup | None:
    return captioned(facts, key, PLOTS[key].title, PLOTS[key].look_for)
