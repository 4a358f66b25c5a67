"""README's "Add a model" is true: its code, added as it says, trains, is saved, is loaded and answers."""

from pathlib import Path

import numpy as np
import pytest

import small_runs
import sonde
from contracts import readme_model
from sonde import backend
from sonde.models import MODELS


def test_the_model_of_the_readme_trains_is_saved_and_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    backend.use("torch").start(threads=1)
    name = readme_model.install(tmp_path, monkeypatch)
    source = small_runs.write_data(tmp_path / "data" / "set.npz")
    words = {key: value for key, value in small_runs.WORDS.items() if not key.startswith("run.")} | {"model.width": 32}
    run = sonde.train(
        str(source), model=name, backend="torch", epochs=2, seed=1, name="first",
        set=[f"{key}={value}" for key, value in words.items()],
    )  # fmt: skip
    assert run.settings().value("model.width") == 32 and run.report_file.is_file()
    assert 0 <= run.scores()["test"]["accuracy"]["value"] <= 1

    from sonde.models import model_folder

    model, description = model_folder.load(run.model)
    weights = {variable.path: tuple(variable.shape) for variable in model.weights}
    assert description.model == name and description.options == {"width": 32}
    assert weights["conv/kernel"] == (3, 3, 1, 32)
    outputs = model({"inputs": np.zeros((2, 8, 8, 1), dtype=np.float32)})
    assert np.isfinite(outputs["logits"].detach().numpy()).all()


def test_the_readme_names_the_place_of_the_row_and_the_command_that_uses_it() -> None:
    text = readme_model.README.read_text(encoding="utf-8")
    place = Path("src/sonde/models/architectures.py")
    assert f"`{place}`" in text and (readme_model.README.parent / place).is_file()
    assert "`sonde train digits --model NAME --set model.width=32`" in text and "width: " in readme_model.code()
    assert readme_model.NAME not in MODELS
