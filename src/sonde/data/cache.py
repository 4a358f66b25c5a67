"""Keeps decoded examples (images, spectrograms) on the disk, so that a data set is decoded once.

An entry is a folder `<key>/` with `images.npy` and `entry.json`. It appears whole, by a rename, or not at all; a
checksum finds a damaged one, which is removed and made again. The cache lies in $SONDE_CACHE or in the user's cache
folder, and may be deleted at any time.
"""

import fcntl
import json
import mmap
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sonde.config.disk import cache_folder, flush_folder, remove_folder, saying_what_failed, write_durably
from sonde.config.untrusted import read_json
from sonde.errors import StorageError

IN_MEMORY = 256 << 20
"""Bytes up to which images are held in memory; larger sets are mapped from the disk."""

IMAGES = "images.npy"
ENTRY = "entry.json"

DTYPES = ("uint8", "float32")
"""Types of numbers that are kept."""

Images = NDArray[Any]
Marks = NDArray[np.uint64]


def marks(images: Images) -> Marks:
    """Return a 64-bit checksum of each image; equal ones mark exact copies.

    Args:
        images: N x ...; may be memory-mapped.
    """
    # 64 bits: among a million images two different ones meet with a probability of 3e-8.
    digests = b"".join(blake2b(np.ascontiguousarray(image).data, digest_size=8).digest() for image in images)
    return np.frombuffer(digests, dtype="<u8")


def find(key: str) -> tuple[Images, Marks, dict[str, Any]] | None:
    """Return an entry's images, their checksums and its facts, or None; a damaged entry is removed.

    Args:
        key: what `keep` was given.
    """
    root = cache_folder()
    if root is None or not (root / key).is_dir():
        return None
    try:
        facts = read_json(root / key / ENTRY)
        images = np.load(root / key / IMAGES, mmap_mode="r", allow_pickle=False)
        if images.nbytes <= IN_MEMORY:
            images = np.array(images)
        found = marks(images)
        let_go(images)
        if facts["marks"] == _digest(found) and images.dtype == np.dtype(facts.get("dtype", "uint8")):
            return images, found, facts["facts"]
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        pass
    discard(key)
    return None


def keep(
    key: str,
    blocks: Iterable[Images],
    shape: tuple[int, ...],
    facts: Callable[[], dict[str, Any]],
    *,
    dtype: str = "uint8",
) -> None:
    """Write an entry block by block; it appears under its name when it is whole.

    Args:
        blocks: arrays of n x shape, drawn one after the other.
        facts: called when all blocks are drawn; plain values that `find` gives back.
        dtype: of the arrays, one of `DTYPES`.

    Raises:
        StorageError: the disk is full, or the cache cannot be written.
    """
    assert dtype in DTYPES
    root = cache_folder()
    if root is None:
        raise StorageError("There is no home folder to keep a cache in; name one in $SONDE_CACHE.")
    temporary = root / f".{key}.{os.getpid()}.tmp"
    try:
        with saying_what_failed(root):
            _clear_leftovers(root)
            temporary.mkdir(parents=True, exist_ok=True)
            with (temporary / IMAGES).open("wb") as file:
                _hold(file)
                digest = _write(file, blocks, shape, dtype)
                write_durably(temporary / ENTRY, json.dumps({"marks": digest, "dtype": dtype, "facts": facts()}))
                flush_folder(temporary)
                if not (root / key).exists():
                    os.replace(temporary, root / key)
                    flush_folder(root)
    finally:
        remove_folder(temporary)


def read_ahead(images: NDArray[Any], rows: NDArray[np.int64]) -> None:
    """Tell the system which images are read next, so that it reads them all at once.

    Left alone it reads a page or two at a time and waits for each: 10 to 30 times as long for a batch off the disk.

    Args:
        images: N x ..., mapped from a file, or a slice of such; nothing is done where they are in memory.
    """
    file = _mapped(images)
    if file is None or not hasattr(mmap, "MADV_WILLNEED") or not images.flags.c_contiguous:
        return
    start = images.ctypes.data - np.frombuffer(file, dtype=np.uint8).ctypes.data
    length = images.strides[0]
    for row in rows.tolist():
        place = start + row * length
        page = place // mmap.PAGESIZE * mmap.PAGESIZE
        file.madvise(mmap.MADV_WILLNEED, page, place + length - page)


def let_go(images: Any) -> None:
    """Tell the system that what was read of a mapped file need not stay in this process's memory.

    A look through a large set would else count it whole among what the process holds; the file stays in the system's
    own cache as long as there is room.

    Args:
        images: mapped from a file, or a slice of such; nothing is done where they are in memory.
    """
    file = _mapped(images)
    if file is not None and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)


def _mapped(images: Any) -> mmap.mmap | None:
    while isinstance(images, np.ndarray):
        images = images.base
    return images if isinstance(images, mmap.mmap) else None


def discard(key: str) -> None:
    """Remove an entry, as far as the file system lets it."""
    root = cache_folder()
    try:
        if root is not None:
            remove_folder(root / key)
    except OSError:
        pass


def _clear_leftovers(root: Path) -> None:
    """Remove what killed processes left half-written; it may have gigabytes."""
    for left in root.glob(".*.tmp"):
        try:
            with (left / IMAGES).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_folder(left)
        except OSError:
            # It is being written, only just begun, or may not be touched.
            continue


def _hold(file: BinaryIO) -> None:
    # A lock and not the process number in the name: containers that share a cache number their processes alike.
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)


def _write(file: BinaryIO, blocks: Iterable[Images], shape: tuple[int, ...], dtype: str) -> str:
    _header(file, 0, shape, dtype)
    start = file.tell()
    count = 0
    found = []
    for block in blocks:
        # Plain writes, not a memory map: a full disk is then an error and not a crash.
        file.write(np.ascontiguousarray(block).data)
        found.append(marks(block))
        count += len(block)
    file.seek(0)
    _header(file, count, shape, dtype)
    # numpy pads the header so that the first axis can grow in place.
    assert file.tell() == start
    file.flush()
    os.fsync(file.fileno())
    return _digest(np.concatenate(found) if found else np.empty(0, dtype="<u8"))


def _header(file: BinaryIO, count: int, shape: tuple[int, ...], dtype: str) -> None:
    facts = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": (count, *shape)}
    np.lib.format.write_array_header_1_0(file, facts)


def _digest(found: Marks) -> str:
    return blake2b(found.tobytes(), digest_size=16).hexdigest() + f"-{len(found)}"
