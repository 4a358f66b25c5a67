"""Texts that are written: each comes back from its tokens, what is too long is said, baselines are what they say."""

import numpy as np
import pytest

from sonde.answers.answer import Contest
from sonde.answers.fitted import FittedValues
from sonde.answers.generation import baselines, scores, training
from sonde.answers.generation.averaging import average
from sonde.answers.generation.options import Options
from sonde.answers.generation.target import BEGIN, BYTES, CUTS, END, TextTarget, in_words, learn, target_from
from sonde.data.ragged import texts
from sonde.data.target import Moment
from sonde.errors import ModelError

STRANGE = ["", "Grüße, Welt!", "  two  blanks ", "日本語", "a\nb", "🙂 x", "tab\there"]


def target(words: list[str], **options: object) -> TextTarget:
    return learn(texts(words), Options.model_validate(options))


@pytest.mark.parametrize("tokens", CUTS)
def test_every_text_comes_back_from_its_tokens_also_with_letters_that_training_never_saw(tokens: str) -> None:
    known = target(["a cat", "a dog"], tokens=tokens, least_count=1)
    assert [known.text(known.numbers(text)) for text in STRANGE] == STRANGE


def test_the_vocabulary_is_the_most_frequent_tokens_and_the_rest_is_bytes() -> None:
    known = target(["a cat", "a dog", "a cat"], tokens="words", least_count=2)
    assert known.pieces == ("a", " cat")
    assert known.numbers(" dog") == [BYTES + byte for byte in b" dog"]


def test_the_teacher_is_one_token_late_and_padding_weighs_nothing() -> None:
    known = target(["ab", "b"], tokens="characters", least_count=1)
    truth = known.encode(texts(["ab", "b"]))
    batch = known.collate(truth, Moment(0, 1, np.arange(2)))
    a, b = known.numbers("ab")
    assert batch["truth"][:, :4].tolist() == [[a, b, END, 0], [b, END, 0, 0]]
    assert batch["teacher"][:, :4].tolist() == [[BEGIN, a, b, END], [BEGIN, b, END, 0]]
    assert (batch["weights"] > 0).tolist() == (batch["truth"] > 0).tolist()


def test_targets_over_the_limit_are_counted_and_said_and_scored_whole() -> None:
    known = target(["abcd", "ab"], tokens="characters", least_count=1, length=3)
    assert "1 training target is longer" in in_words(known)["target length"]
    truth = known.encode(texts(["abcd"]))
    assert known.texts(truth) == ("abcd",)
    # Without an end: the model is not taught that the text ends where the limit is.
    assert END not in known.collate(truth, Moment(0, 1, np.arange(1)))["truth"]


@pytest.mark.parametrize(
    "wrong", [{"pieces": ["a", "a"]}, {"pieces": [""]}, {"pieces": ["\ud800"]}, {"length": 0}, {"tokens": "signs"}]
)
def test_a_target_that_cannot_be_right_is_refused(wrong: dict[str, object]) -> None:
    plain = target(["ab"], tokens="characters").to_dict()
    with pytest.raises(ModelError, match="Its target"):
        target_from({**plain, **wrong})


def test_a_taught_validation_counts_what_is_written_right_without_a_teacher() -> None:
    known = target(["ab", "ba"], tokens="characters", least_count=1)
    truth = known.encode(texts(["ab", "ba"]))
    batch = known.collate(truth, Moment(0, 0, np.arange(2)))
    logits = np.eye(300, dtype=np.float32)[batch["truth"]] * 20
    logits[1, 0] = np.eye(300, dtype=np.float32)[known.numbers("a")[0]] * 20
    found = training.figures(known, training.keep(known, {"logits": logits}, truth), truth, training.MONITORS)
    assert found["next_token_accuracy"] == 5 / 6
    assert found["exact_match"] == 0.5
    # One token of six misses by 20; the others by next to nothing.
    assert found["loss"] == pytest.approx(20 / 6, abs=1e-3)


def contest(train: dict[str, str], test: dict[str, str]) -> Contest:
    known = target(list(train.values()), tokens="characters", least_count=1)
    return Contest(
        modality="text",
        target=known,
        fitted=FittedValues(),
        own=Options(),
        train=texts(train),
        truth=known.encode(texts(train.values())),
        test=texts(test),
        names=list(test),
        test_truth=known.encode(texts(test.values())),
        most=100,
    )


def test_the_baselines_write_the_commonest_target_the_source_and_the_nearest_examples() -> None:
    made = baselines.guesses(contest({"a cat": "x", "the dog": "y", "two dogs": "x"}, {"the dogs": "z"}))
    assert {name: each.written for name, each in made.items()} == {
        "commonest target": ("x",),
        "copy of the source": ("the dogs",),
        "nearest neighbour": ("y",),
    }


def test_bleu_stands_first_for_sentences_and_exact_matches_for_single_words() -> None:
    assert scores.headline(target(["one two three four"]), Options()) == "bleu"
    assert scores.headline(target(["1234"]), Options()) == "exact_match"
    assert "bleu" not in scores.metrics(target(["1234"]), Options())


def test_the_error_by_length_holds_every_example_once() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 30, 100)
    groups = scores.by_length(lengths, lengths / 30, np.zeros(100))
    assert sum(each["n"] for each in groups) == 100 and len(groups) <= 10
    assert [each["error"] for each in groups] == sorted(each["error"] for each in groups)


def test_a_target_that_is_longer_than_the_model_can_write_is_never_exact() -> None:
    known = target(["ab", "cd", "ab"], tokens="characters", least_count=1, length=3)
    truth = known.encode(texts(["ab", "abcd"]))
    batch = known.collate(truth, Moment(0, 0, np.arange(2)))
    kept = training.keep(known, {"logits": 9 * np.eye(300, dtype=np.float32)[batch["truth"]]}, truth)
    assert training.figures(known, kept, truth, ("exact_match",))["exact_match"] == 0.5


def test_the_consensus_is_the_text_that_differs_least_from_the_others() -> None:
    known = target(["abcd", "bcda"], tokens="characters", least_count=1)

    def said(text: str, likely: float) -> tuple[None, dict[str, np.ndarray]]:
        return None, {"tokens": np.array([known.numbers(text)], np.int32), "log_likelihood": np.log([likely])}

    members = [said("abcd", 0.9), said("abd", 0.3), said("abdx", 0.2)]
    mean = average(members, [1 / 3] * 3)
    assert known.text(mean["tokens"][0]) == "abd"
    assert np.exp(mean["log_likelihood"]) == pytest.approx(0.1)
    mean = average([said("abcd", 0.9), said("ab", 0.2)], [0.5, 0.5])
    assert known.text(mean["tokens"][0]) == "abcd"
    mean = average([said("ab", 0.4), said("abcd", 0.9), said("ab", 0.2)], [0.5, 0.25, 0.25])
    assert known.text(mean["tokens"][0]) == "ab" and np.exp(mean["log_likelihood"]) == pytest.approx(0.25)
