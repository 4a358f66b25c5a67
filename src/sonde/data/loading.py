"""Turns a listing into a dataset: decoded once, divided, looked through, fingerprinted.

listing -> contents' checksum -> raw examples (from the cache, or decoded) -> splits -> spec -> encoded -> Dataset
"""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonde.config import Options as OptionSet
from sonde.data import cache
from sonde.data.bounded import LARGEST_FILE
from sonde.data.dataset import Dataset, Examples, Findings, InputSpec
from sonde.data.decoded import Decoded, marks
from sonde.data.folds import read_fold, split_fold
from sonde.data.listing import SPLITS, Listing
from sonde.data.modalities import MODALITIES
from sonde.data.options import Options
from sonde.data.ragged import Ragged, Stored
from sonde.data.splits import Shares, Splitting, Truths, split
from sonde.data.target import Asked, Column
from sonde.data.threads import threads
from sonde.errors import DataError, StorageError

WHOLE = "all examples"
"""Where the examples of data without a test split come from."""
BLOCK, BLOCK_BYTES = 1024, 64 << 20
"""Examples written at a time, and their bytes, at most."""


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


def load(
    listing: Listing,
    options: Options,
    own: OptionSet,
    asked: Asked,
    *,
    spec: InputSpec | None = None,
    weights: str = "",
) -> Dataset:
    """Decode, divide and look through the examples of a listing.

    Args:
        listing: what `survey` found.
        options: splits and bounds.
        own: the options of what is read, such as the size of images.
        spec: what was learned from the training part before; learned anew when left out.
        weights: those that others have trained and a model is to begin with; empty for none.

    Returns:
        The dataset; its findings name the files that were left out, copies and leaks.

    Raises:
        DataError: too much cannot be read, or the examples cannot be divided.
    """
    modality = MODALITIES[listing.modality]
    contents = _fingerprint(listing)
    decoded, truth = _decoded(listing, own, contents, asked)
    _refuse_too_bad(listing, decoded, options)
    good = decoded.good
    splitting = _divide(listing, decoded, truth, options, asked)
    sides, notes = _arrange(decoded, splitting)
    if spec is None:
        train = sides["train"]
        spec = _adopt(train, listing, own, weights) if weights else modality.learn(train, listing, own)
    notes = (*notes, *modality.remarks(spec, sides["train"]))
    examples = {
        name: Examples(spec.encode(sides[name]), _pick(truth, rows), listing.names[good][rows], sides[name])
        for name, rows in splitting.rows.items()
    }
    return Dataset(
        name=listing.name,
        modality=listing.modality,
        format=listing.format,
        spec=spec,
        fingerprint=_with_splits(contents, splitting),
        split_origin=dict(splitting.origin),
        findings=_findings(listing, decoded, splitting, notes),
        **examples,
    )


def _adopt(train: Stored, listing: Listing, own: OptionSet, weights: str) -> InputSpec:
    adopt = MODALITIES[listing.modality].adopt
    if adopt is None:
        raise DataError(
            f"model.weights = '{weights}' is for data that pretrained models are known for: "
            f"{', '.join(name for name, row in MODALITIES.items() if row.adopt)}. Leave it out for {listing.modality}."
        )
    return adopt(train, listing, own, weights)


def _decoded(listing: Listing, own: OptionSet, contents: str, asked: Asked) -> tuple[Decoded, Column]:
    """Return the raw examples and their truths, without those of which either cannot be read."""
    decoded = MODALITIES[listing.modality].store(listing, own, contents)
    if asked.store is None:
        return decoded, _pick(listing.truth, decoded.good)
    truths = asked.store(listing, own, contents)
    good = np.intersect1d(decoded.good, truths.good)
    if len(good) == len(decoded.good) == len(truths.good):
        return decoded, truths.raw
    kept = np.isin(decoded.good, good)
    raw, bad = _pick(decoded.raw, np.flatnonzero(kept)), dict.fromkeys((*decoded.bad, *truths.bad))
    key = sha256(decoded.key.encode() + good.astype("<i8").tobytes()).hexdigest()
    decoded = replace(decoded, raw=raw, marks=decoded.marks[kept], good=good, bad=tuple(bad), key=key)
    return decoded, _pick(truths.raw, np.flatnonzero(np.isin(truths.good, good)))


def _divide(listing: Listing, decoded: Decoded, truth: Column, options: Options, asked: Asked) -> Splitting:
    good = decoded.good
    given = listing.splits[good]
    plain = isinstance(truth, np.ndarray) and truth.ndim == 1
    truths = Truths(asked.strata(truth), np.asarray(truth) if plain else marks(truth), asked.learned)
    groups = None if listing.groups is None else listing.groups[good]
    shares = Shares(validation=options.validation, test=options.test, seed=options.split_seed)
    if not options.fold:
        return split(given, truths, decoded.marks, groups, shares)
    # Folds are counted over all that is listed, so that a file that cannot be read changes no fold's number.
    fold = read_fold(options.fold, options.fold_of, listing.splits, listing.groups)
    return split_fold(given, truths, decoded.marks, groups, shares, fold)


