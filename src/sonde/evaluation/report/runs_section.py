"""Writes the sections on several runs: the folds of a cross-validation, seeds, and what an ensemble is made of."""

from collections.abc import Mapping, Sequence
from typing import Any

from sonde.answers.facts import Facts
from sonde.drawing.markup import Child, Markup, tag
from sonde.drawing.numbers_in_words import NOT_KNOWN, count, percent
from sonde.drawing.page import element, figure, section, sentences, table
from sonde.drawing.safe_text import one_line
from sonde.evaluation.plots import PLOTS
from sonde.metrics.words import SHARES, amount, interval, title

NO_FOLDS = (
    "The t-interval takes the folds for independent, and they are not: any two share most of their training examples. "
    "The corrected interval allows for that (Nadeau & Bengio, 2003). Both are of the mean over folds of this one "
    "division of the data."
)
NO_SEEDS = (
    "The t-interval is of the mean over seeds, on these same test examples: it says what chance in the training does, "
    "and nothing of other examples."
)


def folds(facts: Facts) -> Markup | None:
    """Return the folds of a cross-validation with their spread, and the baselines of each."""
    said = facts.scores.get("folds")
    if not said:
        return None
    made = "made of all examples"
    if said.get("of") != "everything":
        made = "made of all that the data does not keep for its own test"
    told = (
        f"{count(len(said['runs']), 'run')}, each trained without the fold that it was tested on; folds are {made}. "
        "Every score above and below this section is of the pooled answers: each example was answered once, by the run "
        "that had not seen it."
    )
    return section("folds", "Folds", sentences(told), *_several(facts, said, "fold"), sentences(NO_FOLDS))


def seeds(facts: Facts) -> Markup | None:
    """Return the runs of several seeds with their spread."""
    said = facts.scores.get("seeds")
    if not said:
        return None
    told = (
        f"{count(len(said['runs']), 'run')} that differ in their seeds alone. Their answers are averaged in this one."
    )
    return section("seeds", "Seeds", sentences(told), *_several(facts, said, "seed"), sentences(NO_SEEDS))


def _several(facts: Facts, said: Mapping[str, Any], kind: str) -> list[Child]:
    metric, beside = str(said["headline"]), list(said["baselines"])
    rows: list[list[Child]] = [
        [
            one_line(str(row["label"]), longest=60),
            one_line(str(row["name"]), longest=60),
            f"{int(row['sizes']['train']):,}",
            f"{int(row['sizes']['test']):,}",
            _cell(metric, row["scores"].get(metric)),
            *(amount(metric, (row["baselines"].get(name, {}).get(metric) or {}).get("value")) for name in beside),
        ]
        for row in said["runs"]
    ]
    heads = [kind.capitalize(), "Run", "Trained on", "Tested on", title(metric), *(one_line(name) for name in beside)]
    return [
        figure(facts.pictures.get("runs"), element("span", "", PLOTS["runs"].look_for), style="wide"),
        table(f"Each {kind}, with the interval over its test examples", heads, rows, numbers=range(2, len(heads))),
        _spreads(said, kind),
    ]


def _cell(metric: str, score: Mapping[str, Any] | None) -> Child:
    if not score or score.get("value") is None:
        return NOT_KNOWN
    return element("span", "pair", amount(metric, score["value"]), element("small", "", interval(metric, score)))


def _spreads(said: Mapping[str, Any], kind: str) -> Markup:
    rows: list[list[Child]] = []
    for metric, found in said["spread"].items():
        row = [title(metric), *_spread(metric, found, corrected=kind == "fold")]
        row += [amount(metric, (said["baselines"][name].get(metric) or {}).get("value")) for name in said["baselines"]]
        rows.append(row)
    heads = ["Metric", "Mean", "Standard deviation", "95% t-interval"]
    heads += ["corrected"] if kind == "fold" else []
    heads += [f"{one_line(name)}, mean" for name in said["baselines"]]
    return table(f"Mean and spread over {kind}s", heads, rows, numbers=range(1, len(heads)), style="tight")


def _spread(metric: str, found: Mapping[str, Any], *, corrected: bool) -> list[Child]:
    deviation = found.get("deviation")
    written = (
        NOT_KNOWN if deviation is None else f"{100 * deviation:.2f} points" if metric in SHARES else f"{deviation:.4f}"
    )
    cells: list[Child] = [amount(metric, found.get("value")), written, interval(metric, found)]
    if corrected:
        cells.append(interval(metric, {"low": found.get("corrected_low"), "high": found.get("corrected_high")}))
    return cells


def members(facts: Facts) -> Markup | None:
    """Return what an ensemble is made of, each member's scores beside it, and whether it beats the best of them."""
    said = facts.scores.get("ensemble")
    if not said:
        return None
    metrics = [name for name in said["metrics"] if any(row["scores"].get(name) for row in said["members"])]
    rows: list[list[Child]] = [
        [tag("strong", "the ensemble"), "", "", "", *(_cell(name, said["scores"].get(name)) for name in metrics)],
        *(
            [
                one_line(str(row["name"]), longest=60),
                one_line(str(row["model"])),
                one_line(str(row["backend"])),
                percent(float(row["weight"])),
                *(_cell(name, row["scores"].get(name)) for name in metrics),
            ]
            for row in said["members"]
        ),
    ]
    heads = ["Member", "Model", "Trained with", "Weight", *(title(name) for name in metrics)]
    told = f"The average of the predictions of {count(len(said['members']), 'run')}, {_weighed(said['members'])}. "
    told += (
        "What is fitted on validation was fitted anew."
        if said.get("fitted", True)
        else "Nothing was fitted anew: a member was trained on the validation examples too, so that they tell nothing."
    )
    return section(
        "members",
        "Made of",
        sentences(told),
        sentences(one_line(str(said["against_the_best"]["sentence"]), longest=600)),
        figure(facts.pictures.get("members"), element("span", "", PLOTS["members"].look_for), style="wide"),
        table("The ensemble and its members on the test split", heads, rows, numbers=range(3, len(heads))),
    )


def _weighed(members: Sequence[Mapping[str, Any]]) -> str:
    weights = {round(float(row["weight"]), 6) for row in members}
    return "all alike" if len(weights) == 1 else "weighed by how likely each found the truth on validation"
