"""Mean and spread of a score over several runs: the folds of a cross-validation, or seeds.

The interval is Student's t. Over seeds it says how far the mean would move with other seeds, on the same test examples.
Over folds it is too narrow, since any two training sets share examples (Bengio & Grandvalet, "No unbiased estimator of
the variance of k-fold cross-validation", 2004). The corrected interval puts 1/n + test/train in the place of 1/n
(Nadeau & Bengio, "Inference for the generalization error", 2003): a wider, rough remedy, and the one to believe.
"""

# R runs

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import t

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Spread:
    """A score over several runs; what cannot be computed is None."""

    value: float | None
    """The mean."""
    deviation: float | None
    """Standard deviation over the runs, with R - 1 below."""
    low: float | None
    """Ends of the t-interval of the mean, as if the runs were independent."""
    high: float | None
    corrected_low: float | None
    """Ends of the interval that is corrected for training sets that overlap; the same where there is no overlap."""
    corrected_high: float | None
    n: int
    """Runs that have the score."""

    def to_dict(self) -> dict[str, float | int | None]:
        """Return plain values for JSON."""
        return asdict(self)


def spread(
    values: Sequence[float | None],
    *,
    overlap: float = 0.0,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    confidence: float = CONFIDENCE,
) -> Spread:
    """Compute the mean, the standard deviation and the intervals of a score.

    Args:
        values: the score of each run; None where it cannot be computed.
        overlap: test examples divided by training examples, for folds; 0 for runs on the same test examples.
        bounds: what the score can be; intervals are held to it.
        confidence: how often such intervals would hold the mean of all such runs, were they independent.

    Returns:
        The spread; without a deviation for a single run.
    """
    known_R = np.array([value for value in values if value is not None], dtype=np.float64)
    count = len(known_R)
    if not count:
        return Spread(None, None, None, None, None, None, 0)
    mean = float(known_R.mean())
    if count == 1:
        return Spread(mean, None, None, None, None, None, 1)
    deviation = float(known_R.std(ddof=1))
    times = float(t.ppf(0.5 + confidence / 2, count - 1))
    half, wide = (times * deviation * factor**0.5 for factor in (1 / count, 1 / count + overlap))
    ends = [float(np.clip(end, *bounds)) for end in (mean - half, mean + half, mean - wide, mean + wide)]
    return Spread(mean, deviation, ends[0], ends[1], ends[2], ends[3], count)
