"""Measures how many images a second a core makes ready, against torch's DataLoader and `tf.data`.

    python benchmarks/loader.py                          every case; about a quarter of an hour on two cores
    python benchmarks/loader.py --cases small windows    some of them
    python benchmarks/loader.py --write                  and writes docs/loader.md

What is measured is all between the stored images and a float32 batch: drawing, gathering or decoding, augmenting,
scaling. The kinds of batches are in loader_cases.py, sonde's way in loader_worker.py, the others' in loader_peers.py,
and how the turns are taken in measuring.py. sonde takes part twice; what its two processes differ by is the noise.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from loader_cases import CASES, FLOWERS, make_files
from measuring import (
    Contender,
    Plan,
    Result,
    Results,
    Spread,
    machine,
    measure,
    run_once,
    table,
    thread_environment,
)

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "loader.md"
WORKER = Path(__file__).with_name("loader_worker.py")
PACKAGES = ("numpy", "opencv-python-headless", "pillow", "torch", "tensorflow")

OURS, AGAIN = "sonde", "sonde (again)"
LEAST = 2.5
"""How many times the best DataLoader's images for each core sonde is to make of cached 224-pixel crops with flip."""
CACHED_CROPS = ("windows", "resized")
LARGEST_SHARE = 0.05
"""Of a step of the small CNN."""

CONTENDERS: dict[str, tuple[str, int]] = {
    OURS: ("sonde", 0),
    **{f"DataLoader, tutorial, {workers} workers": ("tutorial", workers) for workers in range(3)},
    **{f"DataLoader, tensors, {workers} workers": ("tensors", workers) for workers in range(3)},
    **{f"DataLoader, expert, {workers} workers": ("expert", workers) for workers in range(3)},
    "tf.data": ("tf.data", 0),
    AGAIN: ("sonde", 0),
}
"""Way and number of worker processes of each, in the order of the tables and of the first round."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure what is asked for and print the tables; returns 1 where a figure is not reached.

    Args:
        words: the words behind the command; those of this process when left out.
    """
    chosen = _parser().parse_args(words)
    plan = Plan(chosen.rounds, chosen.seconds, chosen.cores)
    wanted = [name for name in CONTENDERS if not chosen.contenders or name in chosen.contenders]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_files(folder)
        shares = {} if chosen.no_step else {kind: _step(kind, plan, folder) for kind in ("fp32", "bf16")}
        cached = [name for name in chosen.cases or CASES if CASES[name].kind != "decode"]
        parts = {name: _told(("parts", name, str(folder)), 1) for name in cached}
        measured = {}
        for case in chosen.cases or CASES:
            print(f"{case}:", file=sys.stderr)
            measured[case] = _measure(case, wanted, plan, folder)
    text = _figures(measured, shares) + "".join(_section(*each) for each in measured.items())
    text += _steps(shares) + _parts(parts)
    print(text)
    if chosen.write:
        PAGE.write_text(f"{_head(plan)}\n{text}{_tail()}", encoding="utf-8")
    missed = [row for row in _promises(measured, shares) if row[-1] == "no"]
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=list(CASES), help="all when left out")
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), help="all when left out")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="aim for one burst")
    parser.add_argument("--cores", type=int, default=2, help="that each contender is kept to")
    parser.add_argument("--no-step", action="store_true", help="leave the loader's part in a training step out")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} too")
    return parser


def _measure(case: str, wanted: Sequence[str], plan: Plan, folder: Path) -> tuple[Results, Results]:
    """Return the results by the clock on the wall, and those by processor time, workers included."""
    contenders, files = [], {}
    for number, name in enumerate(wanted):
        way, workers = CONTENDERS[name]
        if way == "tensors" and CASES[case].kind == "decode":
            continue
        files[name] = folder / f"{case}-{number}.txt"
        job = (case, way, str(workers), str(plan.threads), str(folder), str(files[name]))
        # One operation takes one thread: what is measured is work, and images are many.
        contenders.append(Contender(name, (sys.executable, str(WORKER), *job), thread_environment(1)))
    wall = measure(contenders, plan)
    return wall, Results({name: _by_processor(result, files[name]) for name, result in wall.items()})


def _by_processor(result: Result, file: Path) -> Result:
    if result.failed:
        return result
    # The bursts before were for finding out how many steps one takes.
    lines = file.read_text(encoding="utf-8").split()[-len(result.seconds) :]
    return replace(result, seconds=[max(float(line), 1e-9) for line in lines])


def _step(precision: str, plan: Plan, folder: Path) -> dict[str, float]:
    return _told(("step", precision, str(plan.threads), str(folder)), plan.threads)


def _told(words: Sequence[str], threads: int) -> dict[str, float]:
    """Return what a worker prints as JSON."""
    run = run_once([sys.executable, str(WORKER), *words], environment=thread_environment(threads))
    lines = run.output.strip().splitlines()
    if run.code or not lines:
        print(f"{' '.join(words[:2])}: failed with exit code {run.code}", file=sys.stderr)
        return {}
    found: dict[str, float] = json.loads(lines[-1])
    return found


def _figures(measured: dict[str, tuple[Results, Results]], shares: dict[str, dict[str, float]]) -> str:
    return table(("what", "asked", "seen (quartiles)", "noise", "reached"), _promises(measured, shares)) + "\n"


