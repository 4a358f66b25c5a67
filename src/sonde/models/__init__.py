"""Architectures: one file each, with its own Options and `features(inputs, options, reads)`; heads give the answer.

To add one: write `models/<name>.py` with `Options` and `features`, and add its row in `architectures.py`. Shapes,
gradients, saving, parity on the three backends and the lists then follow by themselves.

This room needs a chosen backend (`sonde.backend.use`) for everything but the table.
"""

from sonde.models.architectures import MODELS, Architecture, architecture, options_of

__all__ = ["MODELS", "Architecture", "architecture", "options_of"]
