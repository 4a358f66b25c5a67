"""Draws whether a stated confidence can be believed, before and after temperature scaling."""

import numpy as np

from sonde.drawing import Axis, Panel, bins, chart, picture, points, rule
from sonde.metrics.curves import Reliability
from sonde.metrics.intervals import wilson


def reliability(before: Reliability | None, after: Reliability) -> str:
    """Draw how often the model was right at each confidence, before (None where nothing was scaled) and after scaling.

    Source: Guo et al., "On calibration of modern neural networks", 2017.
    """
    filled = np.flatnonzero(after.counts)
    confidence, right, counts = after.confidence[filled], after.accuracy[filled], after.counts[filled]
    ends = np.array([wilson(share * count, count) for share, count in zip(right, counts, strict=True)]).reshape(-1, 2)
    name = "the model" if before is None else "after temperature scaling"
    layers = [rule("perfectly calibrated")]
    if before is not None:
        known = np.flatnonzero(before.counts)
        layers.append(points(before.confidence[known], before.accuracy[known], "before", ringed=True))
    # A dot's area follows the number of examples behind it: small ones are mostly chance.
    layers += [points(confidence, right, name, whiskers=(ends[:, 0], ends[:, 1]), weights=counts)]
    shares = bins(after.edges, after.counts / max(after.counts.sum(), 1))
    panels = [
        Panel(layers, Axis("share of predictions that are right", low=0.0, high=1.0), high=330),
        Panel([shares], Axis("share of examples", low=0.0, write="{:.0%}".format), high=60),
    ]
    drawn = chart(panels, Axis("stated confidence", low=0.0, high=1.0))
    return picture(drawn, "plot-reliability", "Reliability diagram")
