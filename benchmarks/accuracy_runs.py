"""Runs sonde and the beginners' examples as whole programs, and reads what they reached and when.

Each run leaves a file of JSON beside its folder, so that it need not be made again for another page of figures. When a
file was written is told by times of day; a run during which the clock is put right is off by as much.
"""

import json
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beginners import EXAMPLES
from measuring import Run, run_once, thread_environment


@dataclass(frozen=True)
class Command:
    """What follows `sonde train`."""

    data: str
    """Folder of the data set."""
    words: str


@dataclass(frozen=True)
class Trained:
    """A run of sonde."""

    accuracy: float
    """On the test images."""
    epochs: int
    training: float
    """Seconds of its epochs, with the validation and all but the checkpoint of each."""
    to_model: float
    """Seconds from the start of the process until the model lies on the disk."""
    whole: float
    """Seconds from the start of the process to its end, with the test, the baselines and the report."""
    busy: float
    """Processor time over wall time."""

    @property
    def starting(self) -> float:
        """Seconds until the model lies there that are no training: imports, decoding, building, writing."""
        return self.to_model - self.training


@dataclass(frozen=True)
class Followed:
    """A run of an example; every time is in seconds from the start of its process."""

    accuracies: tuple[float, ...]
    """On the test images, after each epoch."""
    seconds: tuple[float, ...]
    """At the end of each epoch."""
    in_all: float
    busy: float

    @property
    def accuracy(self) -> float:
        return self.accuracies[-1]

    @property
    def first(self) -> float:
        """Seconds until an epoch's end first saw the accuracy of the last one."""
        return next(when for when, seen in zip(self.seconds, self.accuracies, strict=True) if seen >= self.accuracy)


@dataclass(frozen=True)
class Bench:
    """Where and how runs are made."""

    folder: Path
    data: Path
    """Folder of the folders of the data sets."""
    threads: int
    reuse: bool
    peer_epochs: int | None = None
    """Epochs of the examples where not those that are published."""

    def sonde(self, name: str, command: Command, seed: int, *, wanted: bool = True) -> Trained | None:
        """Train with sonde, or read the run that was made before.

        Args:
            name: of the run.
            command: what is trained, and with which words.
            seed: of the training.
            wanted: train where there is no such run; otherwise return None.
        """
        asked = {"data": command.data, "words": command.words, "seed": seed, "threads": self.threads}

        def make() -> dict[str, Any]:
            place = self._empty(name)
            source = str((self.data / command.data).resolve())
            words = ["train", source, *shlex.split(command.words), "--seed", str(seed), "--name", "run"]
            words += ["--set", f"training.threads={self.threads}"]
            # A cache of its own: nothing is decoded or tried out before the clock starts.
            cache = place / "cache"
            environment = {**thread_environment(self.threads), "SONDE_CACHE": str(cache.resolve())}
            started = time.time()
            run = run_once([sys.executable, "-m", "sonde", *words], environment=environment, folder=place)
            if run.code:
                raise SystemExit(f"sonde {shlex.join(words)} ended with exit code {run.code}; try it in a shell.")
            shutil.rmtree(cache, ignore_errors=True)
            return {**read_run(place / "runs" / "run", started), "whole": run.seconds, "busy": _busy(run)}

        found = self._made(name, asked, make, wanted=wanted)
        return None if found is None else Trained(**found)

    def example(self, name: str, backend: str, seed: int, *, wanted: bool = True) -> Followed | None:
        """Run an example, or read the run that was made before.

        Args:
            name: from `EXAMPLES`.
            backend: of Keras.
            seed: of the training.
            wanted: run it where there is no such run; otherwise return None.
        """
        epochs = self.peer_epochs or EXAMPLES[name].epochs
        asked = {"example": name, "backend": backend, "epochs": epochs, "seed": seed, "threads": self.threads}

        def make() -> dict[str, Any]:
            words = [name, "--data", str(self.data / EXAMPLES[name].data), "--backend", backend]
            words += ["--epochs", str(epochs), "--seed", str(seed), "--threads", str(self.threads)]
            script = str(Path(__file__).with_name("beginners.py"))
            began = ["--began", str(time.time())]
            run = run_once([sys.executable, script, *words, *began], environment=thread_environment(self.threads))
            if run.code:
                raise SystemExit(
                    f"beginners.py {shlex.join(words)} ended with exit code {run.code}; try it in a shell."
                )
            told = json.loads(run.output.strip().splitlines()[-1])
            times = {"seconds": told["seconds"], "in_all": told["seconds_in_all"]}
            return {"accuracies": told["accuracy"], **times, "busy": _busy(run)}

        found = self._made(f"{name}-{backend}-seed-{seed}", asked, make, wanted=wanted)
        return found and Followed(**{**found, "accuracies": (*found["accuracies"],), "seconds": (*found["seconds"],)})

    def _made(
        self, name: str, asked: dict[str, Any], make: Callable[[], dict[str, Any]], *, wanted: bool
    ) -> dict[str, Any] | None:
        file = self.folder / f"{name}.json"
        if self.reuse and file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            if kept["asked"] == asked:
                return kept["found"]
        if not wanted:
            return None
        print(f"{name} ...", file=sys.stderr, flush=True)
        found = make()
        print("  " + ", ".join(f"{key} {_short(value)}" for key, value in found.items()), file=sys.stderr, flush=True)
        file.write_text(json.dumps({"asked": asked, "found": found}, indent=1), encoding="utf-8")
        return found

    def _empty(self, name: str) -> Path:
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return place


def _busy(run: Run) -> float:
    return run.cpu_seconds / max(run.seconds, 1e-9)


def _short(value: Any) -> str:
    last = value[-1] if isinstance(value, list) else value
    return f"{last:.4g}"


def read_run(folder: Path, started: float) -> dict[str, Any]:
    """Return what a run's folder tells: accuracy, epochs, seconds of training, seconds until the model lay there.

    Args:
        folder: of a run that has ended.
        started: time of day when its process was started.
    """
    lines = (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
    seconds = [json.loads(line)["clock"]["seconds"] for line in lines]
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    # The last file that is written of a model; without it the model counts as not there.
    written = (folder / "model" / "digests.json").stat().st_mtime
    accuracy = scores["test"]["accuracy"]["value"]
    return {"accuracy": accuracy, "epochs": len(seconds), "training": sum(seconds), "to_model": written - started}
