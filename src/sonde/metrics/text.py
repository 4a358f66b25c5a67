"""Metrics of written text: exact match, token accuracy, character error rate and BLEU.

An example has one reference or several. Tokens are what spaces divide, so a text that is to be scored by words must be
tokenised first, as for sacrebleu's `tokenize="none"`.

    sample = prepare_text(["the cat sat"], ["the cat sat down"])
    intervals.score_sample(sample, TEXT_METRICS, bootstrap=Bootstrap(seed=0))
"""

# N examples, R resamples

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sonde.metrics.metric import Floats, Metric, Sums
from sonde.metrics.sums import mean, with_ones

ORDERS = 4
"""Lengths of the n-grams of BLEU: 1 to 4."""


@dataclass(frozen=True, eq=False)
class TextSample:
    """Predicted texts with their references, and which of these is nearest."""

    predictions: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    """One or more for each example."""

    def __len__(self) -> int:
        return len(self.predictions)

    @property
    def answered(self) -> NDArray[np.object_]:
        """Return the predictions, as every sample of right and wrong answers has them."""
        return np.array(self.predictions, dtype=object)

    @cached_property
    def correct_N(self) -> Floats:
        """Return 1.0 where the prediction is one of the references."""
        return np.array([float(text in known) for text, known in zip(self.predictions, self.references, strict=True)])

    @cached_property
    def distances(self) -> tuple[tuple[int, str], ...]:
        """Return the reference nearest to each prediction with its edit distance; of several the first."""
        return tuple(
            min(((edit_distance(text, one), one) for one in known), key=lambda pair: pair[0])
            for text, known in zip(self.predictions, self.references, strict=True)
        )


def prepare_text(predictions: Sequence[str], references: Sequence[str | Sequence[str]]) -> TextSample:
    """Make the sample that the metrics of written text read.

    Args:
        predictions: a text for each example.
        references: a text for each example, or several.
    """
    known = tuple((one,) if isinstance(one, str) else tuple(one) for one in references)
    assert len(predictions) == len(known) and known and all(known), "a reference for each prediction, N > 0"
    return TextSample(tuple(predictions), known)


def edit_distance(a: str, b: str) -> int:
    """Return how many characters must be put in, taken out or replaced to make one text the other.

    Source: Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals", 1966.
    """
    # A row of the table at a time; what is put in runs along the row and is a running minimum.
    codes_a, codes_b = (np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32) for text in (a, b))
    steps = np.arange(len(codes_b) + 1)
    row = steps.copy()
    for place, code in enumerate(codes_a, 1):
        best = row + 1
        best[1:] = np.minimum(best[1:], row[:-1] + (codes_b != code))
        best[0] = place
        row = np.minimum.accumulate(best - steps) + steps
    return int(row[-1])


def matches(sample: TextSample) -> Sums:
    """Return a one where the prediction is one of the references, to the character, and a one, N x 2."""
    return with_ones(sample.correct_N)


def right_tokens(sample: TextSample) -> Sums:
    """Return how many tokens of the nearest reference the prediction has at their place, and their number, N x 2."""
    pairs = [
        (text.split(), reference.split())
        for text, (_, reference) in zip(sample.predictions, sample.distances, strict=True)
    ]
    # Places beyond the shorter one have no partner and are wrong.
    return _pairs([(sum(map(str.__eq__, made, true)), len(true)) for made, true in pairs])


def wrong_characters(sample: TextSample) -> Sums:
    """Return the edit distance to the nearest reference, and its number of characters, N x 2."""
    return _pairs([(distance, len(reference)) for distance, reference in sample.distances])


def _pairs(pairs: Sequence[tuple[int, int]]) -> Floats:
    return np.array(pairs, np.float64)


def ratio(totals_R2: Floats) -> Floats:
    """Return the first sum over the second, NaN where that is 0."""
    above_R, below_R = totals_R2.T
    return np.divide(above_R, below_R, out=np.full_like(above_R, np.nan), where=below_R > 0)


def shared_ngrams(sample: TextSample) -> Sums:
    """Return for n = 1 to 4 the n-grams that the references hold, and all of the prediction; then both lengths, N x 10.

    An n-gram counts as often as the reference that has it most; the length is that of the reference nearest in length,
    of two the shorter.
    """
    return np.array(
        [_ngrams_of(text, known) for text, known in zip(sample.predictions, sample.references, strict=True)], np.float64
    )


def _ngrams_of(text: str, known: tuple[str, ...]) -> list[int]:
    made, true = text.split(), [one.split() for one in known]
    shared, every = [], []
    for order in range(1, ORDERS + 1):
        own, most = _ngrams(made, order), Counter[tuple[str, ...]]()
        for one in true:
            most |= _ngrams(one, order)
        shared.append((own & most).total())
        every.append(own.total())
    nearest = min((abs(len(made) - len(one)), len(one)) for one in true)[1]
    return [*shared, *every, len(made), nearest]


def _ngrams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))


def bleu(totals_RK: Floats) -> Floats:
    """Return the corpus BLEU-4, 0 to 100, with sacrebleu's default smoothing of orders without a match.

    Source: Papineni et al., "BLEU: a method for automatic evaluation of machine translation", 2002; Post, "A call for
    clarity in reporting BLEU scores", 2018 (`smooth_method="exp"`: the k-th order without a match counts 1 / 2^k).
    """
    shared_R4, every_R4 = totals_RK[:, :ORDERS], totals_RK[:, ORDERS : 2 * ORDERS]
    missed_R4 = (shared_R4 == 0) & (every_R4 > 0)
    counted_R4 = np.where(missed_R4, 0.5 ** missed_R4.cumsum(axis=1), shared_R4)
    # Texts too short for an order have no BLEU, and so have those without any match.
    is_zero_R = (every_R4 == 0).any(axis=1) | ~shared_R4.any(axis=1)
    precision_R4 = np.where(is_zero_R[:, None], 1.0, counted_R4 / np.maximum(every_R4, 1))
    made_R, true_R = totals_RK[:, -2], totals_RK[:, -1]
    shortness_R = np.minimum(0.0, 1 - true_R / np.maximum(made_R, 1))
    return np.where(is_zero_R, 0.0, 100 * np.exp(shortness_R + np.log(precision_R4).mean(axis=1)))


TEXT_METRICS: dict[str, Metric] = {
    "bleu": Metric(
        shared_ngrams,
        bleu,
        title="BLEU",
        doc="Shared word sequences of up to four words, with a discount for short texts (0 to 100).",
        high=100.0,
    ),
    "exact_match": Metric(
        matches,
        mean,
        title="Exact match",
        doc="Share of texts that are a reference, character by character.",
        is_share=True,
        is_counted=True,
    ),
    "token_accuracy": Metric(
        right_tokens,
        ratio,
        title="Token accuracy",
        doc="Of the words of the references, the share that the prediction has at the same place.",
    ),
    "character_error_rate": Metric(
        wrong_characters,
        ratio,
        title="Character error rate",
        doc="Characters to put in, take out or replace, over those of the references; it can exceed 1.",
        better="lower",
        high=math.inf,
    ),
}
"""The scores of written text, in the order shown to users."""
