"""Sound files of any kind are read, and what is wrong with them is named."""

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import recordings
from sonde.data.audio.sound import read_header, read_sound
from sonde.errors import DataError

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")

EXACT = [
    (".wav", "PCM_16"),
    (".wav", "PCM_24"),
    (".wav", "PCM_32"),
    (".wav", "FLOAT"),
    (".wav", "DOUBLE"),
    (".flac", None),
]
LOSSY = [(".wav", "PCM_U8"), (".ogg", None), (".mp3", None)]


def read(path: Path, rate: int = recordings.RATE, seconds: float = 10.0) -> tuple[np.ndarray, tuple[str, ...]]:
    sound = read_sound(path, rate=rate, seconds=seconds)
    assert sound.samples.dtype == np.float32 and sound.samples.ndim == 1
    return sound.samples, sound.flaws


def wav(channels: int, rate: int, data: bytes, *, promised: int | None = None, bits: int = 16) -> bytes:
    """Return a WAV file byte by byte."""
    size = len(data) if promised is None else promised
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * block % 2**32, block % 2**16, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", (4 + len(body)) % 2**32) + body


@pytest.mark.parametrize(("suffix", "subtype"), EXACT, ids=str)
def test_formats_without_loss_give_the_samples_back(suffix: str, subtype: str | None, tmp_path: Path) -> None:
    tone = recordings.tone(0)
    samples, flaws = read(recordings.save(tone, tmp_path / f"a{suffix}", subtype=subtype))
    assert flaws == () and len(samples) == len(tone) and np.abs(samples - tone).max() < 1 / 30_000


@pytest.mark.parametrize(("suffix", "subtype"), LOSSY, ids=str)
def test_formats_with_loss_sound_alike(suffix: str, subtype: str | None, tmp_path: Path) -> None:
    tone = recordings.tone(0, seconds=1.0)
    samples, flaws = read(recordings.save(tone, tmp_path / f"a{suffix}", subtype=subtype))
    assert flaws == () and abs(len(samples) - len(tone)) < 0.2 * recordings.RATE
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) / len(samples) * recordings.RATE == pytest.approx(400, abs=3)


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = recordings.tone(0), recordings.tone(1)
    samples, _ = read(recordings.save(np.stack([left, right], axis=1), tmp_path / "a.wav", subtype="FLOAT"))
    assert np.allclose(samples, (left + right) / 2, atol=1e-6)


def test_another_rate_keeps_the_pitch_and_the_length(tmp_path: Path) -> None:
    path = recordings.save(recordings.tone(1, rate=44100), tmp_path / "a.wav", rate=44100)
    samples, flaws = read(path, rate=16000)
    assert flaws == ("resampled",) and len(samples) == pytest.approx(0.3 * 16000, abs=2)
    assert np.argmax(np.abs(np.fft.rfft(samples))) / len(samples) * 16000 == pytest.approx(800, abs=4)


def test_of_a_long_recording_the_middle_is_read(tmp_path: Path) -> None:
    ramp = np.linspace(-0.9, 0.9, 8000).astype(np.float32)
    samples, flaws = read(recordings.save(ramp, tmp_path / "a.wav", subtype="FLOAT"), seconds=0.5)
    assert flaws == ("long",) and np.array_equal(samples, ramp[2000:6000])


def test_a_header_tells_rate_channels_and_length(tmp_path: Path) -> None:
    header = read_header(recordings.save(np.zeros((4000, 2), np.float32), tmp_path / "a.flac"))
    assert (header.rate, header.channels, header.samples, header.seconds) == (8000, 2, 4000, 0.5)


def test_silence_clipping_and_overdriven_samples_are_told(tmp_path: Path) -> None:
    tone = recordings.tone(0)
    cases = {"silent": 0 * tone, "clipped": np.clip(4 * tone, -1, 1), "loud": 30_000 * tone}
    for flaw, wave in cases.items():
        samples, flaws = read(recordings.save(wave, tmp_path / f"{flaw}.wav", subtype="FLOAT"))
        assert flaw in flaws and np.abs(samples).max() <= 1 and np.isfinite(samples).all()
    assert read(recordings.save(tone, tmp_path / "fine.wav"))[1] == ()


