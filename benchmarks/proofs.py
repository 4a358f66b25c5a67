"""Tries a number, a mask and a text from data to report on each backend, as a person would, and tells what works.

    python benchmarks/proofs.py                                       half an hour on two cores
    python benchmarks/proofs.py --backends torch --answers regression     a minute

Each cell of the table is a process of its own that trains a small run on drawn data, stops one and resumes it to the
same bits, trains within minutes, with two seeds and with two folds, compares, explains, and predicts a new file. A step
that fails says why below the table, and the exit code is 1.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ANSWERS = ("regression", "segmentation", "generation")
BACKENDS = ("torch", "tensorflow", "jax")
COMMON = ["training.precision=fp32", "training.threads=1", "evaluation.resamples=100", "evaluation.explain=1"]
OPTIONS = {
    "regression": ["model.width=16", "training.batch_size=32"],
    "segmentation": ["model.width=4", "model.depth=2", "training.batch_size=4"],
    "generation": ["model.width=8", "model.depth=1", "model.heads=2", "generation.depth=1", "generation.heads=2"],
}
STOPPED_AFTER = 3
"""Steps."""


def write_regression() -> tuple[str, str]:
    """Write a table of homes and one of new ones; returns both paths."""
    rng = np.random.default_rng(0)
    size, age = rng.uniform(20, 200, 200), rng.uniform(0, 90, 200)
    rows = [f"{a:.2f},{b:.2f},{3 * a - b + 0.01 * a * b:.3f}" for a, b in zip(size, age, strict=True)]
    Path("homes.csv").write_text("\n".join(["size,age,price", *rows]) + "\n")
    Path("new.csv").write_text("size,age\n100,10\n")
    return "homes.csv", "new.csv"


def write_segmentation() -> tuple[str, str]:
    """Write pictures of bright discs with their masks, and a wider new one; returns both paths."""
    from PIL import Image

    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:24, :32]
    for folder in ("images", "masks"):
        Path("discs", folder).mkdir(parents=True)
    for number in range(24):
        centre, radius = rng.uniform(7, 17, 2), rng.uniform(3, 7)
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
        pixels = np.clip(rng.normal(90, 20, disc.shape) + 90 * disc, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(f"discs/images/{number:02}.png")
        Image.fromarray(disc.astype(np.uint8)).save(f"discs/masks/{number:02}.png")
    Image.fromarray(np.hstack([pixels, pixels])).save("new.png")
    return "discs", "new.png"


def write_generation() -> tuple[str, str]:
    """Write strings of digits beside their reverses, and new ones; returns both paths."""
    numbers = [f"{number:03}" for number in range(0, 1000, 7)]
    Path("pairs.tsv").write_text("\n".join(["source\ttarget", *(f"{each}\t{each[::-1]}" for each in numbers)]) + "\n")
    Path("new.tsv").write_text("source\n123\n")
    return "pairs.tsv", "new.tsv"


WRITERS = {"regression": write_regression, "segmentation": write_segmentation, "generation": write_generation}


def resumed(data: str, words: dict[str, Any], options: list[str]) -> None:
    """Stop a run after a few steps, resume it, and hold its weights against those of the run that was not stopped."""
    import sonde
    from sonde import config, planning, stages, training
    from sonde.config.settings import from_assignments

    said = config.from_words({"run.data": data, "run.name": "stopped", **words}).over(from_assignments(options))
    plan = planning.make_plan(said)
    folder = stages.start(plan)
    session = training.open_session(folder, folder.settings(), plan.dataset)
    for _ in session.records():
        if session.step >= STOPPED_AFTER:
            break
    session.checkpoint()
    sonde.resume("stopped")
    first, second = (Path("runs", name, "model", "weights.safetensors").read_bytes() for name in ("base", "stopped"))
    if first != second:
        raise AssertionError("the weights of the resumed run differ from those of the run that was not stopped")


def predicted(file: str) -> None:
    """Predict a new file, and see that there is a prediction."""
    import sonde

    rows = sonde.predict("base", [file])
    if not rows or "error" in rows[0] or "prediction" not in rows[0]:
        raise AssertionError(f"no prediction: {list(rows)[:1]}")


def steps(answer: str, backend: str) -> dict[str, Callable[[], Any]]:
    """Return what is tried, by name, in this order."""
    import sonde

    data, new = WRITERS[answer]()
    options = [*COMMON, *OPTIONS[answer]]
    words = {"run.backend": backend, "run.epochs": 2, "run.seed": 0}

    def train(name: str, **more: Any) -> Any:
        return sonde.train(data, backend=backend, name=name, set=options, **more)

    return {
        "train": lambda: train("base", epochs=2, seed=0),
        "resume": lambda: resumed(data, words, options),
        "minutes": lambda: train("quick", minutes=1, epochs=2),
        "seeds": lambda: train("seeds", epochs=2, seeds=2),
        "folds": lambda: train("folds", epochs=2, folds=2),
        "compare": lambda: sonde.compare(["base", "quick"]),
        "explain": lambda: sonde.explain("base", [new]),
        "predict": lambda: predicted(new),
    }


def work(answer: str, backend: str) -> None:
    """Try one cell in this process and folder, and print a line of JSON for each step."""
    for name, step in steps(answer, backend).items():
        began, why = time.perf_counter(), ""
        try:
            step()
        except Exception as error:  # A proof that fails is what this script is to show.
            why = f"{type(error).__name__}: {error}"
        print("@" + json.dumps({"step": name, "seconds": time.perf_counter() - began, "why": why}), flush=True)


def cell(answer: str, backend: str) -> list[dict[str, Any]]:
    """Try one cell in a process and a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__).resolve()), "--work", answer, backend]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    found: list[dict[str, Any]] = [json.loads(line[1:]) for line in done.stdout.splitlines() if line.startswith("@")]
    if done.returncode:
        found.append({"step": "process", "seconds": 0.0, "why": (done.stderr.splitlines() or ["it ended"])[-1]})
    return found


def main() -> None:
    """Try all cells and print a table, a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", nargs="+", choices=ANSWERS, default=ANSWERS)
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    parser.add_argument("--work", nargs=2, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        work(*given.work)
        return
    failures = []
    for answer in given.answers:
        for backend in given.backends:
            found = cell(answer, backend)
            told = [f"{each['step']} {'failed' if each['why'] else 'ok'} {each['seconds']:.0f} s" for each in found]
            print(f"| {answer} | {backend} | " + " | ".join(told) + " |", flush=True)
            failures += [f"{answer}, {backend}, {each['step']}: {each['why']}" for each in found if each["why"]]
    print("\n".join(["", *failures] if failures else ["", "All of it works."]))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
