"""What a modality makes of a listing: stored examples, and what could not be read."""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from sonde.data.cache import Marks
from sonde.data.cache import marks as marks_of_arrays
from sonde.data.listing import Listing
from sonde.data.ragged import Ragged, Stored
from sonde.data.table.columns import as_bytes


@dataclass(frozen=True)
class Decoded:
    """The examples that could be read; M of the N listed."""

    raw: Stored
    """M examples."""
    marks: Marks
    """Checksum of each example, M; equal ones mark exact copies."""
    good: NDArray[np.int64]
    """Their places in the listing, M, ascending."""
    bad: tuple[tuple[str, str], ...]
    """Name and reason of each example that is left out."""
    notes: tuple[str, ...]
    key: str
    """Names what was decoded, and how; part of the names of what is cached of it."""


def as_listed(listing: Listing, contents: str) -> Decoded:
    """Take examples that a listing holds already as they are.

    Args:
        listing: with its examples in memory.
    """
    raw = listing.stored
    assert raw is not None
    return Decoded(raw, marks(raw), np.arange(len(raw)), listing.bad, (), contents)


def without_bad(
    listing: Listing, raw: Stored, marks: Marks, bad: dict[int, str], notes: tuple[str, ...], key: str
) -> Decoded:
    """Put together what was decoded from files.

    Args:
        raw: the examples that could be read, in the listing's order.
        bad: place in the listing and reason of each of the others.
    """
    keep = np.ones(len(listing), dtype=bool)
    keep[list(bad)] = False
    named = tuple((str(listing.names[row]), reason) for row, reason in sorted(bad.items()))
    return Decoded(raw, marks, np.flatnonzero(keep), (*listing.bad, *named), notes, key)


def marks(raw: Stored) -> Marks:
    """Return a 64-bit checksum of each example.

    Args:
        raw: N examples.
    """
    if not isinstance(raw, Ragged):
        return marks_of_arrays(raw if raw.dtype.names is None else as_bytes(raw))
    digests = (blake2b(np.ascontiguousarray(raw[row]).data, digest_size=8).digest() for row in range(len(raw)))
    return np.frombuffer(b"".join(digests), dtype="<u8")
