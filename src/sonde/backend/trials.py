"""Judges trials of bf16, and remembers between runs what they chose: by machine, package version and kind of work."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sonde.backend.engine import Precision
from sonde.backend.machine import processor
from sonde.config.disk import cache_folder
from sonde.config.untrusted import Unsound, read_json

FILE = "precision.json"

DAYS = {"bf16": 365.0, "fp32": 1.0}
"""How long an answer holds. That bf16 does not pay may have been said by a busy machine, and is asked again sooner."""

TRIAL = 2
"""Which trial gave the answer; to be raised when the trials change."""

GAIN = 1.15
"""How many times faster bf16 must be; below that the noise of a trial this short could decide."""
TURNS = 7
"""Turns of each precision; some 7 ms apiece on two cores."""
TOLERANCE = 0.05
"""Largest relative error of the outputs in bf16; it keeps 8 bits, so about 0.01 is usual."""


def judge(work: str, error: float, in_fp32: Callable[[], object], in_bf16: Callable[[], object]) -> Precision:
    """Choose the precision in which an operation is right and the faster.

    Args:
        work: what is tried out, in words.
        error: largest relative error of its outputs in bf16.
        in_fp32: computes it once, with all its gradients, and waits until that is done.
        in_bf16: the same in bf16.
    """
    # Written so that an error that is no number counts as wrong.
    if not error <= TOLERANCE:
        return Precision("fp32", f"bf16 is wrong here: a trial {work} was off by {error:.0%}")
    slow, fast = fastest(in_fp32, in_bf16)
    gain = slow / fast
    if gain < GAIN:
        return Precision("fp32", f"a trial {work} in bf16 was {gain:.1f} times as fast as in fp32 here")
    return Precision("bf16", f"a trial {work} was {gain:.1f} times as fast as in fp32 here, and right")


def fastest(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Return the least seconds of each; they take turns, so that a busy moment of the machine hits both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for work, taken in zip((first, second), times, strict=True):
            begin = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begin)
    return min(times[0]), min(times[1])


def remembered(trial: Callable[[], Precision], package: str, *, threads: int, work: str) -> Precision:
    """Return what a trial chose on this machine before, or let it choose.

    Args:
        trial: chooses; takes about a tenth of a second.
        package: the backend's package, whose version the answer holds for.
        threads: processor cores in use.
    """
    folder = cache_folder()
    if folder is None:
        return trial()
    key = f"trial {TRIAL}, {package} {version(package)}, {processor()}, {threads} threads, {work}"
    answers = _read(folder / FILE)
    answer = answers.get(key, {})
    age = (time.time() - answer.get("time", 0.0)) / 86400
    if 0 <= age < DAYS.get(answer.get("value", ""), 0.0):
        return Precision(answer["value"], f"{answer['reason']} (tried before)")
    chosen = trial()
    answers[key] = {**asdict(chosen), "time": time.time()}
    # Without the file the trial is made again; two processes that write at once lose one answer at most.
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{FILE}.{time.time_ns()}"
        try:
            beside.write_text(json.dumps(answers, indent=1), encoding="utf-8")
            beside.replace(folder / FILE)
        finally:
            beside.unlink(missing_ok=True)
    return chosen


def _read(file: Path) -> dict[str, Any]:
    """Return the answers in a file that anybody may have written to; what is not an answer is left out."""
    try:
        found = read_json(file)
    except (OSError, Unsound):
        return {}
    return {key: each for key, each in found.items() if _is_answer(each)} if isinstance(found, dict) else {}


def _is_answer(each: Any) -> bool:
    kinds = {"value": str, "reason": str, "time": float}
    return (
        isinstance(each, dict)
        and all(isinstance(each.get(name), kind) for name, kind in kinds.items())
        and each["value"] in DAYS
    )
