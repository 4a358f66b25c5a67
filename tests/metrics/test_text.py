"""Scores of written text: BLEU is sacrebleu's, an error rate is one of characters, and several references help."""

import numpy as np
import pytest

from sonde.metrics import value_of
from sonde.metrics.text import TEXT_METRICS, edit_distance, prepare_text

MADE = ["the cat sat on the mat", "a dog barked at the red car", "nobody was there", "it rains"]
FIRST = ["the cat sat on the mat", "the dog barked at a red car", "there was nobody", "it was raining"]
SECOND = ["on the mat sat the cat", "a dog was barking at the red car", "nobody was there at all", "rain falls"]


def _value(name: str, predictions: list[str], references: list[str] | list[tuple[str, ...]]) -> float:
    return value_of(TEXT_METRICS[name], prepare_text(predictions, references))


def test_bleu_is_what_sacrebleu_says() -> None:
    # From sacrebleu 2.6.0, corpus_bleu(..., tokenize="none"); the last two have orders without a match.
    assert _value("bleu", MADE, FIRST) == pytest.approx(55.16395880022015, abs=1e-9)
    assert _value("bleu", MADE, list(zip(FIRST, SECOND, strict=True))) == pytest.approx(79.57211796577911, abs=1e-9)
    assert _value("bleu", ["a b c d e", "x y"], ["a c b d f g h", "x z"]) == pytest.approx(10.43658816436786, abs=1e-9)
    assert _value("bleu", MADE[2:], FIRST[2:]) == 0.0


@pytest.mark.parametrize(("made", "true"), [([""], ["a b c d"]), (["x y z w"], ["a b c d"]), (["a b c"], ["a b c"])])
def test_without_a_match_or_without_four_words_bleu_is_zero(made: list[str], true: list[str]) -> None:
    assert _value("bleu", made, true) == 0.0


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("abc", "abc", 0), ("ähm", "ahm", 1)],
)
def test_an_edit_distance_counts_characters(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == distance


def test_the_nearest_reference_counts() -> None:
    several = [("hello there", "hullo")]
    assert _value("character_error_rate", ["hallo"], several) == pytest.approx(1 / 5)
    assert _value("exact_match", ["hullo"], several) == 1.0
    assert _value("token_accuracy", ["hello you"], several) == pytest.approx(1 / 2)


def test_an_error_rate_can_exceed_one_and_needs_a_reference_with_characters() -> None:
    assert _value("character_error_rate", ["abcd"], ["xy"]) == 2.0
    assert np.isnan(_value("character_error_rate", ["abcd"], [""]))


def test_an_example_without_a_reference_is_refused() -> None:
    for references in ([], [()]):
        with pytest.raises(AssertionError):
            prepare_text(["a"], references)
