"""What the pictures are drawn from: plain values, so that any task can fill in what it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sonde.drawing import Sketch
from sonde.metrics.curves import Curve, Reliability


@dataclass(frozen=True)
class Mistake:
    """One example that the model got wrong."""

    name: str
    """What a person can find the example by."""
    truth: str
    guess: str
    confidence: float
    """Probability that the model gave its guess."""
    truth_probability: float | None = None
    """Probability that it gave the truth."""
    picture: Sketch | None = None
    """What is shown of the example; None where nothing can be."""


@dataclass(frozen=True)
class Evidence:
    """Everything the pictures may need; what is missing leaves its pictures out."""

    history: Sequence[Mapping[str, Any]] = ()
    """Records of `history.jsonl`."""
    scores: Mapping[str, Any] = field(default_factory=dict)
    """Content of `scores.json`."""
    roc: Mapping[str, Curve | None] = field(default_factory=dict)
    """`metrics.curves.roc` of each class, by its name."""
    precision_recall: Mapping[str, Curve | None] = field(default_factory=dict)
    """`metrics.curves.precision_recall` of each class, by its name."""
    before: Reliability | None = None
    """`metrics.curves.reliability` of the raw probabilities."""
    after: Reliability | None = None
    """The same after temperature scaling."""
    mistakes: Sequence[Mistake] = ()
    """The mistakes made with the most confidence, worst first."""
