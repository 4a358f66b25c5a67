"""Draws how well the classes are told from each other at every threshold: ROC and precision-recall curves."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sonde.drawing import Axis, Layer, Panel, chart, curve, picture, rule
from sonde.metrics.curves import Curve

NAMED = 4
"""Classes in the legend: those with the smallest area, as these are the ones to look at."""
MOST_CURVES, WEAKEST = 100, 20
"""Of more classes than the first, only so many are drawn as the second says: those with the smallest area."""
DASHES = (None, "7 3", "2.5 2.5", "8 3 2 3")
"""How the named classes are told apart, also in black and white."""

Curves = Mapping[str, Curve | None]
"""By class; None where a class has no curve."""
Areas = Mapping[str, float | None]
Places = tuple[NDArray[np.float64], NDArray[np.float64]]


def roc(curves: Curves, areas: Areas) -> str | None:
    """Draw false-positive rate (x) to true-positive rate (y) of each class, and their mean; None without any."""
    known = {label: (curve.x, curve.y) for label, curve in curves.items() if curve is not None}
    layers = [rule("chance"), *_layers(known, areas, "mean area")]
    axes = Axis("false-positive rate", 0.0, 1.0), Axis("true-positive rate (recall)", 0.0, 1.0)
    return picture(chart([Panel(layers, axes[1], high=345)], axes[0]), "plot-roc", "ROC curves") if known else None


def precision_recall(curves: Curves, areas: Areas) -> str | None:
    """Draw rising recall (x) to precision (y) of each class, and their mean; None without any."""
    # A recall is reached with the precision of the next point, which is what average precision sums up: steps.
    drawn = {label: curve for label, curve in curves.items() if curve is not None}
    known = {label: (np.repeat(curve.x, 2)[:-1], np.repeat(curve.y, 2)[1:]) for label, curve in drawn.items()}
    panel = Panel(_layers(known, areas, "mean average precision"), Axis("precision", 0.0, 1.0), high=345)
    block = chart([panel], Axis("recall", 0.0, 1.0))
    return picture(block, "plot-precision-recall", "Precision-recall curves") if known else None


def weakest(areas: Areas, among: Sequence[str], most: int = NAMED) -> list[str]:
    """Return the classes with the smallest areas, the smallest first; those without an area come last."""
    known = {label: 2.0 if (area := areas.get(label)) is None else area for label in among}
    return sorted(among, key=lambda label: known[label])[:most]


def _layers(known: Mapping[str, Places], areas: Areas, mean: str) -> list[Layer]:
    named = weakest(areas, list(known))
    drawn = set(known if len(known) <= MOST_CURVES else weakest(areas, list(known), WEAKEST))
    faint = [label for label in known if label in drawn and label not in named]
    others = len(known) - len(named)
    rest = f"{len(faint)} weakest of {others:,} others"
    rest = f"{others} other class{'es' * (others > 1)}" if len(faint) == others else rest
    layers = [curve(*known[label], rest * (label == faint[0]), look="third") for label in faint]
    for label, dashes in zip(named, DASHES, strict=False):
        note = "–" if (area := areas.get(label)) is None else f"{area:.3f}"
        layers.append(curve(*known[label], label, note=note, look="second", dashes=dashes))
    if len(known) > 1:
        values = [area for label in known if (area := areas.get(label)) is not None]
        # The mean over classes at each x, as in scikit-learn's example of macro-averaged ROC curves; dense at the ends.
        x = np.unique(np.concatenate([np.linspace(0, 1, 101), np.linspace(0, 0.05, 26), np.linspace(0.95, 1, 26)]))
        y = np.mean([np.interp(x, *places) for places in known.values()], axis=0)
        x, y = np.append(0.0, x), np.append(np.mean([places[1][0] for places in known.values()]), y)
        layers.append(curve(x, y, mean, note=f"{np.mean(values):.3f}" if values else ""))
    return layers
