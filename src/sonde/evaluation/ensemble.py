"""Opens an ensemble so that it is used as any other model: raw examples in, logits of the averaged probabilities out.

Each member reads the examples with its own spec and is calibrated by its own temperature, before the weighted mean is
taken (a linear opinion pool). The logits are those that give this mean back, so that temperature, sets and thresholds
of the whole are fitted and applied as those of one model.
"""

# M members, B batch, C classes

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sonde import tasks
from sonde.backend import Batch, Predicts
from sonde.data import InputSpec, Stored

LEAST = 1e-9
"""Probability below which the logarithm is not followed."""

Floats = NDArray[np.float64]

LOGITS: dict[str, Callable[[Floats], Floats]] = {
    "label": lambda shares: np.log(np.maximum(shares, LEAST)),
    "labels": lambda shares: np.log(np.maximum(shares, LEAST)) - np.log(np.maximum(1 - shares, LEAST)),
}
"""By answer: what gives the probabilities back at a temperature of 1."""


@dataclass(frozen=True)
class Part:
    """One of the averaged models, on a backend."""

    engine: Predicts
    spec: InputSpec
    description: Any
    """A `models.folder.Description`."""
    weight: float

    def probabilities(self, raw: Stored) -> Floats:
        """Return this member's own answers, calibrated by its own temperature, B x C."""
        logits = self.engine.predict({"inputs": self.spec.prepare(self.spec.encode(raw))})["logits"]
        shares: Floats = tasks.answer(self.description.task).probabilities(logits, self.description.temperature)
        return shares


def mean(shares_M: Sequence[Floats], weights_M: Sequence[float]) -> Floats:
    """Return the weighted mean of probabilities, B x C.

    Args:
        shares_M: each member's, B x C.
        weights_M: how much each counts.
    """
    return np.tensordot(np.asarray(weights_M), np.stack(shares_M), axes=1)


class Averaged:
    """What answers with the logits of averaged probabilities; it reads raw examples."""

    def __init__(self, parts: Sequence[Part], answer: str):
        self._parts = tuple(parts)
        self._logits = LOGITS[answer]

    def predict(self, inputs: Batch) -> dict[str, NDArray[np.float32]]:
        """Return the logits of the weighted mean of all members' probabilities; see `Predicts.predict`."""
        raw = inputs["inputs"]
        shares = mean([part.probabilities(raw) for part in self._parts], [part.weight for part in self._parts])
        return {"logits": self._logits(shares).astype(np.float32)}


@dataclass(frozen=True)
class AsTheyAre:
    """The spec of an ensemble: examples stay raw, as each member encodes them for itself."""

    reader: InputSpec
    """The first member's, which reads files; all members read them alike."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The first member's."""
        return self.reader.shape

    @property
    def dtype(self) -> Literal["float32", "int32"]:
        """The first member's."""
        return self.reader.dtype

    @property
    def levels(self) -> tuple[int, ...]:
        """The first member's."""
        return self.reader.levels

    @property
    def presence(self) -> bool:
        """The first member's."""
        return self.reader.presence

    def encode(self, raw: Stored) -> Stored:
        """Leave raw examples as they are."""
        return raw

    def prepare(self, inputs: Stored, out: NDArray[Any] | None = None) -> Any:
        """Leave a batch as it is; see `encode`."""
        return inputs

    def read(self, path: str) -> tuple[list[str], Stored]:
        """Read one file as raw examples and their names; see `InputSpec.read`."""
        return self.reader.read(path)

    def to_dict(self) -> dict[str, Any]:
        """Return the first member's plain values."""
        return self.reader.to_dict()
