"""Texts are cut and numbered alike at training and at serving, and cleaned only as far as was asked."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.data.text import tokens


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Don't panic, 42!", ["Don't", "panic", ",", "42", "!"]),
        ("it 's n't", ["it", "'s", "n't"]),
        ("£1.50", ["£", "1", ".", "50"]),
        ("a\x85b\u2028c\td", ["a", "b", "c", "d"]),
        ("cafe\u0301", ["café"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_words_are_cut_where_people_would(text: str, cut: list[str]) -> None:
    assert tokens.words(text) == cut


def test_characters_keep_one_blank_of_many() -> None:
    assert tokens.characters(" ab \n\n c ") == ["a", "b", " ", "c"]


def test_nothing_is_cleaned_that_nobody_asked_for() -> None:
    text = "<b>É &amp; www.x.org</b>"
    assert tokens.clean(text, markup=False, links=False, accents=False, digits=False, lower=False) == text


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("markup", "  É & see https://x.org/a?b=1, 2 < 3 "),
        ("accents", "<b> E &amp; see https://x.org/a?b=1, 2 < 3</b>"),
        ("lower", "<b> é &amp; see https://x.org/a?b=1, 2 < 3</b>"),
        ("links", "<b> É &amp; see link 2 < 3</b>"),
        ("digits", "<b> É &amp; see https://x.org/a?b=0, 0 < 0</b>"),
    ],
)
def test_each_cleaning_does_its_own_thing(asked: str, expected: str) -> None:
    kinds = {name: name == asked for name in ("markup", "links", "accents", "digits", "lower")}
    assert tokens.clean("<b> É &amp; see https://x.org/a?b=1, 2 < 3</b>", **kinds) == expected


def test_the_most_frequent_tokens_come_first_and_equal_ones_by_the_alphabet() -> None:
    cut = [["b", "a", "c"], ["b", "a", "d"], ["b"]]
    assert tokens.most_frequent(cut, most=10, least_count=1) == ("b", "a", "c", "d")
    assert tokens.most_frequent(cut, most=10, least_count=2) == ("b", "a")
    assert tokens.most_frequent(cut, most=1, least_count=1) == ("b",)


def test_byte_pairs_are_learned_the_same_each_time_and_join_what_is_frequent() -> None:
    pytest.importorskip("tokenizers", reason="byte pairs need the extra [text]")
    texts = ["lower lowest low", "newer newest new"] * 5
    known, joins = tokens.learn_byte_pairs(texts, most=280, least_count=2)
    assert (known, joins) == tokens.learn_byte_pairs(texts, most=280, least_count=2)
    assert len(known) <= 280 and {*known} >= {"Ġlow", "Ġnew"}
    assert all({first, second, first + second} <= {*known} for first, second in joins)


@cache
def few_words() -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    return tokens.learn_byte_pairs(["a few words", "a few more"], most=270, least_count=2)


@given(st.text(max_size=40))
def test_every_text_comes_back_from_its_byte_pairs(text: str) -> None:
    library = pytest.importorskip("tokenizers", reason="byte pairs need the extra [text]")
    known, joins = few_words()
    (numbers,) = tokens.byte_pair_cut(known, joins)([text])
    decoded = library.decoders.ByteLevel().decode([known[number] for number in numbers])
    clean = text.encode("utf-8", "replace").decode()
    assert decoded.removeprefix(" ") == clean.removeprefix(" ")
