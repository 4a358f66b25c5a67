"""A sample is refused where its numbers cannot be what they claim to be."""

import numpy as np
import pytest

from sonde.metrics import prepare
from sonde.metrics.confusion import confusion_matrix
from sonde.metrics.sums import Columns, scattered


@pytest.mark.parametrize(
    ("truth", "probabilities"),
    [
        ([], np.zeros((0, 2))),
        ([0, 1], [[0.5, 0.5]]),
        ([0], [[0.5, np.nan]]),
        ([0], [[1.5, -0.5]]),
        ([0], [[0.5, 0.3]]),
        ([2], [[0.5, 0.5]]),
        ([-1], [[0.5, 0.5]]),
    ],
    ids=["empty", "lengths", "not a number", "negative", "sum", "unknown class", "negative class"],
)
def test_impossible_numbers_are_refused(truth: object, probabilities: object) -> None:
    with pytest.raises(AssertionError):
        prepare(truth, probabilities)  # type: ignore[arg-type]


def test_of_tied_classes_the_first_is_the_guess_and_the_first_in_rank() -> None:
    sample = prepare([1, 0], [[0.4, 0.4, 0.2], [0.4, 0.4, 0.2]])
    assert sample.guess_N.tolist() == [0, 0]
    assert sample.rank_of_truth_N.tolist() == [1, 0]


def test_counts_are_added_up_by_class_and_absent_classes_get_none() -> None:
    sums = Columns(scattered(np.array([[3], [0], [3]]), 5)).times(np.array([[1.0, 2.0, 4.0], [0.0, 1.0, 1.0]]))
    assert sums.tolist() == [[2, 0, 0, 5, 0], [1, 0, 0, 1, 0]]


def test_the_confusion_matrix_has_truth_in_rows_and_guesses_in_columns() -> None:
    sample = prepare([0, 0, 1], [[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.2, 0.7, 0.1]])
    assert confusion_matrix(sample).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
