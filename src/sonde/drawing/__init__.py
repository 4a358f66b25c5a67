"""A handful of chart forms that write SVG: small, legible in light and dark, the same bytes for the same numbers.

`chart` (lines with bands, families of curves, points, histograms, series with marked spans), `bars` with intervals,
`matrix`, and `gallery` with overlays each return a `Block`; blocks stand below one another in a `stack` or beside in a
`grid`, and `picture` makes a whole of them. Nothing here knows of runs, classes or tasks: numbers and names go in.
"""

from sonde.drawing.axes import Axis
from sonde.drawing.bars import Interval, Measure, bars
from sonde.drawing.blocks import Block, grid, padded, paragraph, picture, stack
from sonde.drawing.chart import Panel, chart
from sonde.drawing.examples import Lines, Pixels, Row, Sketch, Spectrogram, Text
from sonde.drawing.gallery import Tile, boxes, contour, gallery, regions
from sonde.drawing.layers import Layer, band, bins, curve, histogram, points, rule, spans
from sonde.drawing.matrix import matrix

__all__ = [
    "Axis", "Block", "Interval", "Layer", "Lines", "Measure", "Panel", "Pixels", "Row", "Sketch", "Spectrogram", "Text",
    "Tile", "band", "bars", "bins", "boxes", "chart", "contour", "curve", "gallery", "grid", "histogram", "matrix",
    "padded", "paragraph", "picture", "points", "regions", "rule", "spans", "stack",
]  # fmt: skip
