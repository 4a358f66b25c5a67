"""Examples of different lengths: what is taken out is what was put in, however it is asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.data.ragged import Ragged, join, lengths_of, present, round_up, text_of, texts

LENGTHS = st.lists(st.integers(0, 7), min_size=1, max_size=9)


def of_lengths(lengths: list[int]) -> tuple[list[np.ndarray], Ragged]:
    rng = np.random.default_rng(len(lengths))
    examples = [rng.normal(size=(length, 2)).astype(np.float32) for length in lengths]
    return examples, Ragged.of(examples)


@given(LENGTHS, st.data())
def test_any_choice_of_examples_holds_just_those(lengths: list[int], drawn: st.DataObject) -> None:
    examples, ragged = of_lengths(lengths)
    rows = drawn.draw(st.lists(st.integers(0, len(lengths) - 1), max_size=6))
    first, last, step = drawn.draw(st.tuples(st.integers(-3, 9), st.integers(-3, 9), st.sampled_from([1, 2, -1])))
    for chosen, expected in [
        (ragged[np.array(rows, dtype=np.int64)], [examples[row] for row in rows]),
        (ragged[first:last:step], examples[first:last:step]),
    ]:
        assert len(chosen) == len(expected) and chosen.offsets[0] == 0 and chosen.offsets[-1] == len(chosen.values)
        assert all(np.array_equal(chosen[row], each) for row, each in enumerate(expected))
    assert np.array_equal(ragged[-1], examples[-1])


@given(LENGTHS)
def test_padding_and_presence_say_the_same(lengths: list[int]) -> None:
    examples, ragged = of_lengths(lengths)
    for length in (None, 0, 3, 12):
        padded = ragged.padded(length, fill=9)
        longest = max(lengths) if length is None else length
        real = present(ragged.lengths, longest)
        assert padded.shape == (len(lengths), longest, 2) and (padded[~real] == 9).all()
        for row, example in enumerate(examples):
            assert np.array_equal(padded[row][real[row]], example[:longest])


@given(LENGTHS, LENGTHS)
def test_what_is_joined_comes_one_after_the_other(first: list[int], second: list[int]) -> None:
    (a, one), (b, other) = of_lengths(first), of_lengths(second)
    both = join([one, other[:]])
    assert isinstance(both, Ragged) and list(lengths_of(both)) == first + second
    assert all(np.array_equal(both[row], each) for row, each in enumerate(a + b))
    assert lengths_of(np.zeros((3, 2))) is None
    assert join([np.zeros((1, 2)), np.ones((2, 2))]).shape == (3, 2)


def test_files_of_series_of_other_lengths_are_joined_too() -> None:
    short, long = np.zeros((2, 3, 1), np.float32), np.ones((1, 5, 1), np.float32)
    for parts in ([short, long], [Ragged.of([*short]), long]):
        both = join(parts)
        assert isinstance(both, Ragged) and both.lengths.tolist() == [3, 3, 5]
        assert np.array_equal(both[2], long[0]) and both.values.dtype == np.float32


def test_an_example_out_of_range_is_refused() -> None:
    with pytest.raises(IndexError):
        of_lengths([1, 2])[1][2]


@given(st.lists(st.text(max_size=9), min_size=1, max_size=5))
def test_texts_come_back(words: list[str]) -> None:
    stored = texts(words)
    expected = [word.encode("utf-8", "replace").decode() for word in words]
    assert [text_of(stored[row]) for row in range(len(stored))] == expected


def test_few_lengths_occur_and_an_eighth_is_added_at_most() -> None:
    found = [round_up(length) for length in range(1, 4097)]
    assert all(up >= length for length, up in enumerate(found, 1))
    assert all(up <= 9 / 8 * length + 8 for length, up in enumerate(found, 1))
    assert len(set(found)) < 70
    assert round_up(0) == 8
