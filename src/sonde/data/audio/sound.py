"""Reads sound files: WAV, FLAC, OGG and MP3 to one channel at one rate; every file is taken for hostile.

What is done, in this order: the first bytes must be those of a format that is read; rate, channels and length are
bounded by what the header says before anything is decoded; the middle part of at most so many seconds is decoded piece
by piece, so that memory follows what is there and not what a header promises; what is no number becomes silence;
channels are averaged; what is louder than full scale is scaled down; the rate is changed (soxr, high quality).
"""

# N samples, C channels

import warnings
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sonde.data.bounded import LARGEST_FILE, file_size
from sonde.errors import DataError

SUFFIXES = frozenset({".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"})
"""Endings, in small letters, by which a file is listed as a recording."""

MAGIC = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"ID3")
"""First bytes of what is read; an MP3 without a title begins with eleven bits that are set."""

RATES = (1_000, 768_000)
"""Samples in a second that a header may declare; fewer carry no sound, and no device makes more."""

MOST_CHANNELS = 64
PIECE = 1 << 16
"""Samples that are decoded at a time."""

UNKNOWN_LENGTH = 1 << 60
"""Samples above which a header says that it does not know its length, as a stream's."""

STREAMED = (0, 0xFFFFFFFF)
"""What stands for the length of a WAV file that was written as a stream."""

LOUDEST = 1e6
"""Samples beyond it are cut off before channels are averaged, so that no sum overflows; full scale is 1."""

QUIET = 1e-4
"""A recording that never exceeds it (80 dB below full scale) is called silent."""

FULL = 0.999
"""Neighbouring samples that both reach it are called clipped."""

CLIPPED_SHARE = 1e-3
"""Share of clipped samples from which a recording is."""

FLAWS = {
    "silent": "silent (nothing above -80 dB)",
    "clipped": "clipped (neighbouring samples at full scale)",
    "broken": "partly not numbers (NaN or infinite), which was read as silence",
    "loud": "louder than full scale, and were scaled down to it",
    "long": "longer than audio.seconds, and lost what is before and behind their middle",
    "resampled": "at another rate than audio.sample_rate, and were resampled",
}
"""What a recording that is read may suffer from, in words that follow "N recordings are"."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Sound:
    """One recording, as it is read."""

    samples: Floats
    """Between -1 and 1, N."""
    flaws: tuple[str, ...]
    """Names in `FLAWS`."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself."""

    rate: int
    channels: int
    samples: int
    """Of each channel; 0 or less where it does not know."""

    @property
    def seconds(self) -> float:
        """Length of the recording."""
        return max(0, self.samples) / self.rate


def read_header(path: Path) -> Header:
    """Read what a sound file says of itself.

    Raises:
        DataError: the file is no sound, or declares what no recording has; the text is name and reason.
    """
    with _opened(path) as file:
        return _header(file, path)


def read_sound(path: Path, *, rate: int, seconds: float) -> Sound:
    """Read the middle of a sound file.

    Args:
        path: WAV, FLAC, OGG or MP3.
        rate: samples in a second of the result.
        seconds: most that is read; a longer recording loses what is before and behind.

    Raises:
        DataError: the file cannot be read; the text is name and reason.
    """
    with _opened(path) as file:
        header = _header(file, path)
        wanted = int(np.ceil(seconds * header.rate))
        known = 0 < header.samples < UNKNOWN_LENGTH
        start = max(0, header.samples - wanted) // 2 if known else 0
        expected = min(wanted, header.samples) if known else 0
        mono, flaws = _decode(file, path, start, wanted)
        # The length of an MP3 may be an estimate.
        missing = expected - len(mono)
        if missing > (0.5 * header.rate if file.format in ("MPEG", "MP3") else 0):
            raise DataError(
                f"{path.name} is cut short: its header promises {header.seconds:.2f} s, and the sound ends after "
                f"{(start + len(mono)) / header.rate:.2f} s"
            )
    if len(mono) == 0:
        raise DataError(f"{path.name} holds no sound (0 samples)")
    if known and header.samples > wanted:
        flaws.append("long")
    peak = float(np.abs(mono).max())
    if peak > 1:
        mono = mono / np.float32(peak)
        flaws.append("loud")
    if peak < QUIET:
        flaws.append("silent")
    if header.rate != rate:
        mono = _package("soxr").resample(mono, header.rate, rate)
        flaws.append("resampled")
    return Sound(np.ascontiguousarray(mono, dtype=np.float32), tuple(name for name in FLAWS if name in flaws))


