"""Checkpoints that are complete or invisible.

    checkpoints/step-00000120/
      state.safetensors   the engine's whole state
      best.safetensors    the weights of the best epoch so far
      progress.json       where the loop stood, and the history up to there
      COMMIT              digests of the three; written last

A folder without its COMMIT, or whose digests do not match, is passed over for the one before it.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from sonde.config import RunFolder
from sonde.config.disk import (
    read_regular,
    remove_folder,
    remove_leftovers,
    saying_what_failed,
    write_folder_atomically,
)
from sonde.config.untrusted import LARGEST_JSON, parse_json, read_json
from sonde.errors import ModelError, RunError
from sonde.training.schedules import Length

KEPT = 2
"""Checkpoints on the disk: the newest, and one behind it should the newest be damaged later."""

LARGEST = 20_000_000_000
"""Bytes of a file that are read without being asked for: a billion weights with the slots of their optimizer."""

MARKER = "COMMIT"
STATE, BEST, PROGRESS = "state.safetensors", "best.safetensors", "progress.json"
Arrays = dict[str, NDArray[Any]]


@dataclass
class Progress:
    """Where the loop stands between two steps."""

    epoch: int = 1
    """The running epoch."""
    step: int = 0
    """Steps taken in it."""
    loss_sum: float = 0.0
    score_sum: float = 0.0
    """Sums over the steps of the running epoch."""
    best_epoch: int = 0
    best_figure: tuple[float, float] | None = None
    """Monitored figure of the best epoch, and its loss for ties; higher is better in both."""
    done: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    """The options that decide what is trained, by "part.option"; see `resuming`."""
    length: Length | None = None
    """As it was chosen last; that of the options where nothing was chosen."""
    rate: float = 0.0
    """Learning rate of the last step; the length may have been chosen anew since."""
    beside: dict[str, Any] = field(default_factory=dict)
    """What those who wrap the loop keep with a checkpoint, by their names; plain values when it is read."""


@dataclass(frozen=True)
class Checkpoint:
    """All that a training is at one moment."""

    progress: Progress
    state: Arrays
    best: Arrays
    """Weights of the best epoch; empty before the first epoch ends."""


def write_checkpoint(folder: Path, checkpoint: Checkpoint, *, step: int) -> None:
    """Write a checkpoint, then remove the oldest ones.

    Args:
        folder: the run's checkpoints folder.
        checkpoint: what to keep.
        step: steps taken so far; names the checkpoint.

    Raises:
        StorageError: the disk is full or the folder cannot be written; older checkpoints stay.
    """
    files: dict[str, bytes | str] = {
        STATE: save_tensors({name: _plain(array) for name, array in checkpoint.state.items()}),
        BEST: save_tensors({name: _plain(array) for name, array in checkpoint.best.items()}),
        PROGRESS: json.dumps(asdict(checkpoint.progress), allow_nan=False).encode(),
    }
    digests = {name: hashlib.sha256(raw).hexdigest() for name, raw in files.items() if isinstance(raw, bytes)}
    target = folder / f"step-{step:08d}"
    # One that is there already leads to the same run; replacing it would leave a moment without any.
    if _read(target) is None:
        write_folder_atomically(target, {**files, MARKER: json.dumps(digests)}, marker=MARKER)
    with saying_what_failed(folder):
        # One that is newer was found damaged by the run that went on from an older one.
        newer = [path for path in _newest_first(folder) if _rank(path) > _rank(target)]
        for path in [*newer, *_newest_first(folder)[len(newer) + KEPT :]]:
            # The marker goes first, so that a crash in between leaves an invisible folder, not a damaged one.
            (path / MARKER).unlink(missing_ok=True)
            remove_folder(path)


def read_newest(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint that is whole, or None where there is none.

    Raises:
        ModelError: there are checkpoints, and every one is damaged.
    """
    found = _newest_first(folder)
    for path in found:
        checkpoint = _read(path)
        if checkpoint is not None:
            return checkpoint
    if found:
        raise ModelError(
            f"Every checkpoint in {folder} is damaged; start the training anew under another name "
            f"(sonde train {RunFolder(folder.parent).settings_file} --name NEW)."
        )
    return None


def clear_unfinished(folder: Path) -> None:
    """Remove what a killed process left half-written or half-removed.

    Args:
        folder: the run's checkpoints folder.

    Raises:
        StorageError: the folder cannot be written.
    """
    remove_leftovers(folder)
    with saying_what_failed(folder):
        for path in folder.glob("step-*"):
            if not (path / MARKER).is_file():
                remove_folder(path)


@contextmanager
def only_one(run: RunFolder) -> Iterator[None]:
    """Hold the run while it is trained, so that two processes never write the same checkpoints.

    Args:
        run: the run.

    Raises:
        RunError: another process is training it.
        StorageError: the folder cannot be written.
    """
    with saying_what_failed(run.checkpoints):
        run.checkpoints.mkdir(parents=True, exist_ok=True)
        # Neither emptied nor followed where it is a link.
        lock = os.fdopen(os.open(run.checkpoints / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644), "r+b")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"Another process is training the run '{run.name}' right now; wait for it or stop it."
            ) from None
        # The system lets go of the lock when the process ends, however it ends.
        yield


def _newest_first(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("step-*") if (path / MARKER).is_file()), key=_rank, reverse=True)


def _rank(path: Path) -> tuple[int, str]:
    # Numbers of more digits than the zeros provide for are longer, and larger.
    return len(path.name), path.name


def _read(path: Path) -> Checkpoint | None:
    try:
        digests = read_json(path / MARKER, largest=10_000)
        largest = {STATE: LARGEST, BEST: LARGEST, PROGRESS: LARGEST_JSON}
        files = {name: read_regular(path / name, largest=most) for name, most in largest.items()}
        if any(hashlib.sha256(raw).hexdigest() != digests[name] for name, raw in files.items()):
            return None
        values = parse_json(files[PROGRESS])
        if set(values) != set(Progress.__dataclass_fields__):
            return None
        progress = TypeAdapter(Progress).validate_python(values)
        return Checkpoint(progress, load_tensors(files[STATE]), load_tensors(files[BEST]))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError):
        return None


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    # `ascontiguousarray` would make a scalar one-dimensional.
    return np.ascontiguousarray(array).reshape(array.shape)
