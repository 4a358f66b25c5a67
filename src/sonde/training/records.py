"""What the loop yields: a record for each step and one for each epoch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """One training step."""

    step: int
    """From 1, over all epochs."""
    steps: int
    """Steps of the whole training."""
    epoch: int
    loss: float
    score: float
    learning_rate: float
    examples: int
    examples_per_second: float
    """Of this epoch so far."""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training examples, and what validation said after it."""

    epoch: int
    step: int
    train: dict[str, float]
    validation: dict[str, float]
    learning_rate: float
    best: bool
    """Whether this epoch's weights are the best so far."""
    clock: dict[str, float]
    """Times and memory: the only part that differs between two equal runs."""

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain values, one line of history.jsonl."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "train": self.train,
            "validation": self.validation,
            "learning_rate": self.learning_rate,
            "best": self.best,
            "clock": self.clock,
        }


def loss_of(told: Mapping[str, float]) -> float:
    """Return the loss to record, or the one that is followed where that is not finite."""
    return told["recorded"] if math.isfinite(told["loss"]) else told["loss"]
