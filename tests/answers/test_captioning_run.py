"""An image is read and a text is written: halves that stood before, paired by one entry in a row's tasks."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import small_runs
import sonde
from sonde import stages
from sonde.config import RunFolder

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 30), "blue": (40, 40, 230)}
PLACES = {"left": (0, 4), "right": (8, 4), "top": (4, 0), "bottom": (4, 8)}


def drawn(colour: str, place: str, seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 60, (12, 12, 3)).astype(np.uint8)
    x, y = PLACES[place]
    pixels[y : y + 4, x : x + 4] = COLOURS[colour]
    return Image.fromarray(pixels)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 180 pictures in a folder beside the table that says what is on each."""
    root = tmp_path_factory.mktemp("drawn")
    (root / "images").mkdir()
    kinds = [(colour, place) for colour in COLOURS for place in PLACES]
    rows = ["image,caption"]
    for number in range(180):
        colour, place = kinds[number * 7 % len(kinds)]
        drawn(colour, place, number).save(root / f"images/{number:03}.png")
        rows.append(f"{number:03}.png,a {colour} square at the {place}")
    (root / "captions.csv").write_text("\n".join(rows))
    return root


WORDS = {
    "run.task": "captioning",
    "run.backend": "torch",
    "run.epochs": 20,
    "model.width": 8,
    "model.stages": 2,
    "generation.depth": 1,
    "generation.heads": 2,
    "training.batch_size": 12,
    "training.learning_rate": 0.01,
    "training.precision": "fp32",
    "training.threads": 1,
    "evaluation.resamples": 100,
    "evaluation.explain": 1,
}


def test_captions_of_new_pictures_are_written_right(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(small_runs, "WORDS", {})
    folder, dataset = small_runs.start(pictures, {**WORDS, "run.name": "captions"})
    stages.go_on(folder, dataset)
    run = RunFolder(folder.path.resolve())
    scores = run.scores()
    assert scores["task"] == "captioning" and scores["test"]["exact_match"]["value"] > 0.9
    assert list(scores["baselines"]) == ["commonest target", "nearest neighbour"]
    report = run.report_file.read_text()
    assert "at the left" in report and "Explanations" in report
    drawn("green", "right", 999).save("new.png")
    drawn("red", "top", 998).save("other.png")
    rows = sonde.predict(run.path, ["new.png", "other.png"])
    assert [row["prediction"] for row in rows] == ["a green square at the right", "a red square at the top"]
