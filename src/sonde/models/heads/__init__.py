"""What stands on top of an architecture: one file per answer, with its outputs, its loss and its training scores."""

from types import ModuleType

from sonde.models.heads import label, labels

HEADS: dict[str, ModuleType] = {"label": label, "labels": labels}
"""The head of each answer: `outputs(features, sizes)`, `loss(options)`, `scores(outputs, batch)`, `NAME`, what of a
model's features it `NEEDS`, and the `VARYING` axes of what its loss reads."""
