"""What a model promises of its doubt is checked on the test split, told plainly, and kept in `predict`."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sonde.answers.classification.fit import APART, _abstain, calibrate
from sonde.answers.classification.fitted import Abstention, Fitted, Sets
from sonde.answers.classification.options import Options
from sonde.answers.classification.selective_checks import judge_abstention, judge_sets, sets_and_abstention
from sonde.metrics import temperature
from sonde.metrics.thresholds import decide

CLASSES = ("cat", "dog", "eel", "fox")


def _draw(seed: int, examples: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits of a model that is four times too sure, and the truth."""
    rng = np.random.default_rng(seed)
    logits_NC = rng.normal(scale=1.5, size=(examples, len(CLASSES)))
    honest_NC = temperature.apply(logits_NC, 1)
    truth_N = (honest_NC.cumsum(axis=1) < rng.random((examples, 1))).sum(axis=1).clip(max=3)
    return 4 * logits_NC, truth_N.astype(np.int64)


def _fitted(sets: Sets | None, *, threshold: float = 0.0, decision: tuple[float, ...] = ()) -> Fitted:
    return Fitted(sets=sets, abstention=Abstention(threshold=threshold), decision=decision)


def _probabilities(logits_NC: NDArray[np.float64], warmth: float) -> NDArray[np.float64]:
    return temperature.apply(logits_NC, warmth).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("method", ["lac", "aps"])
@pytest.mark.parametrize("examples", [200, 2 * APART])
def test_what_is_promised_on_validation_is_reached_on_the_test(method: str, examples: int) -> None:
    kept = 0
    for seed in range(20):
        known = calibrate(*_draw(seed, examples), Options(coverage=0.9, sets=method))
        logits_NC, truth_N = _draw(1000 + seed, 1000)
        judged = judge_sets(known.sets, _probabilities(logits_NC, known.temperature), truth_N, CLASSES)
        low, high = judged["expected"]
        assert known.sets.is_apart == (examples >= APART) and known.sets.examples in (200, APART)
        inside = low <= judged["methods"][method]["reached"]["value"] <= high
        assert inside == judged["sentence"].endswith(
            f"the coverage target was met (chance alone leaves {low:.1%} to {high:.1%})."
        )
        kept += inside
    # The range is for 95 of 100; fewer than 16 of 20 come with a probability of 0.003.
    assert kept >= 16


def test_over_many_draws_the_shared_examples_still_keep_the_promise() -> None:
    # 60 examples choose both the temperature and the thresholds; one new example in each of 300 draws.
    hits = 0
    for seed in range(300):
        logits_NC, truth_N = _draw(seed, 61)
        known = calibrate(logits_NC[:60], truth_N[:60], Options(coverage=0.8))
        judged = judge_sets(known.sets, _probabilities(logits_NC[60:], known.temperature), truth_N[60:], CLASSES)
        hits += int(judged["methods"]["lac"]["reached"]["value"])
    # 3 binomial deviations below 0.8.
    assert hits / 300 > 0.8 - 3 * np.sqrt(0.16 / 300)


def test_a_test_split_unlike_the_validation_split_is_called_a_broken_promise() -> None:
    known = calibrate(*_draw(0, 500), Options())
    logits_NC, truth_N = _draw(1, 500)
    judged = judge_sets(known.sets, _probabilities(logits_NC, known.temperature), np.roll(truth_N, 1), CLASSES)
    assert (
        "the coverage target was missed" in judged["sentence"]
        and "differ from the validation split" in judged["sentence"]
    )


def test_too_few_validation_examples_are_named_with_the_number_that_is_needed() -> None:
    known = calibrate(*_draw(0, 8), Options(coverage=0.95))
    assert known.sets.thresholds == {"lac": (None,), "aps": (None,)}
    judged = judge_sets(known.sets, *_tested(known.temperature), CLASSES)
    assert judged["methods"]["lac"]["mean_size"] == 4 and judged["methods"]["lac"]["reached"]["value"] == 1
    assert judged["sentence"] == (
        "8 validation examples are too few for a coverage of 0.95 (at least 19), so that every set holds all classes."
    )


