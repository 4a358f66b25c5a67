"""Scores of masks: what is ignored, what an absent class does, and what an interval of a class rests on."""

import numpy as np
import pytest

from sonde.metrics import value_of, values_of
from sonde.metrics.intervals import UNKNOWN, Bootstrap, score_each
from sonde.metrics.segmentation import PER_MASK_CLASS, SEGMENTATION_METRICS, prepare_masks


def test_ignored_pixels_do_not_count() -> None:
    truth, predicted = [np.array([[0, 1], [255, 255]])], [np.array([[0, 0], [1, 0]])]
    sample = prepare_masks(truth, predicted, classes=2, ignored=255)
    assert sample.confusion_NCC.tolist() == [[[1, 0], [1, 0]]]
    assert value_of(SEGMENTATION_METRICS["pixel_accuracy"], sample) == 0.5


def test_an_absent_class_is_left_out_of_the_mean_and_one_that_is_only_predicted_is_not() -> None:
    truth, predicted = [np.array([0, 0, 0, 1])], [np.array([0, 0, 2, 1])]
    sample = prepare_masks(truth, predicted, classes=4)
    (found,) = values_of(PER_MASK_CLASS["iou"], sample, np.ones((1, 1)))
    np.testing.assert_allclose(found, [2 / 3, 1.0, 0.0, np.nan])
    assert value_of(SEGMENTATION_METRICS["mean_iou"], sample) == pytest.approx(5 / 9)


def test_where_every_pixel_is_ignored_nothing_is_said() -> None:
    sample = prepare_masks([np.full((2, 2), 9)], [np.zeros((2, 2))], classes=2, ignored=9)
    assert all(np.isnan(value_of(row, sample)) for row in SEGMENTATION_METRICS.values())


def test_the_score_of_a_class_rests_on_the_examples_that_hold_it() -> None:
    rng = np.random.default_rng(0)
    truth = list(rng.integers(0, 2, (20, 6, 6)))
    truth[3][:2] = 2
    predicted = [np.where(rng.random(mask.shape) < 0.2, 0, mask) for mask in truth]
    scores = score_each(prepare_masks(truth, predicted, classes=4), PER_MASK_CLASS, bootstrap=Bootstrap(0, 50))
    assert [found["iou"].n for found in scores] == [20, 20, 1, 0]
    # One example says nothing of the spread.
    assert (scores[2]["iou"].low, scores[2]["iou"].high) == (0.0, 1.0)
    assert set(scores[3].values()) == {UNKNOWN}


@pytest.mark.parametrize(
    ("truth", "predicted"), [([], []), ([[0, 1]], [[0]]), ([[0, 2]], [[0, 1]]), ([[0, 1]], [[0, -1]])]
)
def test_impossible_masks_are_refused(truth: list[list[int]], predicted: list[list[int]]) -> None:
    with pytest.raises(AssertionError):
        prepare_masks(truth, predicted, classes=2)
