"""Examples of different lengths in one array, such as texts, series and recordings.

lines = texts(["to be", "or not"])       UTF-8 bytes
lines[1], lines[[1, 0]], lines.lengths    one example, some of them, how long each is
lines.padded(8)                           N x 8, filled up with zeros
"""

# N examples, T steps of time, L length of what is padded

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

Rows = slice | Sequence[int] | NDArray[np.int64]

FINE, COARSE = 8, 128
"""Lengths are rounded up to a multiple of the first; beyond the second, to eight sizes for each doubling."""


@dataclass(frozen=True, eq=False)
class Ragged:
    """Examples that lie one behind the other."""

    values: NDArray[Any]
    """All steps of all examples: total x whatever a step is."""
    offsets: NDArray[np.int64]
    """Where each example begins, and where the last one ends: N + 1, from 0."""

    @classmethod
    def of(cls, examples: Sequence[NDArray[Any]]) -> "Ragged":
        """Put examples together.

        Args:
            examples: arrays of T x the same whatever; at least one.
        """
        return cls(np.concatenate(examples), _offsets(np.array([len(each) for each in examples], dtype=np.int64)))

    @classmethod
    def join(cls, parts: Sequence["Ragged"]) -> "Ragged":
        """Put the examples of several together, in their order.

        Args:
            parts: at least one.
        """
        lengths = np.concatenate([part.lengths for part in parts])
        return cls(np.concatenate([part.values for part in parts]), _offsets(lengths))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, rows: int | np.integer[Any]) -> NDArray[Any]: ...

    @overload
    def __getitem__(self, rows: Rows) -> "Ragged": ...

    def __getitem__(self, rows: Any) -> Any:
        """Return one example as a view, or some of them."""
        if isinstance(rows, int | np.integer):
            place = range(len(self))[rows]
            return self.values[self.offsets[place] : self.offsets[place + 1]]
        if isinstance(rows, slice):
            first, last, stride = rows.indices(len(self))
            if stride == 1:
                ends = self.offsets[first : max(first, last) + 1]
                return Ragged(self.values[ends[0] : ends[-1]], ends - ends[0])
            rows = np.arange(len(self))[rows]
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.int64)
        lengths = self.lengths[rows]
        offsets = _offsets(lengths)
        # The place of each step: where its example begins, and how far it stands from there.
        steps = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths)
        return Ragged(self.values[steps], offsets)

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of each example, N."""
        return np.diff(self.offsets)

    @property
    def nbytes(self) -> int:
        """Bytes of all steps."""
        return int(self.values.nbytes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self.values.dtype

    def padded(self, length: int | None = None, *, fill: float = 0) -> NDArray[Any]:
        """Return the examples as one array, each filled up to a length; a longer one loses its end.

        Args:
            length: steps L; those of the longest example when left out.
            fill: what stands behind the end of an example.

        Returns:
            N x L x whatever a step is.
        """
        longest = int(self.lengths.max(initial=0)) if length is None else length
        array = np.full((len(self), longest, *self.values.shape[1:]), fill, dtype=self.dtype)
        array[present(self.lengths, longest)] = self.cut(longest).values
        return array

    def cut(self, length: int) -> "Ragged":
        """Return the examples without what stands behind a length.

        Args:
            length: steps that are kept at most.
        """
        if self.lengths.max(initial=0) <= length:
            return self
        lengths = np.minimum(self.lengths, length)
        offsets = _offsets(lengths)
        steps = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1] - offsets[:-1], lengths)
        return Ragged(self.values[steps], offsets)


Stored = NDArray[Any] | Ragged
"""Examples as a data set holds them: of one shape, or of different lengths."""


def present(lengths_N: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
    """Return which steps are real ones and no padding.

    Args:
        lengths_N: steps of each example.
        length: steps of the padded array, L.

    Returns:
        N x L.
    """
    return np.arange(length) < np.minimum(lengths_N, length)[:, None]


def round_up(length: int) -> int:
    """Return the next of the few lengths that batches are padded to, so that few shapes occur.

    At most an eighth of a long batch is padding for this reason.

    Args:
        length: steps of the longest example of a batch.
    """
    step = FINE
    while length > COARSE * step // FINE:
        step *= 2
    return max(step, -(-length // step) * step)


def lengths_of(stored: Stored) -> NDArray[np.int64] | None:
    """Return the steps of each example where they differ, else None.

    Args:
        stored: examples.
    """
    return stored.lengths if isinstance(stored, Ragged) else None


def join(parts: Sequence[Stored]) -> Stored:
    """Put stored examples of one kind together; ragged where any are, or where arrays differ in their steps.

    Args:
        parts: at least one; steps are alike in all of them.
    """
    arrays = [part for part in parts if not isinstance(part, Ragged)]
    if len(arrays) == len(parts) and len({array.shape[1:] for array in arrays}) == 1:
        return np.concatenate(arrays)
    return Ragged.join([part if isinstance(part, Ragged) else _as_ragged(part) for part in parts])


def _as_ragged(array: NDArray[Any]) -> Ragged:
    count, steps, *step = array.shape
    return Ragged(array.reshape(-1, *step), _offsets(np.full(count, steps, dtype=np.int64)))


def texts(words: Iterable[str]) -> Ragged:
    """Store texts as their UTF-8 bytes; what cannot be encoded (lone surrogates) is replaced."""
    encoded = [word.encode("utf-8", "replace") for word in words]
    lengths = np.array([len(each) for each in encoded], dtype=np.int64)
    return Ragged(np.frombuffer(b"".join(encoded), dtype=np.uint8), _offsets(lengths))


def as_texts(column: Stored) -> Ragged:
    """Return texts as `texts` stores them, also those of an array of text, as labels are.

    Args:
        column: texts, N.
    """
    return column if isinstance(column, Ragged) else texts(map(str, column.tolist()))


def text_of(example: NDArray[np.uint8]) -> str:
    """Return the text of one example that `texts` stored.

    Args:
        example: UTF-8 bytes.
    """
    return example.tobytes().decode("utf-8", "replace")


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
