"""What validation told of a multilabel model beside its weights: temperature and a threshold for each label."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from sonde.answers.fitted import Decision, FittedOn, FittedValues, Temperature, read_fitted
from sonde.answers.multilabel.target import LabelsTarget
from sonde.errors import ModelError


class Fitted(FittedValues):
    """What a trained multilabel model's folder holds of it."""

    temperature: Temperature = 1.0
    """Divides the logits, so that probabilities mean what they say (Guo et al., 2017)."""
    decision: Decision = ()
    """Threshold of each label; () for one half."""
    tuned_for: Annotated[str, Field(max_length=100)] = "none"
    """What the thresholds were tuned for on validation."""
    fitted_on: FittedOn = "validation"

    @property
    def tuned(self) -> str:
        """What the decision was tuned for, in words; empty where it was not."""
        return "" if self.tuned_for == "none" else self.tuned_for.replace("_", " ")

    @property
    def decides(self) -> bool:
        """Whether there are thresholds or offsets."""
        return bool(self.decision)


def fitted_from(values: Mapping[str, Any], target: LabelsTarget) -> Fitted:
    """Read the fitted values of a model folder, which may be anybody's; raises ModelError."""
    fitted = read_fitted(Fitted, values)
    if fitted.decision and len(fitted.decision) != len(target.classes):
        raise ModelError("It holds thresholds for another number of labels.")
    return fitted
