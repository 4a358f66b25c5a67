"""What opening a data set is told of the answer, where a test has no task in view."""

from typing import Any

from numpy.typing import NDArray

from sonde.answers import ANSWERS
from sonde.data.splits import Truths
from sonde.evaluation.trained_model import asked_of

CLASSES = asked_of(ANSWERS["classification"])


def truths_of(column: NDArray[Any], *, several: bool = False) -> Truths:
    """Return what dividing examples needs to know of one label each, or of several."""
    row = ANSWERS["multilabel" if several else "classification"]
    return Truths(row.strata(column), column, row.learned)
