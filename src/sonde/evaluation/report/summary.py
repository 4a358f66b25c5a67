"""Writes the first screen: what was asked, the result, how sure it is, against what baseline, what to look at next."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sonde.answers import TASKS, answer_of
from sonde.answers.facts import SPLITS, Facts, level
from sonde.data import WHOLE
from sonde.drawing.markup import Child, Markup, join, tag
from sonde.drawing.numbers_in_words import count, duration, listed, percent
from sonde.drawing.page import element, figure, name
from sonde.drawing.safe_text import one_line
from sonde.evaluation.plots import PLOTS
from sonde.evaluation.report.pointers import pointers
from sonde.metrics.words import SHARES, amount, interval, number, title

NAMED_CLASSES = 6

TAGS = {"model": "The model wins", "baseline": "A baseline wins", "neither": "Within noise"}
"""What the verdict says at a glance."""


def summary(facts: Facts) -> Markup:
    """Return the first screen."""
    return element(
        "header",
        "",
        _masthead(facts),
        tag("h1", _question(facts)),
        _asked(facts),
        element("div", "finding", _answer(facts), _against(facts)),
        _next(facts),
    )


def when(text: str) -> str:
    """Write a moment for people; text that is no ISO time stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    zone = " UTC" if moment.tzinfo is not None and not moment.utcoffset() else ""
    return f"{moment.day} {moment:%B %Y, %H:%M}{zone}"


def _masthead(facts: Facts) -> Markup:
    started = facts.environment.get("started")
    parts: list[Child] = [tag("span", "sonde report"), tag("span", "run ", tag("strong", one_line(facts.name)))]
    if started:
        parts.append(tag("time", when(str(started)), attributes={"datetime": str(started)}))
    return element("p", "masthead", *parts)


def _question(facts: Facts) -> str:
    task = TASKS[str(facts.scores["task"])]
    return task.row.question.format(thing=task.thing, count=len(facts.classes))


def _asked(facts: Facts) -> Markup:
    data = facts.dataset
    label = str(data.get("name") or facts.option("run.data") or "")
    form = data.get("format")
    about: list[Child] = []
    if label:
        about += [tag("strong", name(label)), f" ({one_line(str(form))}): " if form else ": "]
    sizes = [f"{facts.sizes[split]:,} {_use(split)}" for split in SPLITS if split in facts.sizes]
    about.append(f"{listed(sizes)} examples. " if sizes else "")
    about += [_origins(data.get("split_origin") or {}), *_class_names(facts), _trained(facts)]
    return element("p", "asked", *about)


def _use(split: str) -> str:
    return {"train": "training"}.get(split, split)


def _origins(origins: Mapping[str, Any]) -> str:
    by_origin: dict[str, list[str]] = {}
    for split in reversed(SPLITS):
        origin = str(origins.get(split, ""))
        # What is left over for training needs no words.
        if origin and origin != WHOLE and (split != "train" or origin == "given"):
            by_origin.setdefault(one_line(origin), []).append(_use(split))
    told = [
        f"{listed(splits)} {'given by the data' if origin == 'given' else f'held out ({origin})'}"
        for origin, splits in by_origin.items()
    ]
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}. " if text else ""


def _class_names(facts: Facts) -> list[Child]:
    shown: list[Child] = [
        part for index, label in enumerate(facts.classes[:NAMED_CLASSES])
        for part in ((", " if index else "Classes: "), name(label))
    ]  # fmt: skip
    more = len(facts.classes) - NAMED_CLASSES
    return [*shown, f" and {more:,} more. " if more > 0 else ". "] if shown else []


def _trained(facts: Facts) -> str:
    model = (facts.environment.get("model") or {}).get("name") or facts.option("run.model")
    if not model:
        return ""
    parameters = (facts.environment.get("model") or {}).get("parameters")
    backend = facts.environment.get("backend") or facts.option("run.backend")
    seconds = sum(float((record.get("clock") or {}).get("seconds") or 0) for record in facts.history)
    told = f"Model: {one_line(str(model))}"
    told += f", {int(parameters):,} parameters" if parameters else ""
    told += f", on {one_line(str(backend))}" if backend else ""
    told += f", {count(len(facts.history), 'epoch')}" if facts.history else ""
    return told + (f" in {duration(seconds)}." if seconds else ".")


def _answer(facts: Facts) -> Markup:
    score, metric = facts.score, facts.headline
    n = int(score.get("n") or facts.sizes.get("test", 0))
    # What stands in brackets is said elsewhere on the first screen.
    split = re.sub(r" \([^()]*\)", "", one_line(str(facts.scores.get("splits") or count(n, "test example"))))
    return tag(
        "section",
        tag("h2", "Test result", attributes={"id": "answer-heading"}),
        element("p", "measure", f"{title(metric)} on {split}"),
        element("p", "headline", amount(metric, score.get("value"))),
        element(
            "p",
            "interval",
            interval(metric, score),
            element("span", "quiet", f" {level(facts.scores)} interval, n = {n:,}"),
        ),
        tag("h3", "How sure"),
        *(element("p", "sure", sentence) for sentence in _how_sure(facts, n)),
        attributes={"class": "answer", "aria-labelledby": "answer-heading"},
    )


def _how_sure(facts: Facts, n: int) -> list[str]:
    score, metric = facts.score, facts.headline
    value, low, high = (score.get(key) for key in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return ["This score could not be computed on the test split."]
    half = (high - low) / 2
    points = f"{100 * half:.1f} points" if metric in SHARES else number(half)
    said = [
        f"With other test examples of the same kind the score would likely have come out between "
        f"{amount(metric, low)} and {amount(metric, high)}. Differences below about {points} can be chance. "
        "The interval reflects which test examples were drawn, not the training seed."
    ]
    if value >= 1.0 and metric in SHARES and n:
        # The rule of three: with no mistake in n, the true rate is below 3/n with 95 % confidence.
        said[0] += f" No mistake in {n:,} examples still allows a true error rate of up to {percent(min(3 / n, 1.0))}."
    return said + answer_of(str(facts.scores["task"])).remarks(facts)


def _against(facts: Facts) -> Markup:
    verdict = facts.verdict
    wins = str(verdict.get("wins", ""))
    sentence = str(verdict.get("sentence") or "No baseline was scored.")
    badge = TAGS.get(wins)
    style = "badge" if wins == "model" else "badge alert"
    if badge is not None and sentence.lower().startswith(badge.lower()):
        # The sentence would say the badge's words once more.
        sentence = sentence[len(badge) :].lstrip(" :;,.–")
        sentence = sentence[:1].upper() + sentence[1:]
    return tag(
        "section",
        tag("h2", "Against the baselines", attributes={"id": "against-heading"}),
        element(
            "p",
            "verdict",
            element("span", style, badge) if badge else None,
            " " if badge else None,
            one_line(sentence),
        ),
        figure(facts.pictures.get("baselines"), PLOTS["baselines"].look_for),
        attributes={"class": "against", "aria-labelledby": "against-heading"},
    )


def _next(facts: Facts) -> Markup:
    items = [
        tag(
            "li",
            tag("a", tag("strong", pointer.what), attributes={"href": f"#{pointer.where}"}),
            element("span", "why", join(pointer.why)),
        )
        for pointer in pointers(facts)
    ]
    return tag(
        "section",
        tag("h2", "What to look at next", attributes={"id": "next-heading"}),
        element("ol", "", *items),
        attributes={"class": "next", "aria-labelledby": "next-heading"},
    )
