"""Every verb runs on whatever is asked: folds, seeds with their ensemble, comparison, explanation, prediction."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sonde
from sonde.config import RunFolder


def _numbers(root: Path) -> tuple[Path, dict[str, Any], list[Path]]:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 80))
    rows = [f"{x:.3f},{y:.3f},{2 * x - y:.3f}" for x, y in zip(a, b, strict=True)]
    (root / "numbers.csv").write_text("\n".join(["a,b,size", *rows]))
    (root / "new.csv").write_text("b,a\n1,2\n0,0\n")
    return root / "numbers.csv", {"model.width": 8}, [root / "new.csv"]


def _masks(root: Path) -> tuple[Path, dict[str, Any], list[Path]]:
    rng = np.random.default_rng(0)
    for folder in ("cells/images", "cells/masks"):
        (root / folder).mkdir(parents=True)
    for number in range(20):
        mask = np.zeros((16, 16), np.uint8)
        mask[number % 7 : number % 7 + 8, 3:11] = 255
        Image.fromarray(np.clip(rng.normal(90, 20, mask.shape) + mask / 3, 0, 255).astype(np.uint8)).save(
            root / f"cells/images/{number:02}.png"
        )
        Image.fromarray(mask).save(root / f"cells/masks/{number:02}.png")
    return root / "cells", {"model.width": 4, "model.depth": 2}, [root / "cells/images/03.png"]


def _texts(root: Path) -> tuple[Path, dict[str, Any], list[Path]]:
    rows = [f"{number:03d}\t{str(number)[::-1]}" for number in range(0, 800, 10)]
    (root / "pairs.tsv").write_text("\n".join(["source\ttarget", *rows]))
    (root / "new.tsv").write_text("source\n123\n456\n")
    words = {"model.width": 8, "model.depth": 1, "model.heads": 2, "generation.depth": 1, "generation.heads": 2}
    return root / "pairs.tsv", words, [root / "new.tsv"]


ASKED: dict[str, Callable[[Path], tuple[Path, dict[str, Any], list[Path]]]] = {
    "tabular-regression": _numbers,
    "image-segmentation": _masks,
    "text-translation": _texts,
}
"""By task a function that writes a small data set, and gives it with options and new files."""
COMMON = {"training.precision": "fp32", "training.threads": 1, "evaluation.resamples": 100, "evaluation.explain": 1}


@pytest.mark.parametrize("task", ASKED)
def test_folds_seeds_comparison_explanation_and_prediction(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data, own, new = ASKED[task](tmp_path)
    options = [f"{key}={value}" for key, value in {**COMMON, **own}.items()]

    def train(**words: Any) -> RunFolder:
        return sonde.train(str(data), backend="torch", epochs=1, set=options, **words)

    folds = train(folds="2", name="folds").scores()
    assert folds["task"] == task and len(folds["folds"]["runs"]) == 2
    assert folds["test"][folds["headline"]]["n"] == {"image-segmentation": 20}.get(task, 80)
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
