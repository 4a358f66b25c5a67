"""Masks as numbers: which classes they hold, what is left out, and that they follow their images."""

from pathlib import Path

import numpy as np
import pytest

from sonde import data
from sonde.answers.segmentation.options import Options
from sonde.answers.segmentation.row import ROW
from sonde.answers.segmentation.target import learn
from sonde.answers.segmentation.training import counts_of, keep
from sonde.data.target import Moment
from sonde.errors import DataError

MASKS = np.array([[[0, 0], [255, 0]], [[0, 7], [255, 255]]], dtype=np.uint8)
MOMENT = Moment(0, 1, np.arange(2))


def test_the_classes_are_the_numbers_in_the_training_masks() -> None:
    target = learn(MASKS, Options())
    assert target.classes == ("0", "7", "255")
    assert target.collate(MASKS, MOMENT)["truth"].tolist() == [[[0, 0], [2, 0]], [[0, 1], [2, 2]]]


def test_names_stand_for_the_numbers_from_0_on() -> None:
    target = learn(MASKS % 9, Options(classes=("sky", "sea", "ship", "a", "b", "c", "d", "gull")))
    # A class that no training mask holds is known all the same.
    assert target.classes[1] == "sea" and target.values == tuple(range(8))


def test_names_stand_for_the_numbers_in_their_order_where_there_is_one_for_each() -> None:
    assert dict(zip(*[learn(MASKS, Options(classes=("a", "b", "c"))).classes, (0, 7, 255)], strict=True))["b"] == 7


def test_names_that_fit_no_number_are_refused() -> None:
    with pytest.raises(DataError, match="2 classes are named, and the masks hold the numbers 0, 7, 255"):
        learn(MASKS, Options(classes=("a", "b")))


def test_pixels_that_are_left_out_weigh_nothing_and_the_others_alike() -> None:
    target = learn(MASKS, Options(ignored=255))
    assert target.classes == ("0", "7")
    batch = target.collate(MASKS, MOMENT)
    assert np.count_nonzero(batch["weights"]) == 5
    assert batch["weights"].sum() == pytest.approx(1.0)
    assert not batch["weights"][MASKS == 255].any()


def test_one_class_beside_what_is_left_out_is_nothing_to_tell_apart() -> None:
    with pytest.raises(DataError, match=r"Beside segmentation\.ignored = 7, .* one number alone, 0; "):
        learn(np.where(MASKS == 255, 7, MASKS), Options(ignored=7))


def test_a_number_of_no_class_is_named_with_the_cure() -> None:
    target = learn(MASKS, Options())
    with pytest.raises(DataError, match=r"number 9, which is none .* segmentation\.ignored=9"):
        target.encode(np.full((1, 2, 2), 9, np.uint8))


def test_masks_follow_what_augmentation_does_to_their_images() -> None:
    rng = np.random.default_rng(0)
    # Blocks of 4 x 4, so that interpolation at their edges is a small part.
    masks = np.kron(rng.integers(0, 2, (8, 8, 8)), np.ones((1, 4, 4))).astype(np.uint8) * 255
    strengths = {"flip": 0.5, "shift": 0.2, "rotate": 30.0, "crop": 0.3}
    images, motion = data.augment(
        masks[..., None].copy(), strengths, modality="image", seed=3, epoch=2, indices_B=np.arange(8)
    )
    moved = np.asarray(learn(masks, Options()).move(masks, motion))
    assert set(np.unique(moved)) == {0, 255}
    sure = (images[..., 0] < 64) | (images[..., 0] > 191)
    assert (moved[sure] == np.where(images[..., 0] > 127, 255, 0)[sure]).mean() > 0.99
    assert (moved != masks).mean() > 0.1


def test_what_is_kept_of_a_batch_is_its_counts_of_pixels() -> None:
    target = learn(MASKS, Options(ignored=7))
    logits = np.zeros((2, 2, 2, 2), np.float32)
    logits[0, ..., 1] = 1
    logits[1, ..., 0] = 1
    kept = keep(target, {"logits": logits}, MASKS)
    assert counts_of(kept).tolist() == [[[0, 3], [0, 1]], [[1, 0], [2, 0]]]


def test_scores_of_batches_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(1)
    masks = rng.integers(0, 3, (9, 5, 4)).astype(np.uint8)
    target, logits = learn(masks, Options()), rng.normal(size=(9, 5, 4, 3)).astype(np.float32)
    whole = ROW.figures(target, keep(target, {"logits": logits}, masks), masks, ("mean_dice", "mean_iou"))
    parts = [keep(target, {"logits": logits[at : at + 2]}, masks[at : at + 2]) for at in range(0, 9, 2)]
    kept = {name: data.join([part[name] for part in parts]) for name in parts[0]}
    assert ROW.figures(target, kept, masks, ("mean_dice", "mean_iou")) == whole


def test_255_far_beyond_the_others_is_taken_for_what_is_left_out() -> None:
    from sonde.answers.segmentation.guesses import guess
    from sonde.config import Settings

    assert guess(Settings(), np.array([[[0, 1], [20, 255]]] * 9, np.uint8)).value("segmentation.ignored") == 255
    assert "segmentation.ignored" not in guess(Settings(), np.array([[[0, 255]]] * 9, np.uint8))


def test_a_target_of_a_strangers_folder_is_refused_where_its_numbers_do_not_fit() -> None:
    from sonde.errors import ModelError

    for values in ([0], [0, 0], [0, 300], [0, -1], "01", [0, True]):
        with pytest.raises(ModelError):
            ROW.target_from({"classes": ["a", "b"], "values": values, "ignored": -1})


def test_a_mask_is_written_in_the_size_of_its_image(tmp_path: Path) -> None:
    from PIL import Image

    file = tmp_path / "wide.png"
    Image.fromarray(np.zeros((20, 40), np.uint8)).save(file)
    target = learn(MASKS, Options())
    windows = np.array([[[0, 0], [1, 1]], [[0, 1], [2, 2]], [[2, 2], [0, 0]]], np.uint8)
    kept = {"mask": windows, "confidence": np.array([0.5, 0.6, 0.7])}
    whole = ROW.unite(target, kept, [range(3)], [str(file)])  # type: ignore[misc]
    assert np.allclose(whole["filled"], [[3 / 8, 3 / 8, 2 / 8]]) or np.isclose(np.sum(whole["filled"]), 1)
    (row,) = ROW.deliver(target, whole, [str(file)], tmp_path / "predictions")  # type: ignore[misc]
    written = np.asarray(Image.open(row["mask"]))
    assert written.shape == (20, 40)
    # The first window says what is left, the last one what is right.
    assert written[0, 0] == target.values[0] and written[19, 0] == target.values[1]
    assert written[0, 39] == target.values[2] and written[19, 39] == target.values[0]
