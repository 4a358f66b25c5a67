"""A trained model's folder: our own description, weights in safetensors, and digests. No pickle, no code.

    model/
      model.json           architecture, options, inputs, target, what was fitted
      weights.safetensors  every weight by name
      digests.json         SHA-256 and size of the two; written last

A folder is untrusted: sizes are bounded before reading, digests and shapes are checked before anything is built.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import keras
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from sonde.config import Settings, fill
from sonde.config.disk import read_regular, write_folder_atomically
from sonde.config.settings import Setting
from sonde.config.untrusted import Unsound, parse_json, read_json
from sonde.errors import ModelError, SondeError
from sonde.models.architectures import options_of
from sonde.models.assemble import Blueprint, rebuild, tensor_shapes
from sonde.models.heads import HEADS
from sonde.models.reads import Reads
from sonde.models.views import Name

FORMAT = 2
LARGEST_DESCRIPTION = 4_000_000
"""Bytes of model.json; 1,000 classes with long names stay below 100 kB."""
LARGEST_WEIGHTS = 4_000_000_000
"""Bytes of weights that are read without being asked for: a billion float32."""

DESCRIPTION, WEIGHTS, DIGESTS = "model.json", "weights.safetensors", "digests.json"
ENSEMBLE = "ensemble"
"""What model.json calls a folder of several models, which `models.ensemble_folder` reads."""


class InputForm(BaseModel):
    """What a model is told of its input, as `Reads` is."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    shape: Annotated[tuple[Annotated[int, Field(ge=1, le=1_000_000)] | None, ...], Field(min_length=1, max_length=5)]
    dtype: Literal["float32", "int32"]
    cardinalities: Annotated[tuple[Annotated[int, Field(ge=1, le=10_000_000)], ...], Field(max_length=10_000)]
    presence: bool

    @property
    def value(self) -> Reads:
        """The same as the architectures read it."""
        return Reads(self.shape, self.dtype, self.cardinalities, self.presence)


class Description(BaseModel):
    """All that is needed to rebuild a trained model, to read its inputs and to make predictions of its outputs."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: Annotated[int, Field(ge=1)] = FORMAT
    sonde: str
    """Version that wrote it."""
    task: str
    answer: str
    model: str
    options: dict[str, Any]
    outputs: Annotated[int, Field(ge=1, le=10_000_000)]
    """Size of the head's last axis."""
    head: dict[str, Any] = {}
    """What else the head is built of."""
    reads: InputForm
    """What its input looks like."""
    input: dict[str, Any]
    """The input spec, as plain values; `data.spec_from` reads it."""
    target: dict[str, Any]
    """What it predicts, as plain values; the answer's `target_from` reads it."""
    fitted: dict[str, Any] = {}
    """What was fitted on validation, as plain values; the answer's `fitted_from` reads it."""
    views: Name = "one"
    """What each prediction is the mean over; a row of `models.views.VIEWS`."""


