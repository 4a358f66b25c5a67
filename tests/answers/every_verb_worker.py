"""Writes a small data set for each kind of task, and trains and predicts all of them on a backend: WORKER BACKEND."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


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


def _captions(root: Path) -> tuple[Path, dict[str, Any], list[Path]]:
    (root / "seen/images").mkdir(parents=True)
    rows = ["image,caption"]
    for number in range(40):
        Image.fromarray(np.full((8, 8), number * 6, np.uint8)).save(root / f"seen/images/{number:02}.png")
        rows.append(f"{number:02}.png,a shade of {number * 6}")
    (root / "seen/captions.csv").write_text("\n".join(rows))
    words = {"model.width": 4, "model.stages": 1, "generation.depth": 1, "generation.heads": 2}
    return root / "seen", words, [root / "seen/images/03.png"]


ASKED: dict[str, Callable[[Path], tuple[Path, dict[str, Any], list[Path]]]] = {
    "tabular-regression": _numbers,
    "image-segmentation": _masks,
    "translation": _texts,
    "captioning": _captions,
}
"""By task a function that writes a small data set, and gives it with options and new files."""
COMMON = {"training.precision": "fp32", "training.threads": 1, "evaluation.resamples": 100, "evaluation.explain": 1}


def options(own: dict[str, Any]) -> list[str]:
    """Return options of a small run as `sonde.train` takes them."""
    return [f"{key}={value}" for key, value in {**COMMON, **own}.items()]


def main(name: str) -> None:
    """Train and predict, and print by task whether everything was predicted."""
    import sonde

    told = {}
    for task, write in ASKED.items():
        data, own, new = write(Path.cwd())
        run = sonde.train(str(data), backend=name, epochs=1, set=options({**own, "evaluation.explain": 0}), name=task)
        rows = sonde.predict(run.path, new)
        told[task] = run.scores()["task"] == task and all("prediction" in row for row in rows)
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1])