def _promises(
    measured: dict[str, tuple[Results, Results]], shares: dict[str, dict[str, float]]
) -> list[tuple[str, ...]]:
    """Return the rows of what was asked for."""
    rows = []
    for case in (each for each in CACHED_CROPS if each in measured):
        spent = measured[case][1]
        best = _best(spent)
        seen = spent.ratio(OURS, best) if best else None
        if seen is not None:
            reached = "yes" if seen.median >= LEAST else "no"
            noise = _noise(spent)
            what = f"{CASES[case].title}: sonde / {best}, for each core"
            rows.append((what, f"≥ {LEAST}×", seen.text(unit="×"), noise, reached))
    for precision, each in shares.items():
        if each:
            # Others' work makes a step longer, but not the processor time that it takes: the stricter of both counts.
            share = each["busy"] / min(each["step"], each["processor"])
            what = f"the loader's processor time / a step of the small CNN, batches of 128, {precision}"
            rows.append((what, f"≤ {LARGEST_SHARE:.0%}", f"{share:.1%}", "", "yes" if share <= LARGEST_SHARE else "no"))
    return rows


def _best(spent: Results) -> str:
    """Return the DataLoader that makes the most images for each core."""
    rates = {
        name: Spread.of(result.rates()).median
        for name, result in spent.items()
        if name.startswith("DataLoader") and not result.failed
    }
    return max(rates, key=lambda name: rates[name], default="")


def _noise(spent: Results) -> str:
    null = spent.ratio(OURS, AGAIN)
    return null.text(unit="×") if null else ""


def _section(case: str, both: tuple[Results, Results]) -> str:
    wall, spent = both
    row, rows = CASES[case], []
    for name in wall:
        if wall[name].failed:
            rows.append((name, f"failed: {wall[name].failed}", "", ""))
            continue
        speeds = [Spread.of([rate * row.batch for rate in each[name].rates()]) for each in (spent, wall)]
        ratio = spent.ratio(OURS, name)
        rows.append((name, *(speed.text(",.0f") for speed in speeds), ratio.text(unit="×") if ratio else ""))
    head = ("who", "images/s for each core", "images/s", "sonde / this, for each core")
    return f"\n## {row.title}\n\nBatches of {row.batch}.\n\n{table(head, rows)}"


def _steps(shares: dict[str, dict[str, float]]) -> str:
    rows = [
        (name, *(f"{1000 * each[key]:.2f} ms" for key in ("step", "processor", "busy", "wait")))
        for name, each in shares.items()
        if each
    ]
    if not rows:
        return ""
    head = ("precision", "a step, its wait included", "processor time", "of that the loader's", "wait for the loader")
    return (
        "\n## The loader's part in a training step\n\nThe small CNN of `engine.py` on 32-pixel images in batches of "
        f"128, moved and flipped, with sonde on torch; medians of an epoch.\n\n{table(head, rows)}"
    )


def _parts(parts: dict[str, dict[str, float]]) -> str:
    rows = [(CASES[case].title, name, f"{cost:.1f}") for case, each in parts.items() for name, cost in each.items()]
    if not rows:
        return ""
    return f"\n## Where sonde's time goes\n\n{table(('batches', 'part', 'processor time, µs for an image'), rows)}"


def _head(plan: Plan) -> str:
    pictures = "flowers out of ../shared/data" if FLOWERS.exists() else "smooth noise"
    return (
        "# How fast images are made ready\n\n*Written by `python benchmarks/loader.py --write`.*\n\n"
        f"{machine(PACKAGES, threads=1)} Each contender is kept to {plan.threads} cores.\n\n"
        f"From stored images ({pictures}) to float32 batches. Each contender is a process that stays alive; they take "
        f"turns in bursts of about {plan.seconds:g} s, {plan.rounds} rounds, one computing while the others sleep. A "
        "figure is the median of the rounds, in brackets the quartiles; a ratio is taken within each round. *For each "
        "core* counts the processor time of all threads and worker processes; the noise is the ratio of two of "
        "sonde's processes that do the same.\n\n## What was asked\n"
    )


def _tail() -> str:
    return (
        "\n## How to read it\n\n"
        "- *DataLoader, tutorial*: one Pillow image at a time, with the transforms that torchvision's documentation "
        "chains (crop, flip, `ToTensor`, `Normalize`), written out. *tensors*: the same on uint8 tensors. *expert*: "
        "numpy and OpenCV on uint8, the whole batch scaled at once and left channels last; JPEG files are decoded at a "
        "smaller scale. Worker processes stay alive.\n"
        "- *tf.data*: shuffle, map, batch, prefetch, as its guide shows.\n"
        "- *sonde*: what a training reads from, `TrainingSet.batches`, for cached images. Its thread makes one batch "
        "ahead and throws the last one of a burst away. From JPEG: what fills the cache, which happens once for a data "
        "set and not in each epoch; images that shrink are averaged over areas, which costs more than the two-pixel "
        "interpolation of `tf.data`.\n"
        "- A part that is cut out and enlarged: half of sonde's time is OpenCV's `resize`, which the expert's "
        "loader calls too; what sonde does not spend is the rest.\n"
        "- sonde stores images at the size that the model reads. Its nearest thing to a crop of 224 out of 256 pixels "
        "is to move 224 by up to 16, with the border repeated.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
