"""Recordings through the verbs: from sound files to a report, and back from a model to an answer."""

from pathlib import Path

import numpy as np
import pytest

import recordings
import sonde

pytest.importorskip("soundfile", reason="soundfile is not installed")

SET = [
    "data.pattern={label}_{speaker}_{take}.wav",
    "data.test_where=take<2",
    "model.width=4",
    "model.units=8",
    "audio.bands=16",
    "training.batch_size=12",
    "training.learning_rate=0.01",
    "training.precision=fp32",
    "training.threads=1",
    "evaluation.resamples=100",
    "evaluation.explain=2",
    "augment.mix=0.5",
    "augment.noise=0.5",
]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))


def test_recordings_are_trained_on_scored_and_answered(tmp_path: Path) -> None:
    path = recordings.named(tmp_path / "set", takes=12)
    sonde.train(str(path), backend="torch", epochs=14, set=SET, name="tones")
    report = (tmp_path / "runs/tones/report.html").read_text()
    assert "logistic regression on the mean spectrum" in report and "low" in report
    (tmp_path / "noise.wav").write_bytes(b"RIFF")
    unheard = recordings.save(recordings.tone(1, 77, rate=22050), tmp_path / "new.flac", rate=22050)
    answers = sonde.predict("runs/tones", [str(unheard), str(tmp_path / "noise.wav")])
    assert answers[0]["prediction"] == "high" and "noise.wav cannot be read" in answers[1]["error"]


def test_what_the_model_sees_is_shown_as_pictures(tmp_path: Path) -> None:
    from PIL import Image

    path = recordings.named(tmp_path / "set")
    sheet = sonde.show(str(path), set=[word for word in SET if word.startswith(("data", "audio", "augment"))])
    pixels = np.asarray(Image.open(sheet).convert("L"))
    assert pixels.std() > 10
