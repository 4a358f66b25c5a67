"""What every format of recordings promises: they come back with their labels, and damage is named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import makers
import recordings
from asking import CLASSES
from sonde import data
from sonde.data.audio.spec import Options as AudioOptions
from sonde.data.sources import SOURCES
from sonde.errors import DataError

pytest.importorskip("soundfile", reason="soundfile is not installed")

STRICT = data.Options(bad_share=0.0)
SMALL = AudioOptions(sample_rate=8000, seconds=0.4, bands=16, window=32.0, hop=16.0)


def _listed(root: Path) -> Path:
    recordings.class_folders(root / "sounds")
    files = sorted((root / "sounds").rglob("*.wav"))
    rows = [{"path": file.relative_to(root).as_posix(), "label": file.parent.name} for file in files]
    return makers.write_table(root / "list.csv", rows)


MAKERS: dict[str, Callable[[Path], Path]] = {
    "manifest": _listed,
    "file-names": lambda root: recordings.named(root / "set", takes=6),
    "sounds": lambda root: recordings.class_folders(root / "set"),
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))


def loaded(path: Path) -> data.Dataset:
    return data.load(data.survey(str(path), STRICT), STRICT, SMALL, CLASSES)


def test_every_row_that_reads_recordings_is_tried_here() -> None:
    assert set(MAKERS) == {name for name, row in SOURCES.items() if "audio" in row.modalities}


@pytest.mark.parametrize("name", MAKERS)
def test_it_is_recognised_by_its_own_row_and_says_why(name: str, tmp_path: Path) -> None:
    path = MAKERS[name](tmp_path)
    said = {other: row.sniff(path) for other, row in SOURCES.items() if other != "builtin"}
    assert next(other for other, reason in said.items() if reason) == name
    listing = data.survey(str(path), STRICT)
    assert listing.modality == "audio" and len(said[name] or "") > 10 and listing.reason and listing.format


@pytest.mark.parametrize("name", MAKERS)
def test_recordings_labels_and_names_come_back_together(name: str, tmp_path: Path) -> None:
    dataset = loaded(MAKERS[name](tmp_path))
    parts = (dataset.train, dataset.validation, dataset.test)
    for part in parts:
        assert part.inputs.shape == (len(part), *dataset.spec.shape) and len(part) > 0
        # The class is heard in the pitch (tests/recordings.py): 400 or 800 Hz.
        loudest = part.inputs.max(axis=1).argmax(axis=1)
        assert np.array_equal(loudest > 3, part.truth == "high")
        assert all(answer in name for name, answer in zip(part.names, part.truth, strict=True))
    assert len({each for part in parts for each in part.names}) == sum(map(len, parts))
    assert dataset.findings.leak_count == 0 and not dataset.findings.bad_files


@pytest.mark.parametrize("name", MAKERS)
def test_the_fingerprint_stays_and_changes_with_one_sample(name: str, tmp_path: Path) -> None:
    paths = [MAKERS[name](tmp_path / folder) for folder in ("a", "b", "c")]
    root = paths[2].parent if paths[2].is_file() else paths[2]
    file = sorted(root.rglob("*.wav"))[3]
    raw = bytearray(file.read_bytes())
    raw[-9] ^= 1
    file.write_bytes(raw)
    prints = [loaded(path).fingerprint for path in paths]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("name", MAKERS)
def test_a_file_that_is_cut_off_is_named(name: str, tmp_path: Path) -> None:
    path = MAKERS[name](tmp_path)
    root = path.parent if path.is_file() else path
    file = sorted(root.rglob("*.wav"))[3]
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match=rf"{file.name} is cut short"):
        loaded(path)
