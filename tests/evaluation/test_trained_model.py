"""A trained model is opened on the backend that is asked for, and only where its task is its own."""

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import small_runs
from sonde import backend
from sonde.config import RunFolder
from sonde.errors import ConfigError, ModelError
from sonde.evaluation import trained_model
from sonde.evaluation.stage import evaluate, predict


@pytest.mark.parametrize(
    ("in_use", "asked", "installed", "chosen"),
    [
        (None, "", ("torch", "jax"), "jax"),
        (None, "torch", ("torch", "jax"), "torch"),
        ("torch", "jax", ("torch", "jax"), "torch"),
        (None, "nonsense", ("torch", "jax"), "jax"),
        (None, "", ("torch",), "torch"),
        (None, "", (), "jax"),
    ],
)
def test_the_backend_that_predicts(
    monkeypatch: pytest.MonkeyPatch, in_use: str | None, asked: str, installed: tuple[str, ...], chosen: str
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", asked)
    monkeypatch.setattr(backend, "in_use", lambda: in_use)
    monkeypatch.setattr(backend, "is_installed", lambda name: name in installed)
    assert trained_model._backend_for("jax") == chosen


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """A run on images, hardly trained."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("opening")
        patch.setenv("SONDE_CACHE", str(place / "cache"))
        patch.chdir(place)
        words = {"run.name": "tiny", "run.epochs": 1}
        folder, dataset = small_runs.start(small_runs.write_data(Path("tiny.npz")), words)
        session = small_runs.open_session(folder, dataset)
        small_runs.train(session)
        session.finish()
        yield folder


def changed(folder: RunFolder, tmp_path: Path, values: dict[str, Any]) -> RunFolder:
    """Copy a run whose model says something else, with digests that fit: anybody can make them."""
    copy = RunFolder(tmp_path / "runs" / folder.name)
    shutil.copytree(folder.path, copy.path)
    file = copy.model / "model.json"
    raw = json.dumps({**json.loads(file.read_text()), **values}).encode()
    file.write_bytes(raw)
    digests = json.loads((copy.model / "digests.json").read_text())
    digests["model.json"] = {"bytes": len(raw), "sha256": sha256(raw).hexdigest()}
    (copy.model / "digests.json").write_text(json.dumps(digests))
    return copy


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"task": "no-such"}, "names the task 'no-such', which sonde does not know (image-classification, "),
        ({"task": "x" * 100_000}, "which sonde does not know"),
        (
            {"task": "tabular-classification"},
            "names the task 'tabular-classification', which reads table and answers with classification, for a",
        ),
        (
            {"task": "image-multilabel"},
            "which reads image and answers with multilabel, for a model that reads image and",
        ),
        (
            {"task": "image-multilabel", "answer": "multilabel"},
            "and tiny/run.toml of 'image-classification'. Put back the one",
        ),
        (
            {"input": {"kind": ["image"]}},
            "for a model that reads ['image'] and answers with classification; the folder is",
        ),
        ({"input": {}}, "for a model that reads None and answers with classification; the folder is refused"),
    ],
)
def test_a_model_whose_task_is_not_its_own_is_refused_by_one_line(
    values: dict[str, Any], says: str, trained: RunFolder, tmp_path: Path
) -> None:
    copy = changed(trained, tmp_path, values)
    for act in (lambda: predict(copy, ["a.png"]), lambda: evaluate(copy)):
        with pytest.raises(ModelError) as caught:
            act()
        message = str(caught.value).replace(str(tmp_path / "runs") + "/", "")
        assert message.startswith("tiny/model/model.json ") and says in message
        assert "\n" not in message and len(message) < 800


@pytest.mark.parametrize("threads", ['"two"', "[1]", "0", "1" + "0" * 200])
def test_threads_that_no_machine_has_are_refused_by_file_and_line(
    threads: str, trained: RunFolder, tmp_path: Path
) -> None:
    copy = changed(trained, tmp_path, {})
    lines = copy.settings_file.read_text().splitlines()
    lines = [f"threads = {threads}" if line.startswith("threads = ") else line for line in lines]
    copy.settings_file.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match=r"run\.toml, line \d+: training\.threads = .* is not possible: expected a"):
        predict(copy, ["a.png"])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('task = "no-such"', "line 3: There is no task called 'no-such'"),
        ("task = 3", "line 3: run.task = 3 is not possible"),
        ("", "[run] needs the option 'task'"),
    ],
)
def test_a_run_file_whose_task_is_unknown_is_refused_by_file_and_line(
    line: str, says: str, trained: RunFolder, tmp_path: Path
) -> None:
    copy = changed(trained, tmp_path, {})
    copy.settings_file.write_text(f'[run]\ndata = "tiny.npz"\n{line}\nmodel = "cnn"\nepochs = 1\nname = "tiny"\n')
    with pytest.raises(ConfigError) as caught:
        trained_model.own_dataset(copy)
    assert says in str(caught.value)
