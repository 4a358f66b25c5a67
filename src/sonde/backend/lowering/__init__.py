"""Keras models run with native torch operations."""

from sonde.backend.lowering.graph import Lowered, lower

__all__ = ["Lowered", "lower"]
