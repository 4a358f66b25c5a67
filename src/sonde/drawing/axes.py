"""Brings values to coordinates: scales, axes and round ticks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, isfinite, log10

import numpy as np
from numpy.typing import NDArray

from sonde.drawing.safe_text import widest


@dataclass(frozen=True)
class Scale:
    """A straight line from values to coordinates; what lies beyond its ends is drawn at them."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def plain(value: float) -> str:
    """Write a number as people do, such as "1,200" or "0.25"."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"


@dataclass(frozen=True)
class Axis:
    """One direction of a plot: what it measures, from where to where, and how its values are written."""

    title: str = ""
    low: float | None = None
    high: float | None = None
    """Fixed ends; None takes them from the data."""
    least: float = 0.0
    """The shortest stretch that is shown, so that noise does not look like a trend."""
    limits: tuple[float, float] = (-inf, inf)
    """Where values end by their nature; no room is left beyond."""
    ticks: Sequence[float] | None = None
    write: Callable[[float], str] = plain
    whole: bool = False
    """Whether only whole numbers make sense, as for epochs."""

    def scale(self, values: NDArray[np.float64], start: float, end: float, *, room: float = 0.06) -> Scale:
        """Return the scale that holds all values, with a share of them as room at ends that are not fixed."""
        known = np.clip(values[np.isfinite(values)], -1e99, 1e99)
        lowest, highest = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
        extent = highest - lowest
        margin = max(extent * room, (self.least - extent) / 2)
        margin = margin if extent or margin > 0 else 0.5 if self.whole else 0.05 * abs(lowest) or 1.0
        # Room that crosses zero would show values of a sign that there is none of.
        floor, top = (max(self.limits[0], 0.0) if lowest >= 0 else self.limits[0]), self.limits[1]
        low = max(lowest - margin, min(floor, lowest)) if self.low is None else self.low
        high = min(highest + margin, max(top, highest)) if self.high is None else self.high
        return Scale(low, high if high > low else low + (margin or 1.0), start, end)

    def labels(self, scale: Scale, *, upright: bool = False) -> list[float]:
        """Return the ticks whose labels fit without touching; upright ones stand above one another."""
        room = abs(scale.end - scale.start)
        for count in (5, 4, 3, 2, 1):
            ticks = nice_ticks(scale.low, scale.high, count, whole=self.whole) if self.ticks is None else self.ticks
            need = 40.0 if upright else widest(map(self.write, ticks), size=11.5) + 8
            if need * len(ticks) <= room + need:
                break
        ticks = ticks[:: max(1, ceil(need * len(ticks) / (room + need)))]
        if self.whole and len(ticks) > 1 and ticks[0] - ceil(scale.low) > 0.4 * (ticks[1] - ticks[0]):
            # The first epoch is worth a label where there is room for it.
            ticks = [float(ceil(scale.low)), *ticks]
        return list(ticks)


def nice_ticks(low: float, high: float, count: int = 4, *, whole: bool = False) -> list[float]:
    """Return about `count` round values between two bounds, 1, 2 or 5 times a power of ten apart."""
    if not (isfinite(low) and isfinite(high)) or high <= low:
        return [low]
    raw = (high - low) / count
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    step = max(1.0, round(step)) if whole else step
    first = ceil(low / step - 1e-9)
    return [round(index * step, 12) for index in range(first, floor(high / step + 1e-9) + 1)]
