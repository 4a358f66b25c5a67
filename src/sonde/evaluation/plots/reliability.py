"""Draws whether a stated confidence can be believed, before and after temperature scaling."""

import numpy as np

from sonde.evaluation.plots.markup import Markup, join
from sonde.evaluation.plots.svg import Scale, footing, line, mark, ruler, sheet, text
from sonde.metrics.curves import Reliability
from sonde.metrics.intervals import wilson

WIDE, HIGH, LEFT, TOP, SIDE = 400, 490, 46, 30, 330
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def reliability(before: Reliability | None, after: Reliability) -> str:
    """Draw how often the model was right at each confidence, and how often each confidence occurs.

    Args:
        before: bins of the raw probabilities; None where nothing was scaled.
        after: bins of the probabilities that the model gives.

    Returns:
        An SVG picture (reliability diagram: Guo et al., 2017).
    """
    across, up = Scale(0, 1, LEFT, LEFT + SIDE), Scale(0, 1, TOP + SIDE, TOP)
    bottom = TOP + SIDE + 84.0
    labels = [f"{tick:g}" for tick in TICKS]
    parts = [
        text(LEFT - 36, TOP - 15, "↑ share that was right", "p-muted", size=11.5),
        ruler(up, TICKS, labels, across=(LEFT, LEFT + SIDE)),
        line([(LEFT, TOP + SIDE), (LEFT + SIDE, TOP)], "p-axis", dashes="2 3"),
        text(LEFT + 6, TOP + SIDE * 0.32, "too modest", "p-muted", size=11.5),
        text(LEFT + SIDE - 4, TOP + SIDE - 10, "too sure", "p-muted", anchor="end", size=11.5),
        _series(before, across, up, main=False) if before is not None else None,
        _series(after, across, up, main=True),
        _key(before is not None),
        _histogram(after, across, (TOP + SIDE + 16.0, bottom)),
        footing(across, TICKS, labels, y=bottom, title="stated confidence"),
    ]
    return sheet((WIDE, HIGH), "plot-reliability", "Reliability diagram", _words(after), parts)


def _series(bins: Reliability, across: Scale, up: Scale, *, main: bool) -> Markup:
    parts = []
    largest = max(float(np.max(bins.counts)), 1.0)
    for at in np.flatnonzero(np.asarray(bins.counts) > 0):
        count, share = int(bins.counts[at]), float(bins.accuracy[at])
        x, y = across(float(bins.confidence[at])), up(share)
        if main:
            low, high = wilson(share * count, count)
            parts.append(line([(x, up(low)), (x, up(high))], "p-axis"))
            # A dot's area follows the number of examples behind it: small ones are mostly chance.
            parts.append(mark("circle", "p-dot", {"cx": x, "cy": y, "r": 3 + 4 * (count / largest) ** 0.5}))
        else:
            parts.append(mark("circle", "p-ring-second", {"cx": x, "cy": y, "r": 3}))
    return join(parts)


def _key(has_before: bool) -> Markup:
    x, y = LEFT + 16.0, TOP + 22.0
    parts = [
        mark("rect", "p-paper", {"x": x - 10, "y": y - 12, "width": 128, "height": 44, "fill-opacity": 0.88}),
        line([(x, y - 9), (x, y + 9)], "p-axis"),
        mark("circle", "p-dot", {"cx": x, "cy": y, "r": 5}),
        text(x + 14, y + 4, "after scaling" if has_before else "the model", "p-strong", size=12),
    ]
    if has_before:
        parts.append(mark("circle", "p-ring-second", {"cx": x, "cy": y + 20, "r": 3}))
        parts.append(text(x + 14, y + 24, "before", "p-text", size=12))
    return join(parts)


def _histogram(bins: Reliability, across: Scale, ends: tuple[float, float]) -> Markup:
    top, bottom = ends
    total = max(int(np.sum(bins.counts)), 1)
    largest = max(int(np.max(bins.counts)), 1)
    bars = []
    for low, high, count in zip(bins.edges[:-1], bins.edges[1:], bins.counts, strict=True):
        left, right, height = across(float(low)) + 0.75, across(float(high)) - 0.75, (bottom - top) * count / largest
        if count:
            bars.append(mark("rect", "p-fill", {"x": left, "y": bottom - max(height, 1), "width": max(right - left, 1),
                                                "height": max(height, 1), "fill-opacity": 0.55}))  # fmt: skip
    return join(
        [
            mark("line", "p-grid", {"x1": across.start, "x2": across.end, "y1": top, "y2": top}),
            text(across.start - 6, top + 4, f"{largest / total:.0%}", "p-muted", anchor="end", size=11.5),
            text(across.start + 4, top + 14, "share of examples", "p-muted", size=11.5),
            *bars,
        ]
    )


def _words(after: Reliability) -> str:
    told = [
        f"at confidence {after.confidence[bin]:.2f} right in {after.accuracy[bin]:.0%} of {int(after.counts[bin]):,}"
        for bin in np.flatnonzero(np.asarray(after.counts) > 0)
    ]
    return f"After scaling: {'; '.join(told)}."
