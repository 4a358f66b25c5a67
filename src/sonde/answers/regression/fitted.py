"""What validation told of predicted numbers beside the weights: how far off they are, how wide intervals must be."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sonde.answers.fitted import FittedOn, FittedValues, read_fitted
from sonde.answers.regression.target import NumberTarget

Finite = Annotated[float, Field(ge=-1e100, le=1e100, allow_inf_nan=False)]


class Interval(BaseModel):
    """How an interval is made that holds the target as often as was wanted (split conformal prediction)."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    coverage: Annotated[float, Field(gt=0.0, lt=1.0)]
    """Share of the intervals that are to hold the target."""
    radius: Finite
    """Added on both sides, in standard deviations on the scale that is learned; around quantiles perhaps below 0."""
    examples: Annotated[int, Field(ge=0)]
    """Examples that it was set on; 0 where it is that of the members of an ensemble."""


class Fitted(FittedValues):
    """What a trained model's folder holds of it."""

    spread: Annotated[float, Field(gt=0.0, le=1e100, allow_inf_nan=False)] = 1.0
    """Root mean squared error in standard deviations, on the scale that is learned."""
    interval: Interval | None = None
    """None where there were too few examples for one."""
    fitted_on: FittedOn = "validation"


def fitted_from(values: Mapping[str, Any], target: NumberTarget) -> Fitted:
    """Read the fitted values of a model folder, which may be anybody's; raises ModelError."""
    return read_fitted(Fitted, values)
