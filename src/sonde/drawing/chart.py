"""Draws charts: layers in a frame with axes and a legend, and panels below one another over the same x.

lines with bands            curve and band: learning curves, forecasts with their intervals
family of curves            a curve each, and rule() as the diagonal: ROC, precision and recall
points                      points: predicted against true with rule(), residuals with rule(y=0), reliability
histogram                   histogram(values)
series with marked spans    a panel with a curve for each channel, and spans
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sonde.drawing.axes import Axis, Scale
from sonde.drawing.blocks import Block, Sign, legend, placed
from sonde.drawing.layers import Frame, Layer
from sonde.drawing.marks import straight, text
from sonde.drawing.markup import Child, Markup, join
from sonde.drawing.safe_text import one_line, widest

POINTS = (50, 500, 2_500)
"""Points of a curve at least and at most, and of all curves of a panel together."""
MOST_LAYERS = 150
"""Layers of a panel that are drawn; how many there are is said."""
LOW = 80.0
"""Height below which a panel is labelled at its top alone."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Layers in one frame; the last lies on top and, where it is strong, stands first in the legend."""

    layers: Sequence[Layer]
    y: Axis = field(default_factory=Axis)
    high: float = 250.0

    def scale(self) -> Scale:
        """Return the scale of y, from the foot of the panel to its top."""
        reached = np.concatenate([np.zeros(0), *(layer.y for layer in self.layers)])
        return self.y.scale(reached, self.high, 0.0, room=0.0 if self.high < LOW else 0.06)

    def signs(self) -> list[Sign]:
        """Return the entries of the legend."""
        drawn, count = self.layers[:MOST_LAYERS], len(self.layers)
        named = sorted((layer.sign for layer in drawn if layer.sign.name), key=lambda sign: sign.style != "p-strong")
        words = f"the first {len(drawn)} of {count:,} are drawn"
        return [Sign(Block(0, 0, Markup()), words, style="p-muted"), *named] if count > len(drawn) else named

    def ticks(self) -> list[float]:
        """Return the values of y that are labelled."""
        return [self.scale().high] if self.high < LOW else self.y.labels(self.scale(), upright=True)


def chart(panels: Sequence[Panel], x: Axis | None = None, *, wide: float = 400.0) -> Block:
    """Return panels, from top to bottom, over one x axis; a width of 400 leaves letters large enough on a phone."""
    x = x or Axis()
    xs = np.concatenate([np.zeros(0), *(layer.x for panel in panels for layer in panel.layers)])
    left = 12 + max((widest(map(panel.y.write, panel.ticks()), size=11.5) for panel in panels), default=0.0)
    across = x.scale(xs, left, wide - 16, room=0.0)
    parts: list[Child] = []
    says, top = "", 0.0
    for at, panel in enumerate(panels):
        top += 10 if at else 0
        signs = legend(panel.signs(), wide - left - 8)
        parts.append(text((4, top + 14), f"↑ {panel.y.title}", "p-muted") if panel.y.title else None)
        parts.append(placed(signs, left, top + (20 if panel.y.title else 4)))
        top += signs.high + (30 if panel.y.title else 12)
        parts.append(placed(Block(wide, panel.high, _panel(panel, across)), 0, top))
        says += _said(panel, x)
        top += panel.high
    parts.append(straight((left, top), (across.end, top), "p-axis"))
    for tick in x.labels(across):
        parts.append(text((across(tick), top + 16), x.write(tick), "p-muted", anchor="middle"))
    parts.append(text(((left + across.end) / 2, top + 34), x.title, "p-muted", anchor="middle") if x.title else None)
    return Block(wide, top + (42 if x.title else 24), join(parts), says or "Nothing to show.")


def _panel(panel: Panel, across: Scale) -> Markup:
    fewest, most, together = POINTS
    up = panel.scale()
    frame = Frame(across, up, min(max(together // min(max(len(panel.layers), 1), MOST_LAYERS), fewest), most))
    parts: list[Child] = []
    for tick in panel.ticks():
        parts.append(straight((across.start, up(tick)), (across.end, up(tick))))
        parts.append(text((across.start - 6, up(tick) + 4), panel.y.write(tick), "p-muted", anchor="end"))
    parts += [layer.marks(frame) for layer in panel.layers[:MOST_LAYERS]]
    # A rule alone is nothing.
    if not any(np.isfinite(layer.x).any() and len(layer.x) + len(layer.y) > 1 for layer in panel.layers):
        place = ((across.start + across.end) / 2, panel.high / 2 + 4)
        parts.append(text(place, "nothing to show", "p-muted", anchor="middle"))
    return join(parts)


def _said(panel: Panel, x: Axis) -> str:
    """Say where each named layer goes: all of its points where they are few, else where it begins, turns and ends."""
    said = ""
    for layer in panel.layers[:20]:
        xs, ys, name = layer.x, layer.y, layer.sign.name
        known = np.flatnonzero(np.isfinite(xs) & np.isfinite(ys)) if len(xs) == len(ys) else np.zeros(0, dtype=int)
        if name and len(known):
            turns = [known[0], known[ys[known].argmin()], known[ys[known].argmax()], known[-1]]
            told = "; ".join(
                f"{panel.y.write(ys[at])} at {x.write(xs[at])}"
                for at in (known if len(known) <= 10 else np.unique(turns))
            )
            said += f"{one_line(name, longest=60)}: {told}. "
    title = " over ".join(filter(None, (panel.y.title, x.title)))
    return f"{title}. {said}" if title else said
