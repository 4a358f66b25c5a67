"""Compares the default for a number with ridge regression and gradient boosting: diabetes, five splits of it.

    python benchmarks/regression.py             some minutes
    python benchmarks/regression.py --write     and writes the table of docs/regression.md

Every run is `sonde train diabetes` as anybody types it, but for the seeds: the split's seed and the run's. Of the two
baselines the better one on each test split counts, which favours them. Nothing of the model was chosen on these splits.
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

PAGE = Path(__file__).resolve().parents[1] / "docs" / "regression.md"
BEGIN, END = "<!-- benchmark -->\n", "<!-- end -->"
SEEDS = range(5)
METRICS = ("mae", "rmse")
BASELINES = ("ridge regression", "gradient boosting")
QUICK = ("evaluation.explain=0", "evaluation.resamples=100")
"""What does not change a score."""


def scores(seed: int, folder: Path) -> dict[str, Any]:
    """Train and score one run in a folder, and return what scores.json holds."""
    name = f"seed{seed}"
    command = [sys.executable, "-m", "sonde", "train", "diabetes", "--name", name, "--seed", str(seed)]
    for option in (f"data.split_seed={seed}", *QUICK):
        command += ["--set", option]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=dict(os.environ))
    found: dict[str, Any] = json.loads((folder / "runs" / name / "scores.json").read_text(encoding="utf-8"))
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """Return the table of all splits, and the ratios of each metric with their geometric mean."""
    heads = ["split", "MAE", *(f"{name}, MAE" for name in BASELINES), "RMSE", *(f"{name}, RMSE" for name in BASELINES)]
    lines = ["| " + " | ".join([*heads, "ratio MAE", "ratio RMSE"]) + " |", "|" + "---|" * (len(heads) + 2)]
    ratios: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for seed, row in enumerate(rows):
        cells = [str(seed)]
        for metric in METRICS:
            own = row["test"][metric]["value"]
            others = [row["baselines"][name][metric]["value"] for name in BASELINES]
            ratios[metric].append(own / min(others))
            cells += [f"{value:.2f}" for value in (own, *others)]
        lines.append("| " + " | ".join([*cells, *(f"{ratios[metric][-1]:.3f}" for metric in METRICS)]) + " |")
    means = {metric: statistics.geometric_mean(ratios[metric]) for metric in METRICS}
    told = ", ".join(f"{metric.upper()} {mean:.3f}" for metric, mean in means.items())
    return "\n".join([*lines, "", f"Geometric mean of the ratios of the model to the better baseline: {told}."])


def main() -> None:
    """Run all splits and show the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the table into docs/regression.md")
    write = parser.parse_args().write
    with tempfile.TemporaryDirectory() as folder:
        rows = [scores(seed, Path(folder)) for seed in SEEDS]
    found = table(rows)
    print(found)
    if write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}{found}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