def test_samples_that_are_not_numbers_become_silence_and_are_told(tmp_path: Path) -> None:
    wave = np.stack([recordings.tone(0)] * 2, axis=1)
    wave[100], wave[200, 0], wave[300, 1] = np.nan, np.inf, -np.inf
    samples, flaws = read(recordings.save(wave, tmp_path / "a.wav", subtype="FLOAT"))
    assert flaws == ("broken",) and samples[100] == 0 and np.isfinite(samples).all()
    wave[:] = np.nan
    with pytest.raises(DataError, match=r"b\.wav holds nothing but values that are not numbers"):
        read(recordings.save(wave, tmp_path / "b.wav", subtype="FLOAT"))
    wave[:] = np.float32(3e38)
    assert np.isfinite(read(recordings.save(wave, tmp_path / "c.wav", subtype="FLOAT"))[0]).all()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"no sound at all", "does not begin like a WAV, FLAC, OGG or MP3 file"),
        (b"RIFF\x00\x00", "cannot be read"),
        (wav(1, 8000, b""), "holds no sound"),
        (wav(1, 8000, b"\x01\x02" * 50, promised=4000), "cut short: its header promises 4,000 bytes of sound, and 100"),
        (wav(1, 10, b"\x01\x02" * 50), "declares 10 samples in a second"),
        (wav(1, 2**31 - 1, b"\x01\x02" * 50), "samples in a second|cannot be read"),
        (wav(500, 8000, b"\x01\x02" * 1000), "declares 500 channels|cannot be read"),
        (b"fLaC" + bytes(100), "cannot be read"),
        (b"OggS" + bytes(100), "cannot be read"),
        (b"ID3" + bytes(100), "cannot be read|holds no sound|is damaged"),
    ],
)
def test_a_file_that_is_no_sound_is_named_with_the_reason(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"(?s)^a\.wav.*({words})"):
        read(path)


def test_a_stream_that_does_not_know_its_length_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(1, 8000, (20_000 * recordings.tone(0)).astype("<i2").tobytes(), promised=0xFFFFFFFF))
    assert len(read(path)[0]) == len(recordings.tone(0))


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_a_file_that_is_cut_off_is_named(suffix: str, tmp_path: Path) -> None:
    path = recordings.save(recordings.tone(0, seconds=3.0), tmp_path / f"a{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=rf"a\{suffix} (is cut short|is damaged|cannot be read)"):
        read(path)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_scrambled_bytes_end_in_sound_or_a_reason_and_never_in_a_crash(suffix: str, tmp_path: Path) -> None:
    whole = recordings.save(recordings.tone(0, seconds=0.5), tmp_path / f"a{suffix}").read_bytes()
    rng = np.random.default_rng(0)
    for number in range(40):
        bytes_now = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 400) if number % 2 else len(whole), 8):
            bytes_now[place] = rng.integers(0, 256)
        path = tmp_path / f"b{suffix}"
        path.write_bytes(bytes_now)
        try:
            samples, _ = read(path)
        except DataError as error:
            assert str(error).startswith(path.name)
        else:
            assert np.isfinite(samples).all() and len(samples) <= 10 * recordings.RATE


def test_a_header_that_promises_gigabytes_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    # The length stands for a stream, so that only what is there can end it.
    path.write_bytes(wav(2, 192_000, b"\x01\x02" * 1000, promised=0xFFFFFFFF))
    flac = bytearray(recordings.save(recordings.tone(0), tmp_path / "b.flac").read_bytes())
    flac[21] |= 0x0F  # The upper bits of the number of samples in STREAMINFO.
    (tmp_path / "b.flac").write_bytes(flac)
    tracemalloc.start()
    try:
        for file in (path, tmp_path / "b.flac"):
            try:
                assert len(read_sound(file, rate=8000, seconds=300.0).samples) < 10_000
            except DataError as error:
                assert file.name in str(error)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_a_missing_package_is_named_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    with pytest.raises(DataError, match=r"needs the package 'soundfile'.*pip install 'sonde\[audio\]'"):
        read_header(tmp_path / "a.wav")
