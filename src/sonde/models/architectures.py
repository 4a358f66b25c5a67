"""The table of architectures; looking at it imports no framework."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from sonde.config import Options
from sonde.config.settings import Settings
from sonde.errors import ConfigError, ModelError, unknown_name
from sonde.models.heads import HEADS

ENSEMBLE = "ensemble"
"""What stands in the place of an architecture where several models are averaged; it is not trained."""


@dataclass(frozen=True)
class Architecture:
    """One row of the table of models."""

    sentence: str
    reads: tuple[str, ...]
    """The modalities that it takes."""
    work: str = "convolution"
    """What it mostly does: convolution, recurrence or matrix product; decides what `precision = "auto"` tries out."""
    gives: tuple[str, ...] = ("vector",)
    """What a head can read of its features: "vector", "steps" of what it reads step by step, "levels" of images."""
    suits: Mapping[str, Any] = field(default_factory=dict)
    """Settings that go well with it, by "part.option"; guesses, below all that is given."""
    begins_with: str = ""
    """The option without which it is not trained, such as weights of others; no other model takes it."""
    only_solved: bool = False
    """Whether it is the default only where its head can be solved for at once."""

    def takes(self, modality: str, answer: str) -> bool:
        """Tell whether it reads a modality and gives what the head of an answer needs."""
        row = HEADS[answer]
        return modality in self.reads and row.needs in self.gives and (row.solves or not self.only_solved)


MODELS: dict[str, Architecture] = {
    "unet": Architecture(
        "The encoder of a U-Net (Ronneberger et al., 2015); the default for masks.",
        ("image",),
        gives=("levels",),
    ),
    "cnn": Architecture(
        "Pairs of 3x3 convolutions with batch norm; the default for small images.",
        ("image",),
        gives=("vector", "steps", "levels"),
    ),
    "fast": Architecture(
        "Whitened patches and near-identity kernels; learns small images in few epochs.",
        ("image",),
        gives=("vector", "levels"),
    ),
    "minirocket": Architecture(
        "Fixed kernels whose answers are counted, and a ridge head solved at once; the default for series.",
        ("series",),
        only_solved=True,
        suits={
            "training.precision": "fp32",
            "run.epochs": 1,
            "training.schedule": "constant",
            "training.batch_size": 256,
        },
    ),
    "mlp": Architecture(
        "Dense layers on the flattened input, with embeddings of categories; the default for tables.",
        ("image", "series", "table"),
        "matrix product",
    ),
    "lenet": Architecture("LeNet-5 (LeCun et al., 1998) with ReLU and max pooling.", ("image",)),
    "resnet": Architecture(
        "Residual network for small images (He et al., 2016, section 4.2) or series (Wang et al., 2017).",
        ("image", "series"),
        gives=("vector", "steps", "levels"),
    ),
    "fcn": Architecture(
        "Three convolutions over time and their mean (Wang et al., 2017).", ("series",), gives=("vector", "steps")
    ),
    "inceptiontime": Architecture(
        "Kernels of several lengths side by side (Ismail Fawaz et al., 2020).", ("series",), gives=("vector", "steps")
    ),
    "lstm-fcn": Architecture(
        "The same as fcn, with a small LSTM beside it (Karim et al., 2018).", ("series",), gives=("vector", "steps")
    ),
    "crnn": Architecture(
        "Convolutions, then a GRU over time (an image from top to bottom); the default for recordings.",
        ("audio", "image"),
        gives=("vector", "steps"),
    ),
    "bag": Architecture(
        "The weighted mean of the embeddings of words and hashed n-grams (fastText); the default for texts.",
        ("text",),
        "matrix product",
        suits={"training.learning_rate": 1e-3},
    ),
    "transformer": Architecture(
        "Transformer encoder with rotary positions; an image in patches.",
        ("image", "text", "audio", "series"),
        "matrix product",
        gives=("vector", "steps"),
    ),
    "textcnn": Architecture(
        "Windows over words, and the best match of each (Kim, 2014).", ("text",), gives=("vector", "steps")
    ),
    "spectrogram-cnn": Architecture(
        "Pairs of 3x3 convolutions over a spectrogram (after CNN10, Kong et al., 2020).",
        ("audio",),
        gives=("vector", "steps"),
    ),
    "dscnn": Architecture(
        "Depthwise separable convolutions (Zhang et al., 2017), small enough for a microcontroller.", ("audio",)
    ),
    "rnn": Architecture(
        "Reads step by step with an LSTM, a GRU or a SimpleRNN; an image row by row.",
        ("image", "text", "audio", "series"),
        "recurrence",
        gives=("vector", "steps"),
    ),
    "pretrained": Architecture(
        "A text encoder that others have trained (BERT, DistilBERT, RoBERTa), trained further; see model.weights.",
        ("text",),
        "matrix product",
        suits={"training.learning_rate": 1e-4, "run.epochs": 4, "training.batch_size": 32},
        begins_with="model.weights",
        gives=("vector", "steps"),
    ),
    "cnn-transformer": Architecture(
        "Convolutions, then a transformer over what they found (Hassani et al., 2021).",
        ("image", "audio"),
        gives=("vector", "steps"),
    ),
}
"""Every model, in the order shown to users."""


def architecture(name: str) -> ModuleType:
    """Return the file of a model, with its `Options` and `features`; imports Keras on the chosen backend.

    Raises:
        ModelError: there is no such model.
    """
    if name not in MODELS:
        raise ModelError(unknown_name("model", name, MODELS, "sonde list models"))
    return importlib.import_module(f"sonde.models.{name.replace('-', '_')}")


def options_of(name: str) -> type[Options]:
    """Return the options class of a model.

    Raises:
        ModelError: there is no such model.
    """
    options: type[Options] = architecture(name).Options
    return options


def fits(model: str, needs: str) -> bool:
    """Tell whether a model gives what a head needs.

    Args:
        model: a row of `MODELS`.
    """
    return needs in MODELS[model].gives


def refuse_unfit(model: str, needs: str) -> None:
    """Refuse a head that needs what a model does not give.

    Args:
        model: a row of `MODELS`.

    Raises:
        ModelError: it does not; the text names models that do and read the same.
    """
    if fits(model, needs):
        return
    like = [name for name, row in MODELS.items() if fits(name, needs) and set(row.reads) & set(MODELS[model].reads)]
    raise ModelError(
        f"The model '{model}' gives no {needs}, and what is asked here needs them. Models that do: "
        f"{', '.join(like) or 'none that reads the same'} (sonde list models)."
    )


def refuse_beginnings(settings: Settings) -> None:
    """Refuse a model without what it begins with, and what another model begins with.

    Raises:
        ConfigError: the text names the option and what to do.
    """
    chosen = settings["run.model"]
    at = f"{chosen.place}: " if chosen.place else ""
    for name, row in MODELS.items():
        if row.begins_with and settings.value(row.begins_with) and chosen.value != name:
            raise ConfigError(f"{at}{row.begins_with} is for the model '{name}'; leave out --model={chosen.value}.")
    needed = MODELS[chosen.value].begins_with
    if needed and not settings.value(needed):
        raise ConfigError(f"{at}The model '{chosen.value}' begins with weights of others: --set {needed}=FOLDER.")
