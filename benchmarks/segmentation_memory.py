"""Measures the memory of evaluating and predicting 1,000 images of 512 x 512 pixels and 21 classes.

    python benchmarks/segmentation_memory.py [--images 1000] [--backend torch]

Every image is one of a few, under another name, so that the set takes no disk; each is decoded, predicted and scored
all the same. The model is as small as can be: what is measured is the house around it. Printed are the largest
resident size of the whole process and what of it was there once everything was imported.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

SIDE, CLASSES, DISTINCT = 512, 21, 8
SELF = str(Path(__file__).resolve())


def make(root: Path, images: int, *, side: int = SIDE) -> None:
    """Write images beside masks of blocks, each one of a few; the names are hard links."""
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (root / folder).mkdir(parents=True)
    for number in range(images):
        name = f"{number:04}.png"
        if number < DISTINCT:
            block = side // 16
            mask = np.kron(rng.integers(0, CLASSES, (16, 16)), np.ones((block, block), int)).astype(np.uint8)
            # Every class in every mask, so that no made split misses one.
            mask[0, :CLASSES] = np.arange(CLASSES)
            shades = np.stack([mask * 12, 255 - mask * 10, mask * 7], axis=-1).astype(np.uint8)
            Image.fromarray(shades).save(root / "images" / name)
            Image.fromarray(mask).save(root / "masks" / name)
        else:
            for folder in ("images", "masks"):
                os.link(root / folder / f"{number % DISTINCT:04}.png", root / folder / name)


def peak() -> int:
    """Return the largest resident size of this process so far, in MB; getrusage would count the parent's too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def work(kind: str, run: str, data: Path) -> None:
    """Evaluate or predict in a process of its own, and print its memory."""
    import sonde
    from sonde import config
    from sonde.evaluation.trained_model import open_model

    open_model(config.open_run(run))
    imported = peak()
    if kind == "evaluate":
        sonde.evaluate(run, data=data)
    else:
        sonde.predict(run, sorted((data / "images").iterdir()))
    print(json.dumps({"kind": kind, "imported_mb": imported, "peak_mb": peak(), "above_mb": peak() - imported}))


def main() -> None:
    """Make the data, train a tiny model, and measure both in processes of their own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--work", nargs=3, default=None, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        work(asked.work[0], asked.work[1], Path(asked.work[2]))
        return
    import sonde

    with tempfile.TemporaryDirectory() as name:
        os.environ["SONDE_CACHE"] = f"{name}/cache"
        os.chdir(name)
        make(Path("few"), 10)
        make(Path("many"), asked.images)
        options = [
            f"image.size=[{SIDE},{SIDE}]",
            "model.width=2",
            "model.depth=2",
            "training.batch_size=1",
            "training.steps=2",
            "training.precision=fp32",
            "training.threads=1",
            "evaluation.explain=0",
            "evaluation.resamples=100",
        ]
        run = sonde.train("few", backend=asked.backend, name="tiny", set=options)
        for kind in ("evaluate", "predict"):
            words = [sys.executable, SELF, "--work", kind, str(run.path), "many"]
            subprocess.run(words, check=True)


if __name__ == "__main__":
    main()
