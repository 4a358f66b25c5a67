"""What stands on top of an architecture: one file per answer, with its outputs, its loss and its training score."""

from types import ModuleType

from sonde.models.heads import label, labels

HEADS: dict[str, ModuleType] = {"label": label, "labels": labels}
"""The head of each answer: `logits(features, outputs)`, `loss(label_smoothing, focus, weights, shifts)`,
`score(logits, truth)`, `NAME`."""
