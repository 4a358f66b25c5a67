"""What the rest of sonde sees of data: three splits of examples, what was found wrong, and a fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sonde.data.ragged import Stored


class InputSpec(Protocol):
    """How one example becomes what a model reads, at training and at serving alike; it is saved with the model."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Shape of one prepared example, without the batch axis; None for a length that varies."""

    @property
    def dtype(self) -> Literal["float32", "int32"]:
        """Type of the prepared numbers."""

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """How many values each code has: the size of a vocabulary, or of each category column; () without codes."""

    @property
    def presence(self) -> bool:
        """Whether the last channel tells real steps (1) from padding (0)."""

    def encode(self, raw: Stored) -> Stored:
        """Turn raw examples into stored inputs, once for each data set; such as texts into ids."""

    def prepare(self, inputs: Stored, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Turn a batch of stored inputs into what the model reads, in `out` where that is given."""

    def read(self, path: str) -> tuple[list[str], Stored]:
        """Read one file as raw examples and their names; raises DataError with the reason."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; `data.spec_from` turns them back."""


@dataclass(frozen=True)
class Examples:
    """The examples of one split, in a fixed order; N is their number."""

    inputs: Stored
    """As the spec encoded them: for images uint8, N x height x width x channels; may be memory-mapped."""
    truth: Stored
    """The truth as the data holds it, N; a target encodes it."""
    names: NDArray[np.str_]
    """A name that a person can find the example by (relative path, or file and index), N."""
    raw: Stored
    """Before they were encoded, as baselines and people read them; images are the same as the inputs."""

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Findings:
    """What was seen in the data that its owner should know; goes into the report."""

    bad_files: tuple[tuple[str, str], ...] = ()
    """Files that were left out: name and reason."""
    duplicates: int = 0
    """Examples that are exact copies of another one in the same split, or were put beside it."""
    leaks: tuple[tuple[str, str], ...] = ()
    """Pairs of exact copies on two sides of the data's own splits: "train: a.png", "test: b.png"."""
    leak_count: int = 0
    """How many test or validation examples have a copy in another split."""
    notes: tuple[str, ...] = ()
    """Other sentences, such as "3 files are CMYK and were converted"."""


@dataclass(frozen=True)
class Dataset:
    """Train, validation and test examples of one data set."""

    name: str
    modality: str
    format: str
    """The recognised format, in words, such as "folder of classes"."""
    train: Examples
    validation: Examples
    test: Examples
    spec: InputSpec
    fingerprint: str
    """SHA-256 over contents, names, truths and splits."""
    split_origin: Mapping[str, str]
    """By split: "given" by the data, or how it was made."""
    findings: Findings = field(default_factory=Findings)
