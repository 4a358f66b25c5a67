"""Where frameworks live: torch, tensorflow and jax behind the same few functions.

    backend = use("torch")                      # one per process
    backend.start(threads=2)
    engine = backend.build(model, loss, scores, settings)
    told = engine.step({"inputs": inputs, "truth": truth, "weights": weights}, learning_rate)
    logits = engine.predict({"inputs": inputs})["logits"]

`training` and `evaluation` hold an engine and numpy arrays; they know no framework.
"""

import importlib
import importlib.util
import os
import shlex
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from types import ModuleType

from sonde.backend.engine import Batch, EngineSettings, Precision, Predicts, Trains, averaged_weights, weights_of
from sonde.backend.machine import cores
from sonde.backend.quiet import quietly, without
from sonde.backend.streaming import at_once, batches_of, gathered, joined, predictions
from sonde.errors import BackendError, unknown_name

__all__ = [
    "BACKENDS",
    "Backend",
    "Batch",
    "EngineSettings",
    "Precision",
    "Predicts",
    "Trains",
    "at_once",
    "averaged_weights",
    "batches_of",
    "cores",
    "gathered",
    "in_use",
    "install_command",
    "is_installed",
    "joined",
    "predictions",
    "use",
    "weights_of",
]


@dataclass(frozen=True)
class Backend:
    """One row of the table of backends."""

    package: str
    """What is imported; also the name of the extra that installs it."""
    sentence: str
    """What it is good for."""


BACKENDS: dict[str, Backend] = {
    "torch": Backend("torch", "PyTorch; the Keras graph is run with native torch operations. The default."),
    "tensorflow": Backend("tensorflow", "TensorFlow; the training step is one compiled graph."),
    "jax": Backend("jax", "JAX; the training step is compiled by XLA and keeps its state on the device."),
}
"""Every backend, in the order shown to users."""

_chosen: list[str] = []


def use(name: str) -> ModuleType:
    """Choose the backend of this process and return its module.

    Args:
        name: a row of `BACKENDS`.

    Returns:
        The module with `start`, `build`, `dtype_policy`, `choose_precision` and `facts`.

    Raises:
        BackendError: unknown or not installed, or this process uses another one already.
    """
    if name not in BACKENDS:
        raise BackendError(unknown_name("backend", name, BACKENDS, "sonde list backends"))
    if in_use() not in (None, name):
        raise BackendError(
            f"This process uses the backend '{in_use()}' already, and Keras allows one per process. "
            f"Start a new Python process for '{name}', or use the shell: sonde train DATA --backend {name}"
        )
    if not is_installed(name):
        raise BackendError(
            f"The backend '{name}' is not installed. Install it with: {install_command(name)} "
            f"(installed: {', '.join(row for row in BACKENDS if is_installed(row)) or 'none'}; sonde doctor shows more)"
        )
    os.environ["KERAS_BACKEND"] = name
    # TensorFlow and JAX greet on stderr, from C++, before Python can ask them not to.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name == "torch":
        # CUDA multiplies matrices the same way each time only with this, read when it starts.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Keras mends a name of JAX wherever that is installed, and a run on another backend waits seconds for it.
    with quietly(), nullcontext() if name == "jax" else without("jax"):
        module = importlib.import_module(f"sonde.backend.{name}")
    if name != "tensorflow":
        # Keras looks for TensorFlow to wrap a recurrent layer; where it is installed, that is 10 s and its greetings.
        keras_utils = importlib.import_module("keras.src.utils.module_utils")
        if keras_utils.tensorflow.module is None:
            keras_utils.tensorflow._available = False
    # A keras.json in the user's home may say otherwise, and every model here is written for these.
    settings = sys.modules["keras"].config
    settings.set_image_data_format("channels_last")
    settings.set_floatx("float32")
    if not _chosen:
        _chosen.append(name)
    return module


def in_use() -> str | None:
    """Return the backend that this process has chosen, or that Keras was imported with, or None."""
    if _chosen:
        return _chosen[0]
    if "keras" in sys.modules:
        return str(sys.modules["keras"].config.backend())
    return None


def is_installed(name: str) -> bool:
    """Tell whether a backend's package can be imported, without importing it."""
    return importlib.util.find_spec(BACKENDS[name].package) is not None


def install_command(name: str) -> str:
    """Return the command that installs a backend's extra."""
    # A newer torch than this one brings gigabytes of CUDA packages along.
    pin = " torch==2.13.0" if name == "torch" else ""
    return f"{python()} -m pip install 'sonde[{name}]'{pin}"


def python() -> str:
    """Return the interpreter of this process as a shell would name it, such as .venv/bin/python."""
    path = os.path.abspath(sys.executable)
    here = os.path.relpath(path)
    return shlex.quote(path if here.startswith("..") else here)