def _tested(warmth: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    logits_NC, truth_N = _draw(1, 300)
    return _probabilities(logits_NC, warmth), truth_N


def test_a_class_without_examples_is_in_every_set_and_the_others_are_not() -> None:
    logits_NC, truth_N = _draw(0, 400)
    known = calibrate(logits_NC[truth_N < 3], truth_N[truth_N < 3], Options(sets_by_class=True))
    assert known.sets.is_by_class and known.sets.thresholds["lac"][3] is None
    assert all(limit is not None for limit in known.sets.thresholds["lac"][:3])
    rows = sets_and_abstention(_fitted(known.sets), CLASSES, _tested(1.0)[0])
    assert all("fox" in row["set"] for row in rows) and not all("cat" in row["set"] for row in rows)
    judged = judge_sets(known.sets, *_tested(1.0), CLASSES)
    assert judged["expected"] is None and "of each class; the class covered least has" in judged["sentence"]


def test_the_wanted_accuracy_is_reached_by_the_answers_that_are_given() -> None:
    known = calibrate(*_draw(0, 2000), Options(wanted_accuracy=0.75))
    judged = judge_abstention(known.abstention, *_tested(known.temperature))
    assert judged["accuracy"]["value"] > 0.75 > judged["curve"][-1][1] and 0.1 < judged["coverage"]["value"] < 0.9
    assert "at least 0.75 is guaranteed" in judged["reason"] and judged["coverage"]["n"] == 300


def test_of_several_thresholds_the_strictest_counts() -> None:
    logits_NC, truth_N = _draw(0, 400)
    loose, strict = (
        calibrate(logits_NC, truth_N, Options(abstain_below=below, wanted_share=0.5)).abstention
        for below in (0.1, 0.99)
    )
    assert strict == Abstention(threshold=0.99, reason="as classification.abstain_below says")
    assert 0.1 < loose.threshold < 0.99 and loose.reason == "answers the surest 50% of 400 examples"


def test_nothing_is_held_back_unless_it_is_asked_for() -> None:
    known = calibrate(*_draw(0, 100), Options())
    assert (
        known.abstention == Abstention() and judge_abstention(known.abstention, *_tested(1.0))["coverage"]["value"] == 1
    )


def test_each_file_gets_its_set_with_the_most_probable_first_and_does_not_depend_on_the_others() -> None:
    sets = Sets(coverage=0.9, method="lac", thresholds={"lac": (0.8,), "aps": (0.9,)}, examples=50, is_apart=False)
    probabilities = np.array([[0.1, 0.3, 0.6, 0.0], [0.97, 0.01, 0.01, 0.01], [0.25, 0.25, 0.25, 0.25]])
    rows = sets_and_abstention(_fitted(sets, threshold=0.6), CLASSES, probabilities)
    assert [row["set"] for row in rows] == [["eel", "dog"], ["cat"], ["cat", "dog", "eel", "fox"]]
    assert [row["abstains"] for row in rows] == [False, False, True]
    alone = [sets_and_abstention(_fitted(sets, threshold=0.6), CLASSES, row[None])[0] for row in probabilities]
    assert alone == rows


def test_a_model_without_thresholds_gives_answers_and_no_sets() -> None:
    assert sets_and_abstention(_fitted(None), CLASSES, np.eye(4)) == [{"abstains": False}] * 4


def test_a_tuned_decision_is_in_its_set_and_judged_by_its_own_confidence() -> None:
    sets = Sets(coverage=0.9, method="lac", thresholds={"lac": (0.2,), "aps": (0.0,)}, examples=50, is_apart=False)
    probabilities = np.array([[0.85, 0.15, 0.0, 0.0]])
    (row,) = sets_and_abstention(_fitted(sets, threshold=0.5, decision=(0.0, 3.0, 0.0, 0.0)), CLASSES, probabilities)
    assert row == {"abstains": True, "set": ["cat", "dog"]}


def test_the_wanted_accuracy_is_that_of_the_decisions_where_they_are_tuned() -> None:
    logits_NC, truth_N = _draw(0, 2000)
    ask, decision = Options(wanted_accuracy=0.75), (0.0, 1.5, 0.0, 0.0)
    known = calibrate(logits_NC, truth_N, ask)
    tuned = _abstain(logits_NC, truth_N, ask, temperature=known.temperature, decision=decision)
    # The favoured class is answered more often than it is right, and only sure answers of it are let through.
    assert tuned.threshold > known.abstention.threshold
    probabilities, truth = _tested(known.temperature)
    judged = judge_abstention(tuned, probabilities, truth, predicted_N=decide(probabilities, decision))
    assert judged["accuracy"]["value"] > 0.75
