"""The report's sections on several labels: each label, calibration, the thresholds; and what to look at next."""

from collections.abc import Mapping
from typing import Any

from sonde.answers.classification.decision_report import effect, unequal
from sonde.answers.classification.report import POINTERS as OF_CLASSES
from sonde.answers.classification.report import calibration, classes, first, ranking, remarks
from sonde.answers.facts import Facts
from sonde.drawing.markup import Child, Markup
from sonde.drawing.page import name, section, sentences, table


def decision(facts: Facts) -> Markup | None:
    """Return the threshold of each label, and what they are worth."""
    said: Mapping[str, Any] = facts.scores.get("decision") or {}
    parts: list[Child] = [unequal(facts, "label")]
    if said:
        parts += [sentences(str(said.get("sentence", ""))), effect(said), _thresholds(facts, said)]
    parts = [part for part in parts if part is not None]
    return section("decision", "Decision", *parts) if parts else None


def _thresholds(facts: Facts, said: Mapping[str, Any]) -> Markup:
    values: Mapping[str, float] = said.get("values") or {}
    rows: list[list[Child]] = [
        [
            name(label),
            f"{value:.3g}",
            f"{int((facts.per_class.get(label) or {}).get('given') or 0):,}",
            f"{int((facts.per_class.get(label) or {}).get('n') or 0):,}",
        ]
        for label, value in values.items()
    ]
    heads = ["Label", "Given from", "Times given", "Times true"]
    return table("Thresholds of the labels", heads, rows, numbers=(1, 2, 3), style="tight")


SECTIONS = {
    "classes": ("Labels", classes),
    "calibration": ("Calibration", calibration),
    "decision": ("Decision", decision),
    "ranking": ("Thresholds", ranking),
}
POINTERS = OF_CLASSES[2:]
__all__ = ["POINTERS", "SECTIONS", "first", "remarks"]
