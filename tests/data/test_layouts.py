"""Folders of classes and of splits: which is which is told by their names and places, and refused where it is not."""

import os
from pathlib import Path

import numpy as np
import pytest

import makers
from asking import CLASSES
from sonde import data
from sonde.data.image.spec import Options as ImageOptions
from sonde.errors import DataError


def surveyed(path: Path, **options: str) -> data.Listing:
    return data.survey(str(path), data.Options(**options))


def counts(listing: data.Listing) -> dict[str, int]:
    names, numbers = np.unique(listing.splits, return_counts=True)
    return dict(zip(names.tolist(), numbers.tolist(), strict=True))


@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("Training", "Validation", "Testing"),
        ("TRAIN", "valid", "test"),
        ("training_set", "dev-set", "test_set"),
        ("Train Set", "val_images", "TestSet"),
        ("trn", "dev", "tst"),
        ("train", "validation", "eval"),
        ("train2017", "val2017", "holdout"),
    ],
)
def test_the_usual_names_of_split_folders_are_understood(names: tuple[str, ...], tmp_path: Path) -> None:
    listing = surveyed(makers.class_folders(tmp_path / "set", 3, splits=names))
    assert counts(listing) == {"train": 6, "validation": 6, "test": 6}
    assert set(listing.truth) == {"cat", "dog"}


@pytest.mark.parametrize("names", [("test", "val"), ("train", "test"), ("cat", "dog", "Test set")])
def test_splits_without_class_folders_never_become_classes(names: tuple[str, ...], tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", 3, classes=names)
    with pytest.raises(DataError, match=r"(?i)holds test.*named like a split.*Lay it out as train/CLASS/IMAGE"):
        surveyed(path)


def test_the_layout_of_kaggle_is_refused_and_its_table_is_named(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", 3, classes=("train", "test"))
    for name in ("train.csv", "sample_submission.csv"):
        (path / name).write_text("id,label\n000,cat\n")
    with pytest.raises(DataError, match=r"There is a table beside them: try .*/train\.csv itself"):
        surveyed(path)


def test_folders_that_all_hold_the_same_folders_are_asked_about(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", 2, splits=("first", "second"))
    with pytest.raises(DataError, match=r"holds first/, second/ and each of them the same folders: cat, dog\."):
        surveyed(path)
    harmless = tmp_path / "harmless"
    for name in ("cat", "dog"):
        makers.save(makers.picture(0, 0), harmless / name / "images" / "0.png")
    assert set(surveyed(harmless).truth) == {"cat", "dog"}


def test_two_folders_for_one_split_are_refused(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", 2, splits=("train", "training"))
    with pytest.raises(DataError, match="holds train/ and training/, which both mean the train split"):
        surveyed(path)
    whole = makers.class_folders(tmp_path / "whole", 2, splits=("train",))
    (whole / "train_images").mkdir()
    assert counts(surveyed(whole)) == {"train": 4}


def test_a_test_split_alone_is_one(tmp_path: Path) -> None:
    listing = surveyed(makers.class_folders(tmp_path / "set", 2, splits=("test",)))
    assert counts(listing) == {"test": 4} and set(listing.truth) == {"cat", "dog"}
    with pytest.raises(DataError, match="has only a test split and none for training"):
        data.load(listing, data.Options(), ImageOptions(size=(12, 12)), CLASSES)


def test_two_tables_beside_the_images_are_asked_about(tmp_path: Path) -> None:
    makers.manifest(tmp_path)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"holds 2 tables \(list\.csv, other\.csv\) and one folder of images, images/"):
        surveyed(tmp_path)


def test_an_option_for_tables_that_does_nothing_is_said(tmp_path: Path) -> None:
    listing = surveyed(makers.class_folders(tmp_path / "set", 2), label_column="species")
    assert "data.label_column = 'species' was not used" in listing.notes[-1]
    assert "was not used" in data.survey("digits", data.Options(label_column="species")).notes[-1]
    assert not surveyed(tmp_path / "set").notes


def test_deeper_folders_belong_to_their_class_and_names_are_paths(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", 2)
    makers.save(makers.picture(0, 7), path / "cat" / "indoor" / "x.PNG")
    listing = surveyed(path)
    assert listing.names.tolist() == ["cat/000.png", "cat/001.png", "cat/indoor/x.PNG", "dog/000.png", "dog/001.png"]
    assert listing.truth[2] == "cat"


def test_a_set_inside_a_lonely_folder_is_found_and_that_is_said(tmp_path: Path) -> None:
    makers.class_folders(tmp_path / "set" / "set-master" / "data", 2)
    listing = surveyed(tmp_path / "set")
    assert set(listing.truth) == {"cat", "dog"} and "set-master/data" in listing.notes[0]


def test_a_single_class_is_still_a_class(tmp_path: Path) -> None:
    assert set(surveyed(makers.class_folders(tmp_path / "set", 2, classes=("cat",))).truth) == {"cat"}


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", 2)
    (path / "bird").mkdir()
    (path / "cat" / "readme.txt").write_text("x")
    (path / "cat" / ".DS_Store").write_text("x")
    makers.save(makers.picture(0, 0), path / "loose.png")
    makers.save(makers.picture(0, 0), path / "__MACOSX" / "cat" / "000.png")
    listing = surveyed(path)
    text = "; ".join(listing.notes)
    assert len(listing) == 4
    assert "1 images directly in set/" in text and "without an image: bird" in text and "1 .txt" in text


def test_a_test_folder_without_labels_is_left_out_and_named(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", 2, splits=("train",))
    makers.save(makers.picture(0, 0), path / "test" / "0.png")
    listing = surveyed(path)
    assert counts(listing) == {"train": 4}
    assert any("1 images directly in test/" in note for note in listing.notes)


def test_a_name_that_is_not_utf8_can_be_printed(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", 2)
    try:
        os.rename(path / "cat" / "000.png", os.fsencode(path / "cat") + b"/\xff.png")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    listing = surveyed(path)
    "".join(listing.names.tolist()).encode("utf-8")
    dataset = data.load(listing, data.Options(), ImageOptions(size=(12, 12)), CLASSES)
    assert not dataset.findings.bad_files


def test_a_folder_that_cannot_be_looked_into_is_an_error_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = makers.class_folders(tmp_path / "set", 2)
    scandir = os.scandir

    def locked(place: str | os.PathLike[str]) -> object:
        if Path(place).name == "dog":
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", locked)
    with pytest.raises(DataError, match=r"Cannot look into .*dog: Permission denied"):
        surveyed(path)