def _decode(file: Any, path: Path, start: int, wanted: int) -> tuple[Floats, list[str]]:
    """Decode so many samples from one on, averaged over the channels, and say what was wrong with them."""
    pieces: list[Floats] = []
    broken = clipped = count = 0
    try:
        if start:
            file.seek(start)
        while count < wanted:
            piece_NC = file.read(min(PIECE, wanted - count), dtype="float32", always_2d=True)
            if len(piece_NC) == 0:
                break
            is_number = np.isfinite(piece_NC)
            if not is_number.all():
                broken += int(np.sum(~is_number))
                piece_NC = np.where(is_number, piece_NC, np.float32(0))
            np.clip(piece_NC, -LOUDEST, LOUDEST, out=piece_NC)
            full_NC = np.abs(piece_NC) >= FULL
            clipped += int(np.sum((full_NC[1:] & full_NC[:-1]).any(axis=1)))
            pieces.append(piece_NC[:, 0].copy() if piece_NC.shape[1] == 1 else piece_NC.mean(axis=1))
            count += len(piece_NC)
    except (_package("soundfile").SoundFileError, OSError, ValueError) as error:
        raise DataError(f"{path.name} is damaged ({_reason(error)})") from None
    if broken and broken == count * file.channels:
        raise DataError(f"{path.name} holds nothing but values that are not numbers (NaN or infinite)")
    mono = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.float32)
    flaws = [name for name, seen in (("broken", broken), ("clipped", clipped > CLIPPED_SHARE * count)) if seen]
    return mono, flaws


def _opened(path: Path) -> Any:
    """Open a sound file after a look at its size and its first bytes."""
    soundfile = _package("soundfile")
    try:
        size = file_size(path, LARGEST_FILE)
        if size == 0:
            raise DataError(f"{path.name} is empty")
        with path.open("rb") as file:
            first = file.read(12)
            if not first.startswith(MAGIC) and not (first[0] == 0xFF and len(first) > 1 and first[1] >= 0xE0):
                raise DataError(f"{path.name} does not begin like a WAV, FLAC, OGG or MP3 file")
            if first[:4] == b"RIFF" and first[8:] == b"WAVE":
                _refuse_cut_short(file, path, size)
        return soundfile.SoundFile(str(path))
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        raise DataError(f"{path.name} cannot be read ({_reason(error)})") from None


def _refuse_cut_short(file: BinaryIO, path: Path, size: int) -> None:
    """Refuse a WAV file that ends before its samples do; libsndfile would read what is left without a word."""
    place = 12
    while place + 8 <= size:
        file.seek(place)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"data":
            left = size - place - 8
            # Some writers forget the byte that fills up an odd length.
            if length not in STREAMED and length > left + 1:
                raise DataError(
                    f"{path.name} is cut short: its header promises {length:,} bytes of sound, and {left:,} are there"
                )
            return
        place += 8 + length + length % 2


def _header(file: Any, path: Path) -> Header:
    header = Header(int(file.samplerate), int(file.channels), int(file.frames))
    if not RATES[0] <= header.rate <= RATES[1]:
        raise DataError(f"{path.name} declares {header.rate:,} samples in a second, which no recording has")
    if not 1 <= header.channels <= MOST_CHANNELS:
        raise DataError(f"{path.name} declares {header.channels:,} channels; up to {MOST_CHANNELS} are read")
    return header


def _reason(error: Exception) -> str:
    text = str(getattr(error, "error_string", "") or getattr(error, "strerror", "") or error)
    return text.strip().rstrip(".") or type(error).__name__


def _package(name: str) -> ModuleType:
    """Import what reads or resamples sound, which is not installed with sonde itself."""
    import importlib

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except (ImportError, OSError):  # soundfile raises OSError where its library is missing.
        raise DataError(
            f"Reading sound needs the package '{name}', which is not installed. Install it: pip install 'sonde[audio]'"
        ) from None
