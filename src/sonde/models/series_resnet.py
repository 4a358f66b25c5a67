"""The residual network of Wang, Yan and Oates (2017, arXiv 1611.06455) for series, which `resnet` reads them with."""

from sonde.models.sequences import Sequence
from sonde.models.temporal import added, convolved

SIZES = (8, 5, 3)
"""Steps that the kernels of a block's three convolutions cover."""
WIDTHS = (1, 2, 2)
"""Channels of the three stages, in widths of the first."""


def stages(sequence: Sequence, *, blocks: int, width: int) -> Sequence:
    """Return a sequence behind three stages of residual blocks; as many steps as before.

    Args:
        blocks: in each stage.
        width: channels of the first stage.
    """
    for stage, times in enumerate(WIDTHS, 1):
        for block in range(1, blocks + 1):
            sequence = _residual(sequence, width * times, f"block_{stage}_{block}")
    return sequence


def _residual(sequence: Sequence, width: int, name: str) -> Sequence:
    inside = sequence
    for part, size in zip("abc", SIZES, strict=True):
        inside = convolved(inside, width, size, name=f"{name}_{part}", activation="linear" if part == "c" else "relu")
    shortcut = sequence
    if sequence.x_BTD.shape[-1] != width:
        shortcut = convolved(sequence, width, 1, name=f"{name}_shortcut", activation="linear")
    return added(inside, shortcut, name=name)
