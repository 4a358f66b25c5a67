"""Kills real trainings at random moments, goes on with each, and compares them with one that was never killed.

python benchmarks/kills.py                        50 kills on torch; some minutes
python benchmarks/kills.py --kills 10 --backend jax

Every kill is a `kill -9` of a `sonde` process, followed by `sonde resume`, or by `sonde train` where the kill came
before the run's folder was there. The moments are drawn from a seed and spread over the whole of a run: starting up,
training, writing a checkpoint, writing the model, evaluating. What is compared bit by bit: the model folder, the last
checkpoint with the optimizer's state, the history without its clock, the scores and the predictions.

Exit code 1 means that one run was not the same, or did not go on.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

KILLS_OF_A_RUN = 5
"""A run is killed up to so many times before it is let go on to its end."""

OPTIONS = (
    "training.precision=fp32",
    "training.checkpoint_steps=3",
    "training.average=0.9",
    "training.optimizer=adamw",
    "augment.shift=0.1",
    "augment.rotate=10",
    "evaluation.resamples=200",
)
EPOCHS = 4

PHASES = (
    "before the run's folder",
    "starting up",
    "training",
    "writing a checkpoint",
    "writing the model",
    "evaluating",
)
"""Where a kill can fall, as seen from what it left on the disk."""


@dataclass
class Place:
    """One run: a working folder of its own, and the command that it is trained with."""

    folder: Path
    chosen: argparse.Namespace
    """What the benchmark was asked for."""

    @property
    def run(self) -> Path:
        return self.folder / "runs" / "run"

    def launch(self) -> "subprocess.Popen[str]":
        """Start the process that begins the run, or goes on with it."""
        if (self.run / "run.toml").exists():
            words = ["resume", str(self.run.relative_to(self.folder))]
        else:
            words = ["train", self.chosen.data, "--name", "run", "--epochs", str(EPOCHS)]
            words += ["--backend", self.chosen.backend, "--model", self.chosen.model]
            options = (*OPTIONS, f"training.threads={self.chosen.threads}")
            words += [word for option in options for word in ("--set", option)]
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "output.txt").open("a") as output:
            command = [sys.executable, "-m", "sonde", *words]
            environment = {
                **os.environ,
                "SONDE_CACHE": str(self.folder / "cache"),
                "OMP_NUM_THREADS": str(self.chosen.threads),
            }
            return subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
            )

    def finish(self) -> None:
        """Let the run go on to its end; raises CalledProcessError where it does not get there."""
        process = self.launch()
        if process.wait() != 0:
            print((self.folder / "output.txt").read_text()[-3000:], file=sys.stderr)
            raise subprocess.CalledProcessError(process.returncode, process.args)


def result(run: Path) -> dict[str, Any]:
    """Return what a finished run left, by what it is; the parts that hold times are left out."""
    newest = max((run / "checkpoints").glob("step-*"))
    progress = json.loads((newest / "progress.json").read_text())
    history = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    for record in [*progress["history"], *history]:
        del record["clock"]
    return {
        "weights and model": {path.name: digest(path) for path in sorted((run / "model").iterdir())},
        "last checkpoint": {"name": newest.name, "state": digest(newest / "state.safetensors")},
        "best weights": digest(newest / "best.safetensors"),
        "progress": progress,
        "history": history,
        "scores": digest(run / "scores.json"),
        "predictions": digest(run / "predictions.parquet"),
    }


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return sha256(path.read_bytes()).hexdigest()


def phase_of(run: Path, began: float) -> str:
    """Tell from what it left where a process was killed that began at a time."""
    if not (run / "run.toml").exists():
        return "before the run's folder"
    lock = run / "checkpoints" / ".lock"
    if not lock.exists() or lock.stat().st_mtime < began:
        return "starting up"
    if any(run.glob("checkpoints/.step-*.tmp")):
        return "writing a checkpoint"
    if any(run.glob(".model.*.tmp")):
        return "writing the model"
    return "evaluating" if (run / "model" / "digests.json").exists() else "training"


def moments(draw: random.Random, run: Path, seconds: dict[str, float]) -> tuple[Callable[[], bool], float]:
    """Draw a moment to kill at: an event to wait for, and seconds to wait after it."""
    began = time.time()
    lock, model = run / "checkpoints" / ".lock", run / "model" / "digests.json"

    def is_up() -> bool:
        return lock.exists() and lock.stat().st_mtime >= began

    kind = draw.choices(PHASES[1:], weights=(3, 3, 4, 2, 2))[0]
    skip = draw.randrange(12)
    seen: set[str] = set()

    def writes_checkpoint() -> bool:
        # One of the first twelve that this process writes; the pattern also finds what an earlier kill left.
        seen.update(path.name for path in run.glob("checkpoints/.step-*.tmp") if is_up())
        return len(seen) > skip or model.exists()

    return {
        "starting up": (lambda: True, draw.uniform(0, seconds["starting up"])),
        "training": (is_up, draw.uniform(0, seconds["training"])),
        "writing a checkpoint": (writes_checkpoint, draw.uniform(0, 0.004)),
        "writing the model": (lambda: any(run.glob(".model.*.tmp")) or model.exists(), draw.uniform(0, 0.003)),
        "evaluating": (lambda: model.exists() and is_up(), draw.uniform(0, 0.8 * seconds["evaluating"])),
    }[kind]


def kill_once(place: Place, draw: random.Random, seconds: dict[str, float]) -> str | None:
    """Begin or go on with a run and kill it; returns the phase, or None where the run ended first."""
    began = time.time()
    event, delay = moments(draw, place.run, seconds)
    process = place.launch()
    try:
        while process.poll() is None and not event():
            time.sleep(0.0005)
        until = time.perf_counter() + delay
        while process.poll() is None and time.perf_counter() < until:
            time.sleep(0.0005)
    finally:
        process.kill()
        code = process.wait()
    if code == -signal.SIGKILL:
        return phase_of(place.run, began)
    if code != 0:
        print((place.folder / "output.txt").read_text()[-3000:], file=sys.stderr)
        raise subprocess.CalledProcessError(code, process.args)
    return None


def measure(place: Place) -> dict[str, float]:
    """Train the run that is never killed, and return how long its phases take."""
    marks = [time.perf_counter()]
    process = place.launch()
    for file in (place.run / "checkpoints" / ".lock", place.run / "model" / "digests.json"):
        while process.poll() is None and not file.exists():
            time.sleep(0.001)
        marks.append(time.perf_counter())
    if process.wait() != 0:
        print((place.folder / "output.txt").read_text()[-3000:], file=sys.stderr)
        raise subprocess.CalledProcessError(process.returncode, process.args)
    marks.append(time.perf_counter())
    names = ("starting up", "training", "evaluating")
    return {name: end - start for name, (start, end) in zip(names, pairwise(marks), strict=True)}


def show(fallen: Counter[str], exact: Counter[str], summary: str) -> None:
    """Print the table of phases and the count of all."""
    print(f"\n{'the kill fell while':<26}{'kills':>6}{'exact resumes':>16}")
    for phase in PHASES:
        print(f"{phase:<26}{fallen[phase]:>6}{exact[phase]:>16}")
    print(f"\n{sum(fallen.values())} kills, {sum(exact.values())} exact resumes ({summary})")


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns 1 where a run that went on differs from the one that was never killed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--data", default="digits")
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(words)
    fallen, exact = Counter[str](), Counter[str]()
    begin, runs = time.perf_counter(), 0
    draw = random.Random(chosen.seed)
    with tempfile.TemporaryDirectory(prefix="sonde-kills-") as root:
        whole = Place(Path(root) / "whole", chosen)
        seconds = measure(whole)
        expected = result(whole.run)
        print("never killed: " + ", ".join(f"{name} {each:.1f} s" for name, each in seconds.items()), flush=True)
        while sum(fallen.values()) < chosen.kills:
            runs += 1
            place = Place(Path(root) / f"run-{runs}", chosen)
            phases: list[str] = []
            while len(phases) < min(KILLS_OF_A_RUN, chosen.kills - sum(fallen.values())):
                phase = kill_once(place, draw, seconds)
                if phase is None:
                    break
                phases.append(phase)
            place.finish()
            found = result(place.run)
            different = [part for part in expected if found[part] != expected[part]]
            fallen.update(phases)
            exact.update([] if different else phases)
            verdict = f"DIFFERENT in {', '.join(different)}" if different else "the same"
            print(f"run {runs}: killed while {', '.join(phases) or 'never'}: {verdict}", flush=True)
    took = time.perf_counter() - begin
    place = f"{chosen.backend}, {chosen.model}, {chosen.threads} threads, {runs} runs"
    show(fallen, exact, f"{place}, seed {chosen.seed}, {took / 60:.1f} minutes")
    return 0 if exact == fallen else 1


if __name__ == "__main__":
    sys.exit(main())
