"""What a metric is: sums over examples, and a value of the sums.

    sums     from a sample to N x K numbers, K for each example
    value    from R x K numbers, added up over the examples of R resamples, to R values

A bootstrap is `value(counts @ sums)`; a value over batches is the value of their added sums. A metric that needs the
order of all examples, such as an area under a curve, is a `Ranking` instead.

    metrics.METRICS["f1_macro"]                # a row: what is computed, its title, its range
    metrics.value_of(row, sample)
"""

# N examples, K sums of each, C classes or targets, R resamples

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

Floats = NDArray[np.float64]
Sums: TypeAlias = Floats | csc_array
"""N x K numbers to be added up over examples; sparse where most are zero, as in a column for each class."""


def count(sample: Any) -> Sums:
    """Return a one for each example, N x 1, so that their sum is the number of examples."""
    return np.ones((len(sample), 1))


def last_sum(totals_RK: Floats) -> Floats:
    """Return the last of the K sums, by custom the number of examples, for each resample."""
    return totals_RK[:, -1]


@dataclass(frozen=True)
class Worth:
    """How many examples a value rests on, a value of sums itself.

    It decides how wide an interval must be that no drawing can widen: a class of three examples, all right, is three
    examples' worth of evidence.
    """

    sums: Callable[[Any], Sums] = count
    trials: Callable[[Floats], Floats] = last_sum
    """From R x K sums to the examples that the value is worth: R numbers, R x C of a table by class."""
    right: Callable[[Floats], Floats] | None = None
    """How many of all examples are right, where that says how few the mistakes are; else value times trials does."""
    paired: Callable[[Floats], Floats] | None = None
    """What a difference of two models is worth, where that is not `trials`."""
    size: Callable[[Floats], Floats] | None = None
    """In a table by class the examples of each class, R x C, which are told beside its value; else all examples."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """How the numbers of a metric are to be read; a row of a table is a `Metric` or a `Ranking`."""

    title: str
    doc: str
    better: Literal["higher", "lower"] = "higher"
    low: float = 0.0
    high: float = 1.0
    """Infinite where there is no largest value; likewise `low`."""
    is_share: bool = False
    """It is a share of the trials (right out of all), so that its interval can be a binomial one."""
    is_counted: bool = False
    """It is made of right and wrong answers: few of either widen its interval, and its samples have `answered`, what is
    answered for each of N examples, and `correct_N`."""
    is_inflated: bool = False
    """Noise alone makes it larger, in each resample once more; its interval is corrected for that."""
    worth: Worth = Worth()

    @property
    def best(self) -> float:
        """Return the value of a perfect prediction."""
        return self.high if self.better == "higher" else self.low


@dataclass(frozen=True)
class Metric(Row):
    """A metric that is a value of sums."""

    sums: Callable[[Any], Sums]
    """From a prepared sample to N x K numbers; metrics with the same function share its sums."""
    value: Callable[[Floats], Floats]
    """From R x K sums, not means, to R values (R x C in a table by class); NaN where it is undefined."""


def _as_it_is(found: Any) -> Any:
    return found


@dataclass(frozen=True)
class Ranking(Row):
    """A metric that is no value of sums, as it needs the order of all examples."""

    function: Callable[[Any, Floats], Any]
    """From a prepared sample, and R x N counts of how often each example occurs in each resample, to what `value`
    reads; metrics with the same function share its pass over the examples."""
    value: Callable[[Any], Floats] = _as_it_is
    """From what the function gave to R values (R x C in a table by class); NaN where it is undefined."""


AnyMetric = Metric | Ranking
