"""The table of pictures, and drawing all of those for which there is something to draw."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sonde.evaluation.plots.confusion import confusion_matrix
from sonde.evaluation.plots.evidence import Evidence
from sonde.evaluation.plots.gallery import mistakes_gallery
from sonde.evaluation.plots.intervals import beside_baselines, class_bars
from sonde.evaluation.plots.learning import loss_curves, metric_curves
from sonde.evaluation.plots.ranking import precision_recall, roc
from sonde.evaluation.plots.reliability import reliability
from sonde.evaluation.plots.runs import beside_one_another
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
    """Draw every picture that the evidence allows.

    Args:
        evidence: history, scores, curves and mistakes of one run.

    Returns:
        SVG text by the picture's name in `PLOTS`; the same evidence gives the same bytes.
    """
    drawn = {kind: plot.function(evidence) for kind, plot in PLOTS.items()}
    return {kind: picture for kind, picture in drawn.items() if picture is not None}


def _baselines(evidence: Evidence) -> str | None:
    metric = str(evidence.scores.get("headline", ""))
    rows = [("this model", _score(evidence.scores.get("test"), metric))]
    for label, scores in (evidence.scores.get("baselines") or {}).items():
        rows.append((label, _score(scores, metric)))
    return beside_baselines(rows, metric) if len(rows) > 1 else None


def _loss(evidence: Evidence) -> str | None:
    return loss_curves(evidence.history)


def _metric(evidence: Evidence) -> str | None:
    present = {
        metric for record in evidence.history for metric in record.get("validation") or record.get("train") or {}
    }
    headline = str(evidence.scores.get("headline", ""))
    others = sorted(present - {"loss"})
    metric = headline if headline in present else (others[0] if others else "")
    return metric_curves(evidence.history, metric) if metric else None


def _confusion(evidence: Evidence) -> str | None:
    counts, classes = evidence.scores.get("confusion"), evidence.scores.get("classes")
    return confusion_matrix(counts, classes) if counts and classes else None


def _classes(evidence: Evidence) -> str | None:
    return class_bars(evidence.scores.get("per_class") or {})


def _roc(evidence: Evidence) -> str | None:
    return roc(evidence.roc, _areas(evidence, "roc_auc"))


def _precision_recall(evidence: Evidence) -> str | None:
    return precision_recall(evidence.precision_recall, _areas(evidence, "average_precision"))


def _reliability(evidence: Evidence) -> str | None:
    return reliability(evidence.before, evidence.after) if evidence.after is not None else None


def _answered(evidence: Evidence) -> str | None:
    return answered(evidence.scores.get("abstention") or {})


def _set_sizes(evidence: Evidence) -> str | None:
    return set_sizes(evidence.scores.get("conformal") or {})


def _runs(evidence: Evidence) -> str | None:
    kind = next((kind for kind in ("folds", "seeds") if evidence.scores.get(kind)), None)
    if kind is None:
        return None
    said = evidence.scores[kind]
    metric = str(said["headline"])
    rows = [(str(row["label"]), _score(row["scores"], metric)) for row in said["runs"]]
    return beside_one_another(rows, metric, _score(said["spread"], metric))


def _members(evidence: Evidence) -> str | None:
    said = evidence.scores.get("ensemble")
    if not said:
        return None
    metric = str(said["metrics"][0])
    rows = [("the ensemble", said), *((str(row["name"]), row) for row in said["members"])]
    scores = [(name, _score(row["scores"], metric)) for name, row in rows]
    return beside_one_another(scores, metric, None, first=True, key="members")


def _mistakes(evidence: Evidence) -> str | None:
    return mistakes_gallery(evidence.mistakes)


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
        _loss,
        "Loss",
        "See whether validation loss still falls at the end, or turns up while training loss falls on.",
    ),
    "metric": Plot(
        _metric,
        "Score per epoch",
        "See how wide the gap between training and validation opens.",
    ),
    "confusion": Plot(
        _confusion,
        "Confusion matrix",
        "Colour off the diagonal marks classes that are taken for each other; it follows the share of the row.",
    ),
    "classes": Plot(
        _classes,
        "Each class",
        "Short bars are weak classes; long whiskers are classes with few examples.",
    ),
    "roc": Plot(
        _roc,
        "ROC curves",
        "A curve that stays away from the upper left corner is a class that no threshold separates cleanly.",
    ),
    "precision-recall": Plot(
        _precision_recall,
        "Precision and recall",
        "See where precision falls as more of a class is to be found.",
    ),
    "reliability": Plot(
        _reliability,
        "Reliability",
        "Dots below the diagonal: there the model is surer than it is right. Whiskers show how far that may be chance.",
    ),
    "answered": Plot(
        _answered,
        "Accuracy of the answers given",
        "See how many examples would have to go unanswered for the rest to be as right as is needed.",
    ),
    "set-sizes": Plot(
        _set_sizes,
        "Sizes of the prediction sets",
        "Large sets are examples of which the model knows little; see whether the sets of each size hold the truth.",
    ),
    "mistakes": Plot(
        _mistakes,
        "Worst mistakes",
        "Look for wrong labels, unreadable examples, and what the mistakes have in common.",
    ),
}
"""All kinds of pictures, in the order they are shown."""
