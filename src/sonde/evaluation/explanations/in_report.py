"""Explains a few test examples for the report, and asks which columns of a table the answers need."""

# N examples, C classes

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import tasks
from sonde.evaluation.truth.given import Answers
from sonde.evaluation.explanations import EXPLANATIONS
from sonde.evaluation.explanations.explain import of_the_test, right_and_wrong
from sonde.evaluation.explanations.found import Subject
from sonde.evaluation.explanations.permutation import REPEATS, Importance, importances
from sonde.evaluation.explanations.stage import draw
from sonde.evaluation.goals import positive_class
from sonde.evaluation.opening import TrainedModel
from sonde.evaluation.options import Options
from sonde.evaluation.plots.explained import importance_bars
from sonde.evaluation.plots.words import title
from sonde.metrics import TABLES, value_of

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


def for_report(model: TrainedModel, answers: Answers, options: Options, scores: dict[str, Any]) -> Explained:
    """Explain a few right and wrong answers, and the columns where a table is read.

    Args:
        model: the run's.
        answers: of the test examples.
        options: how many, and which class is searched for.
        scores: of the test examples; names the metric.
    """
    modality = tasks.TASKS[answers.description.task].modality
    # An ensemble's members read each example in their own ways: there is no one gradient, and no one input.
    if not options.explain or modality not in EXPLANATIONS or model.parts:
        return Explained({})
    subject = Subject(model, modality, QUICK_STEPS)
    pictures, importance = {}, None
    if modality == "table":
        importance = _importance(subject, answers, options, str(scores["headline"]))
        drawn = None if importance is None else importance_bars(importance["columns"], title(importance["metric"]))
        if drawn is not None:
            pictures[f"{KEY}-importance"] = drawn
    examples = answers.examples
    rows = _chosen(answers, options.explain)
    for at, each in enumerate(of_the_test(subject, examples.raw, examples.names, rows, seconds=SECONDS), 1):
        pictures[f"{KEY}-{at}"] = draw(each, f"{KEY}-{at}")
    return Explained(pictures, importance)


def _chosen(answers: Answers, most: int) -> list[tuple[int, str]]:
    """Return places of test examples, with what is true."""
    probabilities_NC = answers.probabilities_NC
    if answers.description.answer == "labels":
        return [(row, str(answers.examples.truth[row])) for row in range(min(most, len(answers.examples)))]
    guess_N = tasks.label.decide(probabilities_NC, answers.description.decision)
    rows = right_and_wrong(answers.truth, guess_N, probabilities_NC, most)
    return [(row, answers.classes[answers.truth[row]]) for row in rows]


def _importance(subject: Subject, answers: Answers, options: Options, headline: str) -> dict[str, Any] | None:
    raw = answers.examples.raw
    assert isinstance(raw, np.ndarray)
    columns = tuple(getattr(subject.spec, "columns", raw.dtype.names or ()))
    if len(columns) > MOST_COLUMNS or len(raw) < 2:
        return None
    most = int(np.clip(MOST_TRIALS // (len(columns) * REPEATS), 100, MOST_ROWS))
    rows = np.sort(np.random.default_rng(options.seed).permutation(len(raw))[:most])
    raw = raw[rows]
    score = _scorer(subject, answers, options, headline, rows)

    def without(column: int, order_N: NDArray[np.int64]) -> float:
        shuffled = raw.copy()
        shuffled[columns[column]] = raw[columns[column]][order_N]
        return score(shuffled)

    found = importances(columns, without, score(raw), examples=len(raw), seed=options.seed)
    return {"metric": headline, "rows": len(raw), "repeats": REPEATS, "columns": [_plain(each) for each in found]}


def _scorer(
    subject: Subject, answers: Answers, options: Options, headline: str, rows: NDArray[np.int64]
) -> Callable[[NDArray[Any]], float]:
    """Return the headline's value as a function of rows, higher being better."""
    said = answers.description
    task: ModuleType = answers.task
    metric = TABLES[said.answer][headline]
    sign = 1.0 if metric.better == "higher" else -1.0
    truth = answers.truth[rows]
    from sonde.evaluation.truth import ANSWERS

    some = Answers(answers.examples, said, truth, answers.logits_NC[rows])
    place = positive_class(options, answers.classes)
    more = (-1 if place is None else place,) if said.answer == "label" else ()

    def score(raw: NDArray[Any]) -> float:
        probabilities = task.probabilities(subject.logits(subject.spec.encode(raw)), said.temperature)
        return sign * value_of(metric, ANSWERS[said.answer].sample(some, probabilities, *more))

    return score


def _plain(each: Importance) -> dict[str, Any]:
    return {"column": each.column, "mean": each.mean, "low": each.low, "high": each.high}
