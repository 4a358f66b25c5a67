"""Small inputs of every kind that models read: what a model is told of them, and examples."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.models import MODELS

CARDINALITIES = (3, 4)
"""Values of the category columns of the table."""
WORDS = 12
"""Tokens of the texts, with padding and the unknown one."""


@dataclass(frozen=True)
class Kind:
    """An input as a spec would describe it."""

    modality: str
    shape: tuple[int | None, ...]
    length: int = 0
    """Steps of the longest example where the length varies."""
    dtype: str = "float32"
    cardinalities: tuple[int, ...] = ()
    presence: bool = False
    masks: bool = False
    """Whether each place has a class of its own."""

    @property
    def reads(self) -> Any:
        """What a model is told of it; a `models.reads.Reads`."""
        from sonde.models.reads import Reads

        return Reads(self.shape, self.dtype, self.cardinalities, self.presence)  # type: ignore[arg-type]

    @property
    def looks(self) -> str:
        """What it looks like to a model."""
        return str(self.reads.modality)


KINDS: dict[str, Kind] = {
    "image": Kind("image", (12, 12, 1)),
    "image and mask": Kind("image", (12, 12, 1), masks=True),
    "text": Kind("text", (None,), 9, "int32", (WORDS,)),
    "audio": Kind("audio", (None, 9), 12, presence=True),
    "audio of one length": Kind("audio", (12, 8)),
    "series": Kind("series", (20, 2)),
    "series of unequal length": Kind("series", (None, 3), 20, presence=True),
    "table": Kind("table", (5,), cardinalities=CARDINALITIES),
}
"""One or two of each modality."""

NEEDS_ONE_LENGTH = ("mlp", "crnn", "dscnn", "spectrogram-cnn")
"""Models that refuse what varies in length; recordings are cut to one before they are read."""


def answer_of(name: str) -> str:
    """Return what a model is asked here: a class, or a mask where it gives no vector to tell a class from."""
    return "segmentation" if name in MODELS and "vector" not in MODELS[name].gives else "classification"


def head_of(name: str, shape: tuple[int | None, ...]) -> dict[str, Any]:
    """Return what the head of a model is told beside the number of classes."""
    return dict(zip(("height", "width"), shape, strict=False)) if answer_of(name) == "segmentation" else {}


def read_by(name: str, modalities: tuple[str, ...]) -> list[str]:
    """Return the kinds that a model reads.

    Args:
        name: the model.
        modalities: what its row in `MODELS` says.
    """
    fixed, masks = name in NEEDS_ONE_LENGTH, answer_of(name) == "segmentation"
    fitting = [key for key, kind in KINDS.items() if kind.modality in modalities and kind.masks == masks]
    return [key for key in fitting if not (fixed and None in KINDS[key].shape)]


def examples(key: str, count: int, classes: int, *, apart: float = 0.0) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Return inputs of about unit variance, and their class numbers, or masks of them.

    Args:
        key: a row of `KINDS`.
        count: examples; where lengths vary, each is at least a third of the longest.
        classes: how many.
        apart: how far the means of the classes are from each other.
    """
    rng, kind = np.random.default_rng(0), KINDS[key]
    truth = (np.arange(count) % classes).astype(np.int32)
    if kind.modality == "table":
        numbers = rng.normal(size=(count, 3)) + apart * rng.normal(size=(classes, 3))[truth]
        codes = [rng.integers(values, size=(count, 1)) for values in CARDINALITIES]
        return np.concatenate([numbers, *codes], axis=1).astype(np.float32), truth
    shape = tuple(kind.length if size is None else size for size in kind.shape)
    if kind.masks:
        masks = rng.integers(classes, size=(count, *shape[:2])).astype(np.int32)
        levels = (masks - (classes - 1) / 2) / masks.std()
        return (levels[..., None] + rng.normal(0, 0.1, (count, *shape))).astype(np.float32), masks
    if kind.modality == "text":
        inputs: NDArray[Any] = rng.integers(1, WORDS, size=(count, *shape)).astype(np.int32)
        inputs[:, 0] = np.where(apart > 0, 2 + truth, inputs[:, 0])
    else:
        inputs = rng.normal(size=(count, *shape)) + apart * rng.normal(size=(classes, *shape))[truth]
        inputs = inputs.astype(np.float32)
    if kind.length:
        if kind.presence:
            inputs[..., -1] = 1.0
        lengths = rng.integers(kind.length // 3, kind.length + 1, size=count)
        lengths[0] = kind.length
        inputs[np.arange(kind.length) >= lengths[:, None]] = 0
    return inputs, truth
