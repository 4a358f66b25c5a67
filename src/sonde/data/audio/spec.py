"""Recordings: their options, and how a spectrogram becomes what a model reads.

Every recording becomes a picture of one size, its log-mel spectrogram in a window of so many seconds: a shorter one
stands in the middle of silence, a longer one loses both ends. So every model that reads images or series reads it, no
padding needs a mask, and JAX compiles one shape.

See what the model sees:  sonde show DATA
"""

# N recordings, B batch, T frames, M mel bands, F features of a frame

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sonde.config import Options as OptionSet
from sonde.data.audio.melspectrogram import FAINTEST, REACH, FrontEnd, cepstrum, log_mel
from sonde.data.audio.sound import read_sound
from sonde.data.listing import Listing
from sonde.data.ragged import Ragged, Stored
from sonde.data.spec import Spec
from sonde.errors import ConfigError

MOST_FRAMES = 4096
"""Frames of a window; a model's input is never longer."""

NOTHING = 10 * np.log10(FAINTEST) + 0.01
"""Decibels below which not even the loudest band holds anything; a little more, since logarithms are rounded."""

BLOCK = 512
"""Recordings that are looked at together when mean and deviation are measured."""

Rate = Annotated[int, Field(ge=1_000, le=192_000)]
Seconds = Annotated[float, Field(ge=0.05, le=300.0, allow_inf_nan=False)]
Milliseconds = Annotated[float, Field(ge=1.0, le=1_000.0, allow_inf_nan=False)]
Bands = Annotated[int, Field(ge=1, le=256)]
Hertz = Annotated[float, Field(ge=0.0, le=96_000.0, allow_inf_nan=False)]


class Options(OptionSet):
    """How recordings become spectrograms: rate, window of time, and bands."""

    sample_rate: Rate = 16_000
    """Samples in a second; recordings at another rate are resampled to it."""

    seconds: Seconds = 1.0
    """Length of what the model hears; shorter recordings stand in the middle of silence, longer ones are cut."""

    window: Milliseconds = 25.0
    """Milliseconds of sound in one frame; longer tells frequencies better apart, and moments worse."""

    hop: Milliseconds = 10.0
    """Milliseconds from one frame to the next; time grows as it shrinks."""

    bands: Bands = 40
    """Mel bands."""

    low: Hertz = 20.0
    """Hertz where the lowest band begins."""

    high: Hertz = 0.0
    """Hertz where the highest band ends; 0 is half the sample rate."""

    features: Literal["log-mel", "mfcc"] = "log-mel"
    """What a frame is to the model: decibels of each mel band, or their cepstral coefficients."""

    coefficients: Bands = 20
    """Cepstral coefficients that are kept, from the lowest on; at most as many as bands."""

    level: Literal["recording", "absolute"] = "recording"
    """Whether decibels count from each recording's loudest, so that its volume is no matter, or from full scale."""


Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Positive = Annotated[float, Field(allow_inf_nan=False, ge=1e-6, le=1e6)]


