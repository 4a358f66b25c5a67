"""Scores written texts: all together, by the length of the target, and the pairs that tell most."""

# N examples

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers.answer import FITTED_ON, Scored, Worst
from sonde.answers.generation.options import Options
from sonde.answers.generation.predictions import Predictions
from sonde.answers.generation.target import TextTarget
from sonde.data.ragged import Ragged, text_of
from sonde.drawing.numbers_in_words import count
from sonde.metrics import TEXT_METRICS, AnyMetric
from sonde.metrics.intervals import Score
from sonde.metrics.text import TextSample, prepare_text

COMPARED = ("exact_match", "character_error_rate")
"""Metrics that a comparison shows beside the headline."""
FEWEST_WORDS = 4
"""Words of the longest training target below which BLEU, which counts up to four in a row, says nothing."""
MOST_PAIRS = 12
"""Pairs of each kind that the report shows."""
LONGEST_SHOWN = 400
"""Letters of a text in scores.json."""


def metrics(target: TextTarget, own: Options) -> Mapping[str, AnyMetric]:
    """Return the metrics of texts, those of words where there are enough of them."""
    left_out = {"bleu"} if target.most_words < FEWEST_WORDS else set()
    left_out |= {"token_accuracy"} if target.most_words < 2 else set()
    return {name: metric for name, metric in TEXT_METRICS.items() if name not in left_out}


def headline(target: TextTarget, own: Options) -> str:
    """Return the metric that stands first: BLEU of sentences, else the share of exact matches."""
    return "bleu" if target.most_words >= FEWEST_WORDS else "exact_match"


def sample(made: Predictions, own: Options) -> TextSample:
    """Return what the metrics read: written texts and targets."""
    return prepare_text(made.written, made.targets)


def figure(own: TextSample) -> NDArray[np.float64]:
    """Return 1 less the character error rate of each example; an exact match has 1, and it may be below 0."""
    return 1.0 - errors(own)


def errors(own: TextSample) -> NDArray[np.float64]:
    """Return the character error rate of each example, N."""
    return np.array([distance / max(1, len(reference)) for distance, reference in own.distances])


def judge(scored: Scored, test: Mapping[str, Score]) -> dict[str, Any]:
    """Return what scores.json holds of the texts beside the metrics: error by length, and some pairs."""
    made, own = scored.predictions, sample(scored.predictions, scored.own)
    wrong_N, exact_N = errors(own), own.correct_N
    lengths_N, target = np.array([len(text) for text in made.targets]), scored.target
    far = [row for row in np.argsort(-wrong_N, kind="stable")[:MOST_PAIRS].tolist() if wrong_N[row] > 0]
    return {
        "fitted_on": FITTED_ON[scored.fitted.fitted_on],
        "target_length": {"limit": target.length, "tokens": target.tokens, "longer": target.longer},
        "by_length": by_length(lengths_N, wrong_N, exact_N),
        "empty": int(sum(not text for text in made.written)),
        "pairs": {
            "best": [_pair(scored, row, wrong_N) for row in _best(wrong_N, lengths_N)],
            "worst": [_pair(scored, row, wrong_N) for row in far],
        },
    }


def by_length(
    lengths_N: NDArray[np.int64], wrong_N: NDArray[np.float64], exact_N: NDArray[np.float64]
) -> list[dict[str, float]]:
    """Return the mean error of examples by their targets' length: at most ten groups of nearly equal size."""
    edges = np.unique(np.quantile(lengths_N, np.linspace(0, 1, 11), method="nearest"))
    groups = np.searchsorted(edges[1:-1], lengths_N, side="left")
    return [
        {
            "shortest": int(lengths_N[groups == group].min()),
            "longest": int(lengths_N[groups == group].max()),
            "n": int((groups == group).sum()),
            "error": float(wrong_N[groups == group].mean()),
            "exact": float(exact_N[groups == group].mean()),
        }
        for group in np.unique(groups)
    ]


def _best(wrong_N: NDArray[np.float64], lengths_N: NDArray[np.int64]) -> list[int]:
    """Return the best examples, of equal ones the longest first: a long text written right says most."""
    order: list[int] = np.lexsort((-lengths_N, wrong_N))[:MOST_PAIRS].tolist()
    return order


def _pair(scored: Scored, row: int, wrong_N: NDArray[np.float64]) -> dict[str, Any]:
    made, raw = scored.predictions, scored.raw
    # Only of texts that are read can a table show the source.
    source = (
        text_of(raw[row][: 4 * LONGEST_SHOWN])[:LONGEST_SHOWN]
        if isinstance(raw, Ragged) and raw.dtype == np.uint8
        else ""
    )
    return {
        "name": made.names[row],
        "source": source,
        "target": made.targets[row][:LONGEST_SHOWN],
        "prediction": made.written[row][:LONGEST_SHOWN],
        "error": float(wrong_N[row]),
    }


def worst(scored: Scored) -> list[Worst]:
    """Pick the examples whose text is furthest from the target, for its length."""
    made, own = scored.predictions, sample(scored.predictions, scored.own)
    wrong_N = errors(own)
    rows = [row for row in np.argsort(-wrong_N, kind="stable").tolist() if wrong_N[row] > 0][: scored.mistakes]
    return [
        Worst(
            row=row,
            name=made.names[row],
            predicted=made.written[row] or "no text",
            truth=made.targets[row],
            confidence=float(made.confidence[row]) if np.isfinite(made.confidence[row]) else None,
            note=f"{count(own.distances[row][0], 'edit')} away from {count(len(made.targets[row]), 'character')}",
        )
        for row in rows
    ]
