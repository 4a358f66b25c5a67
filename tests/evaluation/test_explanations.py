"""What explanations promise on functions whose answer is known, without any framework."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression

from sonde.answers.classification.scores import telling
from sonde.evaluation.explanations import gradcam, occlusion
from sonde.evaluation.explanations.importance import T_QUANTILE, importances
from sonde.evaluation.explanations.integrated import AT_ONCE, FIRST_STEPS, integrate

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def test_the_parts_of_a_linear_function_are_weight_times_distance_at_once() -> None:
    weights = np.array([2.0, -1.0, 0.0])
    found = integrate(
        lambda points: np.tile(weights, (len(points), 1)), lambda points: points @ weights, np.ones(3), np.zeros(3)
    )
    assert found.parts_X == pytest.approx(weights) and found.steps == FIRST_STEPS and found.gap == pytest.approx(0)


def test_steps_are_doubled_until_the_parts_add_up() -> None:
    # A wave that the first steps are too few for.
    def value(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sin(40 * points[:, 0]) + 0.2 * points[:, 1]

    def gradient(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([40 * np.cos(40 * points[:, 0]), np.full(len(points), 0.2)], axis=1)

    found = integrate(gradient, value, np.ones(2), np.zeros(2), most_steps=4096)
    assert found.is_complete and found.steps > FIRST_STEPS
    assert found.parts_X.sum() + found.gap == pytest.approx(found.difference)


def test_what_happens_close_to_the_baseline_is_not_stepped_over() -> None:
    # As behind a layer norm: all of it within a thousandth of the way, and nothing of that in 512 even steps.
    found = integrate(
        lambda points: 1e-4 / (1e-4 + points) ** 2,
        lambda points: points[:, 0] / (1e-4 + points[:, 0]),
        np.ones(1),
        np.zeros(1),
    )
    assert found.is_complete and found.steps <= 128


def test_a_function_of_jumps_leaves_a_gap_that_is_told() -> None:
    found = integrate(np.zeros_like, lambda points: np.round(points[:, 0] * 3), np.ones(2), np.zeros(2))
    assert not found.is_complete and found.gap == found.difference == 3


def test_gradients_are_always_asked_for_as_many_points() -> None:
    sizes = set()

    def gradient(points: NDArray[np.float64]) -> NDArray[np.float64]:
        sizes.add(len(points))
        return 3 * points**2

    def value(points: NDArray[np.float64]) -> NDArray[np.float64]:
        sizes.add(len(points))
        return (points**3).sum(axis=1)

    integrate(gradient, value, np.ones(2), np.zeros(2))
    assert sizes == {AT_ONCE}


def test_grad_cam_shows_the_places_of_the_maps_that_the_class_follows() -> None:
    maps = np.zeros((4, 4, 2))
    maps[0, 1, 0], maps[3, 3, 1] = 5.0, 9.0
    slopes = np.zeros((4, 4, 2))
    slopes[..., 0], slopes[..., 1] = 1.0, -1.0
    heat = gradcam.heat(maps, slopes)
    assert heat[0, 1] == 1 and heat.sum() == 1


def test_grad_cam_of_a_class_that_nothing_speaks_for_is_zero_and_not_undefined() -> None:
    assert not gradcam.heat(np.ones((3, 3, 2)), -np.ones((3, 3, 2))).any()


def test_a_map_spread_over_the_input_keeps_its_corner() -> None:
    heat = np.array([[1.0, 0.0], [0.0, 0.0]])
    large = gradcam.spread(heat, (8, 12))
    assert large.shape == (8, 12) and large.argmax() == 0 and large[-1, -1] == 0
    assert gradcam.spread(np.array([0.0, 1.0]), (6,)).argmax() >= 4


@pytest.mark.parametrize("length", [1, 2, 7, 40, 1460])
def test_windows_cover_every_step_and_overlap(length: int) -> None:
    places = occlusion.windows(length)
    covered = np.zeros(length)
    for start, end in places:
        covered[start:end] += 1
    assert covered.min() >= 1 and len(places) <= occlusion.WINDOWS + 1
    assert occlusion.over_time(np.ones(len(places)), places, length) == pytest.approx(np.ones(length))


def test_permutation_importance_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 3))
    truth = (2 * rows[:, 0] + rows[:, 1] + 0.3 * rng.normal(size=400) > 0).astype(int)
    model = LogisticRegression().fit(rows, truth)

    def without(column: int, order: NDArray[np.int64]) -> float:
        shuffled = rows.copy()
        shuffled[:, column] = rows[order, column]
        return float(model.score(shuffled, truth))

    found = importances(("a", "b", "c"), without, float(model.score(rows, truth)), examples=400, repeats=30)
    theirs = permutation_importance(model, rows, truth, n_repeats=30, random_state=1)
    assert [each.column for each in found] == ["a", "b", "c"]
    for each, mean, spread in zip(found, theirs.importances_mean, theirs.importances_std, strict=True):
        # Both are means of 30 shuffles.
        assert each.mean == pytest.approx(mean, abs=4 * max(spread, 1e-3) / 30**0.5)
        assert each.low <= each.mean <= each.high


def test_the_quantiles_of_the_interval_are_those_of_student() -> None:
    from scipy import stats

    assert {repeats: round(float(stats.t.ppf(0.975, repeats - 1)), 3) for repeats in T_QUANTILE} == T_QUANTILE


def scored(truth: Any, predicted: Any, probabilities: Any) -> Any:
    return SimpleNamespace(predictions=SimpleNamespace(truth=truth, predicted=predicted, probabilities=probabilities))


def test_examples_for_the_report_are_right_and_wrong_in_turns_and_of_several_classes() -> None:
    truth = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    probabilities = np.full((8, 3), 0.1)
    guess = np.array([0, 0, 1, 1, 1, 1, 2, 0])
    probabilities[np.arange(8), guess] = [0.9, 0.8, 0.7, 0.9, 0.6, 0.5, 0.7, 0.95]
    chosen = telling(scored(truth, guess, probabilities), 4)
    assert len(chosen) == 4 and set(chosen) >= {7, 2}
    assert [truth[row] == guess[row] for row in chosen] == [True, False, True, False]
    assert telling(scored(truth, truth, probabilities), 2) and telling(scored(truth, guess, probabilities), 0) == []
