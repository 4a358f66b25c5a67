"""Measures how long sonde needs to reach an accuracy on MNIST and Fashion-MNIST, beside the beginners' examples.

    python benchmarks/time_to_accuracy.py                            all but the slow row; about 45 quiet minutes
    python benchmarks/time_to_accuracy.py --only fashion-94.5        the slow row, up to an hour
    python benchmarks/time_to_accuracy.py --only torch-fashion --peer-seeds 2
    python benchmarks/time_to_accuracy.py --reuse --write            writes docs/time-to-accuracy.md, docs/beginners.md

Every run is a whole program in a process of its own, and a `sonde train` starts with an empty cache. `--reuse` reads
the runs that were made before with the same words, and shows rows that were not asked for where all their runs are
there. The examples are in beginners.py.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from accuracy_runs import Bench, Command, Followed, Trained
from beginners import EXAMPLES
from measuring import machine, table

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"targets": ROOT / "docs" / "time-to-accuracy.md", "peers": ROOT / "docs" / "beginners.md"}
"""Each is written from the runs of one machine, and only where there are some."""
SETS = ROOT.parent / "shared" / "data"
PACKAGES = ("keras", "torch", "tensorflow", "numpy", "pillow")
SOONER = 10.0
"""How many times sooner than an example its accuracy is to be reached."""


COMMANDS: dict[str, Command] = {
    "mnist-least": Command("mnist", "--recipe fast --set training.steps=40 --set data.validation=0.03"),
    "mnist-quick": Command("mnist", "--recipe fast --set training.steps=120 --set data.validation=0.03"),
    "mnist-good": Command("mnist", "--recipe fast --epochs 3"),
    "fashion-least": Command(
        "fashion-mnist",
        "--recipe fast --set training.steps=40 --set augment.flip=0.5 --set augment.shift=0 --set data.validation=0.03",
    ),
    "fashion-some": Command(
        "fashion-mnist",
        "--recipe fast --set training.steps=90 --set augment.flip=0.5 --set augment.shift=0 --set data.validation=0.03",
    ),
    "fashion-quick": Command("fashion-mnist", "--recipe fast --epochs 1 --set augment.flip=0.5 --set augment.shift=0"),
    "fashion-good": Command(
        "fashion-mnist",
        "--recipe fast --epochs 5 --set augment.flip=0.5 --set augment.shift=0 --set data.validation=0.03",
    ),
    "fashion-best": Command(
        "fashion-mnist",
        "--recipe fast --epochs 12 --set augment.flip=0.5 --set augment.shift=0 --set data.validation=0.03",
    ),
}
"""Every command; those of one data set stand in the order of their length, the shortest first."""


@dataclass(frozen=True)
class Target:
    """An accuracy, and the training time within which it is to be reached; both hold for the mean of the seeds."""

    title: str
    command: str
    accuracy: float
    seconds: float
    slow: bool = False
    """Whether it is measured only where it is asked for by name."""


TARGETS: dict[str, Target] = {
    "mnist-99.0": Target("MNIST", "mnist-quick", 0.990, 10),
    "mnist-99.5": Target("MNIST", "mnist-good", 0.995, 90),
    "fashion-93.5": Target("Fashion-MNIST", "fashion-good", 0.935, 90),
    "fashion-94.5": Target("Fashion-MNIST", "fashion-best", 0.945, 600, slow=True),
}
"""What is promised."""

PEERS: dict[str, tuple[str, str]] = {
    "keras-mnist": ("keras-mnist", "torch"),
    "keras-mnist-tensorflow": ("keras-mnist", "tensorflow"),
    "torch-mnist": ("torch-mnist", "torch"),
    "keras-fashion": ("keras-fashion", "torch"),
    "keras-fashion-tensorflow": ("keras-fashion", "tensorflow"),
    "torch-fashion": ("torch-fashion", "torch"),
}
"""The examples and the backend that each runs on."""


@dataclass(frozen=True)
class Duel:
    """An example, and sonde's shortest command that reaches its accuracy; lists are by seed."""

    command: str
    theirs: list[Followed]
    ours: list[Trained]
    again: list[Trained]
    """The same once more: what differs is the noise."""

    @property
    def reached(self) -> bool:
        """Whether the mean accuracy is at least that of the example."""
        return _mean(each.accuracy for each in self.ours) >= _mean(each.accuracy for each in self.theirs)

    def ratios(self, theirs: Callable[[Followed], float], ours: Callable[[Trained], float]) -> list[float]:
        """Return one time of the example over one of sonde, of each seed."""
        return [theirs(one) / ours(other) for one, other in zip(self.theirs, self.ours, strict=True)]

    def verdict(self) -> str:
        """Tell whether the accuracy is reached so much sooner, the model on the disk against the last epoch's end."""
        sooner = _mean(self.ratios(lambda one: one.seconds[-1], lambda one: one.to_model))
        return "yes" if self.reached and sooner >= SOONER else "no"


