"""Draws how well the classes are told from each other at every threshold: ROC and precision-recall curves."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sonde.evaluation.plots.markup import Markup, join
from sonde.evaluation.plots.names import one_line
from sonde.evaluation.plots.svg import Scale, footing, line, mark, name, ruler, sheet, text
from sonde.metrics.curves import Curve

NAMED = 4
"""Classes in the legend: those with the smallest area, as these are the ones to look at."""

MOST_CURVES, WEAKEST = 100, 20
"""Of more classes than the first, only so many are drawn as the second says: those with the smallest area."""

DASHES = (None, "7 3", "2.5 2.5", "8 3 2 3")
"""How the named classes are told apart, also in black and white."""

FAINT_POINTS = 50
"""Points of each curve that is not named, so that the picture of 100 classes stays below 100 kB."""

WIDE, HIGH, LEFT, TOP, SIDE = 400, 420, 46, 30, 340
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)

Areas = Mapping[str, float | None]


def roc(curves: Mapping[str, Curve | None], areas: Areas) -> str | None:
    """Draw the ROC curve of each class and their mean.

    Args:
        curves: false-positive rate (x) to true-positive rate (y) by class; None where a class has no curve.
        areas: area under each class's curve.

    Returns:
        An SVG picture, or None where no class has a curve.
    """
    chance = line([(LEFT, TOP + SIDE), (LEFT + SIDE, TOP)], "p-axis", dashes="2 3")
    words = ("roc", "ROC curves", "area")
    axes = ("false-positive rate", "true-positive rate (recall)")
    return _ranking(curves, areas, words=words, axes=axes, at=_straight, backdrop=chance)


def precision_recall(curves: Mapping[str, Curve | None], areas: Areas) -> str | None:
    """Draw the precision-recall curve of each class and their mean.

    Args:
        curves: rising recall (x) to precision (y) by class, drawn in steps; None where a class has no curve.
        areas: average precision of each class.

    Returns:
        An SVG picture, or None where no class has a curve.
    """
    words = ("precision-recall", "Precision-recall curves", "average precision")
    return _ranking(curves, areas, words=words, axes=("recall", "precision"), at=_stepped, backdrop=None)


def weakest(areas: Areas, among: Sequence[str], most: int = NAMED) -> list[str]:
    """Return the classes with the smallest areas, the smallest first; those without an area come last."""
    known = {label: 2.0 if areas.get(label) is None else float(areas[label] or 0.0) for label in among}
    return sorted(among, key=lambda label: known[label])[:most]


def _straight(curve: Curve, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.interp(x, curve.x, curve.y)


def _stepped(curve: Curve, x: NDArray[np.float64]) -> NDArray[np.float64]:
    # A recall is reached with the precision of the next point: what average precision sums up.
    return curve.y[np.searchsorted(curve.x, x, side="left").clip(max=len(curve.x) - 1)]


def _ranking(
    curves: Mapping[str, Curve | None],
    areas: Areas,
    *,
    words: tuple[str, str, str],
    axes: tuple[str, str],
    at: Callable[[Curve, NDArray[np.float64]], NDArray[np.float64]],
    backdrop: Markup | None,
) -> str | None:
    key, title, measure = words
    known = {label: curve for label, curve in curves.items() if curve is not None}
    if not known:
        return None
    across, up = Scale(0, 1, LEFT, LEFT + SIDE), Scale(0, 1, TOP + SIDE, TOP)
    ticks = [f"{tick:g}" for tick in TICKS]
    named = weakest(areas, list(known))
    drawn = set(known if len(known) <= MOST_CURVES else weakest(areas, list(known), WEAKEST))
    faint = [label for label in known if label in drawn and label not in named]
    mean = _mean(known, areas) if len(known) > 1 else None
    parts = [
        text(LEFT - 36, TOP - 15, f"↑ {axes[1]}", "p-muted", size=11.5),
        ruler(up, TICKS, ticks, across=(LEFT, LEFT + SIDE)),
        backdrop,
        *(line(_points(known[label], across, up, stepped=False), "p-third") for label in faint),
        *(
            line(_points(known[label], across, up, stepped=at is _stepped), "p-second", dashes=DASHES[index])
            for index, label in enumerate(named)
        ),
        _macro(list(known.values()), across, up, at) if len(known) > 1 else None,
        footing(across, TICKS, ticks, y=TOP + SIDE, title=axes[0]),
        _legend(named, areas, mean, others=(len(faint), len(known) - len(named)), words=words),
    ]
    told = f"{axes[1]} over {axes[0]}." + (f" Mean {measure}: {mean:.4f}." if mean is not None else "")
    told += "".join(f" {one_line(label, longest=60)}: {_written(areas.get(label))}." for label in named)
    return sheet((WIDE, HIGH), f"plot-{key}", title, told, parts)


def _mean(known: Mapping[str, Curve], areas: Areas) -> float | None:
    values = [float(area) for label in known if (area := areas.get(label)) is not None]
    return sum(values) / len(values) if values else None


def _macro(
    curves: Sequence[Curve],
    across: Scale,
    up: Scale,
    at: Callable[[Curve, NDArray[np.float64]], NDArray[np.float64]],
) -> Markup:
    # The mean over classes at each x, as in scikit-learn's example of macro-averaged ROC curves; dense at the ends.
    x = np.unique(np.concatenate([np.linspace(0, 1, 101), np.linspace(0, 0.05, 26), np.linspace(0.95, 1, 26)]))
    y = np.mean([at(curve, x) for curve in curves], axis=0)
    start = [(across(0.0), up(0.0))] if at is _straight else []
    return line([*start, *((across(float(a)), up(float(b))) for a, b in zip(x, y, strict=True))], "p-main")


def _points(curve: Curve, across: Scale, up: Scale, *, stepped: bool) -> list[tuple[float, float]]:
    x, y = curve.x, curve.y
    if stepped:
        x, y = np.repeat(x, 2)[:-1], np.repeat(y, 2)[1:]
    elif len(x) > FAINT_POINTS:
        kept = np.unique(np.linspace(0, len(x) - 1, FAINT_POINTS).round().astype(int))
        x, y = x[kept], y[kept]
    return [(across(float(a)), up(float(b))) for a, b in zip(x, y, strict=True)]


def _legend(
    named: Sequence[str], areas: Areas, mean: float | None, *, others: tuple[int, int], words: tuple[str, str, str]
) -> Markup:
    faint, other = others
    rows = len(named) + (mean is not None) + (faint > 0)
    # Where the curves of a good model are not: below them, left where they fall at the right.
    wide = 226
    x = LEFT + SIDE - wide - 12 if words[0] == "roc" else LEFT + 44
    y = TOP + SIDE - 26.0 - 19 * rows
    box = {"x": x - 10, "y": y - 20, "width": wide + 20, "height": 19 * rows + 32, "fill-opacity": 0.88}
    parts = [
        mark("rect", "p-paper", box),
        text(x + wide, y - 4, words[2], "p-muted", anchor="end", size=11.5),
    ]
    y += 13
    if mean is not None:
        parts += [_key(x, y, "p-main", None), text(x + 36, y, "mean of the classes", "p-strong", size=12)]
        parts.append(text(x + wide, y, f"{mean:.3f}", "p-strong", anchor="end", size=12))
        y += 19
    for index, label in enumerate(named):
        parts += [_key(x, y, "p-second", DASHES[index]), name(x + 36, y, label, 140, size=12)]
        parts.append(text(x + wide, y, _written(areas.get(label)), anchor="end", size=12))
        y += 19
    if faint:
        more = f"{other} other class" + ("es" if other > 1 else "")
        more = more if faint == other else f"{faint} weakest of {other:,} others"
        parts += [_key(x, y, "p-third", None), text(x + 36, y, more, "p-muted", size=12)]
    return join(parts)


def _key(x: float, y: float, style: str, dashes: str | None) -> Markup:
    return line([(x, y - 4), (x + 28, y - 4)], style, dashes=dashes)


def _written(area: float | None) -> str:
    return "–" if area is None else f"{area:.3f}"
