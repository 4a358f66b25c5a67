"""Trains the runs whose figures are promised and prints what they reached; runs that are there already are only read.

    python benchmarks/figures.py                       all of them; about half an hour on two cores
    python benchmarks/figures.py digits flowers5       some of them
    python benchmarks/figures.py --write               and writes docs/figures.md

Real data is read from ../shared/data; a row whose data is not there is left out, and that is said. Each run is one
`sonde train` command in a process of its own, in the folder given by --folder.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "figures.md"


@dataclass(frozen=True)
class Figure:
    """One run and the test accuracy that it is to reach."""

    data: str
    """A built-in name, or a folder of ../shared/data."""
    words: tuple[str, ...]
    """What follows `sonde train DATA`."""
    least: float | None
    """Test accuracy to reach; None where a sensible report is all that is asked."""

    def source(self) -> str:
        """Return what the command names."""
        return self.data if self.data == "digits" else str(SHARED / self.data)

    def command(self) -> str:
        """Return the command as a reader of this repository would type it."""
        place = self.data if self.data == "digits" else f"../shared/data/{self.data}"
        return " ".join(["sonde train", place, *self.words])


FIGURES = {
    "digits": Figure("digits", (), 0.98),
    "fashion-torch": Figure("fashion-mnist", ("--epochs", "5"), 0.91),
    "fashion-tensorflow": Figure("fashion-mnist", ("--epochs", "5", "--backend", "tensorflow"), None),
    "mnist-rnn": Figure("mnist", ("--model", "rnn", "--epochs", "5"), 0.98),
    "flowers5": Figure("flowers5", (), None),
}
"""The runs, in the order of the table."""


def main(words: Sequence[str] | None = None) -> int:
    """Run what is missing and print the table.

    Args:
        words: the words behind the command; those of this process when left out.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*FIGURES, []], help="rows; all when left out")
    parser.add_argument("--folder", type=Path, default=Path("build") / "figures", help="where the runs are made")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} too")
    chosen = parser.parse_args(words)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    rows = [row for name in chosen.names or FIGURES if (row := _row(name, FIGURES[name], chosen.folder))]
    text = _table(rows)
    print(text)
    if chosen.write:
        PAGE.write_text(f"{_head(chosen.folder, rows)}\n{text}{_tail()}", encoding="utf-8")
    missed = [row["name"] for row in rows if row["least"] and row["accuracy"]["value"] < row["least"]]
    if missed:
        print(f"not reached: {', '.join(missed)}")
    return 1 if missed else 0


def _row(name: str, figure: Figure, folder: Path) -> dict[str, Any] | None:
    if figure.data != "digits" and not Path(figure.source()).exists():
        print(f"{name}: left out, since ../shared/data/{figure.data} is not there")
        return None
    run = folder / "runs" / name
    if not (run / "scores.json").exists():
        command = [sys.executable, "-m", "sonde", "train", figure.source(), *figure.words, "--name", name]
        done = subprocess.run(command, cwd=folder, check=False)
        if done.returncode:
            raise SystemExit(f"{figure.command()} ended with exit code {done.returncode}")
    scores = json.loads((run / "scores.json").read_text(encoding="utf-8"))
    history = [json.loads(line) for line in (run / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    return {
        "name": name,
        "command": figure.command(),
        "least": figure.least,
        "accuracy": scores["test"]["accuracy"],
        "baseline": scores["baselines"]["logistic regression on pixels"]["accuracy"],
        "epochs": len(history),
        "seconds": sum(record["clock"]["seconds"] for record in history),
    }


def _table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        "| command | asked | test accuracy (95 % interval) | linear baseline | epochs | training |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        score = row["accuracy"]
        reached = f"{score['value']:.4f} ({score['low']:.4f} to {score['high']:.4f}), n = {score['n']:,}"
        asked = f"≥ {row['least']}" if row["least"] else "-"
        linear = f"{row['baseline']['value']:.3f}"
        lines.append(
            f"| `{row['command']}` | {asked} | {reached} | {linear} | {row['epochs']} | {row['seconds']:.0f} s |"
        )
    return "\n".join(lines) + "\n"


def _head(folder: Path, rows: Sequence[dict[str, Any]]) -> str:
    run = folder / "runs" / rows[0]["name"]
    facts = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    packages = ", ".join(f"{name} {number}" for name, number in facts["packages"].items())
    return (
        "# Figures\n\n*Written by `python benchmarks/figures.py --write`.* The times are those of a machine that did "
        "other work beside, and say little; a run that was there already was read and not repeated.\n\n"
        f"{facts['processor']}, {facts['cores']} cores; "
        f"Python {facts['python']}, {packages}.\n"
    )


def _tail() -> str:
    return (
        "\nThe other measurements: `python benchmarks/parity.py` ([parity.md](parity.md)) and "
        "`python benchmarks/kills.py`, which ends with how many kills it made and how many runs were exact.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
