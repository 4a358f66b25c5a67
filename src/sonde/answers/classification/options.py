"""How one class out of several is learned and given: the `[classification]` table."""

from typing import Annotated, Literal

from pydantic import Field

from sonde.config import Options as _Options


class Options(_Options):
    """Loss, class balancing, the decision, prediction sets and abstention."""

    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.05
    """Share of the truth that is spread over all classes."""

    loss: Literal["cross-entropy", "focal"] = "cross-entropy"
    """What is minimised; focal lets examples that are learned already count little (Lin et al., 2017)."""

    focal_gamma: Annotated[float, Field(gt=0.0, le=10.0)] = 2.0
    """How little those count, with the focal loss; the exponent of the paper."""

    class_weights: Literal["none", "sqrt", "balanced"] = "none"
    """Whether examples of rare classes count more: balanced gives each class the same say, sqrt goes half that way."""

    sampling: Literal["natural", "balanced"] = "natural"
    """Whether an epoch shows each example once, or each class equally often."""

    logit_adjustment: Annotated[float, Field(ge=0.0, le=4.0)] = 0.0
    """Strength of the logit adjustment for unequal classes (Menon et al., 2021); 1 is the paper's, 0 is none."""

    positive: str = ""
    """Of two classes the positive one; its precision, recall and F1 are scored. Empty for none."""

    tune_for: Literal["none", "f1", "balanced_accuracy", "accuracy"] = "none"
    """What the decision is tuned for on validation, by an offset for each class; probabilities stay as they are."""

    coverage: Annotated[float, Field(ge=0.5, le=0.999)] = 0.9
    """Share of the prediction sets that are to hold the true class; chosen on validation, checked on the test split."""

    sets: Literal["lac", "aps"] = "lac"
    """How prediction sets are made: lac, the smallest on average; aps, larger ones for harder examples."""

    sets_by_class: bool = False
    """Whether each class is to be covered that often, and not only all together; takes many examples of each."""

    abstain_below: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Confidence below which `predict` abstains; of this and the next two, the strictest counts."""

    wanted_accuracy: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Accuracy wanted of the predictions given: a confidence threshold is chosen on validation; 0 asks for none."""

    wanted_share: Annotated[float, Field(ge=0.01, le=1.0)] = 1.0
    """Share of examples to be predicted, the surest ones: a threshold is chosen on validation; 1 predicts all."""
