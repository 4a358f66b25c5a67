"""An ensemble's folder holds its members whole, survives a move, and is refused where anything in it was changed."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from descriptions import described
from sonde.config.settings import Settings
from sonde.errors import ModelError
from sonde.models.reads import Reads


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    from sonde import backend

    backend.use(backend.in_use() or "torch").start(threads=1)
    from sonde.config import fill
    from sonde.models import model_folder, options_of
    from sonde.models.assemble import Blueprint, build

    place = tmp_path_factory.mktemp("members")
    paths = []
    for seed in (0, 1):
        options = fill(options_of("mlp"), "model", Settings())
        blueprint = Blueprint("mlp", "classification", Reads((4, 4, 1)), 3, options)
        model = build(blueprint, seed=seed)
        weights = {variable.path: np.asarray(variable.numpy()) for variable in model.weights}
        path = place / str(seed)
        model_folder.save(path, description("mlp", options.model_dump(mode="json")), weights)
        paths.append(path)
    return paths


def description(model: str, options: dict[str, Any], classes: tuple[str, ...] = ("a", "b", "c")) -> Any:
    return described(model, options, Reads((4, 4, 1)), classes=classes)


@pytest.fixture
def made(members: list[Path], tmp_path: Path) -> Path:
    from sonde.models import ensemble_folder

    ensemble_folder.save(tmp_path / "model", description("ensemble", {"weights": (0.25, 0.75)}), members)
    return tmp_path / "model"


def test_a_moved_ensemble_holds_its_members_bit_for_bit(made: Path, members: list[Path], tmp_path: Path) -> None:
    from sonde.models import ensemble_folder

    moved = shutil.move(made, tmp_path / "elsewhere")
    found, whole = ensemble_folder.load(Path(moved))
    assert [each.weight for each in found] == [0.25, 0.75] and whole.target["classes"] == ["a", "b", "c"]
    for number, path in enumerate(members, 1):
        assert (Path(moved) / f"{number}" / "weights.safetensors").read_bytes() == (
            path / "weights.safetensors"
        ).read_bytes()


def test_an_older_ensemble_is_replaced_whole(made: Path, members: list[Path]) -> None:
    from sonde.models import ensemble_folder

    ensemble_folder.save(made, description("ensemble", {"weights": (0.5, 0.5)}), members[::-1])
    assert [each.weight for each in ensemble_folder.load(made)[0]] == [0.5, 0.5]
    assert sorted(path.name for path in made.parent.iterdir()) == ["model"]


def change_weights(path: Path) -> None:
    file = path / "2" / "weights.safetensors"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)


def swap_members(path: Path) -> None:
    (path / "1").rename(path / "x")
    (path / "2").rename(path / "1")
    (path / "x").rename(path / "2")


def lose_a_member(path: Path) -> None:
    shutil.rmtree(path / "2")


def make_a_pipe(path: Path) -> None:
    import os

    (path / "1" / "digests.json").unlink()
    os.mkfifo(path / "1" / "digests.json")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (change_weights, "was changed since it was written"),
        (swap_members, "1/digests.json was changed"),
        (lose_a_member, "Cannot read .*2/digests.json"),
        (make_a_pipe, "Cannot read .*1/digests.json: it is not a regular file"),
    ],
)
def test_a_member_that_was_touched_is_refused(made: Path, harm: Any, message: str) -> None:
    from sonde.models import ensemble_folder

    harm(made)
    with pytest.raises(ModelError, match=message):
        ensemble_folder.load(made)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": {"weights": (0.5, 0.6)}}, "its weights do not add up to 1"),
        ({"options": {"weights": (1.0,)}}, "is no ensemble"),
        ({"options": {"weights": (0.5, 0.5), "path": "/etc"}}, "is no ensemble"),
        ({"options": {"weights": (-0.5, 1.5)}}, "is no ensemble"),
        ({"model": "mlp", "options": {"weights": (0.5, 0.5)}}, "is no ensemble"),
        ({"classes": ("a", "b")}, "answers another question"),
        ({"options": {"weights": (0.25,) * 4}}, "Cannot read .*3/digests.json"),
    ],
)
def test_a_description_that_does_not_fit_its_members_is_refused(
    members: list[Path], tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    from sonde.models import ensemble_folder

    words = {"model": "ensemble", "options": {"weights": (0.5, 0.5)}, **changes}
    ensemble_folder.save(tmp_path / "model", description(**words), members)
    with pytest.raises(ModelError, match=message):
        ensemble_folder.load(tmp_path / "model")


def test_an_ensemble_is_not_taken_for_one_model(made: Path) -> None:
    from sonde.models import model_folder

    with pytest.raises(ModelError, match="is an ensemble of several models"):
        model_folder.load(made)
    assert model_folder.read_description(made).model == "ensemble"
    assert json.loads((made / "digests.json").read_text()).keys() == {"model.json", "1/digests.json", "2/digests.json"}
