"""Every form of picture once, made of any number of things: what the tests of drawing run over."""

from collections.abc import Callable, Sequence

import numpy as np

from sonde.drawing import (
    Axis,
    Block,
    Interval,
    Lines,
    Measure,
    Panel,
    Pixels,
    Row,
    Sketch,
    Spectrogram,
    Text,
    Tile,
    band,
    bars,
    bins,
    boxes,
    chart,
    contour,
    curve,
    gallery,
    histogram,
    matrix,
    points,
    regions,
    rule,
    spans,
    stack,
)

# H height, W width

Form = Callable[[Sequence[str], bool], Block]
"""Draws as many things as there are names; the flag puts values into them that are no numbers."""


def numbers(count: int, gaps: bool, *, seed: int = 0) -> np.ndarray:
    """Return a smooth walk; with gaps every third value is missing, and one is infinite."""
    values = np.random.default_rng(seed).normal(size=count).cumsum() / 5 + 2
    values[1::3] = np.nan if gaps else values[1::3]
    values[2::7] = np.inf if gaps else values[2::7]
    return values


def photo(wide: int = 200, high: int = 150) -> np.ndarray:
    """Return an image of two soft discs on a slope."""
    y, x = np.mgrid[0:high, 0:wide] / high
    red, blue = (np.exp(-((x - a) ** 2 + (y - b) ** 2) / 0.03) for a, b in ((0.4, 0.4), (0.9, 0.6)))
    return np.rint(255 * np.clip(np.stack([0.2 + x / 3 + red, 0.3 + y / 4, 0.3 + blue], axis=-1), 0, 1)).astype(
        np.uint8
    )


def discs(wide: int = 200, high: int = 150) -> np.ndarray:
    """Return the regions of `photo`: 0 and 1 for the discs, -1 elsewhere."""
    y, x = np.mgrid[0:high, 0:wide] / high
    found = np.full((high, wide), -1)
    for number, (a, b) in enumerate(((0.4, 0.4), (0.9, 0.6))):
        found[(x - a) ** 2 + (y - b) ** 2 < 0.05] = number
    return found


def _forecast(names: Sequence[str], gaps: bool) -> Block:
    past, future, steps = numbers(len(names), gaps), numbers(len(names), gaps, seed=1), np.arange(len(names))
    spread = np.sqrt(steps + 1) / 5
    layers = [
        band(steps + len(names), future - spread, future + spread, "90% interval"),
        curve(steps, past, "measured", look="second"),
        curve(steps + len(names), future, "forecast"),
        rule("forecast begins", x=float(len(names))),
    ]
    return chart([Panel(layers, Axis("demand"))], Axis("hour"))


def _family(names: Sequence[str], gaps: bool) -> Block:
    x = np.linspace(0, 1, 101)
    powers = [(label, 0.05 + 0.4 * at / len(names)) for at, label in enumerate(names)]
    layers = [curve(x, np.where(gaps & (x > 0.5), np.nan, x**power), label, look="third") for label, power in powers]
    return chart([Panel([rule("chance"), *layers], Axis("recall", 0.0, 1.0), high=340)], Axis("alarms", 0.0, 1.0))


def _points(names: Sequence[str], gaps: bool) -> Block:
    true, error = numbers(len(names), gaps), np.random.default_rng(2).normal(size=len(names)) / 4
    lowest, highest = (end(true[np.isfinite(true)], initial=2.0) for end in (np.min, np.max))
    axes = [Axis(title, float(lowest), float(highest)) for title in ("true", "predicted")]
    return chart([Panel([rule("no error"), points(true, true + error, "test examples")], axes[1], high=340)], axes[0])


def _reliability(names: Sequence[str], gaps: bool) -> Block:
    x, counts = np.linspace(0, 1, len(names) + 1), np.arange(len(names)) ** 2
    y = np.clip(numbers(len(names), gaps) / 4, 0, 1)
    dots = points(x[1:], y, "after", whiskers=(y - 0.1, y + 0.1), weights=counts)
    rings = points(x[1:], y * 0.8, "before", ringed=True)
    panels = [Panel([rule("calibrated"), rings, dots], Axis("right", 0.0, 1.0)), Panel([bins(x, counts)], high=60)]
    return chart(panels, Axis("confidence", 0.0, 1.0))


def _series(names: Sequence[str], gaps: bool) -> Block:
    steps = np.arange(len(names))
    marked = [
        spans(steps[5::40], steps[5::40] + 9, "anomaly"),
        spans(steps[8::60], steps[8::60] + 20, "detected", other=True),
    ]
    score = Panel(
        [curve(steps, numbers(len(names), gaps, seed=3) ** 2), rule("threshold", y=3.0)], Axis("score"), high=90
    )
    channel = Panel([*marked, curve(steps, numbers(len(names), gaps), look="second")], Axis("channel 1"), high=120)
    return chart([channel, score], Axis("step", whole=True))


