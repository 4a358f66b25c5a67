"""How masks are learned: the `[segmentation]` table."""

from typing import Annotated, Literal

from pydantic import Field

from sonde.config import Options as _Options

Name = Annotated[str, Field(min_length=1, max_length=200)]


class Options(_Options):
    """Loss, names of the classes, and the number whose pixels are left out."""

    loss: Literal["dice+cross-entropy", "cross-entropy", "dice"] = "dice+cross-entropy"
    """What is minimised; the Dice part counts small classes as much as large ones (Milletari et al., 2016)."""

    ignored: Annotated[int, Field(ge=-1, le=255)] = -1
    """The number in the masks whose pixels are neither learned nor scored, often 255; -1 for none."""

    classes: Annotated[tuple[Name, ...], Field(max_length=255)] = ()
    """Names of the classes in the order of their numbers; without names they are called by the numbers."""
