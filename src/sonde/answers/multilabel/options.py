"""How several labels for each example are learned and given: the `[multilabel]` table."""

from typing import Annotated, Literal

from pydantic import Field

from sonde.config import Options as _Options


class Options(_Options):
    """Loss, balancing of rare labels, and the thresholds."""

    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.05
    """How far 0 and 1 are moved towards one half, as a share of the way."""

    loss: Literal["cross-entropy", "focal"] = "cross-entropy"
    """What is minimised; focal lets labels that are learned already count little (Lin et al., 2017)."""

    focal_gamma: Annotated[float, Field(gt=0.0, le=10.0)] = 2.0
    """How little those count, with the focal loss; the exponent of the paper."""

    class_weights: Literal["none", "sqrt", "balanced"] = "none"
    """Whether a rare label's presence counts more: balanced is negatives over positives, sqrt the root of that."""

    logit_adjustment: Annotated[float, Field(ge=0.0, le=4.0)] = 0.0
    """Strength of the adjustment of each logit by its label's log odds (Menon et al., 2021); 0 is none."""

    tune_for: Literal["none", "f1", "balanced_accuracy", "accuracy"] = "none"
    """What the threshold of each label is tuned for on validation; probabilities stay as they are."""
