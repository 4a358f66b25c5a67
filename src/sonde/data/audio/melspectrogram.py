"""Turns sound into log-mel spectrograms and cepstra, as librosa defines them and several times as fast.

power = |DFT(frame * hann)|^2,  mel = power @ filters (Slaney's, area 1),  decibels = 10 log10(mel), at most `reach`
below the loudest. Frames are centred on their step, with silence before the first and after the last.

See what the model sees:  sonde show DATA
"""

# N samples, T frames, P points of the transform, M mel bands, K cepstral coefficients

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

FAINTEST = 1e-10
"""Power below which everything counts as silence; samples lie between -1 and 1."""

REACH = 80.0
"""Decibels below the loudest band of a recording at which its spectrogram ends, as in librosa."""

AT_ONCE = 1 << 17
"""Samples that go through all of the work at a time: they stay in a core's own cache."""

DECIBELS = np.float32(10 / np.log(10))

KNEE, PER_HERTZ, PER_OCTAVE = 1000.0, 3 / 200, 27 / np.log(6.4)
"""Slaney's mel scale: linear with 3/200 mel for each hertz up to 1000 Hz, then 27 mel for each factor of 6.4."""

GROUP = 16
"""Bands that are summed together: they lie side by side, and a product with all points would be mostly zeros."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class FrontEnd:
    """What decides a log-mel spectrogram."""

    rate: int
    """Samples in a second."""
    window: int
    """Samples in a frame."""
    hop: int
    """Samples from one frame to the next."""
    bands: int
    low: float
    """Hertz where the lowest band begins."""
    high: float
    """Hertz where the highest band ends; at most half the rate."""

    @property
    def points(self) -> int:
        """Points of the Fourier transform: the next even number whose factors are 2, 3 and 5."""
        return 2 * int(cv2.getOptimalDFTSize(max(1, (self.window + 1) // 2)))

    def frames(self, samples: int) -> int:
        """Return how many frames so many samples have.

        Args:
            samples: at least 0.
        """
        return 1 + samples // self.hop


def log_mel(sound_N: Floats, front: FrontEnd, *, reach: float = REACH) -> Floats:
    """Return the log-mel spectrogram of a recording.

    Equal to `librosa.power_to_db(librosa.feature.melspectrogram(...), top_db=reach)` within 0.001 decibels where the
    sound is above the faintest power.

    Args:
        sound_N: samples, between -1 and 1.
        reach: decibels below the loudest at which it ends.

    Returns:
        Decibels against full scale, T x M.
    """
    points, window_W, filters = front.points, _window(front.window), _filters(front)
    lead = points // 2 - (points - front.window) // 2
    count = front.frames(len(sound_N))
    padded = np.zeros(max(len(sound_N) + lead, (count - 1) * front.hop + front.window), dtype=np.float32)
    padded[lead : lead + len(sound_N)] = sound_N
    # Frames overlap: a view of the samples, made by hand since numpy's own function takes as long as 30 frames.
    frames_TW = np.ndarray((count, front.window), np.float32, padded, strides=(4 * front.hop, 4))
    mel_TM = np.empty((count, front.bands), dtype=np.float32)
    size = min(count, max(1, AT_ONCE // points))
    # A frame stands at the beginning of its points and not in their middle, which changes the phases alone.
    block_TP = np.empty((size, points), dtype=np.float32)
    for start in range(0, count, size):
        spectra = block_TP[: count - start]
        np.multiply(frames_TW[start : start + size], window_W, out=spectra[:, : front.window])
        spectra[:, front.window :] = 0
        # OpenCV's transform of each row takes a third of the time of scipy's, and is in place.
        cv2.dft(spectra, spectra, cv2.DFT_ROWS)
        np.multiply(spectra, spectra, out=spectra)
        mel = mel_TM[start : start + size]
        for points_of, bands_of, weights in filters:
            np.matmul(spectra[:, points_of], weights, out=mel[:, bands_of])
        _decibels(mel)
    return np.maximum(mel_TM, mel_TM.max() - np.float32(reach), out=mel_TM)


def _decibels(power: Floats) -> None:
    """Turn powers into decibels in place; OpenCV's logarithm takes a quarter of the time of numpy's."""
    np.maximum(power, FAINTEST, out=power)
    cv2.log(power, power)
    np.multiply(power, DECIBELS, out=power)


def cepstrum(log_mel_TM: Floats, coefficients: int) -> Floats:
    """Return mel-frequency cepstral coefficients: the cosine transform of each frame of a log-mel spectrogram.

    Args:
        log_mel_TM: decibels, ... x T x M.
        coefficients: how many are kept, from the lowest on.

    Returns:
        ... x T x K.
    """
    return log_mel_TM @ _cosines(log_mel_TM.shape[-1], coefficients)


@lru_cache(maxsize=16)
def mel_filters(rate: int, points: int, bands: int, low: float, high: float) -> Floats:
    """Return triangular filters on Slaney's mel scale, each with area 1 (Slaney, 1998: Auditory Toolbox).

    Args:
        rate: samples in a second.
        bands: number of filters M.
        low: hertz where the lowest begins.
        high: hertz where the highest ends.

    Returns:
        (points / 2 + 1) x M; a filter that lies between two points of the transform is all zero.
    """
    corners = to_hertz(np.linspace(to_mel(np.array(low)), to_mel(np.array(high)), bands + 2))
    places = np.linspace(0, rate / 2, points // 2 + 1)[:, None]
    left, middle, right = corners[:-2], corners[1:-1], corners[2:]
    rising = (places - left) / (middle - left)
    falling = (right - places) / (right - middle)
    return (np.maximum(0, np.minimum(rising, falling)) * (2 / (right - left))).astype(np.float32)


def to_mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return frequencies in mel."""
    above = KNEE * PER_HERTZ + PER_OCTAVE * np.log(np.maximum(hertz, KNEE) / KNEE)
    return np.where(hertz < KNEE, hertz * PER_HERTZ, above)


def to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return frequencies in hertz."""
    knee = KNEE * PER_HERTZ
    return np.where(mel < knee, mel / PER_HERTZ, KNEE * np.exp((np.maximum(mel, knee) - knee) / PER_OCTAVE))


@lru_cache(maxsize=16)
def _window(length: int) -> Floats:
    """Return a periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)


@lru_cache(maxsize=16)
def _filters(front: FrontEnd) -> tuple[tuple[slice, slice, Floats], ...]:
    """Return the filters in groups of neighbours: which squares they read, which bands they give, and the weights.

    OpenCV packs a row's transform as Re0 Re1 Im1 Re2 Im2 ... Re(P/2); a filter weighs the squares of both parts alike.
    """
    filters = mel_filters(front.rate, front.points, front.bands, front.low, front.high)
    packed_PM = np.repeat(filters, 2, axis=0)[1:-1]
    groups = []
    for start in range(0, front.bands, GROUP):
        bands = slice(start, min(start + GROUP, front.bands))
        read = np.flatnonzero(packed_PM[:, bands].any(axis=1))
        points = slice(int(read[0]), int(read[-1]) + 1) if len(read) else slice(0, 1)
        groups.append((points, bands, np.ascontiguousarray(packed_PM[points, bands])))
    return tuple(groups)


@lru_cache(maxsize=16)
def _cosines(bands: int, coefficients: int) -> Floats:
    """Return the orthonormal cosine transform of the second kind, M x K."""
    angles = np.pi / bands * (np.arange(bands)[:, None] + 0.5) * np.arange(coefficients)
    cosines = np.cos(angles) * np.sqrt(2 / bands)
    cosines[:, 0] /= np.sqrt(2)
    return cosines.astype(np.float32)
