"""Compares the default for a number with ridge regression and gradient boosting, and finds the area of drawn discs.

    python benchmarks/regression.py             some minutes
    python benchmarks/regression.py --write     and writes the tables of docs/regression.md

Every run is `sonde train DATA` as anybody types it, but for the seeds: the split's seed and the run's. The sets are
diabetes, which is built in, and two that are made here and never change: the first function of Friedman with noise, and
a straight line with next to none. What a set's five test errors come to, on average, is divided by that of the better
of the two baselines. The default was chosen on other draws of Friedman's functions and of lines, by their test rows.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

PAGE = Path(__file__).resolve().parents[1] / "docs" / "regression.md"
BEGIN, END = "<!-- benchmark -->\n", "<!-- end -->"
SEEDS = range(5)
METRICS = ("mae", "rmse")
SETS = ("diabetes", "friedman.csv", "line.csv")
DISCS, SIDE = 600, 32
BASELINES = ("ridge regression", "gradient boosting")
QUICK = ("evaluation.explain=0", "evaluation.resamples=100")
"""What does not change a score."""


def write_table(path: Path, inputs_NF: Any, numbers_N: Any) -> None:
    """Write a table whose columns are called by words, so that it is not taken for series."""
    names = [word for word, _ in zip(WORDS, inputs_NF.T, strict=False)]
    rows = [",".join(f"{value:.6g}" for value in (*row, y)) for row, y in zip(inputs_NF, numbers_N, strict=True)]
    path.write_text("\n".join([",".join([*names, "target"]), *rows]) + "\n")


WORDS = ("oak", "elm", "ash", "fir", "yew", "fig", "bay", "box", "gum", "nut")


def make_sets(folder: Path) -> None:
    """Write the two tables: Friedman's first function of five of ten numbers, and a line of eight."""
    from sklearn.datasets import make_friedman1

    write_table(folder / "friedman.csv", *make_friedman1(1000, 10, noise=1.0, random_state=1991))
    rng = np.random.default_rng(1805)
    inputs_NF = rng.normal(size=(500, 8))
    write_table(folder / "line.csv", inputs_NF, 20 + inputs_NF @ rng.normal(size=8) + 0.1 * rng.normal(size=500))


def make_discs(folder: Path) -> None:
    """Write pictures of a bright disc somewhere, and a table of their areas in pixels."""
    from PIL import Image

    rng = np.random.default_rng(314)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    lines = ["path,area"]
    (folder / "discs").mkdir()
    for number in range(DISCS):
        radius = rng.uniform(3, 12)
        centre = rng.uniform(radius, SIDE - radius, 2)
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
        pixels = np.clip(rng.normal(80, 15, disc.shape) + 90 * disc, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"discs/{number:03}.png")
        lines.append(f"discs/{number:03}.png,{np.pi * radius**2:.2f}")
    (folder / "discs.csv").write_text("\n".join(lines) + "\n")


def scores(data: str, seed: int, folder: Path) -> dict[str, Any]:
    """Train and score one run in a folder, and return what scores.json holds."""
    name = f"{Path(data).stem}-seed{seed}"
    command = [sys.executable, "-m", "sonde", "train", data, "--name", name, "--seed", str(seed)]
    for option in (f"data.split_seed={seed}", *QUICK):
        command += ["--set", option]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=dict(os.environ))
    found: dict[str, Any] = json.loads((folder / "runs" / name / "scores.json").read_text(encoding="utf-8"))
    return found


def table(rows_of: dict[str, list[dict[str, Any]]]) -> str:
    """Return a line for each set: the mean errors of the model and both baselines, and the ratio to the better one."""
    heads = ["data", "MAE", *(f"{name}, MAE" for name in BASELINES), "RMSE", *(f"{name}, RMSE" for name in BASELINES)]
    lines = ["| " + " | ".join([*heads, "ratio MAE", "ratio RMSE"]) + " |", "|" + "---|" * (len(heads) + 2)]
    for data, rows in rows_of.items():
        cells, ratios = [Path(data).stem], []
        for metric in METRICS:
            own = statistics.mean(row["test"][metric]["value"] for row in rows)
            others = [statistics.mean(row["baselines"][name][metric]["value"] for row in rows) for name in BASELINES]
            ratios.append(own / min(others))
            cells += [f"{value:.4g}" for value in (own, *others)]
        lines.append("| " + " | ".join([*cells, *(f"{ratio:.3f}" for ratio in ratios)]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run all sets and show the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the tables into docs/regression.md")
    write = parser.parse_args().write
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_sets(folder)
        make_discs(folder)
        rows_of = {data: [scores(data, seed, folder) for seed in SEEDS] for data in SETS}
        discs = scores("discs.csv", 0, folder)["test"]["r2"]
    of_discs = f"{discs['value']:.4f} ({discs['low']:.4f} to {discs['high']:.4f})"
    found = f"{table(rows_of)}\n\nArea of a drawn disc, {DISCS} pictures of {SIDE} x {SIDE}: test R² {of_discs}."
    print(found)
    if write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}{found}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
