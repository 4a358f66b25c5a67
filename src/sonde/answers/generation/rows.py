"""What `predict` gives for each example: the text, and how sure the model is of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sonde.answers.answer import Chosen, Kept
from sonde.answers.fitted import FittedValues
from sonde.answers.generation.target import TextTarget
from sonde.drawing.safe_text import one_line

LONGEST = 80
"""Letters of a text in the terminal's table; --json has all."""


def rows(target: TextTarget, fitted: FittedValues, kept: Kept) -> list[dict[str, Any]]:
    """Return what is written for each example, as plain values."""
    sure_N = np.exp(np.asarray(kept["log_likelihood"], dtype=np.float64))
    return [
        {"prediction": text, "confidence": float(sure)}
        for text, sure in zip(target.texts(kept["tokens"]), sure_N, strict=True)
    ]


def choose(target: TextTarget, fitted: FittedValues, kept: Kept) -> list[Chosen]:
    """Return the text that is written for each example, whose log-likelihood an explanation is about."""
    made, tokens = rows(target, fitted, kept), kept["tokens"]
    return [
        Chosen(0, row["prediction"] or "no text", row["confidence"], target.ended(tokens[place].tolist()))
        for place, row in enumerate(made)
    ]


def _prediction(row: Mapping[str, Any]) -> str:
    return one_line(str(row["prediction"]), longest=LONGEST) or "no text"


COLUMNS = {"prediction": _prediction, "confidence": lambda row: f"{row['confidence']:.3f}"}
"""How the terminal shows a row."""