def _bars(names: Sequence[str], gaps: bool) -> Block:
    values = [Interval(value, value - 0.4, value + 0.6) for value in numbers(len(names), gaps).tolist()]
    signed = [Interval(value - 2) for value in numbers(len(names), gaps, seed=4).tolist()]
    dots = Measure("error", values, look="dots", mark=Interval(2.0, 1.5, 2.5))
    return bars(names, [dots, Measure("change", signed)], first=True)


def _named_above(names: Sequence[str], gaps: bool) -> Block:
    values = [Interval(value) for value in numbers(len(names), gaps).tolist()]
    return bars(
        names, [Measure("score", values, Axis(low=1.9, high=2.4), "dots")], room=0, note="far ones are pointed at"
    )


def _matrix(names: Sequence[str], gaps: bool) -> Block:
    values = np.rint(np.abs(np.add.outer(numbers(len(names), gaps), numbers(len(names), gaps, seed=5))) * 3)
    return matrix(values, (names, names), titles=("true", "predicted"), tip=lambda row, column: f"{names[row]}")


def _correlations(names: Sequence[str], gaps: bool) -> Block:
    values = np.sin(np.add.outer(np.arange(len(names)), 2 * np.arange(len(names))))
    values[: len(names) // 2 if gaps else 0] = np.nan
    return matrix(np.round(values, 2), (names, names))


def _oblong(names: Sequence[str], gaps: bool) -> Block:
    tall = matrix(np.add.outer(numbers(len(names), gaps), np.arange(3)), (names, ("a", "b", "c")))
    return stack(
        [tall, matrix(np.add.outer(np.arange(3), numbers(len(names), gaps)), (("a", "b", "c"), names))], gap=10
    )


SKETCHES: dict[str, Sketch] = {
    "image": Pixels(photo()),
    "tiny image": Pixels(np.arange(63, dtype=np.uint8).reshape(9, 7, 1) * 4),
    "spectrogram": Spectrogram(np.random.default_rng(0).uniform(-80, 0, (30, 12))),
    "text": Text(("the", " battery", " lasts", " long", " but", " the", " screen", " is", " dim"), apart=False),
    "series": Lines(np.random.default_rng(0).normal(size=(3000, 2)).cumsum(axis=0)),
    "row": Row(("age", "city", "a column with a long name"), ("61", "", "yes")),
}


def _gallery(names: Sequence[str], gaps: bool) -> Block:
    found = list(SKETCHES.values())
    return gallery(
        [
            Tile(found[at % len(found)] if at % 7 < 6 else None, label, f"{at}%", ("truth: b", label))
            for at, label in enumerate(names)
        ]
    )


def _overlays(names: Sequence[str], gaps: bool) -> Block:
    found = discs()
    corners = [[np.nan if gaps else 20, 20, 100, 100], [110, 60, 500, 120]]
    shown = (
        (contour(found == 0, "true outline", other=True), contour(np.roll(found == 0, 6, axis=1), "predicted outline")),
        (regions(found, names),),
        (boxes(corners, names, "predicted boxes"), boxes([[24, 26, 96, 104]], (), "true boxes", other=True)),
    )
    heat = np.where(found == 0, np.nan if gaps else 1.0, -0.2 * (found == 1))
    tiles = [Tile(Pixels(photo(), overlays), label) for overlays, label in zip(shown, names, strict=False)]
    return gallery([*tiles, Tile(Pixels(photo()), "heat map", weights=heat)][: len(names)])


def _examples(names: Sequence[str], gaps: bool) -> Block:
    blocks = []
    for sketch in SKETCHES.values():
        weights = np.random.default_rng(1).normal(size=sketch.places) * (not gaps)
        blocks += [sketch.block(300), sketch.block(300, weights=weights), sketch.block(120, high=120)]
    return stack(blocks[: len(names)], gap=10)


FORMS: dict[str, Form] = {
    "lines with band": _forecast,
    "curve family": _family,
    "points": _points,
    "points with whiskers": _reliability,
    "histogram": lambda names, gaps: chart(
        [Panel([histogram(numbers(len(names), gaps))], Axis("count"))], Axis("error")
    ),
    "series with spans": _series,
    "bars with intervals": _bars,
    "names above bars": _named_above,
    "matrix": _matrix,
    "signed matrix": _correlations,
    "oblong matrix": _oblong,
    "gallery": _gallery,
    "overlays": _overlays,
    "examples": _examples,
}
