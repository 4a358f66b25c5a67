"""What is fitted on validation after training, as a model folder holds it; it may be anybody's."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sonde.answers.answer import Fitting, Kept
from sonde.data.target import Column
from sonde.errors import ModelError

Temperature = Annotated[float, Field(ge=0.01, le=100.0)]
Decision = Annotated[
    tuple[Annotated[float, Field(ge=-1000.0, le=1000.0, allow_inf_nan=False)], ...], Field(max_length=100_000)
]
FittedOn = Literal["validation", "left out"]
"""A row of `answers.answer.FITTED_ON`."""


class FittedValues(BaseModel):
    """What every answer tells of its fitted values; each adds its own."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    fitted_on: FittedOn = "validation"

    @property
    def tuned(self) -> str:
        """What a decision was tuned for on these examples, in words; empty where none was."""
        return ""

    @property
    def decides(self) -> bool:
        """Whether it holds thresholds or offsets that predictions are decided by."""
        return False


Model = TypeVar("Model", bound=BaseModel)


def read_fitted(kind: type[Model], values: Mapping[str, Any]) -> Model:
    """Read fitted values.

    Raises:
        ModelError: one is missing, unknown or out of range; the text names it.
    """
    try:
        return kind.model_validate_json(json.dumps(values))
    except (ValidationError, ValueError, TypeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        where = ".".join(["fitted", *(str(part) for part in first["loc"])])
        raise ModelError(f"{where}: {first['msg']}.") from None


def fit_nothing(target: Any, kept: Kept, truth: Column, fitting: Fitting) -> dict[str, Any]:
    """Return where a model was looked at that has nothing to fit: the most probable class or token is taken."""
    return {"fitted_on": fitting.fitted_on}


def nothing_fitted(values: Mapping[str, Any], target: Any) -> FittedValues:
    """Read what `fit_nothing` returned from a model folder, which may be anybody's; raises ModelError."""
    return read_fitted(FittedValues, values)
