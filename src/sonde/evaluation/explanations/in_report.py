"""Explains a few test examples for the report, and asks which columns of a table the answers need."""

# N examples

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers import Scored
from sonde.data import MODALITIES, Examples
from sonde.evaluation.explanations import EXPLANATIONS
from sonde.evaluation.explanations.explain import of_the_test
from sonde.evaluation.explanations.found import Subject
from sonde.evaluation.explanations.importance import REPEATS, Importance, importances
from sonde.evaluation.explanations.of_files import draw
from sonde.evaluation.options import Options
from sonde.evaluation.plots.explanation_pictures import importance_bars
from sonde.evaluation.trained_model import TrainedModel
from sonde.metrics import value_of
from sonde.metrics.words import title

SECONDS = 20.0
"""Time for all explanations of a report; the first one is made in any case."""
QUICK_STEPS = 128
"""Steps of integrated gradients in a report, at most."""
MOST_ROWS, MOST_TRIALS, MOST_COLUMNS = 2000, 2_000_000, 400
"""Rows that columns are shuffled over at most, rows times shuffles in all, and columns above which nothing is tried."""
KEY = "explained"
"""What the names of the pictures begin with."""


@dataclass(frozen=True)
class Explained:
    """What the report is given."""

    pictures: dict[str, str]
    """SVG text by name, in the order in which they are shown."""
    importance: dict[str, Any] | None = None
    """For scores.json: the metric, and what it loses without each column; None for what is no table."""


def for_report(
    model: TrainedModel, scored: Scored, examples: Examples, options: Options, scores: Mapping[str, Any]
) -> Explained:
    """Explain a few predictions, right and wrong ones, and the columns where a table is read.

    Args:
        model: the run's.
        scored: its predictions of the test examples.
        options: how many.
        scores: of the test examples; names the metric.
    """
    modality, row = model.modality, model.row
    # An ensemble's members read each example in their own ways: there is no one gradient, and no one input.
    if not options.explain or modality not in EXPLANATIONS or model.parts or row.choose is None:
        return Explained({})
    subject = Subject(model, modality, QUICK_STEPS)
    pictures, importance = {}, None
    if MODALITIES[modality].columns(model.spec):
        importance = _importance(subject, scored, examples, options, str(scores["headline"]))
        drawn = None if importance is None else importance_bars(importance["columns"], title(importance["metric"]))
        if drawn is not None:
            pictures[f"{KEY}-importance"] = drawn
    rows = [(place, row.truth_in_words(scored.predictions, place)) for place in row.telling(scored, options.explain)]
    for at, each in enumerate(of_the_test(subject, examples.raw, examples.names, rows, seconds=SECONDS), 1):
        pictures[f"{KEY}-{at}"] = draw(each, f"{KEY}-{at}")
    return Explained(pictures, importance)


def _importance(
    subject: Subject, scored: Scored, examples: Examples, options: Options, headline: str
) -> dict[str, Any] | None:
    raw = examples.raw
    assert isinstance(raw, np.ndarray)
    columns = MODALITIES[subject.modality].columns(subject.spec)
    if len(columns) > MOST_COLUMNS or len(raw) < 2:
        return None
    most = int(np.clip(MOST_TRIALS // (len(columns) * REPEATS), 100, MOST_ROWS))
    rows = np.sort(np.random.default_rng(options.seed).permutation(len(raw))[:most])
    raw = raw[rows]
    score = _scorer(subject, scored, examples, headline, rows)

    def without(column: int, order_N: NDArray[np.int64]) -> float:
        shuffled = raw.copy()
        shuffled[columns[column]] = raw[columns[column]][order_N]
        return score(shuffled)

    found = importances(columns, without, score(raw), examples=len(raw), seed=options.seed)
    return {"metric": headline, "rows": len(raw), "repeats": REPEATS, "columns": [_plain(each) for each in found]}


def _scorer(
    subject: Subject, scored: Scored, examples: Examples, headline: str, rows: NDArray[np.int64]
) -> Callable[[NDArray[Any]], float]:
    """Return the headline's value as a function of rows, higher being better."""
    model, row = subject.opened, subject.opened.row
    metric = row.table[headline]
    sign = 1.0 if metric.better == "higher" else -1.0
    truth, names = model.target.encode(examples.truth)[rows], examples.names[rows].tolist()

    def score(raw: NDArray[Any]) -> float:
        kept = model.keep(model.spec.encode(raw), truth)
        made = row.predictions(model.target, model.fitted, kept, truth, names)
        return sign * value_of(metric, row.sample(made, scored.own))

    return score


def _plain(each: Importance) -> dict[str, Any]:
    return {"column": each.column, "mean": each.mean, "low": each.low, "high": each.high}