def save(path: Path, description: Description, weights: Mapping[str, NDArray[Any]]) -> None:
    """Write a model folder in one step.

    Args:
        path: folder to make; an older one is replaced.
        description: the model's description.
        weights: arrays by variable name.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    files = {
        DESCRIPTION: json.dumps(description.model_dump(mode="json"), indent=1, allow_nan=False).encode(),
        WEIGHTS: save_tensors({name: np.ascontiguousarray(weights[name]) for name in sorted(weights)}),
    }
    digests = {name: {"bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()} for name, raw in files.items()}
    write_folder_atomically(path, {**files, DIGESTS: json.dumps(digests, indent=1)}, marker=DIGESTS)


def load(path: Path, *, largest_bytes: int = LARGEST_WEIGHTS) -> tuple[keras.Model, Description]:
    """Rebuild a trained model from its folder.

    Args:
        path: a folder that `save` wrote; it is not trusted.
        largest_bytes: weights files above this size are refused before reading.

    Raises:
        ModelError: a file is missing, damaged, changed, too large, or does not fit the description.
    """
    digests = read_digests(path)
    description = _read_description(path, digests)
    if description.model == ENSEMBLE:
        raise ModelError(f"{path} is an ensemble of several models, and one is needed here; take one of those in it.")
    blueprint, shapes = _blueprint(description, path / DESCRIPTION)
    declared = 4 * sum(int(np.prod(shape, dtype=object)) for shape in shapes.values())
    raw = _read(path / WEIGHTS, min(largest_bytes, declared + LARGEST_DESCRIPTION), digests)
    weights = _tensors(raw, shapes, path / WEIGHTS)
    return rebuild(blueprint, weights), description


def read_description(path: Path) -> Description:
    """Read what a model folder says of its model, and nothing else.

    Args:
        path: a model folder; it is not trusted.

    Raises:
        ModelError: it is missing, damaged or changed.
    """
    return _read_description(path, read_digests(path))


def read_digests(path: Path) -> dict[str, tuple[int, str]]:
    """Read the size and the SHA-256 of each file of a model folder.

    Args:
        path: a model folder; it is not trusted.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    if not path.is_dir():
        raise ModelError(f"There is no model at {path}; a training that ended writes one (sonde resume RUN goes on).")
    try:
        digests = read_json(path / DIGESTS, largest=LARGEST_DESCRIPTION)
        expected = {name: (int(entry["bytes"]), str(entry["sha256"])) for name, entry in digests.items()}
    except FileNotFoundError:
        raise ModelError(
            f"{path / DIGESTS} is missing: the folder is not a whole sonde model and is refused."
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ModelError(f"{path / DIGESTS} is damaged ({error}); the folder is refused.") from None
    return expected


def _read(file: Path, largest: int, digests: dict[str, tuple[int, str]]) -> bytes:
    if file.name not in digests:
        raise ModelError(f"{file.parent / DIGESTS} says nothing of {file.name}; the folder is refused.")
    size, digest = digests[file.name]
    try:
        found = file.stat().st_size
        if found > largest:
            raise ModelError(f"{file} has {found:,} bytes where at most {largest:,} can be right; it is not read.")
        if found != size:
            raise ModelError(f"{file} has {found:,} bytes instead of {size:,}: it was cut or changed, and is refused.")
        raw = read_regular(file, largest=largest)
    except OSError as error:
        raise ModelError(f"Cannot read {file}: {error.strerror}; the folder is refused.") from None
    if hashlib.sha256(raw).hexdigest() != digest:
        raise ModelError(f"{file} was changed since it was written (its SHA-256 differs); the folder is refused.")
    return raw


def _read_description(path: Path, digests: dict[str, tuple[int, str]]) -> Description:
    file = path / DESCRIPTION
    raw = _read(file, LARGEST_DESCRIPTION, digests)
    try:
        written = parse_json(raw, finite=False)
        found = written.get("format") if isinstance(written, dict) else None
        if isinstance(found, int) and found != FORMAT:
            raise ModelError(
                f"{file} has format {found}, and this version of sonde reads format {FORMAT}. Train the model anew."
            )
        return Description.model_validate_json(raw)
    except Unsound as error:
        raise ModelError(f"{file} is not a sonde model: {error}; the folder is refused.") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise ModelError(f"{file} is not a sonde model ({where}: {first['msg']}); the folder is refused.") from None
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{file} is not a sonde model ({error}); the folder is refused.") from None


def blueprint_of(description: Description) -> Blueprint:
    """Return what a description says is to be built.

    Raises:
        SondeError: there is no such model or head, or one of its options is not possible.
    """
    row = HEADS.get(description.answer)
    if description.views != "one" and (row is None or row.views == "none" or len(description.reads.shape) != 3):
        raise ModelError(f"Its views are '{description.views}', and there are none of what it reads and predicts.")
    entries = {f"model.{name}": Setting(value, "file") for name, value in description.options.items()}
    options = fill(options_of(description.model), "model", Settings(entries))
    return Blueprint(
        description.model, description.answer, description.reads.value, description.outputs, options, description.head
    )


def _blueprint(description: Description, file: Path) -> tuple[Blueprint, dict[str, tuple[int, ...]]]:
    """Return what is to be built, and the shapes of its weights."""
    try:
        blueprint = blueprint_of(description)
        return blueprint, tensor_shapes(blueprint)
    except SondeError as error:
        raise ModelError(f"{file}: {error} The folder is refused.") from None


def _tensors(raw: bytes, shapes: dict[str, tuple[int, ...]], file: Path) -> dict[str, NDArray[Any]]:
    try:
        weights: dict[str, NDArray[Any]] = load_tensors(raw)
    except (SafetensorError, ValueError, KeyError) as error:
        raise ModelError(f"{file} is not a valid safetensors file ({error}); the folder is refused.") from None
    if set(weights) != set(shapes):
        odd = sorted(set(weights) ^ set(shapes))[:3]
        raise ModelError(f"{file} does not hold the architecture's weights (first odd ones: {odd}); it is refused.")
    for name, array in weights.items():
        if array.shape != shapes[name] or array.dtype != np.float32:
            raise ModelError(
                f"{file}: '{name}' is {array.dtype} {array.shape} where float32 {shapes[name]} belongs; it is refused."
            )
        if not np.isfinite(array).all():
            raise ModelError(f"{file}: '{name}' holds numbers that are not finite; it is refused.")
    return weights
