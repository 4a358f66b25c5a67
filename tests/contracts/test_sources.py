"""What every data format promises: names, labels and splits come back, and damage is named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import makers
from asking import CLASSES
from sonde import data
from sonde.data.image.spec import Options as ImageOptions
from sonde.data.sources import SOURCES
from sonde.errors import DataError

MAKERS: dict[str, Callable[[Path], Path]] = {
    "idx": lambda root: makers.idx(root / "set"),
    "cifar": lambda root: makers.cifar(root / "set"),
    "npz": lambda root: makers.npz(root / "set.npz"),
    "manifest": lambda root: makers.manifest(root / "set", columns=("path", "label", "split")),
    "class-folders": lambda root: makers.class_folders(root / "set", splits=("train", "test")),
}
DAMAGED = {
    "idx": "train-images-idx3-ubyte.gz",
    "cifar": "data_batch_1.bin",
    "npz": "",
    "manifest": "images/cat-2.png",
    "class-folders": "train/cat/002.png",
}
"""By format the file to cut off, below the data set."""

STRICT = data.Options(bad_share=0.0)
SMALL = ImageOptions(size=(12, 12))
FROM_FILES = sorted(MAKERS)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))


ELSEWHERE = {
    "file-names": "data/test_patterns.py",
    "mask-folders": "answers/test_segmentation_sources.py",
    "sounds": "contracts/test_sound_sources.py",
    "texts": "data/test_texts.py",
    "text-folders": "data/test_texts.py",
    "text-pairs": "data/test_text_pairs.py",
    "rows": "data/test_labelled_rows.py",
    "series-ts": "data/test_series_sources.py",
    "series-ucr": "data/test_series_sources.py",
    "series-table": "data/test_series_sources.py",
    "series-npz": "data/test_series_sources.py",
    "series-said-table": "data/test_series_sources.py",
    "series-said-npz": "data/test_series_sources.py",
}
"""The rows that are tried where what they read is: by the name of the test, below tests/."""


def test_every_row_is_tried_here_or_where_it_is_said() -> None:
    assert {*MAKERS, "builtin", *ELSEWHERE} == set(SOURCES)
    for file in ELSEWHERE.values():
        assert "survey(" in (Path(__file__).parents[1] / file).read_text(encoding="utf-8"), file


@pytest.mark.parametrize("name", FROM_FILES)
def test_it_is_recognised_by_its_own_row_alone_and_says_why(name: str, tmp_path: Path) -> None:
    path = MAKERS[name](tmp_path)
    said = {other: row.sniff(path) for other, row in SOURCES.items()}
    assert next(other for other, reason in said.items() if reason) == name
    listing = data.survey(str(path), STRICT)
    assert len(said[name] or "") > 10 and listing.reason and listing.format


@pytest.mark.parametrize("name", FROM_FILES)
def test_images_labels_names_and_splits_come_back_together(name: str, tmp_path: Path) -> None:
    side = 32 if name == "cifar" else 12
    own = ImageOptions(size=(side, side), channels=1 if name == "idx" else 3)
    dataset = data.load(data.survey(str(MAKERS[name](tmp_path)), STRICT), STRICT, own, CLASSES)
    seen = 0
    for part in (dataset.train, dataset.validation, dataset.test):
        assert part.inputs.dtype == np.uint8
        assert part.inputs.shape == (len(part), *dataset.spec.shape)
        assert len(part.names) == len(part.truth) == len(part) > 0
        # The colour tells the class (tests/makers.py): 40 for the first, 70 for the second, plus the number if grey.
        first = part.inputs[:, -1, -1, 0] < 60
        assert np.array_equal(first, np.isin(part.truth, ["cat", "0"]))
        seen += len(part)
    assert len({*dataset.train.names, *dataset.validation.names, *dataset.test.names}) == seen
    assert dataset.split_origin["train"] == dataset.split_origin["test"] == "given"
    assert dataset.findings.leak_count == 0 and not dataset.findings.bad_files


@pytest.mark.parametrize("name", FROM_FILES)
def test_the_fingerprint_stays_and_changes_with_one_byte_or_label(name: str, tmp_path: Path) -> None:
    first, again, other = (MAKERS[name](tmp_path / folder) for folder in ("a", "b", "c"))
    _change_one_pixel(name, other)
    prints = [
        data.load(data.survey(str(path), STRICT), STRICT, SMALL, CLASSES).fingerprint for path in (first, again, other)
    ]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("name", FROM_FILES)
def test_a_file_that_is_cut_off_is_named(name: str, tmp_path: Path) -> None:
    path = MAKERS[name](tmp_path)
    file = path
    if DAMAGED[name]:
        file = (path.parent if path.is_file() else path) / DAMAGED[name]
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match=file.name):
        data.load(data.survey(str(path), STRICT), STRICT, SMALL, CLASSES)


def test_the_built_in_digits_are_the_1797_of_the_uci_repository() -> None:
    listing = data.survey("digits", STRICT)
    assert len(listing) == 1797 and listing.stored is not None and listing.stored.shape == (1797, 8, 8, 1)
    assert listing.stored.max() == 255 and set(listing.truth) == set("0123456789")
    assert list(data.BUILTIN) == ["digits", "breast-cancer", "wine", "diabetes"]


def _change_one_pixel(name: str, path: Path) -> None:
    if name == "npz":
        with np.load(path) as archive:
            arrays = dict(archive)
        arrays["x_train"][0, 0, 0, 0] ^= 1
        np.savez(path, **arrays)
    elif name == "idx":
        images, _ = makers.pictures(10, channels=1)
        images[5, 0, 0] ^= 1
        makers.write_idx(path / "train-images-idx3-ubyte", images[4:, :, :, 0], packed=True)
    elif name == "cifar":
        file = path / "data_batch_1.bin"
        raw = bytearray(file.read_bytes())
        raw[500] ^= 1
        file.write_bytes(raw)
    elif name == "manifest":
        path.write_text(path.read_text().replace("cat-2.png,cat", "cat-2.png,dog"))
    else:
        pixels = makers.picture(0, 2)
        pixels[0, 0, 0] ^= 1
        makers.save(pixels, path / "train/cat/002.png")
