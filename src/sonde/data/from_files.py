"""Decodes the files of a listing: once, by several threads, block by block into the cache; what fails is named."""

# N examples

import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data import cache
from sonde.data.decoded import Decoded, without_bad
from sonde.data.listing import Listing
from sonde.data.threads import threads
from sonde.errors import DataError, StorageError

BLOCK, BLOCK_BYTES = 1024, 64 << 20
"""Files decoded before they are written, and their bytes, at most; bounds what is in flight."""

Read = Callable[[Path], tuple[NDArray[Any], tuple[str, ...]]]
"""From a file to an example and the names of its flaws; raises DataError where the file cannot be read."""


@dataclass(frozen=True)
class Shape:
    """What every file is decoded to."""

    shape: tuple[int, ...]
    dtype: str
    things: str
    """What the files are called in messages, such as "images"."""

    @property
    def bytes(self) -> int:
        """Bytes of one of them."""
        return int(np.prod(self.shape)) * np.dtype(self.dtype).itemsize


@dataclass
class Seen:
    """What is noted while files are decoded, by their places in the listing."""

    bad: dict[int, str]
    flaws: dict[str, list[int]]
    """By name of the flaw."""

    def facts(self) -> dict[str, Any]:
        """Return plain values for the cache."""
        return {"bad": sorted(self.bad.items()), "flaws": self.flaws}


def decode_files(listing: Listing, key: str, shape: Shape, read: Read) -> tuple[Decoded, dict[str, list[int]]]:
    """Decode files, or take them from the cache.

    Args:
        shape: what each file is decoded to.
        read: decodes one file; called by several threads.

    Returns:
        The examples, and for each flaw the places in the listing of those that have it.
    """
    found = cache.find(key)
    if found is None:
        return _decode_into_cache(listing, key, shape, read)
    array, marks, facts = found
    bad = {int(row): str(reason) for row, reason in facts["bad"]}
    flaws = {str(name): [int(row) for row in rows] for name, rows in facts.get("flaws", {}).items()}
    return without_bad(listing, array, marks, bad, (), key), flaws


def _decode_into_cache(listing: Listing, key: str, shape: Shape, read: Read) -> tuple[Decoded, dict[str, list[int]]]:
    seen = Seen({}, {})
    blocks: Iterator[NDArray[Any]] | list[NDArray[Any]] = _decoded(listing, shape, read, seen)
    in_memory = len(listing) * shape.bytes <= cache.IN_MEMORY
    if in_memory:
        blocks = list(blocks)
    notes = []
    try:
        cache.keep(key, blocks, shape.shape, seen.facts, dtype=shape.dtype)
        found = None if in_memory else cache.find(key)
    except StorageError as error:
        notes.append(f"the decoded {shape.things} could not be cached, and will be decoded again next time: {error}")
        found = None
    if found is not None:
        return without_bad(listing, found[0], found[1], seen.bad, tuple(notes), key), seen.flaws
    if not in_memory:
        seen.bad.clear()
        seen.flaws.clear()
        blocks = list(_decoded(listing, shape, read, seen))
    array = np.concatenate([np.empty((0, *shape.shape), dtype=shape.dtype), *blocks])
    return without_bad(listing, array, cache.marks(array), seen.bad, tuple(notes), key), seen.flaws


def _decoded(listing: Listing, shape: Shape, read: Read, seen: Seen) -> Iterator[NDArray[Any]]:
    """Yield the readable examples in the listing's order, block by block, and note the others."""
    assert isinstance(listing.content, tuple)

    def attempt(path: Path) -> tuple[NDArray[Any], tuple[str, ...]] | str:
        try:
            return read(path)
        except DataError as error:
            return str(error).removeprefix(f"{path.name} ")

    # Decoders warn about files that they can read all the same; what they cannot read is an error and is reported.
    with ThreadPoolExecutor(threads()) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        block = max(1, min(BLOCK, BLOCK_BYTES // max(1, shape.bytes)))
        for start in range(0, len(listing), block):
            # `map` keeps the order, so that the result does not depend on the number of threads.
            results = list(pool.map(attempt, listing.content[start : start + block]))
            examples = []
            for row, result in enumerate(results, start):
                if isinstance(result, str):
                    seen.bad[row] = result
                    continue
                examples.append(result[0])
                for flaw in result[1]:
                    seen.flaws.setdefault(flaw, []).append(row)
            if examples:
                yield np.stack(examples)
