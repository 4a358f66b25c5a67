"""Asks whether bf16 costs accuracy: trains Fashion-MNIST in bf16 and in fp32 with several seeds and compares the tests.

    python benchmarks/precision.py                     five seeds of each; some ten minutes on two cores
    python benchmarks/precision.py --epochs 5 --write  and writes docs/precision.md

Each run is one `sonde train` command in a process of its own; runs that are there already are only read.
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "fashion-mnist"
PAGE = ROOT / "docs" / "precision.md"
WORDS = ("--recipe", "fast", "--set", "augment.flip=0.5", "--set", "augment.shift=0")


def main(words: Sequence[str] | None = None) -> int:
    """Train what is missing and print the comparison; returns 1 where bf16 differs by more than the seeds do.

    Args:
        words: the words behind the command; those of this process when left out.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("build") / "precision", help="where the runs are made")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} too")
    chosen = parser.parse_args(words)
    if not DATA.exists():
        print("left out, since ../shared/data/fashion-mnist is not there")
        return 0
    chosen.folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[float]] = {"bf16": [], "fp32": []}
    for seed in range(chosen.seeds):
        for precision, accuracies in found.items():
            accuracies.append(_accuracy(chosen.folder, precision, seed, chosen.epochs, chosen.threads))
            print(f"seed {seed} in {precision}: {accuracies[-1]:.4f}", flush=True)
    text, is_same = compared(found)
    print(text)
    if chosen.write:
        command = f"python benchmarks/precision.py --epochs {chosen.epochs} --write"
        PAGE.write_text(f"# Does bf16 cost accuracy?\n\n*Written by `{command}`.*\n\n{text}", encoding="utf-8")
    return 0 if is_same else 1


def compared(found: dict[str, list[float]]) -> tuple[str, bool]:
    """Return a table with a sentence, and whether the means differ by no more than the seeds do among themselves.

    Args:
        found: test accuracy of each seed, by precision.
    """
    lines = ["| precision | test accuracy of each seed | mean | standard deviation |", "|---|---|---|---|"]
    for precision, accuracies in found.items():
        each = ", ".join(f"{accuracy:.4f}" for accuracy in accuracies)
        spread = statistics.stdev(accuracies)
        lines.append(f"| {precision} | {each} | {statistics.mean(accuracies):.4f} | {spread:.4f} |")
    difference = statistics.mean(found["bf16"]) - statistics.mean(found["fp32"])
    seeds = max(statistics.stdev(accuracies) for accuracies in found.values())
    is_same = abs(difference) <= seeds
    verdict = "no more" if is_same else "more"
    lines += ["", f"bf16 differs by {difference:+.4f}, {verdict} than the seeds do among themselves ({seeds:.4f})."]
    return "\n".join(lines) + "\n", is_same


def _accuracy(folder: Path, precision: str, seed: int, epochs: int, threads: int) -> float:
    name = f"{precision}-{epochs}-epochs-seed-{seed}"
    scores = folder / "runs" / name / "scores.json"
    if not scores.exists():
        options = [f"training.precision={precision}", f"training.threads={threads}"]
        command = [sys.executable, "-m", "sonde", "train", str(DATA), *WORDS, "--epochs", str(epochs)]
        command += ["--seed", str(seed), "--name", name, *(word for each in options for word in ("--set", each))]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return float(json.loads(scores.read_text(encoding="utf-8"))["test"]["accuracy"]["value"])


if __name__ == "__main__":
    sys.exit(main())