class AudioSpec(Spec):
    """How a recording becomes an array of `frames x features`; part of every saved model."""

    kind: Literal["audio"] = "audio"
    sample_rate: Rate
    seconds: Seconds
    window: Milliseconds
    hop: Milliseconds
    bands: Bands
    low: Hertz
    high: Hertz
    features: Literal["log-mel", "mfcc"]
    coefficients: Bands
    level: Literal["recording", "absolute"]
    mean: tuple[Number, ...] = ()
    std: tuple[Positive, ...] = ()

    @classmethod
    def of(cls, options: Options) -> "AudioSpec":
        """Return the spec of some options, without mean and deviation.

        Args:
            options: how recordings become spectrograms.

        Raises:
            ConfigError: they contradict each other.
        """
        values = options.model_dump()
        values["high"] = options.high or options.sample_rate / 2
        spec = cls(**values)
        if conflict := spec._conflict:
            raise ConfigError(f"[audio] {conflict}")
        return spec

    @property
    def front(self) -> FrontEnd:
        """What decides the spectrogram."""
        window, hop = (max(1, round(length * self.sample_rate / 1000)) for length in (self.window, self.hop))
        return FrontEnd(self.sample_rate, window, hop, self.bands, self.low, self.high)

    @property
    def frames(self) -> int:
        """Frames of what the model hears."""
        return self.front.frames(round(self.seconds * self.sample_rate))

    @property
    def fault(self) -> str:
        """What contradicts itself, or an empty text."""
        if not len(self.mean) == len(self.std) == self.shape[1]:
            said = f"{self.shape[1]} features but {len(self.mean)} means and {len(self.std)} deviations"
            return self._conflict or said
        return self._conflict

    @property
    def _conflict(self) -> str:
        """What contradicts itself before anything is measured, with the cure."""
        if self.frames > MOST_FRAMES:
            return (
                f"{self.seconds:g} s in steps of {self.hop:g} ms are {self.frames:,} frames; up to {MOST_FRAMES:,} are "
                "possible. Take a longer audio.hop or fewer audio.seconds."
            )
        if not self.low < self.high <= self.sample_rate / 2:
            return (
                f"the bands would go from {self.low:g} to {self.high:g} Hz; possible is up to half the sample rate, "
                f"{self.sample_rate / 2:g} Hz. Set audio.low and audio.high."
            )
        if self.features == "mfcc" and self.coefficients > self.bands:
            return f"{self.coefficients} coefficients of {self.bands} bands; there are as many as bands at most."
        return ""

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and features of one prepared recording."""
        return (self.frames, self.coefficients if self.features == "mfcc" else self.bands)

    def encode(self, raw: Stored) -> Stored:
        """Return the spectrograms as they are.

        Args:
            raw: decibels, N x frames x bands.
        """
        return raw

    def features_of(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn decibels into what a frame is to the model.

        Args:
            raw: ... x bands.
        """
        return cepstrum(raw, self.coefficients) if self.features == "mfcc" else raw

    def prepare(self, inputs: Stored, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Scale a batch of spectrograms to mean 0 and deviation 1 of each feature in the training split.

        Args:
            inputs: decibels, B x frames x bands.
            out: where the result is written; a new array when left out.

        Returns:
            float32, B x frames x features; `out` where it was given.
        """
        assert not isinstance(inputs, Ragged) and inputs.shape[-1] == self.bands
        prepared_BTF = np.empty((len(inputs), *self.shape), dtype=np.float32) if out is None else out
        np.subtract(self.features_of(inputs), np.asarray(self.mean, dtype=np.float32), out=prepared_BTF)
        prepared_BTF *= 1 / np.asarray(self.std, dtype=np.float32)
        return prepared_BTF

    def pixels(self, inputs: Stored) -> NDArray[np.uint8]:
        """Turn decibels into grey pictures, to be shown to people: low bands below, time to the right, loud is bright.

        Args:
            inputs: decibels, B x frames x bands.

        Returns:
            uint8, B x bands x frames x 1.
        """
        assert not isinstance(inputs, Ragged)
        loudest_B11 = inputs.max(axis=(1, 2), keepdims=True)
        shares = np.clip(1 + (inputs - loudest_B11) / REACH, 0, 1)
        return np.rint(255 * shares).astype(np.uint8).transpose(0, 2, 1)[:, ::-1, :, None]

    def spectrogram(self, path: Path) -> tuple[NDArray[np.float32], tuple[str, ...]]:
        """Read one sound file as it is stored.

        Args:
            path: WAV, FLAC, OGG or MP3.

        Returns:
            Decibels, frames x bands, and the names of its flaws.

        Raises:
            DataError: the file cannot be read; the text is name and reason.
        """
        sound = read_sound(path, rate=self.sample_rate, seconds=self.seconds)
        decibels = log_mel(sound.samples, self.front)
        loudest = float(decibels.max())
        if loudest < NOTHING:
            # Nothing is heard, and that is no even noise of full loudness.
            return np.full((self.frames, self.bands), -REACH, dtype=np.float32), sound.flaws
        if self.level == "recording":
            decibels -= loudest
        return _in_window(decibels, self.frames), sound.flaws

    def read(self, path: str) -> tuple[list[str], NDArray[np.float32]]:
        """Read one sound file as a raw example.

        Args:
            path: WAV, FLAC, OGG or MP3.

        Returns:
            Its name, and decibels of 1 x frames x bands.

        Raises:
            DataError: the file cannot be read; the text is name and reason.
        """
        return [path], self.spectrogram(Path(path))[0][None]


def learn(raw: Stored, listing: Listing, options: Options) -> AudioSpec:
    """Measure mean and deviation of each feature, on the training split alone.

    Args:
        raw: decibels, N x frames x bands; read in blocks, so they may be memory-mapped.
        listing: not needed.
    """
    assert not isinstance(raw, Ragged)
    spec = AudioSpec.of(options)
    total_F, square_F = np.zeros(spec.shape[1]), np.zeros(spec.shape[1])
    for start in range(0, len(raw), BLOCK):
        features_NF = spec.features_of(raw[start : start + BLOCK]).reshape(-1, spec.shape[1]).astype(np.float64)
        total_F += features_NF.sum(axis=0)
        square_F += np.square(features_NF).sum(axis=0)
    count = max(1, len(raw) * spec.frames)
    mean_F = total_F / count
    std_F = np.sqrt(np.maximum(square_F / count - mean_F**2, 0))
    # A band that never changes says nothing; a tenth of a decibel is less than any that does.
    std_F[std_F < 0.1] = 1.0
    numbers = {"mean": mean_F, "std": std_F}
    return spec.model_copy(update={name: tuple(round(float(v), 6) for v in each) for name, each in numbers.items()})


def _in_window(decibels_TM: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Put a spectrogram into the middle of so many frames of its own silence, or cut its middle out."""
    count = len(decibels_TM)
    if count >= frames:
        start = (count - frames) // 2
        return np.ascontiguousarray(decibels_TM[start : start + frames])
    loudest = decibels_TM.max()
    silence = np.minimum(decibels_TM.min(), loudest - np.float32(REACH))
    window = np.full((frames, decibels_TM.shape[1]), silence, dtype=np.float32)
    start = (frames - count) // 2
    window[start : start + count] = decibels_TM
    return window
