"""Trains several models on data sets of series, keeps the one that validation prefers, and tells its test accuracy.

    python benchmarks/series_zoo.py ../shared/data/ucr/GunPoint ../shared/data/ucr/OSULeaf
    python benchmarks/series_zoo.py ../shared/data/mnist1d --models mlp rnn fcn --seeds 1

Nothing is chosen on the test: of each seed, the model with the best validation accuracy is kept, the earlier one
of the list where two are equal. The runs lie in the folder that --into names.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import sonde

MODELS = ("minirocket", "fcn", "resnet", "inceptiontime")
"""What is tried, the cheapest first."""


def trained(source: Path, model: str, seed: int) -> tuple[float, float, float]:
    """Train one model; returns its best validation accuracy, its test accuracy, and the seconds it took.

    Args:
        source: the data set.
        model: a name of `sonde list models`.
        seed: of the run.
    """
    began = time.perf_counter()
    run = sonde.train(source, model=model, seed=seed, name=f"{source.name}-{model}-{seed}")
    validation = max(epoch["validation"]["accuracy"] for epoch in run.history())
    test = json.loads(run.scores_file.read_text(encoding="utf-8"))["test"]["accuracy"]["value"]
    return validation, test, time.perf_counter() - began


def main() -> None:
    """Train all, and print a line for each data set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("data", nargs="+", type=Path, help="data sets of series")
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--into", type=Path, default=Path("zoo"), help="folder for the runs")
    asked = parser.parse_args()
    sources = [source.resolve() for source in asked.data]
    asked.into.mkdir(parents=True, exist_ok=True)
    os.chdir(asked.into)
    for source in sources:
        kept = []
        for seed in range(asked.seeds):
            found = {model: trained(source, model, seed) for model in asked.models}
            # `max` keeps the first of equal ones.
            best = max(found, key=lambda model: found[model][0])
            kept.append(found[best][1])
            told = ", ".join(f"{name} {each[0]:.3f} / {each[1]:.3f} in {each[2]:.0f} s" for name, each in found.items())
            print(f"{source.name}, seed {seed}: kept {best} (validation / test: {told})", flush=True)
        print(f"{source.name}: {statistics.mean(kept):.4f} on the test, mean of {asked.seeds} seeds", flush=True)


if __name__ == "__main__":
    main()
