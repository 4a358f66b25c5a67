"""Turns a listing of sound files into spectrograms: computed once, by several threads, and kept in the cache."""

import json
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version

import cv2

from sonde.data.audio.sound import FLAWS
from sonde.data.audio.spec import AudioSpec, Options
from sonde.data.decoded import Decoded
from sonde.data.from_files import Shape, decode_files
from sonde.data.listing import Listing
from sonde.errors import DataError

VERSION = 1
"""Of the front end: another one computes other numbers, and shares no cache."""

LATER = ("features", "coefficients", "mean", "std")
"""Options that do not change what is stored."""

NAMED = 3
"""Recordings with a flaw that are named."""


def store(listing: Listing, options: Options, contents: str) -> Decoded:
    """Compute the spectrograms of a listing, or take them from the cache.

    Raises:
        ConfigError: the options contradict each other.
        DataError: there are no files, or a package is missing.
    """
    if listing.stored is not None:
        raise DataError(f"{listing.name} holds no sound files ({listing.format}).")
    spec = AudioSpec.of(options)
    # Cepstra are made of the same spectrograms, later.
    of_spectrograms = {name: value for name, value in spec.to_dict().items() if name not in LATER}
    how = [VERSION, of_spectrograms, _version("soundfile"), _version("soxr"), cv2.__version__]
    key = sha256(json.dumps([contents, how]).encode()).hexdigest()[:40]
    shape = Shape((spec.frames, spec.bands), "float32", "recordings")
    decoded, flaws = decode_files(listing, key, shape, spec.spectrogram)
    notes = [_in_words(listing, flaw, rows) for flaw, rows in flaws.items() if flaw in FLAWS]
    return Decoded(decoded.raw, decoded.marks, decoded.good, decoded.bad, (*decoded.notes, *notes), decoded.key)


def _in_words(listing: Listing, flaw: str, rows: list[int]) -> str:
    some = ", ".join(str(listing.names[row]) for row in rows[:NAMED])
    more = ", ..." if len(rows) > NAMED else ""
    many = f"{len(rows):,} recordings are" if len(rows) > 1 else "1 recording is"
    text = f"{many} {FLAWS[flaw]}"
    return text if len(rows) == len(listing) else f"{text}: {some}{more}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
