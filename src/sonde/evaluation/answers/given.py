"""What a model says of the test examples, and what is said once for all answers of how that is scored."""

# N examples, C classes or labels

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import tasks
from sonde.data import Examples
from sonde.evaluation.options import Options
from sonde.evaluation.pictures import Picture
from sonde.evaluation.pictures import picture as picture_of
from sonde.metrics.intervals import Bootstrap, Score
from sonde.models.restraint import FITTED_ON

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Answers:
    """What the model says of the test examples, and what is true."""

    examples: Examples
    description: Any
    """A `models.folder.Description`."""
    truth: NDArray[Any]
    """As the task encodes it: class numbers, N, or N x K."""
    logits_NC: NDArray[np.float32]

    @property
    def task(self) -> ModuleType:
        """The module of `tasks.ANSWERS`."""
        return tasks.ANSWERS[self.description.answer]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes or labels, in order."""
        return tuple(self.description.classes)

    @property
    def probabilities_NC(self) -> NDArray[np.float64]:
        """Probabilities after temperature scaling, rounded as predictions.parquet holds them."""
        return rounded(self.task.probabilities(self.logits_NC, self.description.temperature))

    @property
    def raw_NC(self) -> NDArray[np.float64]:
        """Probabilities before temperature scaling."""
        raw: NDArray[np.float64] = self.task.probabilities(self.logits_NC, 1.0)
        return raw


@dataclass(frozen=True)
class Guess:
    """What a baseline says of the test examples, and how it decides."""

    probabilities: NDArray[np.float64]
    """N x C."""
    decision: tuple[float, ...] = ()
    """Tuned as the model's; see `tasks.<answer>.decide`."""


@dataclass(frozen=True)
class Frame:
    """What the scores are of, and how they are computed."""

    options: Options
    sentence: str
    """Which examples are scored."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Training examples of each class; of the scored ones where those are not known."""
    history: Sequence[Mapping[str, Any]] = ()

    @property
    def bootstrap(self) -> Bootstrap:
        """How intervals are drawn."""
        return Bootstrap(self.options.seed, self.options.resamples, CONFIDENCE)

    @property
    def ratio(self) -> float:
        """How many times the examples of the rarest class the most frequent one has."""
        return tasks.imbalance.ratio(self.counts)


def rounded(probabilities_NC: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities as predictions.parquet holds them.

    Args:
        probabilities_NC: of each class for each example.
    """
    return probabilities_NC.astype(np.float32).astype(np.float64)


def plain(scores: Mapping[str, Score]) -> dict[str, Any]:
    """Return scores as plain values for JSON.

    Args:
        scores: by metric.
    """
    return {name: each.to_dict() for name, each in scores.items()}


def heads(answers: Answers, frame: Frame, headline: str) -> dict[str, Any]:
    """Return what stands at the top of scores.json.

    Args:
        answers: what is scored.
        frame: how.
        headline: the metric that stands first.
    """
    return {
        "format": 1,
        "task": answers.description.task,
        "answer": answers.description.answer,
        "classes": list(answers.classes),
        "headline": headline,
        "confidence": CONFIDENCE,
        "resamples": frame.options.resamples,
        "splits": frame.sentence,
        "fitted_on": FITTED_ON[answers.description.fitted_on],
        "ratio": frame.ratio,
        "unequal": frame.ratio >= tasks.imbalance.UNEQUAL,
    }


def picture(answers: Answers, row: int) -> Picture | None:
    """Return what is shown of one example, or None where nothing can be.

    Args:
        answers: with the examples.
        row: of the examples.
    """
    return picture_of(tasks.TASKS[answers.description.task].modality, answers.examples.raw[row])
