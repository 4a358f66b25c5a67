"""What stands on top of an architecture: one file per answer, with its outputs, its loss and its training scores.

The table imports no framework; `head` imports a head's file, which has

    NAME                           of its layer, for the names of its weights
    OUTPUT                         name of what it gives
    VARYING                        axes of what its loss reads whose size differs from batch to batch
    outputs(features, sizes)       named float32 tensors
    loss(options)                  (outputs, batch) -> a sum of the batch's weights times losses
    scores(outputs, batch)         scores of a training step by name
    solve_targets(truth, outputs)  what a linear head is solved for at once, N x outputs; only where that is possible
    sharpness(scores, truth)       the factor on what it then gives
    inputs(sizes)                  symbolic inputs beside the body's, by name; only of a head that reads any
    explained(model, written)      what an explanation differentiates; only of a head that writes
    reading(model)                 the part of its model that reads an example; with the one before
    predicting(model, build)       what predicts, where that is more than one pass; `build` makes engines of models
"""

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

from sonde.errors import ModelError


@dataclass(frozen=True)
class Head:
    """One row of the table of heads."""

    needs: Literal["vector", "steps", "levels"]
    """What it reads of `models.features.Features`."""
    solves: bool = False
    """Whether it can be solved for at once."""
    views: Literal["none", "mean", "turned back"] = "mean"
    """How its outputs for several views of an image become one: not at all, as they are, or turned back as maps of the
    image's pixels."""


HEADS: dict[str, Head] = {
    "segmentation": Head("levels", views="turned back"),
    "classification": Head("vector", solves=True),
    "multilabel": Head("vector", solves=True),
    "regression": Head("vector", solves=True),
    "generation": Head("steps", views="none"),
}
"""The head of each answer."""


def head(name: str) -> ModuleType:
    """Return the file of a head; imports Keras on the chosen backend.

    Raises:
        ModelError: there is no such head.
    """
    if name not in HEADS:
        raise ModelError(f"There is no head for '{name}'.")
    return importlib.import_module(f"sonde.models.heads.{name}")
