"""Every test of this room has a working folder and a cache of its own, and shares one opened data set."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import small_runs
from sonde.config import RunFolder
from sonde.data import Dataset


@dataclass(frozen=True)
class Begun:
    """A run that was started and not trained, to make others from."""

    folder: RunFolder
    dataset: Dataset
    source: Path


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("work")
        patch.setenv("SONDE_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def begun(workplace: Path) -> Begun:
    source = small_runs.write_data(Path("tiny.npz"))
    return Begun(*small_runs.start(source, {**small_runs.EVERYTHING, "run.name": "begun"}), source)
