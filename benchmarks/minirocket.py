"""Compares sonde's MiniRocket with aeon's: accuracy on official splits, and the time of a training with its answers.

    python -m venv AEON && AEON/bin/pip install aeon      an environment of its own: aeon is no part of sonde's
    python benchmarks/minirocket.py AEON/bin/python ../shared/data/ucr           five minutes on two quiet cores
    python benchmarks/minirocket.py AEON/bin/python ../shared/data/ucr --write   and writes docs/minirocket.md

Both train on all training series. They take turns (measuring.py); compiling and importing are not timed.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import measuring
import numpy as np
from measuring import Contender, Plan, Results

from sonde import data

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "minirocket.md"
WORKER = Path(__file__).with_name("minirocket_worker.py")
SETS = {
    "ACSF1": "ACSF1",
    "ArrowHead": "ArrowHead",
    "GunPoint": "GunPoint",
    "ItalyPowerDemand": "ItalyPowerDemand",
    "OSULeaf": "OSULeaf",
    "BasicMotions": "BasicMotions",
    # aeon's reads series of one length only, so that both get those that were stretched to one.
    "JapaneseVowels (one length)": "JapaneseVowels/JapaneseVowels_eq_TRAIN.ts",
}
"""Paths below the folder of data sets, by the name that is shown."""

TEXT = """# MiniRocket beside aeon's

*Written by `python benchmarks/minirocket.py AEON_PYTHON DATA --write`.*

The same method (Dempster et al., 2021) twice: `minirocket` of sonde on torch, and `MiniRocketClassifier` of aeon {aeon}
with its defaults. Official splits; both train on all training series. The accuracy is the mean over {seeds} seeds, a
difference within 0.01 is asked for. The time is that of a training and the answers to all test series. The two take
turns in processes that stay alive, so that neither imports nor aeon's compiling count. Times are medians, their ratio
that of the rounds with its quartiles; above 1, sonde is faster.

{table}

{machine}
"""


def write_arrays(source: Path, file: Path) -> None:
    """Write a data set as arrays that both contenders read.

    Args:
        source: the data set.
        file: the .npz file to write.
    """
    listing = data.survey(str(source), data.Options())
    assert isinstance(listing.content, np.ndarray), "series of one length"
    _, truth = np.unique(listing.truth, return_inverse=True)
    train, test = (listing.splits == split for split in ("train", "test"))
    np.savez(
        file,
        train=listing.content[train],
        test=listing.content[test],
        train_answers=truth[train],
        test_answers=truth[test],
    )


def compare(python: str, source: Path, plan: Plan) -> Results:
    """Let both train on one data set, in turns.

    Args:
        python: of the environment that holds aeon.
        source: the data set.
        plan: rounds, seconds, threads.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "series.npz"
        write_arrays(source, file)
        said = (str(WORKER), "{}", str(file), str(plan.threads))
        commands = {who: tuple(word.format(who) for word in said) for who in ("sonde", "aeon")}
        contenders = [
            Contender("sonde", (sys.executable, *commands["sonde"])),
            Contender("aeon", (python, *commands["aeon"])),
        ]
        return measuring.measure(contenders, plan)


def row(name: str, results: Results) -> list[str]:
    """Return a data set's line of the table.

    Args:
        name: of the data set.
        results: of both contenders.
    """
    failed = next((f"{each.name}: {each.failed}" for each in results.values() if each.failed), "")
    ratio = results.ratio("sonde", "aeon")
    if ratio is None:
        return [name, failed, "", "", "", "", ""]
    means = [statistics.mean(results[who].facts["accuracy"]) for who in ("sonde", "aeon")]
    times = [statistics.median(results[who].seconds) / results[who].steps for who in ("sonde", "aeon")]
    accuracies = [f"{mean:.3f}" for mean in means]
    return [
        name,
        *accuracies,
        f"{means[0] - means[1]:+.3f}",
        *(f"{each:.2f} s" for each in times),
        ratio.text(unit="×"),
    ]


def main() -> None:
    """Measure, print the table, and write the page where that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("python", help="of an environment that holds aeon")
    parser.add_argument("data", type=Path, help="folder of the UCR data sets")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=list(SETS), help="names of data sets")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    asked = parser.parse_args()
    plan = Plan(rounds=asked.rounds, seconds=1.0, threads=asked.threads)
    rows = []
    for name in asked.only:
        print(name, file=sys.stderr, flush=True)
        rows.append(row(name, compare(asked.python, asked.data / SETS[name], plan)))
        print(" | ".join(rows[-1]), file=sys.stderr, flush=True)
    head = ("data", "sonde", "aeon", "difference", "time, sonde", "time, aeon", "aeon's time over sonde's")
    table = measuring.table(head, rows)
    print(table)
    if asked.write:
        told = [asked.python, "-c", "import importlib.metadata as m; print(m.version('aeon'))"]
        aeon = subprocess.run(told, capture_output=True, text=True, check=True).stdout.strip()
        machine = measuring.machine(("numpy", "torch", "keras"), threads=asked.threads)
        PAGE.write_text(TEXT.format(aeon=aeon, seeds=3, table=table, machine=machine), encoding="utf-8")


if __name__ == "__main__":
    main()
