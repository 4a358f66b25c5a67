"""What a run on masks does where nobody said: which number is left out, and how it trains."""

from sonde.answers.segmentation.target import MaskTarget, values_in
from sonde.config import Settings, guessed
from sonde.data.target import Column

VOID = 255
"""The number of what is left out, by custom (PASCAL VOC, Cityscapes)."""


def guess(settings: Settings, train_truth: Column) -> Settings:
    """Guess whether 255 stands for what is left out, to stand below what was given."""
    values = values_in(train_truth)
    beside = [value for value in values if value != VOID]
    # 0 and 255 are two classes, and so are 0, 127 and 255; 255 far beyond the others is none.
    if VOID in values and len(beside) > 1 and max(beside) < VOID // 2:
        return guessed(
            "segmentation.ignored", VOID, f"255 lies far beyond the numbers of the classes, 0 to {max(beside)}"
        )
    return Settings()


def refuse(settings: Settings, target: MaskTarget) -> None:
    """Refuse nothing: no option names a class."""
