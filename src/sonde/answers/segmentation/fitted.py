"""What validation told of a model of masks beside its weights: nothing but where it was looked at."""

from collections.abc import Mapping
from typing import Any

from sonde.answers.answer import Fitting, Kept
from sonde.answers.fitted import FittedOn, FittedValues, read_fitted
from sonde.answers.segmentation.target import MaskTarget
from sonde.data.target import Column


class Fitted(FittedValues):
    """What a trained model's folder holds of it."""

    fitted_on: FittedOn = "validation"


def fitted_from(values: Mapping[str, Any], target: MaskTarget) -> Fitted:
    """Read the fitted values of a model folder, which may be anybody's; raises ModelError."""
    return read_fitted(Fitted, values)


def fit(target: MaskTarget, kept: Kept, truth: Column, fitting: Fitting) -> dict[str, Any]:
    """Return what validation tells: each pixel is given its most probable class, so that there is nothing to fit."""
    return {"fitted_on": fitting.fitted_on}
