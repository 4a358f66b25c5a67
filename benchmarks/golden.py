"""Trains small runs of every task and compares them bit by bit with what was kept of the same runs.

    python benchmarks/golden.py                     all runs, some four minutes of one core
    python benchmarks/golden.py --only text-one folds
    python benchmarks/golden.py --against HEAD~3    instead with what that commit leaves on this machine
    python benchmarks/golden.py --write             keep what this tree leaves, in benchmarks/golden/

Code that is moved must not move a result: scores, predictions, weights, what was fitted for decisions, and the history
are compared. Bits depend on the processor and on the libraries, so that on another machine than the one the values
were kept on --against is the way; values.json says which one that was. Weights and probabilities are kept whole, so
that a difference has a size.

Exit code 1 means that one value differs, or that a run failed.
"""

import argparse
import ast
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import golden_data
import golden_values
import measuring
from golden_values import Part

RENAMED: dict[str, str] = {
    "training.label_smoothing": "classification.label_smoothing",
    "training.loss": "classification.loss",
    "training.focal_gamma": "classification.focal_gamma",
    "training.class_weights": "classification.class_weights",
    "training.sampling": "classification.sampling",
    "training.logit_adjustment": "classification.logit_adjustment",
    "text.checkpoint": "model.weights",
    "evaluation.tune_for": "classification.tune_for",
    "evaluation.positive": "classification.positive",
    "evaluation.coverage": "classification.coverage",
    "evaluation.sets": "classification.sets",
    "evaluation.sets_by_class": "classification.sets_by_class",
    "evaluation.wanted_accuracy": "classification.wanted_accuracy",
    "evaluation.wanted_share": "classification.wanted_share",
}
"""Options, such as training.label_smoothing, or whole words, such as training.loss=focal, and what they are called now.
The commands below keep the names of the commit that the values are of; --against reads this table of its commit."""

ROOT = Path(__file__).parents[1]
KEPT = Path(__file__).with_suffix("")

EVERYWHERE = (
    "training.precision=fp32",
    "training.threads=1",
    "data.validation=0.3",
    "evaluation.explain=0",
    "evaluation.resamples=100",
    "evaluation.mistakes=4",
)
"""Options of every run. Without a fixed precision and number of threads a machine would choose its own; with a tenth of
so few examples for validation no temperature and no threshold would be fitted."""

RUNS: dict[str, str] = {
    "image-one": "digits --epochs 4 --model cnn model.width=4 model.stages=2 training.learning_rate=0.01",
    "image-several": "DATA/pictures/list.csv --epochs 4 --model cnn model.width=4 model.stages=2 augment.shift=0.1 "
    "training.learning_rate=0.02",
    "text-one": "DATA/texts.csv --epochs 4 model.width=8 model.ngrams=2 model.buckets=256 augment.drop=0.1",
    "text-several": "DATA/topics.csv --epochs 4 --model textcnn model.embedding=8 model.filters=4",
    "audio-one": "DATA/tones --epochs 5 model.width=2 model.units=8 training.learning_rate=0.01",
    "audio-several": "DATA/chords/list.csv --epochs 4 --model dscnn model.width=8 augment.mix=0.3 audio.bands=20 "
    "training.learning_rate=0.01",
    "series-one": "DATA/waves.npz --epochs 4 --model fcn model.width=4 augment.jitter=0.1 augment.window=0.1 "
    "training.learning_rate=0.02",
    "series-several": "DATA/readings.csv --epochs 3 --model rnn model.width=8",
    "table-one": "wine --epochs 4 model.width=8 training.learning_rate=0.02",
    "table-several": "DATA/offers.csv --epochs 4 model.width=8 data.label_column=wants_card,wants_loan,wants_visit "
    "training.learning_rate=0.02",
    "folds": "wine --epochs 3 --folds 3 model.width=8 training.learning_rate=0.02",
    "seeds": "DATA/offers.csv --epochs 3 --seeds 2 model.width=8 data.label_column=wants_card,wants_loan",
    "weighted": "DATA/rare-texts.csv --epochs 4 model.width=8 training.learning_rate=0.02 "
    "training.class_weights=balanced evaluation.tune_for=f1 evaluation.positive=complaint training.batch_size=24",
    "sampled": "DATA/loans.csv --epochs 4 model.width=8 training.learning_rate=0.02 training.sampling=balanced "
    "training.loss=focal evaluation.tune_for=balanced_accuracy evaluation.sets=aps",
    "adjusted": "DATA/loans.csv --epochs 4 model.width=8 training.learning_rate=0.02 training.logit_adjustment=1 "
    "evaluation.wanted_accuracy=0.9 table.scaling=standard",
    "minirocket": "DATA/waves.npz model.levels=3",
    "minirocket-several": "DATA/readings.csv model.levels=2",
    "pretrained": "DATA/texts.csv --epochs 4 text.checkpoint=DATA/encoder training.learning_rate=0.003",
    "accumulated": "DATA/texts.csv --epochs 3 --model transformer model.width=8 model.depth=1 model.heads=2 "
    "training.accumulate=4 classification.label_smoothing=0.1",
    "augmented": "digits --epochs 4 --model resnet model.width=4 augment.flip=0.5 augment.shift=0.1 augment.rotate=10 "
    "augment.crop=0.2 augment.erase=0.3 evaluation.views=flip-and-shift training.average=0.9 training.optimizer=muon "
    "training.learning_rate=0.02",
}
"""What is trained, as `sonde train` is told; rates are high, so that few epochs learn something. Words with a dot are
options, DATA is the folder of golden_data.py."""

