"""What stands on top of an architecture: one file per answer, with its outputs, its loss and its training score."""

from types import ModuleType

from sonde.models.heads import label

HEADS: dict[str, ModuleType] = {"label": label}
"""The head of each answer: `logits(features, outputs)`, `loss(label_smoothing)`, `score(logits, truth)`, `NAME`."""
