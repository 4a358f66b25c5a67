"""Turns a listing of images into a dataset: decoded once, divided, looked through, fingerprinted.

listing -> contents' checksums -> pixels (from the cache, or decoded into it) -> splits -> Dataset
"""

# N images, H height, W width, C channels

import json
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import PIL
from numpy.typing import NDArray

from sonde.data import cache
from sonde.data.dataset import Dataset, Examples, Findings
from sonde.data.decode import LARGEST_FILE, fit, read_image
from sonde.data.image import Options, learn_spec
from sonde.data.listing import SPLITS, Listing
from sonde.data.splits import Shares, Splitting, split
from sonde.errors import DataError, StorageError

WHOLE = "all examples"
"""Where the examples of data without a test split come from."""
BLOCK = 1024
"""Images decoded before they are written; bounds what is in flight."""

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Pixels:
    """The images that could be read; M of the N listed."""

    images: Images
    """M x H x W x C."""
    marks: cache.Marks
    """Checksum of each image, M."""
    good: NDArray[np.int64]
    """Their places in the listing, M, ascending."""
    bad: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    key: str


@dataclass(frozen=True, eq=False)
class Unsplit:
    """Data that a trained model is tried on: nothing is learned from it, so it needs no splits and no second class."""

    name: str
    format: str
    fingerprint: str
    """SHA-256 over the examples, their names and labels; of the test split alone where there is one."""
    examples: Examples
    origin: str
    """"given" for the data's own test split, else `WHOLE`."""
    findings: Findings


def load(listing: Listing, options: Options) -> Dataset:
    """Decode, divide and look through the images of a listing.

    Args:
        listing: what `survey` found.
        options: size, splits and bounds.

    Returns:
        The dataset; its findings name the files that were left out, copies and leaks.

    Raises:
        DataError: too many files cannot be read, or the examples cannot be divided.
    """
    contents = _fingerprint(listing)
    pixels = _pixels(listing, options, contents)
    _refuse_too_bad(listing, pixels, options)
    good = pixels.good
    splitting = split(
        listing.splits[good],
        listing.answers[good],
        pixels.marks,
        None if listing.groups is None else listing.groups[good],
        Shares(validation=options.validation, test=options.test, seed=options.split_seed),
    )
    sides, notes = _arrange(pixels, splitting)
    examples = {
        name: Examples(sides[name], listing.answers[good][rows], listing.names[good][rows])
        for name, rows in splitting.rows.items()
    }
    return Dataset(
        name=listing.name,
        modality=listing.modality,
        format=listing.format,
        spec=learn_spec(examples["train"].inputs, largest_pixels=options.largest_pixels),
        fingerprint=_with_splits(contents, splitting),
        split_origin=dict(splitting.origin),
        findings=_findings(listing, pixels, splitting, notes),
        **examples,
    )


def load_unsplit(listing: Listing, options: Options) -> Unsplit:
    """Decode what a trained model is to be tried on: the given test split where there is one, else everything.

    Args:
        listing: what `survey` found.
        options: size and bounds; those of splits are not read.

    Returns:
        The examples; the findings tell of them alone.

    Raises:
        DataError: there is no example, or too many files cannot be read.
    """
    has_test = bool(np.any(listing.splits == "test"))
    if has_test:
        listing = _only(listing, np.flatnonzero(listing.splits == "test"))
    contents = _fingerprint(listing)
    pixels = _pixels(listing, options, contents)
    _refuse_too_bad(listing, pixels, options)
    return Unsplit(
        name=listing.name,
        format=listing.format,
        fingerprint=contents,
        examples=Examples(pixels.images, listing.answers[pixels.good], listing.names[pixels.good]),
        origin="given" if has_test else WHOLE,
        findings=Findings(
            bad_files=pixels.bad,
            duplicates=len(pixels.marks) - len(np.unique(pixels.marks)),
            notes=(*listing.notes, *pixels.notes),
        ),
    )