ENSEMBLES: dict[str, tuple[str, ...]] = {"ensemble": ("image-one", "augmented")}
"""Averages of runs above, each counting by how likely it found the truth on validation."""


def command(name: str, data: Path, renamed: Mapping[str, str]) -> list[str]:
    """Return the words of a run after `sonde`.

    Args:
        name: of RUNS or ENSEMBLES.
        data: folder of the data sets.
        renamed: what options are called that were called otherwise.
    """
    if name in ENSEMBLES:
        words = ["ensemble", *(f"runs/{each}" for each in ENSEMBLES[name]), "--weights", "validation"]
    else:
        words = ["train", "--backend", "torch", "--seed", "1"]
        for word in [*RUNS[name].split(), *EVERYWHERE]:
            option, sign, value = word.partition("=")
            now = renamed.get(word, renamed.get(option, option) + sign + value).replace("DATA", str(data))
            words += ["--set", now] if sign else [now]
    return [*words, "--name", name]


def run(name: str, place: Path, tree: Path, renamed: Mapping[str, str]) -> dict[str, Part]:
    """Train one run in a process of its own, and read all folders that it left.

    Args:
        name: of RUNS or ENSEMBLES.
        place: working folder, with the data in it.
        tree: the sources to run, a checkout of sonde.
        renamed: see RENAMED.

    Returns:
        The run's own folder as "run", and those of its folds or seeds by what is added to the name.

    Raises:
        RuntimeError: it failed; with the end of what it printed.
    """
    before = {path.name for path in (place / "runs").glob("*")}
    process = subprocess.run(
        [sys.executable, "-m", "sonde", *command(name, Path("data"), renamed)],
        cwd=place,
        env={**os.environ, **measuring.COMPILED, **measuring.thread_environment(1)}
        | {"PYTHONPATH": str(tree / "src"), "SONDE_CACHE": str(place / "cache")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if process.returncode:
        raise RuntimeError(process.stdout[-2000:])
    folders = sorted(path for path in (place / "runs").iterdir() if path.name not in before)
    return {path.name.removeprefix(name).lstrip("-") or "run": golden_values.read(path) for path in folders}


def run_all(names: Sequence[str], place: Path, tree: Path, renamed: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Yield each run's name with its parts, or with the RuntimeError that it ended with."""
    place.mkdir(parents=True)
    golden_data.make_all(place / "data")
    for name in names:
        try:
            yield name, run(name, place, tree, renamed)
        except RuntimeError as error:
            yield name, error


def with_members(names: Sequence[str]) -> list[str]:
    """Return the names, with the runs that ensembles among them are made of, in the order of the tables."""
    wanted = {*names, *(member for name in names for member in ENSEMBLES.get(name, ()))}
    return [name for name in (*RUNS, *ENSEMBLES) if name in wanted]


def differences(kept: Mapping[str, Part], found: Mapping[str, Part]) -> list[str]:
    """Return a line for each group of values of a run's parts that differ."""
    lines = [f"{name} is not there" for name in kept if name not in found]
    for name, part in kept.items():
        if name in found:
            lines += [f"{name}: {line}" for line in golden_values.differences(part, found[name])]
    return lines


def machine() -> dict[str, Any]:
    """Return what bits depend on: instruction sets of the processor, and versions of what computes."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        told = ""
    flags = {flag for line in told.splitlines() if line.startswith(("flags", "Features")) for flag in line.split()}
    computing = sorted(flag for flag in flags if flag.startswith(("avx", "amx", "fma", "asimd", "sve")))
    packages = ("torch", "keras", "numpy", "scipy", "scikit-learn")
    versions = {name: metadata.version(name) for name in packages}
    return {"processor": platform.machine(), "flags": computing, "python": platform.python_version(), **versions}


def git(*words: str) -> str:
    """Return what git prints in this checkout."""
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def checkout(commit: str, folder: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Check a commit out for a while; yields its tree and what it calls options that were called otherwise."""
    git("worktree", "add", "--detach", str(folder), commit)
    try:
        script = folder / Path(__file__).relative_to(ROOT)
        yield folder, _renamed_in(script.read_text(encoding="utf-8")) if script.exists() else {}
    finally:
        git("worktree", "remove", "--force", str(folder))


def _renamed_in(script: str) -> dict[str, str]:
    for node in ast.parse(script).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "RENAMED" and node.value:
            return dict(ast.literal_eval(node.value))
    return {}


def load() -> tuple[dict[str, Any], dict[str, dict[str, Part]]]:
    """Return the machine and the commit that the kept values are of, and the parts of each run."""
    values = json.loads((KEPT / "values.json").read_text(encoding="utf-8"))
    runs = {name: golden_values.kept(trees, KEPT / f"{name}.safetensors") for name, trees in values["runs"].items()}
    return values["of"], runs


def write(runs: Mapping[str, Mapping[str, Part]]) -> None:
    """Keep runs; others that were kept stay."""
    file = KEPT / "values.json"
    values = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"runs": {}}
    trees = {name: golden_values.keep(parts, KEPT / f"{name}.safetensors") for name, parts in runs.items()}
    trees = values["runs"] | trees
    of = {"commit": git("log", "-1", "--format=%H", "--", "src"), **machine()}
    whole = {"of": of, "runs": {name: trees[name] for name in (*RUNS, *ENSEMBLES) if name in trees}}
    file.write_text(golden_values.written(whole) + "\n", encoding="utf-8")


def expected(chosen: argparse.Namespace, names: Sequence[str], place: Path) -> dict[str, dict[str, Part]]:
    """Return what the runs are compared with: what was kept, or what another commit leaves now."""
    if not chosen.against:
        of, kept = load()
        here = machine()
        others = [f"{key} {of[key]} there, {here[key]} here" for key in here if of[key] != here[key]]
        if others:
            print(
                f"The values were kept on another machine; --against {of['commit'][:7]} is fairer. {'; '.join(others)}"
            )
        return kept
    found = {}
    with checkout(chosen.against, place / "tree") as (tree, renamed):
        for name, parts in run_all(names, place / "against", tree, renamed):
            if isinstance(parts, RuntimeError):
                print(f"{name}: {chosen.against} fails\n{parts}", flush=True)
            else:
                found[name] = parts
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns 1 where a value differs or a run failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=(*RUNS, *ENSEMBLES), default=[*RUNS, *ENSEMBLES], metavar="NAME")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--against", metavar="COMMIT")
    what.add_argument("--write", action="store_true")
    chosen = parser.parse_args(words)
    names = with_members(chosen.only)
    if chosen.write and git("status", "--porcelain", "src"):
        parser.error("src has changes that no commit holds, so that nobody could say what the values are of.")
    with tempfile.TemporaryDirectory(prefix="sonde-golden-") as folder:
        place = Path(folder)
        wanted = {} if chosen.write else expected(chosen, names, place)
        left: dict[str, dict[str, Part]] = {}
        bad, began = [], time.perf_counter()
        for name, parts in run_all(names, place / "now", ROOT, RENAMED):
            took, began = time.perf_counter() - began, time.perf_counter()
            if isinstance(parts, RuntimeError):
                lines, verdict = str(parts).splitlines(), "FAILED"
            elif chosen.write:
                lines, verdict, left[name] = [], "kept", parts
            elif name not in wanted:
                lines, verdict = [], "NOT COMPARED: nothing was kept"
            else:
                lines = differences(wanted[name], parts)
                verdict = "DIFFERENT" if lines else "same to the bit"
            bad += [name] if verdict not in ("kept", "same to the bit") else []
            print(f"{name:<20} {took:5.1f} s  {verdict}", *lines, sep="\n    ", flush=True)
    if chosen.write and not bad:
        write(left)
    print(f"{len(names) - len(bad)} of {len(names)} runs: {'kept' if chosen.write else 'same to the bit'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
