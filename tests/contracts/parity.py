"""Runs every model on every backend, each backend in a process of its own, and compares what they did.

The contract test and `benchmarks/parity.py` both stand on this file; what runs in the processes is `parity_worker`.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.parity_worker import CASES

WORKER = Path(__file__).with_name("parity_worker.py")
REFERENCE, OTHERS = "torch", ("tensorflow", "jax")
ALONE = {
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # Three processes would share a GPU badly, and its matrix units round fp32 to 19 bits.
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
}


@dataclass(frozen=True)
class Difference:
    """Between torch and another backend, for one model: largest difference, relative to the largest value."""

    case: str
    other: str
    outputs: float
    gradients: float
    """After one step; the largest over the weights, each relative to its own largest gradient."""
    statistics: float
    """Running means and variances after one step; 0 where a model has none."""
    has_statistics: bool
    losses: float
    """Along ten steps."""
    trained_outputs: float
    """After ten steps."""


def run(folder: Path, parts: tuple[str, ...], others: Sequence[str] = OTHERS) -> None:
    """Measure on the backends; torch goes first, as the others start from its weights.

    Args:
        folder: where everything is written.
        parts: what `parity_worker.main` is to do.
        others: which backends beside torch.
    """
    _wait([_start(REFERENCE, folder, parts)])
    _wait([_start(name, folder, parts) for name in others])


def _start(name: str, folder: Path, parts: tuple[str, ...]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", str(WORKER), name, str(folder), *parts]
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"} | ALONE
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _wait(processes: list["subprocess.Popen[str]"]) -> None:
    said = [process.communicate()[0] for process in processes]
    for process, text in zip(processes, said, strict=True):
        if process.returncode:
            raise RuntimeError(f"{process.args} ended with {process.returncode}:\n{text[-4000:]}")


def relative(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the largest difference of two arrays over the largest value of the first; 0 where both are zero."""
    largest = float(np.abs(a).max())
    gap = float(np.abs(a.astype(np.float64) - b).max())
    return gap / largest if gap else 0.0


def differences(folder: Path) -> list[Difference]:
    """Compare what `run` has written, case by case and backend by backend."""
    return [difference(folder, case, other) for case in CASES for other in OTHERS]


def difference(folder: Path, case: str, other: str) -> Difference:
    """Compare what `run` has written of one case on torch and on another backend."""
    a, b = arrays(folder / REFERENCE / f"{case}.npz"), arrays(folder / other / f"{case}.npz")
    assert set(a) == set(b), f"{other} has other weights: {sorted(set(a) ^ set(b))}"
    gaps = {key: relative(a[key], b[key]) for key in a}
    largest = {
        kind: max((gap for key, gap in gaps.items() if key.startswith(f"{kind}/")), default=0.0)
        for kind in ("gradient", "statistics")
    }
    return Difference(
        case,
        other,
        gaps["outputs"],
        largest["gradient"],
        largest["statistics"],
        any(key.startswith("statistics/") for key in gaps),
        gaps["losses"],
        gaps["trained_outputs"],
    )


def arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an .npz file by name."""
    with np.load(path) as file:
        return {key: file[key] for key in file.files}