def _only(listing: Listing, rows: NDArray[np.int64]) -> Listing:
    content = listing.content
    return replace(
        listing,
        names=listing.names[rows],
        answers=listing.answers[rows],
        splits=listing.splits[rows],
        content=tuple(content[row] for row in rows) if isinstance(content, tuple) else _pick(content, rows),
        groups=None if listing.groups is None else listing.groups[rows],
    )


def _fingerprint(listing: Listing) -> str:
    """Hash contents, names, answers, given splits and groups."""
    total = sha256()
    for texts in (listing.names, listing.answers, listing.splits, listing.groups):
        total.update(b"none" if texts is None else json.dumps(texts.tolist()).encode())
    array = listing.array
    if array is not None:
        total.update(repr(array.shape).encode())
        total.update(np.ascontiguousarray(array).data)
    else:
        with ThreadPoolExecutor(_threads()) as pool:
            for digest in pool.map(_hash_file, listing.content, chunksize=64):
                total.update(digest)
    return total.hexdigest()


def _hash_file(path: Path) -> bytes:
    try:
        if not path.is_file():
            return b"missing"
        if (size := path.stat().st_size) > LARGEST_FILE:
            # It is refused before it is decoded, so that its content says nothing.
            return b"too large: %d bytes" % size
        digest = sha256()
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        return digest.digest()
    except OSError:
        return b"unreadable"


def _with_splits(contents: str, splitting: Splitting) -> str:
    total = sha256(contents.encode())
    for name in SPLITS:
        total.update(name.encode() + splitting.rows[name].astype("<i8").tobytes())
    return total.hexdigest()


def _pixels(listing: Listing, options: Options, contents: str) -> Pixels:
    array = listing.array
    if array is not None:
        images = _fit_all(array, options)
        return Pixels(images, cache.marks(images), np.arange(len(images)), listing.bad, (), contents)
    wanted = [*options.image_size, options.image_channels, options.largest_pixels]
    # Another version of a decoder may round otherwise.
    key = sha256(json.dumps([contents, wanted, PIL.__version__, cv2.__version__]).encode()).hexdigest()[:40]
    found = cache.find(key)
    if found is None:
        return _decode_into_cache(listing, options, key)
    images, marks, facts = found
    return _with_bad(listing, images, marks, {int(row): str(reason) for row, reason in facts["bad"]}, (), key)


def _fit_all(array: Images, options: Options) -> Images:
    if array.shape[1:] == (*options.image_size, options.image_channels):
        return array
    fitted = np.empty((len(array), *options.image_size, options.image_channels), dtype=np.uint8)
    for row, image in enumerate(array):
        fitted[row] = fit(image, options.image_size, options.image_channels)
    return fitted


def _decode_into_cache(listing: Listing, options: Options, key: str) -> Pixels:
    shape = (*options.image_size, options.image_channels)
    bad: dict[int, str] = {}
    blocks: Iterator[Images] | list[Images] = _decoded(listing, options, bad)
    in_memory = len(listing) * int(np.prod(shape)) <= cache.IN_MEMORY
    if in_memory:
        blocks = list(blocks)
    notes = []
    try:
        cache.keep(key, blocks, shape, lambda: {"bad": sorted(bad.items())})
        found = None if in_memory else cache.find(key)
    except StorageError as error:
        notes.append(f"the decoded images could not be cached, and will be decoded again next time: {error}")
        found = None
    if found is not None:
        return _with_bad(listing, found[0], found[1], bad, tuple(notes), key)
    if not in_memory:
        bad.clear()
        blocks = list(_decoded(listing, options, bad))
    images = np.concatenate([np.empty((0, *shape), dtype=np.uint8), *blocks])
    return _with_bad(listing, images, cache.marks(images), bad, tuple(notes), key)