def duel(bench: Bench, peer: str, seeds: int, *, wanted: bool = True) -> Duel | None:
    """Let sonde and an example take turns, with longer commands until one reaches the accuracy of the example.

    Args:
        bench: where and how.
        peer: from `PEERS`.
        seeds: runs of each.
        wanted: measure what was not measured before; otherwise return None.
    """
    name, backend = PEERS[peer]
    commands = [each for each, command in COMMANDS.items() if command.data == EXAMPLES[name].data]
    theirs: list[Followed | None] = []
    for each in commands:
        run = f"{peer}-{each}-seed-"
        ours = []
        for seed in range(seeds):
            ours.append(bench.sonde(f"{run}{seed}", COMMANDS[each], seed, wanted=wanted))
            if len(theirs) == seed:
                theirs.append(bench.example(name, backend, seed, wanted=wanted))
        if None in [*ours, *theirs]:
            return None
        done = Duel(each, [run for run in theirs if run], [run for run in ours if run], [])
        if done.reached:
            break
    again = [bench.sonde(f"{run}{seed}-again", COMMANDS[done.command], seed, wanted=wanted) for seed in range(seeds)]
    return None if None in again else replace(done, again=[run for run in again if run])


def main(words: Sequence[str] | None = None) -> int:
    """Measure what is asked for and print the tables; returns 1 where a promise is not kept.

    Args:
        words: the words behind the command; those of this process when left out.
    """
    chosen = _parser().parse_args(words)
    quick = [*(name for name, target in TARGETS.items() if not target.slow), *PEERS]
    wanted = chosen.only or quick
    chosen.folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(chosen.folder, chosen.data, chosen.threads, chosen.reuse, chosen.peer_epochs)
    runs: dict[str, list[Trained | None]] = {name: [] for name in TARGETS}
    for seed in range(chosen.seeds):
        for name, target in TARGETS.items():
            run = f"{target.command}-seed-{seed}"
            runs[name].append(bench.sonde(run, COMMANDS[target.command], seed, wanted=name in wanted))
    reached = {name: [run for run in each if run] for name, each in runs.items() if None not in each}
    found = {peer: duel(bench, peer, chosen.peer_seeds, wanted=peer in wanted) for peer in PEERS}
    duels = {peer: each for peer, each in found.items() if each}
    texts = {
        "targets": _asked(reached, {}) + _targets(reached) if reached else "",
        "peers": _asked({}, duels) + _peers(duels) if duels else "",
    }
    for name, text in texts.items():
        print(text)
        if chosen.write and text:
            head = _head(name, chosen.seeds if name == "targets" else chosen.peer_seeds, chosen.threads)
            PAGES[name].write_text(head + text + _tail(name), encoding="utf-8")
    verdicts = [verdict(TARGETS[name], each) for name, each in reached.items()]
    return 1 if "no" in [*verdicts, *(each.verdict() for each in duels.values())] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[*TARGETS, *PEERS], help="all but the slow one when left out")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each target")
    parser.add_argument("--peer-seeds", type=int, default=1, help="runs of each example")
    parser.add_argument("--peer-epochs", type=int, help="of the examples, to try it out; as published when left out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", type=Path, default=SETS, help="folder of the data sets mnist and fashion-mnist")
    parser.add_argument("--folder", type=Path, default=Path("build") / "time-to-accuracy", help="where runs are made")
    parser.add_argument("--reuse", action="store_true", help="read the runs that were made with the same words")
    parser.add_argument("--write", action="store_true", help="write the pages too")
    return parser


