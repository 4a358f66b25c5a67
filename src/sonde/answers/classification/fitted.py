"""What validation told of a classifier beside its weights: temperature, decision, prediction sets, abstention."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sonde.answers.classification.target import ClassTarget
from sonde.answers.fitted import Decision, FittedValues, Temperature, read_fitted
from sonde.errors import ModelError

Name = Literal["lac", "aps"]
"""A row of `metrics.conformal.METHODS`."""

Limit = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


class Sets(BaseModel):
    """How a set of classes is made that holds the true one as often as was wanted (conformal prediction)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    coverage: Annotated[float, Field(gt=0.0, lt=1.0)]
    """Share of the sets that are to hold the truth."""
    method: Name
    """Which of the thresholds `predict` uses."""
    thresholds: dict[Name, Annotated[tuple[Limit | None, ...], Field(min_length=1, max_length=100_000)]]
    """By method one threshold, or one for each class; None is infinite: every class is in the set."""
    examples: Annotated[int, Field(ge=0)]
    """Validation examples that they were chosen on."""
    is_apart: bool
    """Whether those examples had no part in the temperature."""

    def limits(self, method: Name | None = None) -> tuple[float, ...]:
        """Return the thresholds of a method as numbers; that of `predict` when none is named."""
        chosen = self.thresholds[method or self.method]
        return tuple(float("inf") if limit is None else limit for limit in chosen)

    @property
    def is_by_class(self) -> bool:
        """Whether each class has a threshold of its own."""
        return len(self.thresholds[self.method]) > 1

    def fits(self, classes: int) -> bool:
        """Tell whether there is one threshold, or one for each of so many classes, and one for the chosen method."""
        return self.method in self.thresholds and {len(each) for each in self.thresholds.values()} <= {1, classes}


class Abstention(BaseModel):
    """Below which confidence the model abstains, and how that was chosen."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    threshold: Limit = 0.0
    reason: Annotated[str, Field(max_length=1000)] = ""
    """A sentence for people; empty where it never abstains."""


class Fitted(FittedValues):
    """What a trained classifier's folder holds of it."""

    temperature: Temperature = 1.0
    """Divides the logits, so that probabilities mean what they say (Guo et al., 2017)."""
    decision: Decision = ()
    """Offset of each class's log probability; () for the most probable class."""
    tuned_for: Annotated[str, Field(max_length=100)] = "none"
    """What the decision was tuned for on validation."""
    sets: Sets | None = None
    """Thresholds of the prediction sets; None where there were no examples for them."""
    abstention: Abstention = Abstention()

    @property
    def tuned(self) -> str:
        """What the decision was tuned for, in words; empty where it was not."""
        return "" if self.tuned_for == "none" else self.tuned_for.replace("_", " ")

    @property
    def decides(self) -> bool:
        """Whether there are thresholds or offsets."""
        return bool(self.decision)


def fitted_from(values: Mapping[str, Any], target: ClassTarget) -> Fitted:
    """Read the fitted values of a model folder, which may be anybody's; raises ModelError."""
    fitted = read_fitted(Fitted, values)
    if fitted.decision and len(fitted.decision) != len(target.classes):
        raise ModelError("It holds a decision for another number of classes.")
    if fitted.sets is not None and not fitted.sets.fits(len(target.classes)):
        raise ModelError("It holds thresholds of prediction sets for another number of classes.")
    return fitted
