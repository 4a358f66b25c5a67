"""What `predict` gives for each example: the class, its confidence, the next best, the prediction set, abstention."""

# N examples, C classes

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sonde.answers.answer import Chosen, Kept
from sonde.answers.classification.fitted import Fitted
from sonde.answers.classification.selective_checks import sets_and_abstention
from sonde.answers.classification.target import ClassTarget
from sonde.metrics import temperature, thresholds

TOP = 5
"""Classes that are named, the prediction first."""
SHOWN_OTHERS = 2
"""How many of the next best stand in the terminal's table; --json has all."""
SHOWN_SET = 4
"""How many classes of a prediction set stand in the table; --json has all."""


def rows(target: ClassTarget, fitted: Fitted, kept: Kept) -> list[dict[str, Any]]:
    """Return what is predicted for each example, as plain values."""
    probabilities_NC = temperature.apply(np.asarray(kept["logits"]), fitted.temperature)
    ordered = probabilities_NC
    if fitted.decision:
        ordered = np.log(np.maximum(probabilities_NC, thresholds.SMALLEST)) + np.asarray(fitted.decision)
    order = np.argsort(-ordered, axis=1, kind="stable")[:, :TOP]
    doubt = sets_and_abstention(fitted, target.classes, probabilities_NC)
    return [
        {
            "prediction": target.classes[places[0]],
            "confidence": float(row[places[0]]),
            "others": [{"prediction": target.classes[place], "confidence": float(row[place])} for place in places[1:]],
            **unsure,
        }
        for row, places, unsure in zip(probabilities_NC, order.tolist(), doubt, strict=True)
    ]


def choose(target: ClassTarget, fitted: Fitted, kept: Kept) -> list[Chosen]:
    """Return the predicted class of each example, whose logit an explanation is about."""
    probabilities_NC = temperature.apply(np.asarray(kept["logits"]), fitted.temperature)
    predicted_N = thresholds.decide(probabilities_NC, fitted.decision).tolist()
    return [
        Chosen(place, target.classes[place], float(row[place]))
        for place, row in zip(predicted_N, probabilities_NC, strict=True)
    ]


def _prediction(row: Mapping[str, Any]) -> str:
    return f"none (unsure: {row['prediction']})" if row.get("abstains") else str(row["prediction"])


def _others(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{other['prediction']} {other['confidence']:.3f}" for other in row["others"][:SHOWN_OTHERS])


def _set(row: Mapping[str, Any]) -> str:
    names: Sequence[str] = row.get("set", ())
    more = f" and {len(names) - SHOWN_SET:,} more" if len(names) > SHOWN_SET else ""
    return ", ".join(names[:SHOWN_SET]) + more


COLUMNS = {
    "prediction": _prediction,
    "confidence": lambda row: f"{row['confidence']:.3f}",
    "next best": _others,
    "set": _set,
}
"""How the terminal shows a row."""
