"""What a run on masks does where nobody said: which number is left out, and how it trains."""

import numpy as np

from sonde.answers.segmentation.target import MaskTarget, values_in
from sonde.config import Settings, guessed
from sonde.data.target import Column

VOID = 255
"""The number of what is left out, by custom (PASCAL VOC, Cityscapes)."""
BATCH_PIXELS, MOST_BATCH = 1 << 18, 32
"""Pixels and images of a batch at most: four images of 256 x 256."""
ENOUGH_STEPS, FEWEST_EPOCHS, MOST_EPOCHS = 400, 10, 40
"""Steps that a small U-Net needs to settle on thirty images, and the epochs they may come to."""


def guess(settings: Settings, train_truth: Column) -> Settings:
    """Guess whether 255 stands for what is left out, and the pace of training, to stand below what was given."""
    return _void(train_truth).over(_pace(settings, train_truth))


def _void(train_truth: Column) -> Settings:
    values = values_in(train_truth)
    beside = [value for value in values if value != VOID]
    # 0 and 255 are two classes, and so are 0, 127 and 255; 255 far beyond the others is none.
    if VOID in values and len(beside) > 1 and max(beside) < VOID // 2:
        return guessed(
            "segmentation.ignored", VOID, f"255 lies far beyond the numbers of the classes, 0 to {max(beside)}"
        )
    return Settings()


def _pace(settings: Settings, train_truth: Column) -> Settings:
    """Guess small batches, as each pixel is an example of its own, and as many epochs as give enough steps."""
    (height, width), examples = np.asarray(train_truth[:1]).shape[1:], len(train_truth)
    batch = max(1, min(BATCH_PIXELS // (height * width), MOST_BATCH, examples // 8))
    out = guessed("training.batch_size", batch, f"{examples:,} training images of {height} x {width} pixels")
    batch = settings.value("training.batch_size", batch)
    if not isinstance(batch, int) or batch < 1 or settings.value("training.steps", 0):
        return out
    steps = max(1, examples // batch)
    epochs = min(MOST_EPOCHS, max(FEWEST_EPOCHS, -(-ENOUGH_STEPS // steps)))
    return out.over(guessed("run.epochs", epochs, f"{steps:,} steps each"))


def refuse(settings: Settings, target: MaskTarget) -> None:
    """Refuse nothing: no option names a class."""
