"""A number of pictures, recordings and texts, from files beside a table of numbers to a score far beyond the mean's."""

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import small_runs
from sonde import config, planning, stages
from sonde.evaluation.stage import evaluate, predict

WORDS: dict[str, Any] = {
    "run.backend": "torch",
    "run.name": "numbers",
    "training.learning_rate": 0.01,
    "training.batch_size": 16,
    "training.precision": "fp32",
    "training.threads": 1,
    "evaluation.resamples": 100,
    "evaluation.explain": 0,
}


def write_discs() -> dict[str, float]:
    """Write pictures of a disc somewhere; returns the area of each."""
    rng, found = np.random.default_rng(0), {}
    rows, columns = np.mgrid[:16, :16]
    for number in range(120):
        radius = rng.uniform(2, 6)
        centre = rng.uniform(radius, 16 - radius, 2)
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
        Image.fromarray((60 + 150 * disc).astype(np.uint8)).save(f"{number}.png")
        found[f"{number}.png"] = np.pi * radius**2
    return found


def write_sines() -> dict[str, float]:
    """Write recordings of a sine with noise; returns the pitch of each, in hertz."""
    rng, found = np.random.default_rng(0), {}
    for number in range(120):
        pitch, start = rng.uniform(200, 2000), rng.uniform(0, 6)
        sound = np.sin(start + 2 * np.pi * pitch * np.arange(4000) / 8000) + rng.normal(0, 0.1, 4000)
        with wave.open(f"{number}.wav", "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes((8000 * sound).astype("<i2").tobytes())
        found[f"{number}.wav"] = pitch
    return found


def write_praise() -> dict[str, float]:
    """Return texts of good and bad words, and their balance in tenths."""
    rng, found = np.random.default_rng(0), {}
    words = {"splendid": 1.0, "good": 0.5, "so": 0.0, "poor": -0.5, "awful": -1.0}
    for number in range(240):
        chosen = rng.choice(list(words), 8)
        found[" ".join([*chosen, f"n{number}"])] = float(
            np.mean([words[word] for word in chosen]) + 0.001 * number / 240
        )
    return found


CASES: dict[str, tuple[Any, str, str, dict[str, Any]]] = {
    "image": (write_discs, "path", "area", {"model.width": 8, "model.stages": 2, "run.epochs": 12}),
    "audio": (write_sines, "path", "pitch", {"run.epochs": 12, "audio.seconds": 0.5}),
    "text": (write_praise, "text", "score", {"model.width": 16, "run.epochs": 12}),
}


@pytest.mark.parametrize("modality", CASES)
def test_a_number_is_learned_of_what_is_read(modality: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    write, column, name, more = CASES[modality]
    numbers = write()
    lines = [f"{column},{name}", *(f"{key},{value:.4f}" for key, value in numbers.items())]
    Path("numbers.csv").write_text("\n".join(lines) + "\n")
    plan = planning.make_plan(config.from_words({**WORDS, "run.data": "numbers.csv", **more}))
    assert plan.settings.value("run.task") == f"{modality}-regression"
    folder = stages.start(plan)
    session = small_runs.open_session(folder, plan.dataset)
    small_runs.train(session)
    session.finish()
    scores = json.loads(evaluate(folder, dataset=plan.dataset).scores_file.read_text())
    assert scores["test"]["r2"]["value"] > 0.8 > 0.1 > scores["baselines"]["mean"]["r2"]["value"]
    (row,) = predict(folder, [next(iter(numbers))])
    assert abs(row["prediction"] - next(iter(numbers.values()))) < np.std(list(numbers.values()))
