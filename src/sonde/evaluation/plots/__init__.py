"""Draws a run's pictures as SVG: small, crisp, legible in light and dark, the same bytes for the same numbers."""

from sonde.evaluation.plots.evidence import Evidence, Mistake
from sonde.evaluation.plots.table import PLOTS, Plot, draw

__all__ = ["PLOTS", "Evidence", "Mistake", "Plot", "draw"]
