"""One label per example: classes and numbers, and a clear answer where the data cannot carry the task."""

from collections.abc import Mapping

import numpy as np
import pytest

from sonde import data
from sonde.answers import TASKS, inferred_task
from sonde.answers.classification import predictions, rows, target
from sonde.answers.classification.fitted import Fitted, fitted_from
from sonde.errors import DataError, ModelError

SPEC = data.ImageSpec(height=1, width=1, channels=1, mean=(0.0,), std=(1.0,))


def dataset(train: Mapping[str, int], validation: Mapping[str, int], test: Mapping[str, int]) -> data.Dataset:
    def examples(counts: Mapping[str, int]) -> data.Examples:
        truth = np.array([name for name, count in counts.items() for _ in range(count)], dtype=np.str_)
        images = np.zeros((len(truth), 1, 1, 1), dtype=np.uint8)
        return data.Examples(images, truth, truth, images)

    return data.Dataset(
        name="set",
        modality="image",
        format="folder of classes",
        train=examples(train),
        validation=examples(validation),
        test=examples(test),
        spec=SPEC,
        fingerprint="0",
        split_origin={},
    )


def test_numbers_are_sorted_by_value_and_words_by_letter() -> None:
    assert target.learn(np.array(["10", "9", "2", "9"]), None).classes == ("2", "9", "10")
    assert target.learn(np.array(["rose", "10", "daisy"]), None).classes == ("10", "daisy", "rose")


def test_encoding_and_reading_the_classes_is_a_round_trip() -> None:
    truth = np.array(["rose", "daisy", "tulip", "rose"])
    learned = target.learn(truth, None)
    numbers = learned.encode(truth)
    assert numbers.dtype == np.int32 and [learned.classes[number] for number in numbers] == truth.tolist()
    assert learned.encode(np.array([], dtype=np.str_)).shape == (0,)
    assert target.target_from(learned.to_dict()) == learned


def test_an_unknown_label_is_named_with_a_suggestion() -> None:
    with pytest.raises(DataError, match=r"The label 'roses' is none of .* Did you mean 'rose'"):
        target.ClassTarget(("daisy", "rose")).encode(np.array(["roses"]))


def test_a_prediction_names_the_most_probable_first() -> None:
    kept = {"logits": np.log([[0.1, 0.7, 0.2], [0.4, 0.2, 0.4]])}
    told = rows.rows(target.ClassTarget(("a", "b", "c")), Fitted(), kept)
    assert [(row["prediction"], row["confidence"]) for row in told] == [
        ("b", pytest.approx(0.7)),
        ("a", pytest.approx(0.4)),
    ]
    assert [[other["prediction"] for other in row["others"]] for row in told] == [["c", "a"], ["c", "b"]]


def test_offsets_undo_a_correction() -> None:
    logits = np.random.default_rng(2).normal(0, 2, (40, 3)).astype(np.float32)
    correction, warmth = np.array([1.5, -0.7, -0.8]), 1.3
    fitted = Fitted(temperature=warmth, decision=tuple((-correction / warmth).tolist()))
    learned, names = target.ClassTarget(("a", "b", "c")), [str(row) for row in range(40)]
    made = predictions.predict(learned, fitted, {"logits": logits + correction}, np.zeros(40, np.int64), names)
    assert (made.predicted == logits.argmax(axis=1)).all()


def test_healthy_data_passes_without_a_word() -> None:
    plenty = {"a": 20, "b": 20}
    assert target.check(dataset(plenty, plenty, plenty)) == ()


@pytest.mark.parametrize(
    ("train", "validation", "test", "answer"),
    [
        ({"a": 1, "b": 1}, {}, {"b": 1}, "only 3 examples in all .'a' 1, 'b' 2.*at least 3 of each class"),
        ({"a": 20}, {"a": 2}, {"a": 5}, "All 27 examples belong to one class, 'a'.*Add a second class"),
        ({"a": 20, "b": 1}, {"a": 2}, {"a": 5}, "one example only: 'b'.*two more"),
        ({"a": 20, "b": 9}, {"a": 2}, {"a": 5, "c": 2}, "in the test split but never in training: 'c'"),
        ({"a": 20, "b": 9}, {"c": 2}, {"a": 5}, "in the validation split but never in training: 'c'"),
        ({"a": 20, "b": 9}, {"a": 2}, {}, "The test split is empty"),
        ({"a": 20, "b": 9}, {}, {"a": 2}, "The validation split is empty"),
    ],
)
def test_data_that_cannot_carry_the_task_gets_a_clear_answer(
    train: dict[str, int], validation: dict[str, int], test: dict[str, int], answer: str
) -> None:
    with pytest.raises(DataError, match=answer):
        target.check(dataset(train, validation, test))


def test_weaknesses_are_said() -> None:
    notes = target.check(dataset({"a": 20, "b": 5}, {"a": 2, "b": 1}, {"a": 4}))
    assert "without an example in test" in notes[0] and "'b'" in notes[0]
    assert notes[1] == "classes with fewer than 10 training examples: 'b' 5"


def test_the_task_of_labelled_images_is_classification() -> None:
    name, reason = inferred_task(data.survey("digits", data.Options()))
    assert name == "image-classification" and name in TASKS
    assert reason == "1,797 images with one label each, 10 different ones"
    for row in TASKS.values():
        assert row.modality in data.MODALITIES and row.doc.endswith(".")


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        (["cat"], "two"),
        (["cat", "dog", "cat"], "different"),
        ("cat", "classes"),
        ([1, 2], "classes"),
        (None, "classes"),
    ],
)
def test_a_target_that_names_no_classes_is_refused(classes: object, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        target.target_from({"kind": "classification", "classes": classes})


@pytest.mark.parametrize("values", [{"temperature": 0}, {"temperature": float("nan")}, {"temperature": "1.0"}])
def test_fitted_values_that_cannot_be_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="temperature"):
        fitted_from(values, target.ClassTarget(("cat", "dog")))
