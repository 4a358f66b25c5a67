"""What a trained model knows of its own doubt, in model.json: thresholds for sets of answers, and for giving none."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Literal["lac", "aps"]
"""A row of `metrics.conformal.METHODS`."""

Limit = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


FittedOn = Literal["validation", "left out"]
FITTED_ON: dict[FittedOn, str] = {
    "validation": "the validation split",
    "left out": "training and validation examples, each when left out",
}
"""Which answers temperature, decision and thresholds were fitted on, in words that follow "fitted on"."""


class Sets(BaseModel):
    """How a set of answers is made that holds the true one as often as was wanted (conformal prediction)."""

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
    """Below which confidence no answer is given, and how that was chosen."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    threshold: Limit = 0.0
    reason: Annotated[str, Field(max_length=1000)] = ""
    """A sentence for people; empty where every answer is given."""
