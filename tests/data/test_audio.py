"""Recordings become spectrograms of one size, computed once, scaled by what the training split holds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recordings
from asking import CLASSES
from sonde import data
from sonde.data.audio import files as sound_files
from sonde.data.audio.melspectrogram import cepstrum, log_mel
from sonde.data.audio.spec import AudioSpec, Options, learn
from sonde.errors import ConfigError, DataError, ModelError

OWN = Options(sample_rate=8000, seconds=0.5, bands=20, window=32.0, hop=16.0)
FRAMES = 1 + 4000 // 128


def loaded(path: Path, own: Options = OWN, **options: Any) -> data.Dataset:
    wanted = data.Options(**options)
    return data.load(data.survey(str(path), wanted), wanted, own, CLASSES)


def test_every_recording_becomes_one_window(tmp_path: Path) -> None:
    dataset = loaded(recordings.class_folders(tmp_path / "set"))
    for part in (dataset.train, dataset.validation, dataset.test):
        assert part.inputs.shape == (len(part), *dataset.spec.shape) == (len(part), FRAMES, 20)
        assert part.inputs.dtype == np.float32 and part.inputs.max() == 0 and part.inputs.min() >= -80.001
        # The class is heard in the pitch (tests/recordings.py).
        loudest = part.inputs.max(axis=1).argmax(axis=1)
        assert np.array_equal(loudest > loudest.mean(), part.truth == "high")


def test_short_recordings_stand_in_the_middle_of_silence_and_long_ones_lose_both_ends(tmp_path: Path) -> None:
    spec = AudioSpec.of(OWN)
    click = np.zeros(1000, np.float32)
    click[500] = 1.0
    short, _ = spec.spectrogram(recordings.save(click, tmp_path / "a.wav"))
    assert abs(int(short.max(axis=1).argmax()) - FRAMES // 2) <= 1
    assert np.all(short[0] == -80) and np.all(short[-1] == -80)
    click = np.zeros(20_000, np.float32)
    click[[10, 10_000, -10]] = 1.0
    long, flaws = spec.spectrogram(recordings.save(click, tmp_path / "b.wav"))
    assert "long" in flaws and abs(int(long.max(axis=1).argmax()) - FRAMES // 2) <= 1
    assert np.sum(long.max(axis=1) > -1) <= 3


def test_volume_is_no_matter_unless_it_is_asked_for(tmp_path: Path) -> None:
    files = [recordings.save(g * recordings.tone(0), tmp_path / f"{g}.wav", subtype="FLOAT") for g in (0.5, 0.05)]
    loud, quiet = (AudioSpec.of(OWN).spectrogram(file)[0] for file in files)
    assert np.allclose(loud, quiet, atol=1e-3)
    absolute = AudioSpec.of(OWN.model_copy(update={"level": "absolute"}))
    loud, quiet = (absolute.spectrogram(file)[0] for file in files)
    assert loud.max() - quiet.max() == pytest.approx(20, abs=0.01)


def test_a_silent_recording_is_all_silence(tmp_path: Path) -> None:
    file = recordings.save(np.zeros(1000, np.float32), tmp_path / "a.wav")
    spectrogram, flaws = AudioSpec.of(OWN).spectrogram(file)
    assert flaws == ("silent",) and np.all(spectrogram == -80)


def test_training_examples_are_scaled_to_mean_0_and_deviation_1(tmp_path: Path) -> None:
    dataset = loaded(recordings.class_folders(tmp_path / "set"))
    prepared = dataset.spec.prepare(dataset.train.inputs)
    assert np.allclose(prepared.mean(axis=(0, 1)), 0, atol=1e-4)
    assert np.allclose(prepared.std(axis=(0, 1)), 1, atol=1e-4)
    out = np.empty_like(prepared)
    assert dataset.spec.prepare(dataset.train.inputs, out) is out and np.array_equal(out, prepared)


def test_cepstra_are_made_of_the_same_spectrograms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = recordings.class_folders(tmp_path / "set")
    plain = loaded(path)
    monkeypatch.setattr(AudioSpec, "spectrogram", lambda *_: pytest.fail("it was computed again"))
    dataset = loaded(path, OWN.model_copy(update={"features": "mfcc", "coefficients": 13}))
    assert np.array_equal(dataset.train.inputs, plain.train.inputs) and dataset.spec.shape == (FRAMES, 13)
    wanted = cepstrum(plain.train.inputs, 13)
    spec = dataset.spec
    assert np.allclose(spec.prepare(dataset.train.inputs), (wanted - spec.mean) / spec.std, atol=1e-4)


def test_what_is_read_alone_is_what_was_trained_on(tmp_path: Path) -> None:
    path = recordings.class_folders(tmp_path / "set")
    dataset = loaded(path)
    again = AudioSpec.from_dict(dataset.spec.to_dict())
    names, raw = again.read(str(path / dataset.test.names[0]))
    assert again == dataset.spec and len(names) == 1 and np.array_equal(raw[0], dataset.test.inputs[0])


def test_flaws_and_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = recordings.class_folders(tmp_path / "set", per_class=30)
    (path / "low" / "003.wav").write_bytes(b"")
    recordings.save(np.zeros(4000, np.float32), path / "low" / "004.wav")
    recordings.save(np.clip(9 * recordings.tone(1), -1, 1), path / "high" / "005.wav")
    for _ in range(2):  # The second time from the cache.
        findings = loaded(path).findings
        assert findings.bad_files == (("low/003.wav", "is empty"),)
        assert any("1 recording is silent" in note and "low/004.wav" in note for note in findings.notes)
        assert any("1 recording is clipped" in note and "high/005.wav" in note for note in findings.notes)
    with pytest.raises(DataError, match=r"1 of 60 recordings cannot be used .*\n  low/003.wav is empty"):
        loaded(path, bad_share=0.0)


def test_speakers_stay_on_one_side_where_they_are_the_groups(tmp_path: Path) -> None:
    path = recordings.named(tmp_path / "set", speakers=("ann", "bob", "cy", "di", "eve", "flo"))
    dataset = loaded(path, pattern="{label}_{speaker}_{take}.wav", group_column="speaker")
    sides = [{name.split("_")[1] for name in part.names} for part in (dataset.train, dataset.validation, dataset.test)]
    assert all(sides) and sum(map(len, sides)) == len(set.union(*sides)) == 6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seconds": 300.0, "hop": 10.0}, "30,001 frames; up to 4,096 are possible. Take a longer audio.hop"),
        ({"low": 5000.0}, "the bands would go from 5000 to 4000 Hz"),
        ({"high": 5000.0}, "up to half the sample rate, 4000 Hz"),
        ({"features": "mfcc", "coefficients": 40}, "40 coefficients of 20 bands"),
    ],
)
def test_options_that_contradict_each_other_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=rf"\[audio\] .*{words}"):
        AudioSpec.of(OWN.model_copy(update=change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"bands": 0}, "at bands"),
        ({"bands": "20"}, "at bands"),
        ({"seconds": 1e9}, "at seconds"),
        ({"sample_rate": 10**9}, "at sample_rate"),
        ({"mean": [0.0]}, "20 features but 1 means and 20 deviations"),
        ({"std": [0.0] * 20}, "at std"),
        ({"mean": [float("nan")] * 20}, "at mean|not JSON"),
        ({"hop": 1.0, "seconds": 300.0}, "frames"),
        ({"more": 1}, "at more"),
    ],
)
def test_a_damaged_spec_is_refused(change: dict[str, Any], words: str) -> None:
    values = {**AudioSpec.of(OWN).to_dict(), "mean": [0.0] * 20, "std": [1.0] * 20}
    assert AudioSpec.from_dict(values).shape == (FRAMES, 20)
    with pytest.raises(ModelError, match=f"The model's audio preprocessing is damaged.*({words})"):
        AudioSpec.from_dict({**values, **change})


def test_a_band_that_never_changes_is_not_blown_up() -> None:
    raw = np.zeros((4, FRAMES, 20), np.float32)
    spec = learn(raw, None, OWN)  # type: ignore[arg-type]
    assert set(spec.std) == {1.0} and np.all(spec.prepare(raw) == 0)


def test_guesses_follow_what_the_headers_say(tmp_path: Path) -> None:
    path = recordings.class_folders(tmp_path / "set")
    settings = data.guess(data.survey(str(path), data.Options()))
    assert settings.value("audio.sample_rate") == 8000 and settings.value("audio.seconds") == 0.4
    assert all(each.origin == "guessed" and each.reason for each in settings.values())
    fast = tmp_path / "fast"
    for number in range(3):
        recordings.save(
            recordings.tone(0, rate=44100, seconds=12), fast / "ab"[number % 2] / f"{number}.wav", rate=44100
        )
    settings = data.guess(data.survey(str(fast), data.Options()))
    assert settings.value("audio.sample_rate") == 16000 and settings.value("audio.seconds") == 10.0
    assert 1000 * 10.0 / settings.value("audio.hop") <= 256


def test_the_stored_spectrogram_is_the_front_ends(tmp_path: Path) -> None:
    tone = recordings.tone(0, seconds=0.5)
    spec = AudioSpec.of(OWN)
    stored, _ = spec.spectrogram(recordings.save(tone, tmp_path / "a.wav", subtype="FLOAT"))
    plain = log_mel(tone, spec.front)
    assert np.allclose(stored, plain - plain.max(), atol=1e-4)
    assert sound_files.VERSION == 1
