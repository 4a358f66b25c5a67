"""A number for each example: how it is read, standardised and brought back to its own unit.

A truth is encoded as two numbers, N x 2: as it is learned (standardised, perhaps as a logarithm), and as the data has
it, so that scores and files hold exactly what was given.
"""

# B batch, N examples, Q quantiles

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data import Dataset, Listing
from sonde.data.target import Batch, Column, Moment, equal_weights
from sonde.errors import DataError, ModelError

Floats = NDArray[np.float64]

KIND = "regression"
FEWEST = 10
"""Examples in all below which nothing can be said."""
FEW = 100
"""Training examples below which that is noted."""
LARGEST = 1e100
"""Targets beyond it are taken for damage: their squares could not be added up."""
BELOW = 10.0
"""How many times smaller than the smallest of training a target may be before its logarithm is that of this bound."""
MOST_EXPONENT = 700.0
"""Logarithm above which a float64 has no number."""
MOST_CLASSES, SHARE_OF_ROWS = 50, 10
"""Different whole numbers from which on they are a quantity, if so many rows do not share each."""
FEWEST_DIFFERENT = 10
"""Different numbers with decimals from which on they are a quantity."""
NEARLY_ALL = 0.95
"""Share of numbers from which on the rest is taken for mistakes, which `check` names."""
WORTH_A_NOTE = 5
"""Different whole numbers from which on it is said that they may be a quantity."""
SHOWN = 5
"""Unreadable targets that an error names."""


@dataclass(frozen=True)
class NumberTarget:
    """A standardised number, by the mean and deviation of the training part."""

    mean: float
    deviation: float
    """On the scale that is learned; 1 where the training targets are all the same."""
    least: float | None = None
    """Smallest training target, where logarithms are learned; None where numbers are learned as they are."""
    quantiles: tuple[float, ...] = ()
    """Shares of which the quantiles are predicted; none where the number itself is."""

    @property
    def middle(self) -> int:
        """Place of the prediction among the outputs."""
        return len(self.quantiles) // 2

    def encode(self, raw: Column) -> Column:
        """Read numbers, N x 2: as learned and as given; what is no number raises DataError."""
        given_N = numbers(raw)
        bad = np.flatnonzero(~np.isfinite(given_N))
        if len(bad):
            raise DataError(f"The target {str(np.asarray(raw)[bad[0]])!r} is not a number. Correct or remove it.")
        return np.stack([self.learned(given_N), given_N], axis=1)

    def learned(self, given: Floats) -> Floats:
        """Return numbers on the scale that is learned, in any shape."""
        scaled = given if self.least is None else np.log(np.maximum(given, self.least / BELOW))
        return np.asarray((scaled - self.mean) / self.deviation)

    def restored(self, learned: Any) -> Floats:
        """Return numbers in the data's own unit, in any shape; none is beyond `LARGEST`, whose square is a number."""
        scaled = np.asarray(learned, np.float64) * self.deviation + self.mean
        restored = scaled if self.least is None else np.exp(np.minimum(scaled, MOST_EXPONENT))
        return np.clip(restored, -LARGEST, LARGEST)

    def collate(self, truth: Column, moment: Moment) -> Batch:
        """Return the numbers as they are learned, float32, B, and equal weights."""
        learned_B = np.asarray(truth)[:, 0].astype(np.float32)
        return {"truth": learned_B, "weights": equal_weights(len(learned_B))}

    def move(self, truth: Column, motion: Any) -> Column:
        """Return the truth as it is: a number does not move with its image."""
        return truth

    def decode(self, outputs: Batch, inputs: Batch) -> Column:
        """Return predictions in the data's own unit, float64, N."""
        return self.restored(in_order(outputs["numbers"])[:, self.middle])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "kind": KIND,
            "mean": self.mean,
            "deviation": self.deviation,
            "least": self.least,
            "quantiles": list(self.quantiles),
        }


def in_order(numbers_NQ: Any) -> Any:
    """Return quantiles sorted, so that none crosses another; their pinball loss never grows by it.

    Source: Chernozhukov et al., "Quantile and probability curves without crossing", 2010.
    """
    return np.sort(np.asarray(numbers_NQ), axis=-1)


def numbers(raw: Column) -> Floats:
    """Read numbers, NaN where a text is none or is beyond any measure, N."""
    words, places = np.unique(np.asarray(raw), return_inverse=True)
    found = np.array([_number(word) for word in words.tolist()], np.float64)
    return found[places] if len(found) else np.zeros(0)


def _number(word: Any) -> float:
    try:
        # Python reads 1_000 as a number, and no table writes one so.
        value = np.nan if isinstance(word, str) and "_" in word else float(word)
    except ValueError:
        return np.nan
    return value if abs(value) <= LARGEST else np.nan


def learn(truth: Column, options: Any) -> NumberTarget:
    """Return the target of training truths: their mean and deviation, of their logarithms where the options say so.

    Raises:
        DataError: logarithms are asked for and a target is not positive, or a text is no number.
    """
    given_N = numbers(truth)
    if not np.isfinite(given_N).all():
        raise DataError("A training target is not a number. Correct or remove it.")
    least = None
    if options.scale == "log":
        least = float(given_N.min())
        if least <= 0:
            raise DataError(
                f"regression.scale = 'log' needs positive targets, and the smallest in training is {written(least)}. "
                "Use --set regression.scale=plain."
            )
    scaled_N = given_N if least is None else np.log(given_N)
    mean, deviation = float(scaled_N.mean()), float(scaled_N.std())
    # Below this part of the mean it is what rounding leaves of equal numbers.
    deviation = deviation if deviation > 1e-12 * abs(mean) else 1.0
    quantiles = tuple(options.quantiles) if options.loss == "quantiles" else ()
    return NumberTarget(mean, deviation, least, quantiles)


