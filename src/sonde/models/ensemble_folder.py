"""The folder of a model that is several trained models, whose probabilities are averaged.

    model/
      model.json      our own description: model = "ensemble", the weights among its options
      1/, 2/, ...     the members, each a whole model folder as `models.model_folder` writes it
      digests.json    SHA-256 and size of model.json and of each member's digests.json; written last

The members are copies, so that the folder can be moved alone. It is as untrusted as theirs.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import keras
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sonde.config.disk import read_regular, write_folder_atomically
from sonde.errors import ModelError
from sonde.models import model_folder
from sonde.models.model_folder import DESCRIPTION, DIGESTS, ENSEMBLE, LARGEST_DESCRIPTION, WEIGHTS, Description

MOST = 100
"""Members of an ensemble at most."""


class Weights(BaseModel):
    """How much each member counts."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    weights: Annotated[
        tuple[Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)], ...], Field(min_length=2, max_length=MOST)
    ]


@dataclass(frozen=True)
class Member:
    """One of the averaged models."""

    model: keras.Model
    description: Description
    weight: float


def save(path: Path, description: Description, members: Sequence[Path]) -> None:
    """Write an ensemble's folder in one step, with copies of its members.

    Args:
        path: folder to make; an older one is replaced.
        description: of the whole; its options hold the weights.
        members: model folders, read through `models.model_folder` before.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    files = {DESCRIPTION: json.dumps(description.model_dump(mode="json"), indent=1, allow_nan=False).encode()}
    covered = [DESCRIPTION]
    for number, member in enumerate(members, 1):
        files |= {f"{number}/{name}": (member / name).read_bytes() for name in (DESCRIPTION, WEIGHTS, DIGESTS)}
        covered.append(f"{number}/{DIGESTS}")
    digests = {name: {"bytes": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()} for name in covered}
    write_folder_atomically(path, {**files, DIGESTS: json.dumps(digests, indent=1)}, marker=DIGESTS)


def load(path: Path) -> tuple[list[Member], Description]:
    """Rebuild the members of an ensemble.

    Args:
        path: a folder that `save` wrote; it is not trusted.

    Raises:
        ModelError: a file is missing, damaged, changed or too large, or the members do not fit together.
    """
    description = model_folder.read_description(path)
    weights = _weights(description, path / DESCRIPTION)
    digests = model_folder.read_digests(path)
    members = []
    for number, weight in enumerate(weights, 1):
        _check_digests(path, f"{number}/{DIGESTS}", digests)
        model, of_member = model_folder.load(path / str(number))
        members.append(Member(model, of_member, weight))
    for number, member in enumerate(members, 1):
        theirs = (member.description.task, member.description.answer, member.description.target)
        if theirs != (description.task, description.answer, description.target):
            raise ModelError(f"{path / str(number)} answers another question than {path}; the folder is refused.")
    return members, description


def _weights(description: Description, file: Path) -> tuple[float, ...]:
    try:
        weights = Weights.model_validate_json(json.dumps(description.options)).weights
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelError(f"{file} is no ensemble (options.{where}: {first['msg']}); the folder is refused.") from None
    if description.model != ENSEMBLE or abs(sum(weights) - 1) > 1e-6:
        raise ModelError(f"{file} is no ensemble, or its weights do not add up to 1; the folder is refused.")
    return weights


def _check_digests(path: Path, name: str, digests: dict[str, tuple[int, str]]) -> None:
    """Hold a member's digests against those of the whole: with them its files are what they were."""
    try:
        raw = read_regular(path / name, largest=LARGEST_DESCRIPTION)
    except OSError as error:
        raise ModelError(f"Cannot read {path / name}: {error.strerror}; the folder is refused.") from None
    if digests.get(name) != (len(raw), hashlib.sha256(raw).hexdigest()):
        raise ModelError(f"{path / name} was changed since it was written; the folder is refused.")
