"""One row of a table of metrics."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Needs = Literal["counts of the confusion matrix", "probabilities"]


@dataclass(frozen=True)
class Metric:
    """One row of the table: what is computed, and how its numbers are to be read."""

    function: Callable[[Any, NDArray[np.float64]], NDArray[np.float64]]
    """From a sample and R x N counts to R values (R x C in the table by class); NaN where it is undefined."""
    title: str
    doc: str
    needs: Needs
    better: Literal["higher", "lower"] = "higher"
    low: float = 0.0
    high: float = 1.0
    is_share: bool = False
    """It is a share of the examples (right out of all), so that its interval can be a binomial one."""
    is_inflated: bool = False
    """Noise alone makes it larger, in each resample once more; its interval is corrected for that."""
    fewest_classes: int = 2
    """With fewer classes it says nothing (top-5 of five is always 1) and is left out."""

    is_of_positive: bool = False
    """It is about one of two classes, and left out where none is named as the positive one."""

    @property
    def best(self) -> float:
        """Return the value of a perfect guess."""
        return self.high if self.better == "higher" else self.low
