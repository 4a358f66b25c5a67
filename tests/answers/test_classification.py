"""One label per example: classes and numbers, and a clear answer where the data cannot carry the task."""

from collections.abc import Mapping

import numpy as np
import pytest
from sonde.tasks import TASKS, guess_task, label

from sonde import data
from sonde.errors import DataError

SPEC = data.ImageSpec(height=1, width=1, channels=1, mean=(0.0,), std=(1.0,))


def dataset(train: Mapping[str, int], validation: Mapping[str, int], test: Mapping[str, int]) -> data.Dataset:
    def examples(counts: Mapping[str, int]) -> data.Examples:
        answers = np.array([name for name, count in counts.items() for _ in range(count)], dtype=np.str_)
        images = np.zeros((len(answers), 1, 1, 1), dtype=np.uint8)
        return data.Examples(images, answers, answers, images)

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
    assert label.learn_classes(np.array(["10", "9", "2", "9"])) == ("2", "9", "10")
    assert label.learn_classes(np.array(["rose", "10", "daisy"])) == ("10", "daisy", "rose")


def test_encoding_and_reading_the_classes_is_a_round_trip() -> None:
    answers = np.array(["rose", "daisy", "tulip", "rose"])
    classes = label.learn_classes(answers)
    numbers = label.encode(answers, classes)
    assert numbers.dtype == np.int64 and [classes[number] for number in numbers] == answers.tolist()
    assert label.encode(np.array([], dtype=np.str_), classes).shape == (0,)


def test_an_unknown_label_is_named_with_a_suggestion() -> None:
    with pytest.raises(DataError, match=r"The label 'roses' is none of .* Did you mean 'rose'"):
        label.encode(np.array(["roses"]), ("daisy", "rose"))


def test_decoding_names_the_most_probable_first() -> None:
    named = label.decode(np.array([[0.1, 0.7, 0.2], [0.4, 0.2, 0.4]]), ("a", "b", "c"), top=2)
    assert named == [[("b", 0.7), ("c", 0.2)], [("a", 0.4), ("c", 0.4)]]


def test_healthy_data_passes_without_a_word() -> None:
    plenty = {"a": 20, "b": 20}
    assert label.check(dataset(plenty, plenty, plenty)) == ()


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
        label.check(dataset(train, validation, test))


def test_weaknesses_are_said() -> None:
    notes = label.check(dataset({"a": 20, "b": 5}, {"a": 2, "b": 1}, {"a": 4}))
    assert "without an example in test" in notes[0] and "'b'" in notes[0]
    assert notes[1] == "classes with fewer than 10 training examples: 'b' 5"


def test_the_task_of_labelled_images_is_classification() -> None:
    name, reason = guess_task(data.survey("digits", data.Options()))
    assert name == "image-classification" and name in TASKS
    assert reason == "1,797 images with one label each, 10 different ones"
    for row in TASKS.values():
        assert row.modality in data.MODALITIES and row.doc.endswith(".")
