"""The table of architectures; looking at it imports no framework."""

import importlib
from dataclasses import dataclass
from types import ModuleType

from sonde.config import Options
from sonde.errors import ModelError, unknown_name


@dataclass(frozen=True)
class Architecture:
    """One row of the table of models."""

    sentence: str
    reads: tuple[str, ...]
    """The modalities that it takes."""
    work: str = "convolution"
    """What it mostly does: convolution, recurrence or matrix product; decides what `precision = "auto"` tries out."""


MODELS: dict[str, Architecture] = {
    "cnn": Architecture("Pairs of 3x3 convolutions with batch norm; the default for small images.", ("image",)),
    "fast": Architecture("Whitened patches and near-identity kernels; learns small images in few epochs.", ("image",)),
    "mlp": Architecture("Dense layers on the flattened input.", ("image",), "matrix product"),
    "lenet": Architecture("LeNet-5 (LeCun et al., 1998) with ReLU and max pooling.", ("image",)),
    "resnet": Architecture("Residual network for small images (He et al., 2016, section 4.2).", ("image",)),
    "rnn": Architecture("Reads an image row by row with an LSTM, a GRU or a SimpleRNN.", ("image",), "recurrence"),
}
"""Every model, in the order shown to users."""


def architecture(name: str) -> ModuleType:
    """Return the file of a model, with its `Options` and `features`; imports Keras on the chosen backend.

    Raises:
        ModelError: there is no such model.
    """
    if name not in MODELS:
        raise ModelError(unknown_name("model", name, MODELS, "sonde list models"))
    return importlib.import_module(f"sonde.models.{name}")


def options_of(name: str) -> type[Options]:
    """Return the options class of a model.

    Raises:
        ModelError: there is no such model.
    """
    options: type[Options] = architecture(name).Options
    return options
