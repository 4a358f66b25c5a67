"""What is drawn in the frame of a chart: curves, bands, points, histograms, rules, marked spans."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.drawing.axes import Scale
from sonde.drawing.blocks import Block, Sign
from sonde.drawing.marks import SHADES, Place, area, dot, polyline, rect, shaded, straight
from sonde.drawing.markup import Markup, join, number

Values = NDArray[np.float64]

MOST_MARKED, MOST_DOTS, MOST_SPECKS = 15, 100, 1500
"""Points up to which a curve has them marked, each is a circle, each is drawn; of more, how dense they lie."""
FIELD = 4.0
"""Side of the squares in which dense points are counted."""


@dataclass(frozen=True)
class Frame:
    """Where a layer is drawn."""

    across: Scale
    up: Scale
    points: int = 500
    """Points that a curve may have, so that a hundred curves stay small."""

    def places(self, x: ArrayLike, y: ArrayLike) -> list[Place]:
        """Return the coordinates of points."""
        return [(self.across(a), self.up(b)) for a, b in zip(_floats(x), _floats(y), strict=True)]


@dataclass(frozen=True, eq=False)
class Layer:
    """One thing in a chart."""

    x: Values
    y: Values
    """Values that the axes must hold."""
    marks: Callable[[Frame], Markup]
    sign: Sign
    """Its entry in the legend; without a name it has none."""


def curve(
    x: ArrayLike,
    y: ArrayLike,
    name: str = "",
    *,
    note: str = "",
    look: Literal["main", "second", "third", "other"] = "main",
    dashes: str | None = None,
) -> Layer:
    """Return a line through points; a value that is not finite leaves a gap, and few points are marked.

    The note stands beside the name; the looks are accent, ink, faint, and the colour of what is against.
    """
    xs, ys = _floats(x), _floats(y)
    style, radius = {"main": ("p-dot", 2.6), "third": ("", 0.0)}.get(look, ("p-dot-second", 1.9))

    def marks(frame: Frame) -> Markup:
        parts = []
        for stretch in _stretches(xs, ys, _peaks(ys, frame.points)):
            places = frame.places(xs[stretch], ys[stretch])
            parts += [polyline(places, f"p-{look}", dashes=dashes)] if len(places) > 1 else []
            # A lone point between gaps is no line.
            if (style and len(xs) <= MOST_MARKED) or len(places) == 1:
                parts += [dot(*place, style or "p-dot-second", radius=radius or 1.2) for place in places]
        return join(parts)

    sample = Block(28, 8, polyline([(0, 4), (28, 4)], f"p-{look}", dashes=dashes))
    return Layer(xs, ys, marks, Sign(sample, name, note, {"main": "p-strong", "third": "p-muted"}.get(look, "p-text")))


def band(x: ArrayLike, low: ArrayLike, high: ArrayLike, name: str = "") -> Layer:
    """Return the ground between two lines, such as the interval around a forecast."""
    xs, lows, highs = _floats(x), _floats(low), _floats(high)

    def marks(frame: Frame) -> Markup:
        path = ""
        for stretch in _stretches(xs, lows + highs, _peaks(highs, frame.points)):
            there, back = frame.places(xs[stretch], highs[stretch]), frame.places(xs[stretch], lows[stretch])[::-1]
            path += "M" + "L".join(f"{number(a)} {number(b)}" for a, b in there + back) + "z"
        return area(path, "p-fill", opacity=0.18)

    sample = Block(20, 12, rect((0, 0, 20, 12), "p-fill", opacity=0.18))
    return Layer(np.tile(xs, 2), np.concatenate([lows, highs]), marks, Sign(sample, name))


def points(
    x: ArrayLike,
    y: ArrayLike,
    name: str = "",
    *,
    whiskers: tuple[ArrayLike, ArrayLike] | None = None,
    weights: ArrayLike | None = None,
    ringed: bool = False,
) -> Layer:
    """Return points; thousands of them become a map of how dense they lie.

    Where they are few, they have whiskers with lower and upper ends, and their areas follow the weights.
    """
    xs, ys = _floats(x), _floats(y)
    known = np.flatnonzero(np.isfinite(xs) & np.isfinite(ys))
    style = "p-ring" if ringed else "p-dot"

    def marks(frame: Frame) -> Markup:
        places = frame.places(xs[known], ys[known])
        if len(known) <= MOST_DOTS:
            parts = []
            for (across, _), at in zip(places, known, strict=True):
                ends = [frame.up(_floats(end)[at]) for end in whiskers or () if np.isfinite(_floats(end)[at])]
                parts += [straight((across, ends[0]), (across, ends[-1]), "p-axis")] if ends else []
            sizes = np.ones(len(known)) if weights is None else np.nan_to_num(_floats(weights)[known])
            # An area follows its weight; below some size no dot is seen.
            radii = 3 + (0.5 if weights is None else 4) * np.sqrt(sizes / max(sizes.max(initial=0.0), 1e-9))
            return join([*parts, *(dot(*place, style, radius=r) for place, r in zip(places, radii, strict=True))])
        if len(known) <= MOST_SPECKS:
            specks = sorted({(number(round(a, 1)), number(round(b, 1))) for a, b in places})
            return area("".join(f"M{a} {b}h.01" for a, b in specks), "p-specks")
        columns, rows = (np.array(places) / FIELD).astype(int).T
        counts = np.zeros((rows.max() + 1, columns.max() + 1), dtype=np.int64)
        np.add.at(counts, (rows, columns), 1)
        return shaded(np.ceil(SHADES * np.sqrt(counts / counts.max())).astype(np.int64), (FIELD, FIELD))

    sample = Block(10, 10, dot(5, 5, style, radius=4))
    return Layer(xs, ys, marks, Sign(sample, name, style="p-text" if ringed else "p-strong"))


def bins(edges: ArrayLike, counts: ArrayLike, name: str = "") -> Layer:
    """Return a bar for each count between two edges, in the other colour below zero; none is too low to be seen."""
    all_edges, all_counts = _floats(edges), _floats(counts)

    def marks(frame: Frame) -> Markup:
        at, foot, paths = [frame.across(edge) for edge in all_edges], frame.up(0.0), {"p-fill": "", "p-fill-other": ""}
        for left, right, count in zip(at, at[1:], all_counts, strict=False):
            gap, high = min(0.75, 0.1 * (right - left)), frame.up(count) - foot
            if count > 0 or count < 0:
                high = high if abs(high) > 1 else -np.sign(count)
                bar = f"M{number(left + gap)} {number(foot)}v{number(high)}H{number(right - gap)}V{number(foot)}z"
                paths["p-fill" if count > 0 else "p-fill-other"] += bar
        return join(area(path, style, opacity=0.6) for style, path in paths.items() if path)

    sample = Block(10, 10, rect((0, 0, 10, 10), "p-fill", opacity=0.6))
    return Layer(all_edges, np.append(all_counts, 0.0), marks, Sign(sample, name))


def histogram(values: ArrayLike, name: str = "", *, count: int | None = None) -> Layer:
    """Return `bins` of values, 5 to 40 of them where no count is given; values that are not finite are left out."""
    known = _floats(values).ravel()
    known = known[np.isfinite(known)]
    counts, edges = np.histogram(known, count or int(np.clip(np.sqrt(len(known)), 5, 40)))
    return bins(edges, counts, name) if len(known) else bins([], [], name)


def rule(name: str = "", *, x: float | None = None, y: float | None = None) -> Layer:
    """Return a dashed line at one x or at one y or, where neither is given, along x = y."""

    def marks(frame: Frame) -> Markup:
        across, up = frame.across, frame.up
        low, high = max(across.low, up.low), min(across.high, up.high)
        ends = [(across(low), up(low)), (across(high), up(high))]
        if x is not None:
            ends = [(across(x), up.start), (across(x), up.end)]
        elif y is not None:
            ends = [(across.start, up(y)), (across.end, up(y))]
        return polyline(ends, "p-axis", dashes="2 3")

    ends = [(4.0, 14.0), (4.0, 0.0)] if x is not None else [(0.0, 7.0), (18.0, 7.0)]
    sample = Block(8 if x is not None else 18, 14, polyline(ends, "p-axis", dashes="2 3"))
    reach = [_floats([] if value is None else [value]) for value in (x, y)]
    return Layer(reach[0], reach[1], marks, Sign(sample, name, style="p-muted"))


def spans(starts: ArrayLike, ends: ArrayLike, name: str = "", *, other: bool = False) -> Layer:
    """Return marked stretches of x, such as anomalies: a ground and a bar, below it or, in the other colour, above."""
    lefts, rights = _floats(starts), _floats(ends)
    style = "p-fill-other" if other else "p-fill"

    def drawn(places: Sequence[tuple[float, float]], top: float, foot: float) -> Markup:
        grounds, bars = (
            "".join(f"M{number(x)} {number(y)}h{number(wide)}v{number(high)}H{number(x)}z" for x, wide in places)
            for y, high in ((top, foot - top), (top if other else foot - 4, 4.0))
        )
        return join([area(grounds, style, opacity=0.16), area(bars, style)])

    def marks(frame: Frame) -> Markup:
        known = [(frame.across(a), frame.across(b)) for a, b in zip(lefts, rights, strict=True) if b >= a]
        # One that is too short to be seen is widened.
        return drawn([(left, max(right - left, 1.0)) for left, right in known], frame.up.end, frame.up.start)

    sample = Block(20, 14, drawn([(0.0, 20.0)], 0.0, 14.0))
    return Layer(np.concatenate([lefts, rights]), _floats([]), marks, Sign(sample, name))


def _floats(values: ArrayLike) -> Values:
    return np.asarray(values, dtype=np.float64)


def _peaks(values: Values, most: int) -> NDArray[np.int64]:
    """Return which of many values to draw: all, or of each few the lowest, the highest and a gap."""
    if len(values) <= most:
        return np.arange(len(values))
    kept = [0, len(values) - 1]
    # Each few are one stretch along the line, so that steep parts keep as much as flat ones.
    steps = np.nan_to_num(np.abs(np.diff(values, prepend=values[0])), posinf=0.0)
    along = np.cumsum(steps / (steps.sum() or 1.0) + 1 / len(values))
    for few in np.split(np.arange(len(values)), np.searchsorted(along, np.arange(1, most // 2) * 4 / most)):
        is_known = np.isfinite(values[few])
        known = few[is_known]
        kept += few[~is_known][:1].tolist()
        kept += [known[values[known].argmin()], known[values[known].argmax()]] if len(known) else []
    return np.unique(kept)


def _stretches(x: Values, y: Values, places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the places between gaps, a gap being where x or y is not finite."""
    known = np.isfinite(x[places]) & np.isfinite(y[places])
    parts = np.split(np.arange(len(places)), np.flatnonzero(~known))
    return [places[part[known[part]]] for part in parts if known[part].any()]
