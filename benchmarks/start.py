"""Measures how long sonde takes to start: its help, its import, and a training up to its first step.

    python benchmarks/start.py             a minute or two on two quiet cores
    python benchmarks/start.py --write     and writes docs/start.md

Each program runs in a process of its own, from its start to its end, in turns with the others; the first turn, which
reads files from the disk, is not counted. The first step is seen from outside: `sonde train digits` is asked for a
checkpoint after every step, and its time is that until the first one lies there. It is killed then.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from measuring import Run, Spread, finished, machine, run_once, table, thread_environment

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "start.md"
PACKAGES = ("keras", "torch", "tensorflow", "jax", "numpy")
BACKENDS = ("torch", "tensorflow", "jax")
PATIENCE = 600.0
"""Seconds until a training without a first step is given up."""
POLL = 0.002
"""Seconds between two looks for the checkpoint."""
FIRST_STEP = "first step of `sonde train digits`"


@dataclass(frozen=True)
class Program:
    """Something that is run from its start to its end."""

    words: tuple[str, ...]
    """What follows `python`."""
    environment: dict[str, str] = field(default_factory=dict)


PROGRAMS: dict[str, Program] = {
    "`python -c pass`": Program(("-c", "pass")),
    "`import sonde`": Program(("-c", "import sonde")),
    "`sonde --help`": Program(("-m", "sonde", "--help")),
    "`import numpy`": Program(("-c", "import numpy")),
    "`import torch`": Program(("-c", "import torch")),
    "`import keras` on torch": Program(("-c", "import keras"), {"KERAS_BACKEND": "torch"}),
    "`import keras` on tensorflow": Program(("-c", "import keras"), {"KERAS_BACKEND": "tensorflow"}),
    "`import keras` on jax": Program(("-c", "import keras"), {"KERAS_BACKEND": "jax"}),
}
"""What is run in each round, in the order of the table; the first step comes behind them."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, and write the page where `--write` asks for it.

    Args:
        words: the words behind the command; those of this process when left out.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--backends", nargs="*", choices=BACKENDS, default=list(BACKENDS), help="of the first step")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} too")
    chosen = parser.parse_args(words)
    runs = _measure(chosen.rounds, chosen.threads, chosen.backends)
    text = table(
        ("what", "wall time, s", "processor time, s", "peak MB"),
        [
            (
                name,
                Spread.of([each.seconds for each in found]).text(),
                Spread.of([each.cpu_seconds for each in found]).text(),
                f"{Spread.of([each.peak_mb for each in found]).median:,.0f}",
            )
            for name, found in runs.items()
        ],
    )
    print(text)
    if chosen.write:
        PAGE.write_text(_head(chosen.rounds, chosen.threads) + text, encoding="utf-8")
    return 0


def _measure(rounds: int, threads: int, backends: Sequence[str]) -> dict[str, list[Run]]:
    limits = thread_environment(threads)
    runs: dict[str, list[Run]] = {}
    with tempfile.TemporaryDirectory(prefix="sonde-start-") as place:
        for turn in range(rounds + 1):
            for name, program in PROGRAMS.items():
                run = run_once([sys.executable, *program.words], environment={**limits, **program.environment})
                if run.code:
                    raise SystemExit(f"python {' '.join(program.words)} ended with exit code {run.code}")
                runs.setdefault(name, []).append(run)
            for backend in backends:
                run = first_step(backend, threads, Path(place))
                runs.setdefault(f"{FIRST_STEP}, {backend}", []).append(run)
            print(f"round {turn} of {rounds} done{'' if turn else ', not counted'}", file=sys.stderr, flush=True)
    return {name: found[1:] for name, found in runs.items()}


def first_step(backend: str, threads: int, place: Path) -> Run:
    """Measure a training from the start of its process until its first step is written, and kill it.

    Args:
        backend: torch, tensorflow or jax.
        threads: what it may compute with.
        place: a folder for the run; what is in the cache there already is not made again, as for any second run.
    """
    with tempfile.TemporaryDirectory(dir=place) as folder:
        words = ["train", "digits", "--backend", backend, "--epochs", "1", "--name", "first"]
        words += ["--set", "training.checkpoint_steps=1", "--set", f"training.threads={threads}"]
        checkpoints = Path(folder) / "runs" / "first" / "checkpoints"
        with (place / "output.txt").open("w+b") as output:
            begin = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "sonde", *words],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **thread_environment(threads), "SONDE_CACHE": str(place / "cache")},
            )
            try:
                while not any(checkpoints.glob("step-*")):
                    if process.poll() is not None or time.perf_counter() - begin > PATIENCE:
                        output.seek(0)
                        text = output.read().decode(errors="replace")[-2000:]
                        raise SystemExit(f"sonde {' '.join(words)} took no step:\n{text}")
                    time.sleep(POLL)
                taken = time.perf_counter() - begin
            finally:
                process.kill()
            return replace(finished(process), seconds=taken)


def _head(rounds: int, threads: int) -> str:
    return (
        "# How long it takes to start\n\n*Written by `python benchmarks/start.py --write`.*\n\n"
        f"{machine(PACKAGES, threads=threads)}\n\n"
        f"Medians of {rounds} rounds, in brackets the quartiles; the programs take turns. Files lie in the memory of "
        "the system already. Processor time is user and system time over all threads; peak MB is the largest resident "
        "set. The first step is timed from the start of the process until its checkpoint lies on the disk: importing, "
        "reading the data, choosing the precision, building, compiling, one step, writing.\n\n"
    )


if __name__ == "__main__":
    sys.exit(main())
