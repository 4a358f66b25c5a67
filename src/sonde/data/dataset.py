"""What the rest of sonde sees of data: three splits of examples, what was found wrong, and a fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class InputSpec(Protocol):
    """How one example becomes an array, at training and at serving alike; it is saved with the model."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one prepared example, without the batch axis."""

    def prepare(self, inputs: NDArray[Any], out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Turn a batch of stored examples into what the model reads, in `out` where that is given."""

    def read(self, path: str) -> NDArray[Any]:
        """Read one file as a stored example; raises DataError with the reason."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; `data.spec_from` turns them back."""


@dataclass(frozen=True)
class Examples:
    """The examples of one split, in a fixed order; N is their number."""

    inputs: NDArray[Any]
    """Stored examples: for images uint8, N x height x width x channels; may be memory-mapped."""
    answers: NDArray[np.str_]
    """The truth as the data spells it, N."""
    names: NDArray[np.str_]
    """A name that a person can find the example by (relative path, or file and index), N."""

    def __len__(self) -> int:
        return len(self.answers)


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
    """SHA-256 over contents, names, answers and splits."""
    split_origin: Mapping[str, str]
    """By split: "given" by the data, or how it was made."""
    findings: Findings = field(default_factory=Findings)
