"""Measures how fast sonde's engines train, against `keras.Model.fit` and PyTorch written by hand.

    python benchmarks/engine.py                          every net; about a quarter of an hour on two quiet cores
    python benchmarks/engine.py --nets cnn lstm          some of them
    python benchmarks/engine.py --write                  and writes docs/engine.md
    python benchmarks/engine.py --write --reuse          nets measured before, with the same options, are only read

What is measured is the training step: forward, backward, AdamW, on batches from numpy arrays in memory. The nets are
in reference_nets.py and handwritten.py, how each is trained in engine_worker.py, and how the turns are taken in
measuring.py. sonde on torch takes part twice; what its two processes differ by is the noise.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from measuring import Contender, Plan, Result, Results, Spread, machine, measure, run_once, table, thread_environment
from nets import NETS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "engine.md"
WORKER = Path(__file__).with_name("engine_worker.py")
PACKAGES = ("keras", "torch", "tensorflow", "jax", "numpy")
BACKENDS = ("torch", "tensorflow", "jax")

OURS, AGAIN = "sonde, torch", "sonde, torch (again)"
FIT = "keras.fit, torch"
TUTORIAL, EXPERT, PLAIN = "PyTorch, tutorial", "PyTorch, expert", "PyTorch, expert, plain attention"

CONTENDERS: dict[str, tuple[str, str]] = {
    OURS: ("sonde", "torch"),
    "sonde, tensorflow": ("sonde", "tensorflow"),
    "sonde, jax": ("sonde", "jax"),
    FIT: ("fit", "torch"),
    "keras.fit, tensorflow": ("fit", "tensorflow"),
    "keras.fit, jax": ("fit", "jax"),
    TUTORIAL: ("tutorial", "torch"),
    EXPERT: ("expert", "torch"),
    PLAIN: ("expert, plain attention", "torch"),
    AGAIN: ("sonde", "torch"),
}
"""Way and backend of each, in the order of the table and of the first round."""
ATTENDING = ("encoder", "decoder")
"""Nets that `PLAIN` takes part in."""


@dataclass(frozen=True)
class Figure:
    """How many times as fast one is to be as the other."""

    net: str
    first: str
    second: str
    least: float


FIGURES = (
    Figure("cnn", OURS, FIT, 6.0),
    Figure("cnn", OURS, EXPERT, 1.0),
    Figure("lstm", OURS, FIT, 15.0),
    Figure("lstm", OURS, EXPERT, 1.0),
    Figure("encoder", OURS, FIT, 2.0),
    Figure("encoder", OURS, EXPERT, 1.5),
    Figure("decoder", OURS, FIT, 2.0),
    Figure("decoder", OURS, EXPERT, 1.0),
    Figure("cnn", "sonde, tensorflow", "keras.fit, tensorflow", 1.5),
    *(Figure(net, "sonde, jax", "keras.fit, jax", 1.0) for net in NETS),
)
"""What is promised."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure what is asked for and print the tables; returns 1 where a figure is not reached.

    Args:
        words: the words behind the command; those of this process when left out.
    """
    chosen = _parser().parse_args(words)
    plan = Plan(chosen.rounds, chosen.seconds, chosen.threads)
    wanted = [name for name in CONTENDERS if not chosen.contenders or name in chosen.contenders]
    chosen.folder.mkdir(parents=True, exist_ok=True)
    choose = cache(_precision) if chosen.precision == "auto" else lambda backend, work, threads: chosen.precision
    measured: dict[str, Results] = {}
    for net in chosen.nets or NETS:
        batch = chosen.batch or NETS[net].batch
        asked = {**asdict(plan), "batch": batch, "precision": chosen.precision, "contenders": wanted}
        file = chosen.folder / f"{net}.json"
        results = kept(file, asked) if chosen.reuse else None
        if results is None:
            backends = {CONTENDERS[name][1] for name in wanted}
            precisions = {name: choose(name, NETS[net].work, plan.threads) for name in BACKENDS if name in backends}
            print(f"{net}:", file=sys.stderr)
            names = [name for name in wanted if name != PLAIN or net in ATTENDING]
            results = measure([_contender(name, net, batch, plan, precisions) for name in names], plan)
            _write(file, asked, results)
        measured[net] = results
    batches = {net: chosen.batch or NETS[net].batch for net in measured}
    text = f"{_figures(measured)}\n" + "".join(_section(net, each, batches[net]) for net, each in measured.items())
    print(text)
    if chosen.write:
        PAGE.write_text(f"{_head(plan)}\n{text}{_tail(measured)}", encoding="utf-8")
    verdicts = [_verdict(each, measured[each.net]) for each in FIGURES if each.net in measured]
    return 1 if "no" in verdicts else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="+", choices=list(NETS), help="all when left out")
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), help="all when left out")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.5, help="aim for one burst")
    parser.add_argument("--threads", type=int, default=2, help="of each contender; JAX is kept to so many cores")
    parser.add_argument("--batch", type=int, help="examples in a step; each net's own when left out")
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto", help="of sonde's steps")
    parser.add_argument("--folder", type=Path, default=Path("build") / "engine", help="where the numbers are kept")
    parser.add_argument("--reuse", action="store_true", help="read the numbers of nets measured with these options")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} too")
    return parser


def _precision(backend: str, work: str, threads: int) -> str:
    """Return the precision that sonde chooses for a kind of work; it tries while nothing else runs."""
    command = [sys.executable, str(WORKER), "precision", backend, work, str(threads)]
    run = run_once(command, environment=thread_environment(threads))
    if run.code:
        raise SystemExit(
            f"sonde on {backend} could not choose a precision for {work} (exit code {run.code}). "
            "Take one with --precision fp32 or --precision bf16."
        )
    answer = json.loads(run.output.strip().splitlines()[-1])
    print(f"{backend}, {work}: {answer['value']}, {answer['reason']}", file=sys.stderr, flush=True)
    return str(answer["value"])


def _contender(name: str, net: str, batch: int, plan: Plan, precisions: dict[str, str]) -> Contender:
    way, backend = CONTENDERS[name]
    words = (net, way, backend, precisions[backend], str(batch), str(plan.threads))
    return Contender(name, (sys.executable, str(WORKER), *words))


def _write(file: Path, asked: dict[str, object], results: Results) -> None:
    rows = {name: asdict(result) for name, result in results.items()}
    file.write_text(json.dumps({"asked": asked, "results": rows}, indent=1), encoding="utf-8")


def kept(file: Path, asked: dict[str, object]) -> Results | None:
    """Return what was measured before, or None where nothing was, or with other options.

    Args:
        file: where the numbers of a net are kept.
        asked: the options that they must have been measured with.
    """
    if not file.exists():
        return None
    found = json.loads(file.read_text(encoding="utf-8"))
    if found["asked"] != asked:
        return None
    return Results({name: Result(**row) for name, row in found["results"].items()})


def _figures(measured: dict[str, Results]) -> str:
    rows = []
    for figure in (each for each in FIGURES if each.net in measured):
        results = measured[figure.net]
        seen, null = results.ratio(figure.first, figure.second), results.ratio(OURS, AGAIN)
        rows.append(
            (
                f"{NETS[figure.net].title}: {figure.first} / {figure.second}",
                f"≥ {figure.least:g}×",
                _ratio(seen),
                _ratio(null),
                _verdict(figure, results),
            )
        )
    return table(("what", "asked", "seen (quartiles)", f"noise: {OURS} / itself", "reached"), rows)


def _ratio(spread: Spread | None) -> str:
    return "not measured" if spread is None else spread.text(unit="×")


def _verdict(figure: Figure, results: Results) -> str:
    """Tell whether a figure is reached; what is missed by less than the null comparison strays is within the noise."""
    seen, null = results.ratio(figure.first, figure.second), results.ratio(OURS, AGAIN)
    if seen is None:
        return "not measured"
    if seen.median >= figure.least:
        return "yes"
    noise = max(null.high - 1.0, 1.0 - null.low, 0.0) if null else 0.0
    return "within the noise" if seen.median >= figure.least * (1.0 - noise) else "no"


def _section(net: str, results: Results, batch: int) -> str:
    rows = []
    for name, result in results.items():
        if result.failed:
            rows.append((name, "", f"failed: {result.failed}", "", "", "", ""))
            continue
        speed = Spread.of([rate * batch for rate in result.rates()])
        ratio = results.ratio(name, FIT)
        memory = f"{result.peak_mb:,.0f} ({result.ready_mb:,.0f})"
        rows.append(
            (
                name,
                result.facts["precision"],
                speed.text(",.0f"),
                _ratio(ratio) if ratio else "",
                f"{Spread.of(result.busy).median:.2f}",
                memory,
                f"{result.facts['parameters']:,}",
            )
        )
    head = ("who", "precision", "examples/s", f"/ {FIT}", "cores busy", "peak MB (when ready)", "parameters")
    own = results.get(OURS)
    slow = own.facts.get("fallbacks", []) if own else []
    note = f"\nAs Keras wrote them, in sonde on torch: {', '.join(slow)}.\n" if slow else ""
    return f"\n## {NETS[net].title}, {_shape(net)}, batches of {batch}\n\n{table(head, rows)}{note}"


def _shape(net: str) -> str:
    row = NETS[net]
    size = "×".join(map(str, row.shape))
    return f"{size} tokens of {row.classes}" if row.reads_tokens else size


def _head(plan: Plan) -> str:
    return (
        "# How fast the engines train\n\n*Written by `python benchmarks/engine.py --write`.*\n\n"
        f"{machine(PACKAGES, threads=plan.threads)}\n\n"
        "The training step: forward, backward, AdamW, on batches from numpy arrays in memory. Each contender is a "
        f"process that stays alive; they take turns in bursts of about {plan.seconds:g} s, {plan.rounds} rounds, one "
        "computing while the others sleep. A figure is the median of the rounds, in brackets the quartiles; a ratio "
        "is taken within each round. The noise is the ratio of two processes that do the same.\n\n"
        "## What was asked\n\nA figure that is missed by less than the noise counts as within it.\n"
    )


def _tail(measured: dict[str, Results]) -> str:
    idle = max((each.idle_cpu_seconds for results in measured.values() for each in results.values()), default=0.0)
    return (
        "\n## How to read it\n\n"
        '- *keras.fit*: `compile(optimizer="adamw", loss=SparseCategoricalCrossentropy(from_logits=True), '
        'metrics=["accuracy"])` and `fit` on numpy arrays, all else by default; timed between `on_train_begin` and '
        "`on_train_end`, so that making ready for an epoch does not count.\n"
        "- *PyTorch, tutorial*: modules that PyTorch ships, fp32. *PyTorch, expert*: bf16 autocast, channels_last, "
        "fused AdamW, `scaled_dot_product_attention`; *plain attention*: two matrix products and a softmax instead.\n"
        "- *cores busy*: processor time over wall time. *peak MB*: the largest resident set of the process "
        "(`ru_maxrss`), libraries included; in brackets what it was after two steps of warming up.\n"
        "- *parameters*: the trained ones. `nn.LSTM` has two biases where Keras has one.\n"
        "- Threads are limited through OMP_NUM_THREADS and each library's own setting; JAX has none, and is limited by "
        "the cores that the process is kept to, as all are.\n"
        f"- Between its bursts no worker used more than {idle:.2f} s of processor time.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
