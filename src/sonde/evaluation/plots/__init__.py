"""Draws a run's pictures as SVG: small, crisp, legible in light and dark, the same bytes for the same numbers."""

from sonde.evaluation.plots.run_pictures import PLOTS, Evidence, Plot, draw

__all__ = ["PLOTS", "Evidence", "Plot", "draw"]
