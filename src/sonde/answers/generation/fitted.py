"""What validation tells of a model that writes texts beside its weights: nothing; it is not tuned."""

from collections.abc import Mapping
from typing import Any

from sonde.answers.answer import Fitting, Kept
from sonde.answers.fitted import FittedOn, FittedValues, read_fitted
from sonde.answers.generation.target import TextTarget
from sonde.data.target import Column


class Fitted(FittedValues):
    """What the folder of a trained model holds of it."""

    fitted_on: FittedOn = "validation"


def fit(target: TextTarget, kept: Kept, truth: Column, fitting: Fitting) -> dict[str, Any]:
    """Return on which predictions something would have been fitted."""
    return {"fitted_on": fitting.fitted_on}


def fitted_from(values: Mapping[str, Any], target: TextTarget) -> Fitted:
    """Read the fitted values of a model folder, which may be anybody's; raises ModelError."""
    return read_fitted(Fitted, values)
