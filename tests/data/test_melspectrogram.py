"""The front end gives librosa's numbers."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sonde.data.audio.melspectrogram import FrontEnd, cepstrum, log_mel, mel_filters, to_hertz, to_mel

FRONTS = [
    FrontEnd(8000, 200, 80, 40, 0.0, 4000.0),
    FrontEnd(16000, 400, 160, 64, 20.0, 8000.0),
    FrontEnd(22050, 1024, 256, 128, 0.0, 11025.0),
    FrontEnd(44100, 1103, 441, 23, 300.0, 15000.0),
]
TOLERANCE = 1e-3
"""Decibels; librosa and sonde both compute in single precision, in another order."""


def sound(seconds: float, rate: int) -> NDArray[np.float32]:
    count = round(seconds * rate)
    rng = np.random.default_rng(0)
    sweep = np.sin(2 * np.pi * np.cumsum(np.linspace(50, rate / 2, count)) / rate)
    return (0.3 * sweep + 0.05 * rng.normal(size=count)).astype(np.float32)


def by_librosa(samples: NDArray[np.float32], front: FrontEnd) -> NDArray[np.float32]:
    librosa = pytest.importorskip("librosa", reason="librosa, the oracle, is not installed")
    power = librosa.feature.melspectrogram(
        y=samples,
        sr=front.rate,
        n_fft=front.points,
        win_length=front.window,
        hop_length=front.hop,
        n_mels=front.bands,
        fmin=front.low,
        fmax=front.high,
    )
    return librosa.power_to_db(power).T


@pytest.mark.parametrize("seconds", [0.06, 0.4, 2.3])
@pytest.mark.parametrize("front", FRONTS, ids=lambda front: f"{front.rate} Hz")
def test_a_log_mel_spectrogram_is_librosas(front: FrontEnd, seconds: float) -> None:
    samples = sound(seconds, front.rate)
    ours, theirs = log_mel(samples, front), by_librosa(samples, front)
    assert ours.shape == theirs.shape == (front.frames(len(samples)), front.bands) and ours.dtype == np.float32
    assert np.abs(ours - theirs).max() < TOLERANCE


@pytest.mark.parametrize("front", FRONTS, ids=lambda front: f"{front.rate} Hz")
def test_cepstra_are_librosas(front: FrontEnd) -> None:
    librosa = pytest.importorskip("librosa", reason="librosa, the oracle, is not installed")
    samples = sound(0.5, front.rate)
    theirs = librosa.feature.mfcc(S=by_librosa(samples, front).T, n_mfcc=13).T
    ours = cepstrum(log_mel(samples, front), 13)
    # A coefficient sums up all bands.
    assert np.abs(ours - theirs).max() < TOLERANCE * np.sqrt(front.bands)


@pytest.mark.parametrize("front", FRONTS, ids=lambda front: f"{front.rate} Hz")
def test_the_filters_are_librosas(front: FrontEnd) -> None:
    librosa = pytest.importorskip("librosa", reason="librosa, the oracle, is not installed")
    theirs = librosa.filters.mel(sr=front.rate, n_fft=front.points, n_mels=front.bands, fmin=front.low, fmax=front.high)
    ours = mel_filters(front.rate, front.points, front.bands, front.low, front.high)
    assert np.allclose(ours.T, theirs, atol=1e-8)


def test_twice_the_volume_is_six_decibels_more() -> None:
    samples = sound(0.4, 8000)
    once, twice = (log_mel(volume * samples, FRONTS[0]) for volume in (1.0, 2.0))
    assert np.allclose(twice - once, 20 * np.log10(2), atol=TOLERANCE)


def test_a_tone_is_loudest_in_the_band_that_holds_it() -> None:
    front = FRONTS[1]
    for hertz in (200.0, 1000.0, 5000.0):
        tone = np.sin(2 * np.pi * hertz * np.arange(8000) / front.rate).astype(np.float32)
        band = int(log_mel(tone, front).mean(axis=0).argmax())
        edges = to_hertz(np.linspace(to_mel(np.array(front.low)), to_mel(np.array(front.high)), front.bands + 2))
        assert edges[band] < hertz < edges[band + 2]


@pytest.mark.parametrize("count", [0, 1, 79, 80, 81])
def test_silence_and_the_shortest_sounds_have_frames_too(count: int) -> None:
    silent = log_mel(np.zeros(count, np.float32), FRONTS[0])
    assert silent.shape == (1 + count // 80, 40) and np.allclose(silent, -100, atol=TOLERANCE)


def test_a_spectrogram_ends_eighty_decibels_below_its_loudest() -> None:
    samples = np.zeros(8000, np.float32)
    samples[2000] = 1.0
    spectrogram = log_mel(samples, FRONTS[0])
    assert spectrogram.max() - spectrogram.min() == pytest.approx(80.0, abs=TOLERANCE)


def test_long_sounds_are_the_same_as_their_pieces() -> None:
    # The work is done in blocks of some hundred frames; their seams must not show.
    front = FRONTS[0]
    samples = sound(30.0, front.rate)
    whole = log_mel(samples, front, reach=1000.0)
    start = 1500 * front.hop
    part = log_mel(samples[start : start + 4000], front, reach=1000.0)
    assert np.allclose(whole[1502:1548], part[2:48], atol=TOLERANCE)
