"""The baseline of texts finds telling words and pairs, and its probabilities mean something."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from evaluation_makers import guess_baselines
from sonde.data.ragged import texts

NAME = "TF-IDF with a linear SVM"


def guessed(train: list[str], truth: list[int], test: list[str], *, classes: int = 2, most: int = 1000) -> np.ndarray:
    return guess_baselines("text", texts(train), truth, texts(test), classes=classes, most=most)[NAME]


@pytest.mark.parametrize("classes", [2, 3])
def test_it_answers_as_scikit_learn_does(classes: int) -> None:
    rng = np.random.default_rng(0)
    words = [f"w{number}" for number in range(40)]
    truth = rng.integers(classes, size=90)
    train = [" ".join(rng.choice(words[10 * kind : 10 * kind + 20], size=6)) for kind in truth]
    test = [" ".join(rng.choice(words, size=6)) for _ in range(50)]
    vectorizer = TfidfVectorizer(
        token_pattern=r"(?u)\b\w+\b|[^\w\s]", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32
    )
    model = LinearSVC(random_state=0).fit(vectorizer.fit_transform(train), truth)
    found = guessed(train, truth.tolist(), test, classes=classes)
    assert (found.argmax(axis=1) == model.predict(vectorizer.transform(test))).all()
    assert np.allclose(found.sum(axis=1), 1)


def test_pairs_of_words_count() -> None:
    train = ["not good", "not bad", "good bad not", "bad not good"] * 10
    truth = [1, 0, 0, 1] * 10
    assert guessed(train, truth, ["not bad", "not good"]).argmax(axis=1).tolist() == [0, 1]


def test_classes_without_an_example_get_nothing_and_one_class_gets_all() -> None:
    assert guessed(["a b", "c d"] * 8, [0, 2] * 8, ["a b"], classes=3)[0, 1] == 0
    assert guessed(["a b"] * 4, [1] * 4, ["x", "y"]).tolist() == [[0, 1], [0, 1]]


def test_texts_without_a_word_are_guessed_by_frequency() -> None:
    assert guessed([" "] * 4, [0, 1, 1, 1], ["a"]).tolist() == [[0.25, 0.75]]


def test_it_reads_no_more_texts_than_it_may() -> None:
    found = guessed(["good day", "bad day"] * 500, [1, 0] * 500, ["good"], most=10)
    assert found.argmax() == 1
