"""The report's sections on predicted numbers: how far off they are, and their intervals; what to look at next."""

from collections.abc import Iterator, Mapping
from typing import Any

from sonde.answers.answer import FITTED_ON
from sonde.answers.facts import Facts, Pointer, level
from sonde.answers.regression.pictures import PICTURES
from sonde.answers.regression.target import near, written
from sonde.answers.report_parts import drawn
from sonde.drawing.markup import Child, Markup
from sonde.drawing.numbers_in_words import percent
from sonde.drawing.page import element, section, sentences, table
from sonde.drawing.safe_text import one_line
from sonde.metrics.words import amount, interval, title

OUTLIER = 6.0
"""Largest error over the median one from which on it is pointed at; of normal errors 1,000 examples reach about 5."""
SHORT = 0.02
"""How far the upper end of the coverage may fall below what was wanted without a word."""


def _errors(facts: Facts) -> Mapping[str, Any]:
    return facts.scores.get("errors") or {}


def wanted(found: Mapping[str, Any]) -> str:
    """Write the share of the intervals that are to hold the target."""
    return f"{100 * float(found['wanted']):g}%"


def remarks(facts: Facts) -> list[str]:
    """Say on the first screen how far off predictions are, and what a constant would have been off by."""
    errors, target = _errors(facts), facts.scores.get("target") or {}
    if not errors or not target:
        return []
    (_, half), (_, most) = errors["at_shares"]
    told = [
        f"Half of the test predictions are off by at most {near(half)}, and nine in ten by at most {near(most)}. The "
        f"targets there run from {written(target['low'])} to "
        f"{written(target['high'])}; always predicting their median would be off by "
        f"{near(errors['of_a_constant'])} on average."
    ]
    found = facts.scores.get("intervals")
    if found:
        held = f"{amount('coverage', found['coverage']['value'])} do ({interval('coverage', found['coverage'])})"
        told.append(
            f"Each prediction has an interval meant to hold the target {wanted(found)} of the time; on the "
            f"test split {held}."
        )
    return told


def predictions(facts: Facts) -> Markup | None:
    """Return the predictions against the targets, and their errors."""
    errors = _errors(facts)
    if not errors:
        return None
    mean = errors["mean"]
    is_biased = not mean["low"] <= 0 <= mean["high"]
    direction = "high" if mean["value"] > 0 else "low"
    told = (
        f"On average predictions are {near(abs(mean['value']))} too {direction} (the interval of the mean error is "
        f"{near(mean['low'])} to {near(mean['high'])}), "
        + ("which is more than chance: the model is biased." if is_biased else "which is within chance.")
        + f" The largest error is {near(errors['largest'])}."
    )
    if facts.scores.get("scale") == "log":
        told += (
            " The target was learned as its logarithm, as its distribution has a long tail: errors count as factors, "
            "and a prediction is nearer to the typical number than to the mean. (--set regression.scale=plain learns "
            "it as it is.)"
        )
    return section(
        "predictions",
        "Predictions",
        sentences(told),
        element(
            "div",
            "pictures",
            drawn(facts, PICTURES, "predicted"),
            drawn(facts, PICTURES, "residuals"),
            drawn(facts, PICTURES, "errors"),
        ),
    )


def intervals(facts: Facts) -> Markup | None:
    """Return how often the intervals hold the target, how wide they are, and how good the quantiles are."""
    found, quantiles = facts.scores.get("intervals"), facts.scores.get("quantiles")
    if not found and not quantiles:
        return None
    parts: list[Child] = []
    beside: list[Child] = []
    if found:
        parts.append(sentences(_origin(facts, found)))
        rows: list[list[Child]] = [
            [title(name), amount(name, found[name]["value"]), interval(name, found[name])]
            for name in ("coverage", "interval_width")
        ]
        caption = f"Prediction intervals on the test split, {wanted(found)} wanted"
        beside.append(table(caption, ["Metric", "Value", f"{level(facts.scores)} interval"], rows, numbers=(1, 2)))
    if quantiles:
        below: list[list[Child]] = [[percent(share), percent(each)] for share, each in quantiles["below"]]
        beside.append(table("Predicted quantiles", ["Quantile", "Targets at or below it"], below, numbers=(1,)))
        loss = quantiles["pinball_loss"]
        beside.append(
            sentences(
                f"Pinball loss {amount('pinball_loss', loss['value'])} ({interval('pinball_loss', loss)}), lower being "
                "better. Each quantile should have as many targets at or below it as it says."
            )
        )
    picture = drawn(facts, PICTURES, "coverage")
    parts.append(element("div", "pictures", picture, element("div", "beside", *beside)))
    return section("intervals", "Prediction intervals", *parts)


def _origin(facts: Facts, found: Mapping[str, Any]) -> str:
    around = "the outermost predicted quantiles" if facts.scores.get("quantiles") else "the predicted number"
    wide = "wider where these lie further apart" if facts.scores.get("quantiles") else "equally wide for all examples"
    if facts.scores.get("scale") == "log" and not facts.scores.get("quantiles"):
        wide = "one factor up and down for all examples, so that larger numbers have wider ones"
    told = (
        f"The intervals lie around {around}, {wide}. Their width was set so that "
        f"{wanted(found)} of new examples like these should lie inside (split conformal prediction), "
    )
    if not found["examples"]:
        return told + "as the averaged models or the folds, each for itself, found it."
    on = one_line(str(facts.scores.get("fitted_on", FITTED_ON["validation"])))
    return told + (
        f"by {int(found['examples']):,} examples: {on}. They chose the epoch too, so that the coverage may fall "
        "short by a little; rely on this check on the test split."
    )


def _biased(facts: Facts) -> Iterator[Pointer]:
    mean = _errors(facts).get("mean")
    if mean and not mean["low"] <= 0 <= mean["high"]:
        direction = "high" if mean["value"] > 0 else "low"
        text = f"On average predictions are {near(abs(mean['value']))} too {direction}, more than chance explains."
        yield Pointer("Predictions are biased", (text,), "predictions")


def _short(facts: Facts) -> Iterator[Pointer]:
    found = facts.scores.get("intervals")
    if found and found["coverage"]["high"] is not None and found["coverage"]["high"] < found["wanted"] - SHORT:
        text = f"They hold {percent(found['coverage']['value'])} of the targets instead of {wanted(found)}."
        yield Pointer("Intervals are too narrow", (text,), "intervals")


def _outlier(facts: Facts) -> Iterator[Pointer]:
    errors = _errors(facts)
    median = next((off for share, off in errors.get("at_shares") or [] if share == 0.5), 0.0)
    if median and errors["largest"] > OUTLIER * median:
        text = (
            f"One prediction is off by {near(errors['largest'])}, {errors['largest'] / median:.0f} times the median "
            "error: see whether its target is right."
        )
        yield Pointer("A few are far off", (text,), "worst")


SECTIONS = {
    "predictions": ("Predictions", predictions),
    "intervals": ("Prediction intervals", intervals),
}
POINTERS = (_biased, _short, _outlier)