def verdict(target: Target, runs: Sequence[Trained]) -> str:
    """Tell whether the mean accuracy and the mean training time keep a promise.

    Args:
        target: what is promised.
        runs: one for each seed.
    """
    accuracy, seconds = (_mean(values) for values in zip(*((run.accuracy, run.training) for run in runs), strict=True))
    # Accuracies are counts over thousands: a mean that equals the target must not fail by a rounding.
    return "yes" if accuracy >= target.accuracy - 1e-9 and seconds <= target.seconds else "no"


def _mean(values: Any) -> float:
    return statistics.fmean(values)


def spread(values: Sequence[float], form: str = ".1f") -> str:
    """Return the mean, the standard deviation, and the lowest and the highest in brackets.

    Args:
        values: at least one; of one there is only a mean.
        form: of each number, as in a format string.
    """
    if len(values) == 1:
        return f"{values[0]:{form}}"
    deviation = statistics.stdev(values)
    return f"{_mean(values):{form}} ± {deviation:{form}} ({min(values):{form}} to {max(values):{form}})"


def _asked(reached: dict[str, list[Trained]], duels: dict[str, Duel]) -> str:
    rows = []
    for name, runs in reached.items():
        target = TARGETS[name]
        kept = sum(verdict(target, [run]) == "yes" for run in runs)
        rows.append(
            (
                f"{target.title} {100 * target.accuracy:.1f} %, training time",
                f"≤ {target.seconds:g} s",
                f"{100 * _mean(run.accuracy for run in runs):.2f} % in {_mean(run.training for run in runs):.1f} s",
                verdict(target, runs),
                f"{kept} of {len(runs)}",
            )
        )
    for peer, each in duels.items():
        ratios = each.ratios(lambda one: one.seconds[-1], lambda one: one.to_model)
        both = f"{100 * _mean(run.accuracy for run in each.ours):.2f} %" if each.reached else "accuracy not reached"
        row = (f"accuracy of {_title(peer)}", f"≥ {SOONER:g}× sooner", f"{both}, {spread(ratios)}×", each.verdict())
        # Singly, a seed holds where it reaches its own example's accuracy so much sooner.
        pairs = zip(each.ours, each.theirs, ratios, strict=True)
        kept = sum(ours.accuracy >= theirs.accuracy and ratio >= SOONER for ours, theirs, ratio in pairs)
        rows.append((*row, f"{kept} of {len(ratios)}"))
    head = ("what", "asked", "seen (means)", "reached", "runs that reach it singly")
    return f"## What was asked\n\n{table(head, rows)}\n"


def _targets(reached: dict[str, list[Trained]]) -> str:
    rows = []
    for name, runs in reached.items():
        target = TARGETS[name]
        rows.append(
            (
                f"{target.title} {100 * target.accuracy:.1f} %",
                spread([100 * run.accuracy for run in runs], ".2f"),
                spread([run.training for run in runs]),
                spread([run.to_model for run in runs]),
                spread([run.whole for run in runs]),
                f"{_mean(run.busy for run in runs):.2f}",
            )
        )
    head = (
        "target",
        "test accuracy, %",
        "training, s",
        "until the model is there, s",
        "whole command, s",
        "cores busy",
    )
    lines = [f"    {_typed(TARGETS[name].command)}\n" for name in reached]
    return f"## sonde's runs\n\n{table(head, rows)}\nThe commands, in the order of the rows:\n\n{''.join(lines)}\n"


def _typed(command: str) -> str:
    return f"sonde train ../shared/data/{COMMANDS[command].data} {COMMANDS[command].words} --seed N"


def _title(peer: str) -> str:
    name, backend = PEERS[peer]
    return f"{EXAMPLES[name].title}{f' on {backend}' if name.startswith('keras') else ''}"


