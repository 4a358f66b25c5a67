"""Every verb runs on whatever is asked: folds, seeds with their ensemble, comparison, explanation, prediction."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sonde
from answers import every_verb_worker
from answers.every_verb_worker import ASKED, options
from each_backend import marked
from sonde import backend
from sonde.config import RunFolder


@pytest.mark.parametrize("task", ASKED)
def test_folds_seeds_comparison_explanation_and_prediction(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data, own, new = ASKED[task](tmp_path)

    def train(**words: Any) -> RunFolder:
        return sonde.train(str(data), backend="torch", epochs=1, set=options(own), **words)

    folds = train(folds="2", name="folds").scores()
    assert folds["task"] == task and len(folds["folds"]["runs"]) == 2
    assert folds["test"][folds["headline"]]["n"] == {"image-segmentation": 20, "captioning": 40}.get(task, 80)
    whole = train(seeds=2, name="whole")
    scores = whole.scores()
    assert scores["task"] == task and scores["test"][scores["headline"]]["value"] is not None
    told = sonde.compare(["whole-seed0", "whole-seed1"])
    assert told.headline == scores["headline"] and len(told.pairs) == 1
    for run in ("whole", "whole-seed0"):
        rows = sonde.predict(run, new)
        assert rows and all("prediction" in row and "error" not in row for row in rows)
    explained = sonde.explain("whole-seed0", new)
    assert explained and all(any(each["found"] for each in row["methods"]) for row in explained)


@pytest.mark.slow
@pytest.mark.parametrize("name", marked(("tensorflow", "jax")))
def test_another_backend_trains_and_predicts_whatever_is_asked(name: str, tmp_path: Path) -> None:
    if not backend.is_installed(name):
        pytest.skip(f"{name} is not installed")
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, str(Path(every_verb_worker.__file__)), name],
        cwd=tmp_path, env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == dict.fromkeys(every_verb_worker.ASKED, True)
