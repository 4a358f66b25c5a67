"""What `predict` gives for each example: its labels with their chances, and the nearest of the others."""

# N examples, K labels

from collections.abc import Mapping
from typing import Any

import numpy as np

from sonde.answers.answer import Chosen, Kept
from sonde.answers.multilabel.fitted import Fitted
from sonde.answers.multilabel.predictions import halves
from sonde.answers.multilabel.target import LabelsTarget, join_labels
from sonde.metrics import temperature

OTHERS = 3
"""Labels that are not given, of which `predict` says how near they came."""
SHOWN_OTHERS = 2
"""How many of them stand in the terminal's table; --json has all."""


def rows(target: LabelsTarget, fitted: Fitted, kept: Kept) -> list[dict[str, Any]]:
    """Return what is predicted for each example, as plain values."""
    probabilities_NK = temperature.apply_labels(np.asarray(kept["logits"]), fitted.temperature)
    thresholds_K = np.asarray(halves(target, fitted))
    made = []
    for row in probabilities_NK:
        given_K = row >= thresholds_K
        surest_first = [place for place in np.argsort(-row, kind="stable").tolist() if given_K[place]]
        nearest = [place for place in np.argsort(-(row - thresholds_K)).tolist() if not given_K[place]][:OTHERS]
        made.append(
            {
                "prediction": join_labels(target.classes, given_K),
                "labels": [_named(target, row, place) for place in surest_first],
                "others": [_named(target, row, place) for place in nearest],
            }
        )
    return made


def _named(target: LabelsTarget, row: Any, place: int) -> dict[str, Any]:
    return {"prediction": target.classes[place], "confidence": float(row[place])}


def choose(target: LabelsTarget, fitted: Fitted, kept: Kept) -> list[Chosen]:
    """Return the label of each example that is furthest above its threshold, whose logit an explanation is about."""
    probabilities_NK = temperature.apply_labels(np.asarray(kept["logits"]), fitted.temperature)
    places = (probabilities_NK - np.asarray(halves(target, fitted))).argmax(axis=1).tolist()
    return [
        Chosen(place, target.classes[place], float(row[place]))
        for place, row in zip(places, probabilities_NK, strict=True)
    ]


def _labels(row: Mapping[str, Any]) -> str:
    return ", ".join(label["prediction"] for label in row["labels"]) or "no label"


def _others(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{other['prediction']} {other['confidence']:.3f}" for other in row["others"][:SHOWN_OTHERS])


COLUMNS = {
    "prediction": _labels,
    "confidence": lambda row: ", ".join(f"{label['confidence']:.3f}" for label in row["labels"]),
    "next best": _others,
}
"""How the terminal shows a row."""
