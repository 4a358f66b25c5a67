"""Balanced epochs: each class equally often, as a pure function of seed and epoch, and what comes twice drawn anew."""

from typing import Any

import numpy as np
import pytest

from sonde.answers.classification.options import Options
from sonde.answers.classification.target import ClassTarget
from sonde.answers.classification.training import plan
from sonde.data import Examples, ImageSpec
from sonde.data.ragged import Ragged
from sonde.errors import ConfigError
from sonde.training.batches import TrainingSet, balanced, bucketed

TRUTH = np.repeat([0, 1, 2], [70, 20, 10])


def test_each_class_comes_equally_often_and_nobody_waits_while_another_comes_again() -> None:
    turns = balanced(TRUTH, 0, 1)
    assert len(turns) == len(TRUTH) and len(np.unique(turns)) == len(turns)
    counts = np.bincount(TRUTH[turns % 100])
    assert counts.sum() == 100 and counts.max() - counts.min() <= 1
    rare = np.bincount(turns % 100, minlength=100)[90:]
    assert set(rare.tolist()) <= {3, 4}
    assert np.bincount(turns % 100, minlength=100)[:70].max() == 1


def test_it_is_a_pure_function_of_seed_and_epoch() -> None:
    first = balanced(TRUTH, 3, 1).copy()
    assert not np.array_equal(first, balanced(TRUTH, 3, 2)) and not np.array_equal(first, balanced(TRUTH, 4, 1))
    assert np.array_equal(first, balanced(TRUTH.copy(), 3, 1))


def test_frequent_examples_take_turns_over_the_epochs() -> None:
    seen = np.unique(np.concatenate([balanced(TRUTH, 0, epoch) % 100 for epoch in range(1, 12)]))
    assert len(seen) == 100


def training_set(sampling: str) -> TrainingSet:
    images = np.arange(100, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    names = np.array([str(number) for number in range(100)])
    spec = ImageSpec(height=4, width=4, channels=1, mean=(0.0,), std=(1.0,))
    examples = Examples(images, names, names, images)
    return TrainingSet(
        examples, ClassTarget(()), TRUTH, spec, "image", {}, 0, 25, TRUTH if sampling == "balanced" else None
    )


def test_batches_hold_what_the_order_says() -> None:
    made = training_set("balanced")
    truths = np.concatenate([made.batch(1, step).batch["truth"] for step in range(made.steps)])
    assert np.bincount(truths).tolist() == np.bincount(TRUTH[balanced(made.truth, 0, 1) % 100]).tolist()
    rows = np.concatenate([made.rows(1, step) for step in range(4)])
    assert rows.min() >= 0 and rows.max() < 100
    batch = made.batch(1, 0).batch
    # The image tells its own number, and so the class that must stand beside it.
    numbers = np.rint(batch["inputs"][:, 0, 0, 0] * 255).astype(int)
    assert (TRUTH[numbers] == batch["truth"]).all()
    natural = training_set("natural")
    assert np.bincount(np.concatenate([natural.batch(1, step).batch["truth"] for step in range(4)])).tolist() == [
        70,
        20,
        10,
    ]


def test_balanced_batches_of_texts_are_of_like_length_too() -> None:
    lengths = np.arange(1, 101)
    texts = Ragged.of([np.ones(length, np.int32) for length in lengths])
    turns = balanced(TRUTH, 0, 1)
    found = bucketed(turns, texts.lengths, 10, 0, 1)
    assert sorted(found) == sorted(turns)
    spans = [np.ptp(texts.lengths[part % 100]) for part in found.reshape(10, 10)]
    assert np.mean(spans) < 20  # Ten of a hundred by chance span some eighty.


CLASSES = ClassTarget(("a", "b", "c"))


def test_a_plain_training_has_the_plain_loss() -> None:
    planned = plan(CLASSES, TRUTH, Options(label_smoothing=0.0), False)
    assert planned.loss == {"label_smoothing": 0.0} and planned.correction == () and planned.balance_N is None


def test_the_loss_is_told_what_was_asked_for() -> None:
    own = Options(loss="focal", focal_gamma=1.5, class_weights="balanced", logit_adjustment=1.0)
    told = plan(CLASSES, TRUTH, own, False).loss
    assert told["focus"] == 1.5 and told["weights"] == pytest.approx((100 / 210, 100 / 60, 100 / 30))
    assert told["shifts"] == pytest.approx(np.log([0.7, 0.2, 0.1]))


@pytest.mark.parametrize("words", [{"class_weights": "sqrt"}, {"sampling": "balanced"}, {"loss": "focal"}])
def test_a_head_that_is_solved_for_cannot_be_told_to_even_out(words: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"is not possible here.*solved for.*classification.tune_for=f1"):
        plan(CLASSES, TRUTH, Options(**words), True)
    assert plan(CLASSES, TRUTH, Options(), True).correction == ()
