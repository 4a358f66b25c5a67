"""Judges a trained run on its test split: scores with intervals, baselines, pictures, report, comparison."""

from sonde.evaluation.options import Options

__all__ = ["Options"]