def _decoded(listing: Listing, options: Options, bad: dict[int, str]) -> Iterator[Images]:
    """Yield the readable images in the listing's order, block by block, and note the others in `bad`."""
    assert isinstance(listing.content, tuple)

    def read(path: Path) -> Images | str:
        try:
            return read_image(path, options.image_size, options.image_channels, largest_pixels=options.largest_pixels)
        except DataError as error:
            return str(error).removeprefix(f"{path.name} ")

    # Decoders warn about files that they can read all the same; what they cannot read is an error and is reported.
    with ThreadPoolExecutor(_threads()) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for start in range(0, len(listing), BLOCK):
            # `map` keeps the order, so that the result does not depend on the number of threads.
            results = list(pool.map(read, listing.content[start : start + BLOCK]))
            bad.update({start + row: reason for row, reason in enumerate(results) if isinstance(reason, str)})
            images = [image for image in results if not isinstance(image, str)]
            if images:
                yield np.stack(images)


def _threads() -> int:
    return min(4, os.cpu_count() or 1)


def _with_bad(
    listing: Listing, images: Images, marks: cache.Marks, bad: dict[int, str], notes: tuple[str, ...], key: str
) -> Pixels:
    keep = np.ones(len(listing), dtype=bool)
    keep[list(bad)] = False
    named = tuple((str(listing.names[row]), reason) for row, reason in sorted(bad.items()))
    return Pixels(images, marks, np.flatnonzero(keep), (*listing.bad, *named), notes, key)


def _refuse_too_bad(listing: Listing, pixels: Pixels, options: Options) -> None:
    total = len(listing) + len(listing.bad)
    if total == 0:
        raise DataError(f"The data set '{listing.name}' holds no examples.")
    share = len(pixels.bad) / total
    if pixels.bad and (share > options.bad_share or len(pixels.good) == 0):
        some = "\n".join(f"  {name} {reason}" for name, reason in pixels.bad[:5])
        more = f"\n  and {len(pixels.bad) - 5:,} more" if len(pixels.bad) > 5 else ""
        raise DataError(
            f"{len(pixels.bad):,} of {total:,} files cannot be used ({share:.1%}; data.bad_share allows "
            f"{options.bad_share:.1%}):\n{some}{more}\n"
            "Repair or remove them, or allow more with --set data.bad_share=0.5."
        )


def _arrange(pixels: Pixels, splitting: Splitting) -> tuple[dict[str, Images], tuple[str, ...]]:
    """Return the images of each split; mapped ones are written once more in that order, so that they stay mapped."""
    rows = splitting.rows
    if not isinstance(pixels.images, np.memmap):
        return {name: _pick(pixels.images, rows[name]) for name in SPLITS}, ()
    order = np.concatenate([rows[name] for name in SPLITS])
    key = sha256(pixels.key.encode() + order.astype("<i8").tobytes()).hexdigest()[:40]
    blocks = (pixels.images[order[start : start + BLOCK]] for start in range(0, len(order), BLOCK))
    try:
        found = cache.find(key)
        if found is None:
            cache.keep(key, blocks, pixels.images.shape[1:], dict)
            found = cache.find(key)
    except StorageError as error:
        note = f"the divided images could not be cached and take their place in memory: {error}"
        return {name: pixels.images[rows[name]] for name in SPLITS}, (note,)
    assert found is not None, "it was written just now"
    ends = np.cumsum([0, *(len(rows[name]) for name in SPLITS)])
    return {name: found[0][start:end] for name, (start, end) in zip(SPLITS, pairwise(ends), strict=True)}, ()


def _pick(images: Images, rows: NDArray[np.int64]) -> Images:
    # Given splits often stand one after the other; a slice then saves a copy of the whole.
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return images[rows[0] : rows[-1] + 1]
    return images[rows]


def _findings(listing: Listing, pixels: Pixels, splitting: Splitting, notes: tuple[str, ...]) -> Findings:
    names = listing.names[pixels.good]
    side = {int(row): name for name, rows in splitting.rows.items() for row in rows}
    return Findings(
        bad_files=pixels.bad,
        duplicates=splitting.duplicates,
        leaks=tuple(
            (f"{side[first]}: {names[first]}", f"{side[second]}: {names[second]}") for first, second in splitting.leaks
        ),
        leak_count=splitting.leak_count,
        notes=(*listing.notes, *pixels.notes, *splitting.notes, *notes),
    )