def target_from(values: Mapping[str, Any]) -> NumberTarget:
    """Rebuild a target from a model folder; raises ModelError where a number is missing or impossible."""
    mean: Any = values.get("mean")
    deviation: Any = values.get("deviation")
    least: Any = values.get("least")
    shares: Any = values.get("quantiles", [])
    sound = (
        _is_finite(mean)
        and _is_finite(deviation)
        and deviation > 0
        and (least is None or (_is_finite(least) and least > 0))
        and isinstance(shares, list | tuple)
        and len(shares) < 100
        and all(_is_finite(share) and 0 < share < 1 for share in shares)
        and sorted(set(shares)) == list(shares)
    )
    if not sound:
        raise ModelError("Its target has no mean and deviation that numbers can be restored with.")
    return NumberTarget(mean, deviation, least, tuple(shares))


def _is_finite(value: Any) -> Any:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def recognise(listing: Listing) -> str:
    """Say that each example has a number, and that they are too many to be classes; else an empty text."""
    found = _all_numbers(listing)
    if found is None:
        return ""
    different = len(np.unique(found))
    whole = bool((found == np.floor(found)).all())
    enough = (
        different > MOST_CLASSES and different > len(found) / SHARE_OF_ROWS if whole else different > FEWEST_DIFFERENT
    )
    return f"one number each, {different:,} different ones" if enough else ""


def may_be(listing: Listing) -> str:
    """Say that whole numbers, which are taken for classes, may be a quantity; class numbers from 0 on are not."""
    found = _all_numbers(listing)
    if found is None:
        return ""
    different = np.unique(found)
    if len(different) < WORTH_A_NOTE or np.array_equal(different, np.arange(len(different))):
        return ""
    return "the labels are numbers; to predict them as quantities"


def _all_numbers(listing: Listing) -> Floats | None:
    if listing.several or not isinstance(listing.truth, np.ndarray) or listing.truth.ndim != 1 or not len(listing):
        return None
    found = numbers(listing.truth)
    known = np.isfinite(found)
    return found[known] if known.mean() >= NEARLY_ALL else None


def strata(truth: Column) -> NDArray[np.str_]:
    """Return the same for all: splits are drawn at random, as a test of numbers is usually drawn."""
    return np.zeros(len(truth), dtype="<U1")


def in_words(target: NumberTarget) -> dict[str, str]:
    """Return mean and deviation of the training targets for the terminal."""
    if target.least is None:
        told = f"a number, {written(target.mean)} on average, standard deviation {written(target.deviation)}"
    else:
        spread = f"times or divided by {np.exp(min(target.deviation, MOST_EXPONENT)):.3g}"
        told = (
            f"a positive number, typically {written(float(target.restored(0.0)))}, {spread}; its logarithm is learned"
        )
    if target.quantiles:
        told += f"; quantiles {', '.join(f'{share:g}' for share in target.quantiles)}"
    return {"target": told}


def written(value: float) -> str:
    """Write a number of the data for people, with six digits at most."""
    whole = float(value).is_integer() and abs(value) < 1e15
    return f"{value:,.0f}" if whole else f"{value:,.1f}" if 1e5 <= abs(value) < 1e15 else f"{value:.6g}"


def near(value: float) -> str:
    """Write an error for people, with three digits."""
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def check(dataset: Dataset) -> tuple[str, ...]:
    """Refuse data that cannot carry the task, and say what it carries badly.

    Raises:
        DataError: a target is no number, which is named by its file and row; too few examples; an empty split; all
            training targets are the same.
    """
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    bad = [
        (str(each.names[row]), str(np.asarray(each.truth)[row]))
        for each in splits.values()
        for row in np.flatnonzero(~np.isfinite(numbers(each.truth))).tolist()
    ]
    if bad:
        shown = "\n".join(f"  {name}: {word[:60]!r}" for name, word in bad[:SHOWN])
        more = f"\n  and {len(bad) - SHOWN:,} more" if len(bad) > SHOWN else ""
        what = "1 target is not a number" if len(bad) == 1 else f"{len(bad):,} targets are not numbers"
        raise DataError(
            f"{what}:\n{shown}{more}\nA number is written as 12.5 or 1e3, without unit and with a point before "
            "decimals. Correct or remove them, or name another column with --set data.label_column=NAME."
        )
    total = sum(len(each) for each in splits.values())
    if total < FEWEST:
        raise DataError(
            f"The data set '{dataset.name}' has only {total} examples in all. Training, choosing and testing need "
            f"{FEWEST} at least, and some {FEW} to mean anything."
        )
    for name, each in splits.items():
        if not len(each):
            raise DataError(f"The {name} split is empty. Add examples to it, or remove it and it is made.")
    given_N = numbers(dataset.train.truth)
    if (given_N == given_N[0]).all():
        raise DataError(
            f"All {len(given_N):,} training targets are {written(given_N[0])}; there is nothing to predict. Add "
            "examples with other targets, or name another column with --set data.label_column=NAME."
        )
    few = (f"{len(given_N):,} training examples are few for a number",) if len(given_N) < FEW else ()
    test_N = numbers(dataset.test.truth)
    outside = int(((test_N < given_N.min()) | (test_N > given_N.max())).sum())
    if not outside:
        return few
    beyond = f"{outside:,} test targets lie outside of the range of the training targets, {written(given_N.min())} to "
    return (*few, f"{beyond}{written(given_N.max())}")