def _peers(duels: dict[str, Duel]) -> str:
    examples, ours, ratios = [], [], []
    for peer, each in duels.items():
        theirs, quick = each.theirs, [*each.ours, *each.again]
        examples.append(
            (
                _title(peer),
                str(len(theirs[0].seconds)),
                spread([100 * one.accuracy for one in theirs], ".2f"),
                spread([one.first for one in theirs]),
                spread([one.seconds[-1] for one in theirs]),
                spread([one.in_all for one in theirs]),
                f"{_mean(one.busy for one in theirs):.2f}",
            )
        )
        ours.append(
            (
                _title(peer),
                f"`{COMMANDS[each.command].words}`",
                spread([100 * run.accuracy for run in each.ours], ".2f"),
                spread([run.training for run in quick]),
                spread([run.starting for run in quick]),
                spread([run.to_model for run in quick]),
                spread([run.whole for run in quick]),
                f"{_mean(run.busy for run in quick):.2f}",
            )
        )
        null = [first.to_model / second.to_model for first, second in zip(each.ours, each.again, strict=True)]
        ratios.append(
            (
                _title(peer),
                spread(each.ratios(lambda one: one.seconds[-1], lambda one: one.to_model)),
                spread(each.ratios(lambda one: one.first, lambda one: one.to_model)),
                spread(each.ratios(lambda one: one.in_all, lambda one: one.whole)),
                spread(each.ratios(lambda one: one.seconds[-1], lambda one: one.starting)),
                spread(null, ".2f"),
            )
        )
    head = ("example", "epochs", "test accuracy, %", "had it first after, s", "to the last epoch's end, s", "in all, s")
    second = ("beside", "sonde train …", "test accuracy, %", "training, s", "start, s", "until the model is there, s")
    third = ("times sooner than", "last epoch / model", "had it first / model", "in all / whole command")
    return (
        f"## The beginners' examples\n\n{table((*head, 'cores busy'), examples)}\n"
        f"{table((*second, 'whole command, s', 'cores busy'), ours)}\n"
        f"{table((*third, 'last epoch / start alone', 'noise: sonde / itself'), ratios)}"
    )


def _head(name: str, seeds: int, threads: int) -> str:
    title = "How long it takes to reach an accuracy" if name == "targets" else "Beside the beginners' examples"
    turns = "" if name == "targets" else ", in turns with sonde, which comes once more at the end"
    return (
        f"# {title}\n\n*Written by `python benchmarks/time_to_accuracy.py --write`.*\n\n"
        f"{machine(PACKAGES, threads=threads)}\n\n"
        "Every run is a whole program in a process of its own; where several are made, a cell holds their mean, the "
        f"standard deviation, and in brackets the lowest and the highest. {seeds} {'seed' if seeds == 1 else 'seeds'} "
        f"each{turns}.\n\n"
    )


def _tail(name: str) -> str:
    return (
        "\n## How to read it\n\n"
        "- *test accuracy*: on the 10,000 test images. sonde sets a part of the training images aside for validation, "
        "keeps the epoch that validates best, and never sees test images while training.\n"
        "- *training*: the sum of the epochs' times in `history.jsonl`: loading, augmentation, steps and validation. "
        "*until the model is there*: from the start of the process until the trained model lies on the disk. *start*: "
        "the difference, which is imports, decoding the data with an empty cache, trying bf16, building, checkpoints "
        "and calibration. *whole command*: to the end of the process, with the test, its intervals, baselines, plots "
        "and the report.\n" + (_of_examples() if name == "peers" else "")
    )


def _of_examples() -> str:
    published = ", ".join(f"{each.title}, {each.epochs} epochs ({each.place})" for each in EXAMPLES.values())
    return (
        "- *to the last epoch's end*: from the start of the process. The PyTorch examples score the test images after "
        "each epoch, and it counts; the Keras ones do not, and what was needed to know it is left out. *had it first "
        "after*: the end of the first epoch with at least the final accuracy; a reader of the example could not know "
        "it. *in all*: the Keras examples score the test images once at the end.\n"
        "- *last epoch / start alone*: what the ratio would be if training took no time; no recipe can do better.\n"
        "- The command beside an example is the shortest of the table in `benchmarks/time_to_accuracy.py` whose mean "
        "accuracy is at least that of the example.\n"
        "- The examples read the same packed files as sonde does. torchvision is not used: a `Dataset` makes each "
        "image a PIL image, copies it to a byte tensor, channels first, float, divided by 255, and normalised where "
        "the example does so, as torchvision's would with more checks. On a processor neither PyTorch example "
        "shuffles, nor do these. The examples are seeded; what they print is not kept.\n"
        f"- Published: {published}.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
