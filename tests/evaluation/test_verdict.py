"""The verdict says plainly who wins, and that nobody does when chance explains it."""

import json

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from sonde.evaluation.verdict import Verdict, judge_samples
from sonde.metrics import METRICS, prepare
from sonde.metrics.intervals import Bootstrap

TRUTH = np.arange(300) % 3


def _right_on(share: float, *, first: int = 0) -> NDArray[np.float64]:
    """Guess right on a share of the examples, and the next class on the others."""
    right = np.roll(np.arange(300) % 100 < 100 * share, first)
    return 0.7 * np.eye(3)[np.where(right, TRUTH, (TRUTH + 1) % 3)] + 0.1


def judge(headline: str, truth: ArrayLike, model: ArrayLike, baselines: dict[str, ArrayLike]) -> Verdict:
    samples = {name: prepare(truth, given) for name, given in baselines.items()}
    return judge_samples(METRICS[headline], prepare(truth, model), samples, bootstrap=Bootstrap(seed=0))


def test_a_model_that_is_better_wins_against_the_best_baseline() -> None:
    found = judge("accuracy", TRUTH, _right_on(0.9), {"poor": _right_on(0.3), "linear": _right_on(0.6)})
    assert (found.best_baseline, found.wins) == ("linear", "model")
    assert found.difference.value == pytest.approx(0.3) and found.difference.low > 0.2  # type: ignore[operator]
    assert found.sentence.startswith("The model beats the best baseline, 'linear' (Accuracy 0.900 against 0.600).")
    assert "95% interval +0.2" in found.sentence and found.sentence.endswith("300 test examples.")


def test_a_baseline_that_is_better_wins_and_the_sentence_says_so_first() -> None:
    found = judge("accuracy", TRUTH, _right_on(0.6), {"linear": _right_on(0.9)})
    assert found.wins == "baseline"
    assert found.sentence.startswith("A baseline wins: 'linear' beats the model (Accuracy 0.900 against 0.600).")


def test_a_difference_within_noise_has_no_winner() -> None:
    found = judge("accuracy", TRUTH, _right_on(0.81), {"linear": _right_on(0.8, first=50)})
    assert found.wins == "neither"
    assert "cannot be told apart" in found.sentence and "within noise" in found.sentence


@pytest.mark.parametrize(("model", "baseline", "wins"), [(0.9, 0.5, "model"), (0.5, 0.9, "baseline")])
def test_a_metric_where_lower_is_better_is_judged_the_right_way_round(model: float, baseline: float, wins: str) -> None:
    found = judge(
        "log_loss",
        TRUTH,
        _right_on(model),
        {"poor": _right_on(0.1), "linear": _right_on(baseline)},
    )
    assert (found.best_baseline, found.wins) == ("linear", wins)


def test_a_metric_that_cannot_be_computed_has_no_winner() -> None:
    found = judge("roc_auc", [0, 0], [[0.6, 0.4], [0.5, 0.5]], {"linear": [[0.5, 0.5], [0.5, 0.5]]})
    assert found.wins == "neither" and "cannot be computed" in found.sentence
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["difference"]["value"] is None
