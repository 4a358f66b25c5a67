"""The table of pictures that every run has; those of what it was asked are in the row of the answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sonde.answers.facts import Shown
from sonde.evaluation.plots.interval_pictures import beside_baselines, beside_one_another
from sonde.evaluation.plots.learning import loss_curves, metric_curves
from sonde.evaluation.plots.worst_pictures import worst_gallery


@dataclass(frozen=True)
class Evidence:
    """What the pictures are drawn from; what is missing leaves its pictures out."""

    history: Sequence[Mapping[str, Any]] = ()
    """Records of `history.jsonl`."""
    scores: Mapping[str, Any] = field(default_factory=dict)
    """Content of `scores.json`."""
    worst: Sequence[Shown] = ()
    """The worst predictions, worst first."""


@dataclass(frozen=True)
class Plot:
    """One kind of picture."""

    function: Callable[[Evidence], str | None]
    """Draws an SVG picture, or returns None where the evidence does not hold what it needs."""
    title: str
    look_for: str
    """One sentence: what to look for in it."""


def draw(evidence: Evidence) -> dict[str, str]:
    """Draw every picture that the evidence allows: SVG text by its name in `PLOTS`."""
    drawn = {kind: plot.function(evidence) for kind, plot in PLOTS.items()}
    return {kind: picture for kind, picture in drawn.items() if picture is not None}


def _baselines(evidence: Evidence) -> str | None:
    metric = str(evidence.scores.get("headline", ""))
    others = (evidence.scores.get("baselines") or {}).items()
    rows = [("this model", evidence.scores.get("test")), *others]
    return beside_baselines([(label, _score(scores, metric)) for label, scores in rows], metric) if others else None


def _metric(evidence: Evidence) -> str | None:
    present = {name for record in evidence.history for name in record.get("validation") or record.get("train") or {}}
    headline = str(evidence.scores.get("headline", ""))
    metric = headline if headline in present else min(present - {"loss"}, default="")
    return metric_curves(evidence.history, metric) if metric else None


def _runs(evidence: Evidence) -> str | None:
    several = evidence.scores.get("folds") or evidence.scores.get("seeds")
    if not several:
        return None
    metric = str(several["headline"])
    rows = [(str(row["label"]), _score(row["scores"], metric)) for row in several["runs"]]
    return beside_one_another(rows, metric, _score(several["spread"], metric))


def _members(evidence: Evidence) -> str | None:
    ensemble = evidence.scores.get("ensemble")
    if not ensemble:
        return None
    metric = str(ensemble["metrics"][0])
    rows = [("the ensemble", ensemble), *((str(row["name"]), row) for row in ensemble["members"])]
    scores = [(name, _score(row["scores"], metric)) for name, row in rows]
    return beside_one_another(scores, metric, None, first=True, key="members")


def _score(scores: Mapping[str, Any] | None, metric: str) -> Mapping[str, Any]:
    return (scores or {}).get(metric) or {}


PLOTS: dict[str, Plot] = {
    "baselines": Plot(
        _baselines,
        "Beside the baselines",
        "Intervals that overlap do not settle it: the verdict compares both on the same examples, which is sharper.",
    ),
    "runs": Plot(
        _runs,
        "Run by run",
        "Whiskers are of each run's own test examples; the dashed line is the mean of the runs, the band its interval.",
    ),
    "members": Plot(
        _members,
        "The ensemble and its members",
        "Whiskers that overlap do not settle it: the sentence above compares both on the same examples.",
    ),
    "loss": Plot(
        lambda evidence: loss_curves(evidence.history),
        "Loss",
        "See whether validation loss still falls at the end, or turns up while training loss falls on.",
    ),
    "metric": Plot(_metric, "Score per epoch", "See how wide the gap between training and validation opens."),
    "worst": Plot(
        lambda evidence: worst_gallery(evidence.worst),
        "Worst predictions",
        "Look for wrong targets, unreadable examples, and what these predictions have in common.",
    ),
}
"""In the order they are shown."""
