"""Folders of images beside masks: recognised before class folders, matched by name, and what is amiss is named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sonde import data
from sonde.answers import answer_of, inferred_task
from sonde.data.image.spec import Options as ImageOptions
from sonde.data.options import Options
from sonde.errors import DataError
from sonde.evaluation.trained_model import asked_of

ROW = answer_of("image-segmentation")


def _save(path: Path, pixels: np.ndarray) -> Path:  # type: ignore[type-arg]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def _pairs(root: Path, images: str, masks: str, *, count: int = 4, mask_name: str = "{}.png") -> None:
    for number in range(count):
        _save(root / images / f"{number}.png", np.full((8, 10, 3), 10 * number, np.uint8))
        mask = np.zeros((8, 10), np.uint8)
        mask[: 1 + number] = 255
        _save(root / masks / mask_name.format(number), mask)


@pytest.mark.parametrize("masks", ["masks", "labels", "annotations", "1st_manual"])
def test_images_beside_masks_are_no_two_classes(tmp_path: Path, masks: str) -> None:
    _pairs(tmp_path, "images", masks)
    listing = data.survey(str(tmp_path), Options())
    assert listing.format == "images beside masks" and len(listing) == len(listing.truth_files) == 4
    assert inferred_task(listing)[0] == "image-segmentation"


def test_splits_may_stand_above_or_below(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        _pairs(tmp_path / "above", f"{split}/images", f"{split}/masks", count=2)
        _pairs(tmp_path / "below", f"images/{split}", f"masks/{split}", count=2)
    for layout in ("above", "below"):
        listing = data.survey(str(tmp_path / layout), Options())
        assert sorted(set(listing.splits.tolist())) == ["test", "train", "validation"]


def test_names_match_but_for_words_that_say_what_a_file_is(tmp_path: Path) -> None:
    for number in (21, 22):
        _save(tmp_path / f"training/images/{number}_training.tif", np.zeros((4, 4, 3), np.uint8))
        _save(tmp_path / f"training/1st_manual/{number}_manual1.gif", np.zeros((4, 4), np.uint8))
        _save(tmp_path / f"training/mask/{number}_training_mask.gif", np.zeros((4, 4), np.uint8))
    listing = data.survey(str(tmp_path), Options())
    assert [file.name for file in listing.truth_files] == ["21_manual1.gif", "22_manual1.gif"]


def test_an_image_without_a_mask_is_named(tmp_path: Path) -> None:
    _pairs(tmp_path, "images", "masks")
    (tmp_path / "masks/2.png").unlink()
    listing = data.survey(str(tmp_path), Options())
    assert listing.bad == (("images/2.png", "has no mask of its name in masks/"),)


def test_masks_that_cannot_be_read_are_left_out_with_their_images_and_named(tmp_path: Path) -> None:
    _pairs(tmp_path, "images", "masks", count=20)
    (tmp_path / "masks/3.png").write_bytes(b"no image")
    _save(tmp_path / "masks/4.png", np.zeros((3, 3), np.uint8))
    _save(tmp_path / "masks/5.png", np.arange(240, dtype=np.uint8).reshape(8, 10, 3))
    dataset = data.load(
        data.survey(str(tmp_path), Options()), Options(bad_share=0.5), ImageOptions(size=(8, 8)), asked_of(ROW)
    )
    said = dict(dataset.findings.bad_files)
    assert "is not an image" in said["images/3.png"]
    assert "3 x 3 and its image 8 x 10" in said["images/4.png"]
    assert "is in colour" in said["images/5.png"]
    assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == 17
    assert all(len(part.inputs) == len(part.truth) for part in (dataset.train, dataset.validation, dataset.test))


def test_a_mask_is_cut_as_its_image_is(tmp_path: Path) -> None:
    from sonde.data.image.decode import fit, read_mask

    pixels = np.zeros((30, 50), np.uint8)
    pixels[10:20, 20:40] = 255
    path = _save(tmp_path / "mask.png", pixels)
    mask = read_mask(path, (15, 15), largest_pixels=10_000)
    image = fit(pixels[..., None], (15, 15), 1)[..., 0]
    # Blocks of 2 x 2 pixels, all of one colour: means and nearest pixels agree.
    assert np.array_equal(mask, image)


def test_the_places_of_a_palette_are_the_numbers(tmp_path: Path) -> None:
    from sonde.data.image.decode import read_mask

    image = Image.new("P", (2, 2))
    image.putdata([0, 1, 2, 15])
    image.putpalette([90, 80, 70] * 256)
    image.save(tmp_path / "mask.png")
    assert read_mask(tmp_path / "mask.png", (2, 2), largest_pixels=100).tolist() == [[0, 1], [2, 15]]


def test_a_file_beside_them_names_the_classes(tmp_path: Path) -> None:
    _pairs(tmp_path, "images", "masks")
    (tmp_path / "classes.txt").write_text("ground\nroof\n")
    assert data.survey(str(tmp_path), Options()).said == {"classes": ["ground", "roof"]}


def test_folders_of_two_classes_stay_two_classes(tmp_path: Path) -> None:
    for name in ("cats", "masks"):
        for number in range(4):
            _save(tmp_path / name / f"{number}.png", np.zeros((8, 8, 3), np.uint8))
    assert data.survey(str(tmp_path), Options()).format == "folder of classes"


def test_two_folders_of_one_split_are_refused(tmp_path: Path) -> None:
    for split in ("val", "validation", "train"):
        _pairs(tmp_path, f"{split}/images", f"{split}/masks", count=2)
    with pytest.raises(DataError, match="both mean the same split"):
        data.survey(str(tmp_path), Options())
