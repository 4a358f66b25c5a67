"""Opens an ensemble so that it is used as any other model: raw examples in, the average of its members out.

Each member reads the examples with its own spec, and the row of the answer says what their average is: for classes a
weighted mean of calibrated probabilities (a linear opinion pool), given as the logits that have it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from sonde.answers import Answer
from sonde.backend.engine import Batch
from sonde.data import InputSpec, Stored
from sonde.errors import ModelError


@dataclass(frozen=True)
class Part:
    """One of the averaged models, on a backend."""

    engine: Any
    """A `backend.Predicts`."""
    spec: InputSpec
    fitted: Any
    """What was fitted on validation; see `Answer.fit`."""
    description: Any
    """A `models.model_folder.Description`."""
    weight: float

    def outputs(self, raw: Stored) -> Batch:
        """Return this member's own outputs for a batch of raw examples."""
        found: Batch = self.engine.predict({"inputs": self.spec.prepare(self.spec.encode(raw))})
        return found


class Averaged:
    """What predicts with the average of several models; it reads raw examples."""

    def __init__(self, parts: Sequence[Part], row: Answer):
        if row.average is None:
            raise ModelError("Models of this task cannot be averaged.")
        self._parts = tuple(parts)
        self._average = row.average

    def predict(self, inputs: Batch) -> Batch:
        """Return the outputs of the average; see `backend.Predicts.predict`."""
        members = [(part.fitted, part.outputs(inputs["inputs"])) for part in self._parts]
        return self._average(members, [part.weight for part in self._parts])


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
    def cardinalities(self) -> tuple[int, ...]:
        """The first member's."""
        return self.reader.cardinalities

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

    def read_whole(self, path: str) -> tuple[list[str], Stored]:
        """Read one file as raw examples that cover it; see `ImageSpec.read_whole`."""
        reader: Any = self.reader
        found: tuple[list[str], Stored] = reader.read_whole(path)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the first member's plain values."""
        return self.reader.to_dict()
