"""The table of pictures, and drawing all of those for which there is something to draw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sonde.evaluation.plots.confusion import confusion_matrix
from sonde.evaluation.plots.evidence import Evidence
from sonde.evaluation.plots.gallery import mistakes_gallery
from sonde.evaluation.plots.intervals import beside_baselines, beside_one_another, class_bars
from sonde.evaluation.plots.learning import loss_curves, metric_curves
from sonde.evaluation.plots.ranking import precision_recall, roc
from sonde.evaluation.plots.reliability import reliability
from sonde.evaluation.plots.selective import answered, set_sizes


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


def _confusion(evidence: Evidence) -> str | None:
    counts, classes = evidence.scores.get("confusion"), evidence.scores.get("classes")
    return confusion_matrix(counts, classes) if counts and classes else None


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


def _areas(evidence: Evidence, metric: str) -> dict[str, float | None]:
    per_class = evidence.scores.get("per_class") or {}
    return {label: _score(scores, metric).get("value") for label, scores in per_class.items()}


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
    "confusion": Plot(
        _confusion,
        "Confusion matrix",
        "Colour off the diagonal marks classes that are taken for each other; it follows the share of the row.",
    ),
    "classes": Plot(
        lambda evidence: class_bars(evidence.scores.get("per_class") or {}),
        "Each class",
        "Short bars are weak classes; long whiskers are classes with few examples.",
    ),
    "roc": Plot(
        lambda evidence: roc(evidence.roc, _areas(evidence, "roc_auc")),
        "ROC curves",
        "A curve that stays away from the upper left corner is a class that no threshold separates cleanly.",
    ),
    "precision-recall": Plot(
        lambda evidence: precision_recall(evidence.precision_recall, _areas(evidence, "average_precision")),
        "Precision and recall",
        "See where precision falls as more of a class is to be found.",
    ),
    "reliability": Plot(
        lambda evidence: reliability(evidence.before, evidence.after) if evidence.after is not None else None,
        "Reliability",
        "Below the diagonal the model is surer than it is right, above it less sure. Whiskers show what may be chance.",
    ),
    "answered": Plot(
        lambda evidence: answered(evidence.scores.get("abstention") or {}),
        "Accuracy against coverage",
        "See how many examples the model would have to abstain on for the rest to be as right as is needed.",
    ),
    "set-sizes": Plot(
        lambda evidence: set_sizes(evidence.scores.get("conformal") or {}),
        "Sizes of the prediction sets",
        "Large sets are examples of which the model knows little; see whether the sets of each size contain the truth.",
    ),
    "mistakes": Plot(
        lambda evidence: mistakes_gallery(evidence.mistakes),
        "Worst mistakes",
        "Look for wrong labels, unreadable examples, and what the mistakes have in common.",
    ),
}
"""All kinds of pictures, in the order they are shown."""
