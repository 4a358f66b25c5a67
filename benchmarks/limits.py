"""Says how fast a training step could be here at best, and where the time of sonde's step on torch goes.

    python benchmarks/limits.py                        some two minutes on two cores
    python benchmarks/limits.py --write                and writes docs/limits.md

The bound: a step does a certain number of multiplications and additions, in products and convolutions, which no
layout and no fusing saves; divided by the rate of this machine's largest bf16 product, that is the least time of a
step. Beside it stands what `keras.fit` on torch does, as engine.py measured it. The profile is torch's own.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measuring import machine, table
from nets import LSTM_WIDTH, NETS, examples

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "limits.md"
SIDE = 2048
"""Rows and columns of the product that the rate is taken from."""
TURNS = 7
SHOWN = 12
"""Operations in a profile."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print the tables.

    Args:
        words: the words behind the command; those of this process when left out.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="+", default=list(NETS), choices=NETS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--folder", type=Path, default=Path("build") / "engine", help="where engine.py keeps its numbers"
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} too")
    chosen = parser.parse_args(words)

    from sonde import backend

    backend.use("torch").start(threads=chosen.threads)
    fp32, bf16 = rate("float32"), rate("bfloat16")
    rows, profiles = [], []
    for name in chosen.nets:
        step, work = _step(name)
        row, profile = _row(name, step, work, bf16, chosen.folder)
        rows.append(row)
        profiles.append(profile)
        print(" | ".join(row), flush=True)
    head = [
        "net",
        "GFLOP per example",
        "bound, examples/s",
        "sonde, torch",
        "of the bound",
        "keras.fit, torch",
        "bound / keras.fit",
    ]
    text = (
        f"{machine(('torch', 'keras'), threads=chosen.threads)}\n\nA product of {SIDE} x {SIDE} matrices runs at "
        f"{fp32 / 1e9:,.0f} GFLOP/s in fp32 and {bf16 / 1e9:,.0f} in bf16 (the best of {TURNS}).\n\n"
        f"{table(head, rows)}\n{''.join(profiles)}"
    )
    print(text)
    if chosen.write:
        PAGE.write_text(
            f"# Limits\n\n*Written by `python benchmarks/limits.py --write`.* {_doc()}\n\n{text}", encoding="utf-8"
        )
    return 0


def _doc() -> str:
    return (__doc__ or "").split("\n\n")[-1].strip().replace("\n", " ")


def rate(kind: str) -> float:
    """Return the floating-point operations per second of a large product.

    Args:
        kind: float32 or bfloat16.
    """
    import torch

    a, b = (torch.randn(SIDE, SIDE).to(getattr(torch, kind)) for _ in range(2))
    return 2 * SIDE**3 / _least(lambda: a @ b)


def _least(work: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(TURNS):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def _step(name: str) -> tuple[Callable[[], Any], float]:
    """Return a step of sonde's engine in bf16, and its floating-point operations."""
    from reference_nets import BUILDS, named
    from torch.utils.flop_counter import FlopCounterMode

    from sonde import backend
    from sonde.backend import EngineSettings
    from sonde.data.target import equal_weights
    from sonde.models.heads import head as head_of

    net, head = NETS[name], head_of("classification")
    model = named(BUILDS[name](net.shape, net.classes))
    engine = backend.use("torch").build(model, head.loss({}), head.scores, EngineSettings(precision="bf16"))
    inputs, truth = examples(net, net.batch)
    batch = {"inputs": np.asarray(inputs), "truth": truth, "weights": equal_weights(*truth.shape)}

    def step() -> Any:
        return engine.step(batch, 1e-3)

    with FlopCounterMode(display=False) as counted:
        step()
    return step, counted.get_total_flops() + lstm_flops(name)


def lstm_flops(name: str) -> float:
    """Return the operations of a step's LSTM layers, which torch's counter does not know: forward, and twice that back.

    Args:
        name: a row of `NETS`.
    """
    net = NETS[name]
    if name != "lstm":
        return 0.0
    steps, features = net.shape
    forward = sum(2 * steps * (width + LSTM_WIDTH) * 4 * LSTM_WIDTH for width in (features, LSTM_WIDTH))
    return 3.0 * forward * net.batch


def _row(name: str, step: Callable[[], Any], work: float, bf16: float, folder: Path) -> tuple[list[str], str]:
    from torch.profiler import ProfilerActivity, profile

    net = NETS[name]
    _least(step)
    seconds = _least(step)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(3):
            step()
    bound, here, keras = bf16 / (work / net.batch), net.batch / seconds, _keras(folder / f"{name}.json")
    row = [net.title, f"{work / net.batch / 1e9:.3f}", f"{bound:,.0f}", f"{here:,.0f}", f"{here / bound:.0%}"]
    row += [f"{keras:,.0f}", f"{bound / keras:.1f}x"] if keras else ["not measured", ""]
    events = sorted(seen.key_averages(), key=lambda each: -each.self_cpu_time_total)
    total = sum(each.self_cpu_time_total for each in events)
    shares = [[each.key, f"{each.self_cpu_time_total / total:.1%}", f"{each.count // 3}"] for each in events[:SHOWN]]
    return row, f"\n## {net.title}\n\n{table(['operation', 'share of the time', 'calls in a step'], shares)}\n"


def _keras(file: Path) -> float | None:
    """Return the examples per second of `keras.fit` on torch that engine.py found, the median of its rounds."""
    if not file.exists():
        return None
    kept = json.loads(file.read_text(encoding="utf-8"))
    result = kept["results"].get("keras.fit, torch")
    if not result or not result["seconds"]:
        return None
    return float(result["steps"] * kept["asked"]["batch"] / np.median(result["seconds"]))


if __name__ == "__main__":
    sys.exit(main())
