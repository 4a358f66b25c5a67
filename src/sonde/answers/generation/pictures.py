"""The picture of a model that writes texts: error by the length of the target."""

from collections.abc import Mapping
from typing import Any

from sonde.answers.answer import Plot, Scored
from sonde.drawing import Axis, Panel, chart, curve, picture, points

Scores = Mapping[str, Any]


def _length(scored: Scored, scores: Scores) -> str | None:
    groups = scores.get("by_length") or []
    if len(groups) < 2:
        return None
    middles = [(each["shortest"] + each["longest"]) / 2 for each in groups]
    errors = [each["error"] for each in groups]
    layers = [curve(middles, errors), points(middles, errors, weights=[each["n"] for each in groups])]
    axis = Axis("Character error rate", low=0.0, least=0.02)
    drawn = chart([Panel(layers, axis)], Axis("characters of the target", whole=True))
    return picture(drawn, "plot-length", "Character error rate by length of the target")


PICTURES: dict[str, Plot] = {
    "length": Plot(
        _length,
        "Error by length",
        "Where the line climbs, texts are too long for the model. The larger a dot, the more examples it stands for.",
    )
}
"""In the order they are shown."""
