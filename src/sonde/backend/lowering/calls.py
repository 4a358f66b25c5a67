"""What a native equivalent of a layer is: a rule makes it from a built layer, and a running model calls it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

Call = Callable[..., Any]
"""(run, *what the Keras layer is called with) -> what it returns; keyword arguments that it does not name, such as
`mask`, are those with which the layer runs as Keras wrote it."""

Rule = Callable[[Any], Call | None]
"""A built Keras layer -> its native equivalent, or None where it has options that are not covered."""


@dataclass
class Run:
    """How a model is being run."""

    training: bool
    """Whether dropout and the statistics of the batch are on."""
    generator: torch.Generator
    """Where dropout and noise take their numbers from."""