def load_unsplit(listing: Listing, options: Options, own: OptionSet, asked: Asked, spec: InputSpec) -> Unsplit:
    """Decode what a trained model is to be tried on: the given test split where there is one, else everything.

    Args:
        listing: what `survey` found.
        options: bounds; those of splits are not read.
        spec: the model's, which encodes the examples.

    Returns:
        The examples; the findings tell of them alone.

    Raises:
        DataError: there is no example, or too much cannot be read.
    """
    has_test = bool(np.any(listing.splits == "test"))
    if has_test:
        listing = _only(listing, np.flatnonzero(listing.splits == "test"))
    contents = _fingerprint(listing)
    decoded, truth = _decoded(listing, own, contents, asked)
    _refuse_too_bad(listing, decoded, options)
    names = listing.names[decoded.good]
    return Unsplit(
        name=listing.name,
        format=listing.format,
        fingerprint=contents,
        examples=Examples(spec.encode(decoded.raw), truth, names, decoded.raw),
        origin="given" if has_test else WHOLE,
        findings=Findings(
            bad_files=decoded.bad,
            duplicates=len(decoded.marks) - len(np.unique(decoded.marks)),
            notes=(*listing.notes, *decoded.notes),
        ),
    )


def _only(listing: Listing, rows: NDArray[np.int64]) -> Listing:
    content = listing.content
    return replace(
        listing,
        names=listing.names[rows],
        truth=_pick(listing.truth, rows),
        truth_files=tuple(listing.truth_files[row] for row in rows) if listing.truth_files else (),
        splits=listing.splits[rows],
        content=tuple(content[row] for row in rows) if isinstance(content, tuple) else _pick(content, rows),
        groups=None if listing.groups is None else listing.groups[rows],
    )


def _fingerprint(listing: Listing) -> str:
    """Hash contents, names, truths, given splits and groups."""
    total = sha256()
    texts = listing.truth if isinstance(listing.truth, np.ndarray) else None
    for words in (listing.names, texts, listing.splits, listing.groups):
        total.update(b"none" if words is None else json.dumps(words.tolist()).encode())
    if texts is None:
        _add(total, listing.truth)
    if listing.stored is not None:
        _add(total, listing.stored)
    for files in (listing.content if isinstance(listing.content, tuple) else (), listing.truth_files):
        with ThreadPoolExecutor(threads()) as pool:
            for digest in pool.map(_hash_file, files, chunksize=64):
                total.update(digest)
    return total.hexdigest()


def _add(total: "hashlib._Hash", stored: Stored) -> None:
    if isinstance(stored, Ragged):
        _add(total, stored.offsets)
        _add(total, stored.values)
        return
    array = stored
    total.update(repr(array.shape).encode())
    # A structured array has no buffer of plain bytes, and a view of one has.
    total.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")


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


def _refuse_too_bad(listing: Listing, decoded: Decoded, options: Options) -> None:
    total = len(listing) + len(listing.bad)
    if total == 0:
        raise DataError(f"The data set '{listing.name}' holds no examples.")
    share = len(decoded.bad) / total
    if decoded.bad and (share > options.bad_share or len(decoded.good) == 0):
        some = "\n".join(f"  {name} {reason}" for name, reason in decoded.bad[:5])
        more = f"\n  and {len(decoded.bad) - 5:,} more" if len(decoded.bad) > 5 else ""
        # An advice that would be refused again is none.
        enough = 0.5 if share <= 0.5 else np.ceil(share * 100) / 100
        allow = f", or allow more with --set data.bad_share={enough:g}" if len(decoded.good) else ""
        raise DataError(
            f"{len(decoded.bad):,} of {total:,} {MODALITIES[listing.modality].things} cannot be used ({share:.1%}; "
            f"data.bad_share allows {options.bad_share:.1%}):\n{some}{more}\n"
            f"Repair or remove them{allow}."
        )


def _arrange(decoded: Decoded, splitting: Splitting) -> tuple[dict[str, Stored], tuple[str, ...]]:
    """Return the examples of each split; mapped ones are written once more in that order, so that they stay mapped."""
    rows = splitting.rows
    if not isinstance(decoded.raw, np.memmap):
        return {name: _pick(decoded.raw, rows[name]) for name in SPLITS}, ()
    order = np.concatenate([rows[name] for name in SPLITS])
    key = sha256(decoded.key.encode() + order.astype("<i8").tobytes()).hexdigest()[:40]
    block = max(1, min(BLOCK, BLOCK_BYTES * len(order) // max(1, decoded.raw.nbytes)))
    blocks = (decoded.raw[order[start : start + block]] for start in range(0, len(order), block))
    try:
        found = cache.find(key)
        if found is None:
            cache.keep(key, blocks, decoded.raw.shape[1:], dict, dtype=str(decoded.raw.dtype))
            found = cache.find(key)
    except StorageError as error:
        note = f"the divided images could not be cached and take their place in memory: {error}"
        return {name: decoded.raw[rows[name]] for name in SPLITS}, (note,)
    assert found is not None, "it was written just now"
    ends = np.cumsum([0, *(len(rows[name]) for name in SPLITS)])
    return {name: found[0][start:end] for name, (start, end) in zip(SPLITS, pairwise(ends), strict=True)}, ()


def _pick(stored: Stored, rows: NDArray[np.int64]) -> Stored:
    # Given splits often stand one after the other; a slice then saves a copy of the whole.
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return stored[rows[0] : rows[-1] + 1]
    return stored[rows]


def _findings(listing: Listing, decoded: Decoded, splitting: Splitting, notes: tuple[str, ...]) -> Findings:
    names = listing.names[decoded.good]
    side = {int(row): name for name, rows in splitting.rows.items() for row in rows}
    return Findings(
        bad_files=decoded.bad,
        duplicates=splitting.duplicates,
        leaks=tuple(
            (f"{side[first]}: {names[first]}", f"{side[second]}: {names[second]}") for first, second in splitting.leaks
        ),
        leak_count=splitting.leak_count,
        notes=(*listing.notes, *decoded.notes, *splitting.notes, *notes),
    )
