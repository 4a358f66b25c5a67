"""Learns to write strings of digits backwards, from the command line to the report: what a decoder must be able to do.

    python benchmarks/reversing.py --folder /tmp/reversing

A line of JSON goes to standard output: the share of test strings that are written exactly, with its interval, the same
of the best baseline, and the seconds of the whole command. Strings have one to eight digits and are all different.
"""

import argparse
import json
import random
import subprocess
import sys
import time
from pathlib import Path

LONGEST = 8
"""Digits of a string."""


def strings(count: int, seed: int) -> list[str]:
    """Return different strings of digits, of each length about equally many as far as there are so many."""
    rng = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(rng.choices("0123456789", k=rng.randint(1, LONGEST)))] = None
    return list(found)


def write_pairs(path: Path, count: int, seed: int) -> None:
    """Write a table of strings and their reverses."""
    lines = [f"{each}\t{each[::-1]}" for each in strings(count, seed)]
    path.write_text("\n".join(["source\ttarget", *lines]) + "\n", encoding="utf-8")


def main() -> None:
    """Make the pairs, train on them and say how many are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where pairs and runs are written")
    parser.add_argument("--pairs", type=int, default=6_000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--backend", default="torch")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    write_pairs(given.folder / "reversing.tsv", given.pairs, given.seed)
    name = f"{given.backend}-{given.seed}"
    options = ["model.width=64", "training.batch_size=64", f"training.threads={given.threads}"]
    command = [sys.executable, "-m", "sonde", "train", "reversing.tsv", f"--backend={given.backend}", f"--name={name}"]
    command += [f"--epochs={given.epochs}", f"--seed={given.seed}", *(f"--set={each}" for each in options)]
    began = time.time()
    subprocess.run(command, cwd=given.folder, check=True, stdout=sys.stderr)
    seconds = time.time() - began
    scores = json.loads((given.folder / "runs" / name / "scores.json").read_text(encoding="utf-8"))
    exact = scores["test"]["exact_match"]
    others = {each: value["exact_match"]["value"] for each, value in scores["baselines"].items()}
    told = {"exact_match": exact["value"], "interval": [exact["low"], exact["high"]], "n": exact["n"]}
    print(json.dumps({**told, "best_baseline": max(others.values()), "seconds": round(seconds, 1)}))


if __name__ == "__main__":
    main()
