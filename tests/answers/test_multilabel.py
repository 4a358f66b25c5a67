"""Several labels for each example: tables of yes and no, and a clear answer where the data cannot carry the task."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score, log_loss
from sklearn.preprocessing import MultiLabelBinarizer

from sonde import data
from sonde.answers.multilabel import predictions, rows, target, training
from sonde.answers.multilabel.fitted import Fitted
from sonde.errors import DataError

SPEC = data.ImageSpec(height=1, width=1, channels=1, mean=(0.0,), std=(1.0,))


def dataset(train: list[str], validation: list[str], test: list[str]) -> data.Dataset:
    """Return a data set of nothing but truths."""

    def examples(truths: list[str]) -> data.Examples:
        array, inputs = np.array(truths, dtype=np.str_), np.zeros((len(truths), 1, 1, 1), dtype=np.uint8)
        return data.Examples(inputs, array, array, inputs)

    return data.Dataset(
        name="set",
        modality="image",
        format="manifest",
        train=examples(train),
        validation=examples(validation),
        test=examples(test),
        spec=SPEC,
        fingerprint="0",
        split_origin={},
    )


def test_the_table_is_the_one_of_scikit_learn() -> None:
    truth = np.array(["b|a", "", "c", "a|c|a"], dtype=np.str_)
    learned = target.learn(truth, None)
    oracle = MultiLabelBinarizer(classes=learned.classes)
    expected = oracle.fit_transform([target.labels_of(each) for each in truth.tolist()])
    found = learned.encode(truth)
    assert learned.classes == ("a", "b", "c") and found.dtype == np.uint8 and (found == expected).all()
    assert learned.encode(np.array([], dtype=np.str_)).shape == (0, 3)
    assert target.target_from(learned.to_dict()) == learned


def test_numbers_are_sorted_by_value() -> None:
    assert target.learn(np.array(["10|9", "2"]), None).classes == ("2", "9", "10")


def test_an_unknown_label_is_named_with_a_suggestion() -> None:
    with pytest.raises(DataError, match=r"The label 'roses' is none of .* Did you mean 'rose'"):
        target.LabelsTarget(("daisy", "rose")).encode(np.array(["daisy|roses"]))


def test_an_example_counts_for_each_of_its_labels() -> None:
    assert target.count(np.array(["a|b", "a", ""])) == {"a": 2, "b": 1}


def test_labels_are_given_from_their_thresholds_on() -> None:
    shares = np.array([[0.9, 0.4, 0.2], [0.1, 0.1, 0.1]])
    learned, kept = target.LabelsTarget(("a", "b", "c")), {"logits": np.log(shares / (1 - shares))}
    first, second = rows.rows(learned, Fitted(), kept)
    assert first["prediction"] == "a" and first["labels"][0]["confidence"] == pytest.approx(0.9)
    assert second["prediction"] == "" and second["labels"] == []
    tuned = rows.rows(learned, Fitted(decision=(0.95, 0.3, 0.09)), kept)
    assert [row["prediction"] for row in tuned] == ["b|c", "c"]


def test_the_figures_of_a_validation_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    learned = target.LabelsTarget(("a", "b", "c"))
    logits, truth = rng.normal(0, 2, (50, 3)).astype(np.float32), rng.integers(0, 2, (50, 3))
    told = training.figures(learned, {"logits": logits}, truth, training.MONITORS)
    chances = 1 / (1 + np.exp(-logits.astype(np.float64)))
    assert told["loss"] == pytest.approx(log_loss(truth.ravel(), chances.ravel()))
    assert told["f1_micro"] == pytest.approx(f1_score(truth, logits >= 0, average="micro"))
    assert set(told) == {"loss", *training.MONITORS}
    # What cannot be computed for want of a label is no better than nothing, and no epoch is chosen by it.
    none = training.figures(learned, {"logits": logits}, np.zeros_like(truth), ("average_precision",))
    assert none["average_precision"] == 0.0
    assert not np.isfinite(training.figures(learned, {"logits": logits * np.nan}, truth)["loss"])


def test_thresholds_undo_a_correction() -> None:
    logits = np.random.default_rng(1).normal(0, 2, (40, 2)).astype(np.float32)
    correction, warmth = np.array([1.5, -0.7]), 1.3
    halves = tuple((1 / (1 + np.exp(-correction / warmth))).tolist())
    learned, fitted = target.LabelsTarget(("a", "b")), Fitted(temperature=warmth, decision=halves)
    names = [str(row) for row in range(40)]
    made = predictions.predict(learned, fitted, {"logits": logits + correction}, np.zeros((40, 2), np.uint8), names)
    assert (made.predicted == (logits >= 0)).all()


def test_healthy_data_passes_without_a_word() -> None:
    plenty = ["a", "b", "a|b", ""] * 10
    assert target.check(dataset(plenty, plenty, plenty)) == ()


@pytest.mark.parametrize(
    ("train", "validation", "test", "answer"),
    [
        (["a"], ["b"], ["a|b"], "only 3 examples in all"),
        (["a", ""] * 5, ["a"], ["a"], r"only the label 'a'.*at least two.*image-classification"),
        ([""] * 10, [""], [""], "no label at all"),
        (["a", "b"] * 5, ["a|b"], ["a|c"], "in the test split but never in training: 'c'"),
        (["a", "b"] * 5, ["d"], ["a"], "in the validation split but never in training: 'd'"),
        (["a", "b"] * 5, ["a"], [], "The test split is empty"),
    ],
)
def test_data_that_cannot_carry_the_task_gets_a_clear_answer(
    train: list[str], validation: list[str], test: list[str], answer: str
) -> None:
    with pytest.raises(DataError, match=answer):
        target.check(dataset(train, validation, test))


@pytest.mark.parametrize(("modality", "task"), [("text", "text-classification"), ("table", "tabular-classification")])
def test_the_task_that_is_named_instead_is_of_the_same_modality(modality: str, task: str) -> None:
    of_one_label = replace(dataset(["a", ""] * 5, ["a"], ["a"]), modality=modality)
    with pytest.raises(DataError, match=f"--set run.task={task} "):
        target.check(of_one_label)


def test_weaknesses_are_said() -> None:
    notes = target.check(dataset(["a|b"] * 90 + ["a"] * 9 + ["a|c"], ["a|b"] * 9, ["a"] * 9))
    assert any("without an example in test" in note and "'b'" in note for note in notes)
    assert any("fewer than 10 training examples: 'c'" in note for note in notes)
    assert any("every training example has" in note and "'a'" in note for note in notes)
    assert any("rare labels, below 2%" in note and "'c'" in note for note in notes)
