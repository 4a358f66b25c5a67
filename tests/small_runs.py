"""Makes runs that take a second: noisy 8 x 8 images of three classes, 80 to train on, in batches of 16.

An epoch has 5 steps, a run 4 epochs, so that its 20 steps fall on the ends of epochs and between them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from sonde import config, planning, stages, training
from sonde.config import RunFolder
from sonde.config.settings import Setting, Settings
from sonde.data import Dataset
from sonde.training import Epoch, Session

CLASSES = ("cat", "dog", "eel")
EPOCHS, STEPS = 4, 20

WORDS: dict[str, Any] = {
    "run.backend": "torch",
    "run.epochs": EPOCHS,
    "model.width": 4,
    "training.batch_size": 16,
    "training.learning_rate": 0.02,
    "training.precision": "fp32",
    "training.threads": 1,
    "augment.shift": 0.2,
    "evaluation.resamples": 100,
    "evaluation.explain": 0,
}
"""What all small runs have in common."""

EVERYTHING: dict[str, Any] = {
    "run.model": "cnn",
    "model.stages": 2,
    "model.dropout": 0.3,
    "augment.rotate": 10.0,
    "training.average": 0.5,
}
"""All that has a state: dropout, batch norm, augmentation, optimizer slots, a moving average."""


def examples(count: int, *, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Return noisy images, N x 8 x 8 x 1, and their classes in turns."""
    prototypes = np.random.default_rng(0).integers(0, 256, (len(CLASSES), 8, 8, 1))
    kinds = np.arange(count) % len(CLASSES)
    noise = np.random.default_rng(seed).normal(0, 70, (count, 8, 8, 1))
    return np.clip(prototypes[kinds] + noise, 0, 255).astype(np.uint8), np.array(CLASSES)[kinds]


def write_data(path: Path, *, train: int = 80, seed: int = 1) -> Path:
    """Write an archive with a training, a validation and a test split."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, (split, count) in enumerate({"train": train, "val": 30, "test": 45}.items()):
        arrays[f"x_{split}"], arrays[f"y_{split}"] = examples(count, seed=seed + 100 * number)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


def start(source: Path, words: Mapping[str, Any]) -> tuple[RunFolder, Dataset]:
    """Make the folder of a small run below the working folder, and open its data."""
    plan = planning.make_plan(config.from_words({**WORDS, "run.data": str(source), **words}))
    return stages.start(plan), plan.dataset


def again(folder: RunFolder, name: str, words: Mapping[str, Any] | None = None) -> RunFolder:
    """Make another run of the same options, with some changed; cheaper than planning anew."""
    settings = folder.settings()
    changed = {key: Setting(value, "command line") for key, value in {**(words or {}), "run.name": name}.items()}
    return config.create_run(
        name,
        settings=Settings({**settings, **changed}),
        text=stages.run_file(Settings({**settings, **changed}), title=name),
        environment=folder.read_json(folder.environment_file),
        findings=folder.read_json(folder.findings_file),
    )


def open_session(folder: RunFolder, dataset: Dataset) -> Session:
    """Open the session of a run and go back to its newest checkpoint."""
    session = training.open_session(folder, folder.settings(), dataset)
    session.restore()
    return session


def train(session: Session, *, steps: int = 10**9) -> list[Epoch]:
    """Train until so many steps of the whole run are taken, or to the end; return the epochs that ended."""
    epochs: list[Epoch] = []
    if session.step >= steps:
        return epochs
    for record in session.records():
        if isinstance(record, Epoch):
            epochs.append(record)
        elif record.step >= steps:
            break
    return epochs


def without_clock(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return history's records without their times."""
    return [{key: value for key, value in record.items() if key != "clock"} for record in history]


def bits(state: Mapping[str, NDArray[Any]]) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Return arrays so that == compares every bit, of NaN and of -0.0 too."""
    return {name: (str(array.dtype), array.shape, array.tobytes()) for name, array in state.items()}


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the content of a folder's files."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def settings(words: Mapping[str, Any]) -> Settings:
    """Return options as if they were given on the command line."""
    return config.from_words(words)


def weights_in(model: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a model folder."""
    return load((model / "weights.safetensors").read_bytes())
