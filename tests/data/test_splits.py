"""Every example gets one side, what belongs together stays together, and classes keep their shares."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asking import truths_of
from sonde.data.splits import Shares, Splitting, join, split
from sonde.errors import DataError

SHARES = Shares(validation=0.1, test=0.2, seed=0)


def divided(
    answers: list[str], *, sides: list[str] | None = None, copies: list[int] | None = None,
    groups: list[str] | None = None, shares: Shares = SHARES,
) -> Splitting:  # fmt: skip
    count = len(answers)
    return split(
        np.array(sides or [""] * count, dtype=np.str_),
        truths_of(np.array(answers, dtype=np.str_)),
        np.array(copies if copies is not None else range(count), dtype=np.uint64),
        None if groups is None else np.array(groups, dtype=np.str_),
        shares,
    )


def side_of(splitting: Splitting, count: int) -> list[str]:
    sides = [""] * count
    for name, rows in splitting.rows.items():
        assert list(rows) == sorted(rows)
        for row in rows:
            assert not sides[row]
            sides[row] = name
    assert all(sides)
    return sides


labels = st.lists(st.sampled_from("abcd"), min_size=2, max_size=120)
seeds = st.integers(0, 2**32 - 1)


@given(labels, seeds, st.floats(0.01, 0.5), st.floats(0.01, 0.9))
def test_each_class_is_divided_within_one_example_of_its_share(
    answers: list[str], seed: int, validation: float, test: float
) -> None:
    sides = side_of(divided(answers, shares=Shares(validation, test, seed)), len(answers))
    for name in set(answers):
        mine = [side for side, answer in zip(sides, answers, strict=True) if answer == name]
        held = mine.count("test")
        assert abs(held - len(mine) * test) <= 1
        assert abs(mine.count("validation") - (len(mine) - held) * validation) <= 1
        assert "train" in mine
        if len(mine) >= 3:
            assert held >= 1 or test < 1 / 3


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.integers(0, 12)), min_size=2, max_size=90), seeds
)
def test_no_copy_and_no_group_stands_on_two_sides(rows: list[tuple[str, int, int]], seed: int) -> None:
    answers, copies, groups = (list(column) for column in zip(*rows, strict=True))
    names = [f"g{group}" if group else "" for group in groups]
    try:
        splitting = divided(answers, copies=copies, groups=names, shares=Shares(0.1, 0.2, seed))
    except DataError as error:
        assert "must stay on one side" in str(error)
        assume(False)
    sides = side_of(splitting, len(rows))
    for mark in set(copies):
        assert len({side for side, copy in zip(sides, copies, strict=True) if copy == mark}) == 1
    for name in set(names) - {""}:
        assert len({side for side, group in zip(sides, names, strict=True) if group == name}) == 1
    assert set(answers) == {answer for side, answer in zip(sides, answers, strict=True) if side == "train"}
    assert splitting.leak_count == 0
    assert splitting.duplicates == len(rows) - len(set(copies))


@given(labels, seeds)
def test_the_seed_alone_decides(answers: list[str], seed: int) -> None:
    shares = Shares(0.2, 0.3, seed)
    first, again = divided(answers, shares=shares), divided(answers, shares=shares)
    assert all(np.array_equal(first.rows[name], again.rows[name]) for name in first.rows)


def test_another_seed_makes_other_splits() -> None:
    answers = ["a", "b"] * 50
    first, second = (divided(answers, shares=Shares(0.1, 0.2, seed)) for seed in (0, 1))
    assert list(first.rows["test"]) != list(second.rows["test"])


def test_chains_of_groups_and_copies_are_one_unit() -> None:
    copies = np.array([1, 1, 2, 3, 4, 5], dtype=np.uint64)
    groups = np.array(["", "x", "x", "y", "y", ""])
    units = join(copies, groups)
    assert units[0] == units[1] == units[2] != units[3] == units[4] != units[5]


def test_given_splits_are_kept_and_missing_ones_are_made_from_train() -> None:
    answers = ["a", "b"] * 60
    sides = ["train"] * 80 + ["test"] * 40
    splitting = divided(answers, sides=sides)
    assert list(splitting.rows["test"]) == list(range(80, 120))
    assert len(splitting.rows["validation"]) == 8 and max(splitting.rows["validation"]) < 80
    assert splitting.origin["test"] == splitting.origin["train"] == "given"
    assert splitting.origin["validation"] == "10% of the training examples, stratified, seed 0"

    splitting = divided(answers, sides=["train"] * 80 + ["validation"] * 40)
    assert list(splitting.rows["validation"]) == list(range(80, 120))
    assert len(splitting.rows["test"]) == 16
    assert splitting.origin["test"] == "20% of the training examples, stratified, seed 0"


def test_made_splits_say_how_they_were_made() -> None:
    assert divided(["a", "b"] * 30).origin["test"] == "20% of all examples, stratified, seed 0"
    assert "grouped" in divided(["a", "b"] * 30, groups=[f"g{row // 4}" for row in range(60)]).origin["test"]
    few = divided(["a", "b"] * 30, groups=[f"g{row // 20}" for row in range(60)])
    assert few.origin["test"] == "33% of all examples (20% asked for), grouped, seed 0"


def test_examples_without_a_split_beside_others_go_into_train_and_that_is_said() -> None:
    splitting = divided(["a", "b"] * 6, sides=["train", "test", ""] * 4)
    assert {1, 4, 7, 10} == set(splitting.rows["test"])
    assert "4 examples name no split and were put into train" in splitting.notes


def test_a_test_split_without_training_is_refused() -> None:
    with pytest.raises(DataError, match="has only a validation and a test split and none for training"):
        divided(["a", "b"], sides=["validation", "test"])


def test_copies_between_given_splits_are_reported_and_left_where_they_are() -> None:
    sides = ["train", "train", "train", "test", "test", "validation"]
    splitting = divided(["a", "b", "a", "a", "b", "a"], sides=sides, copies=[1, 2, 3, 1, 9, 1])
    assert splitting.leak_count == 2
    assert set(splitting.leaks) == {(0, 3), (0, 5)}
    assert splitting.duplicates == 0
    assert side_of(splitting, 6) == sides


def test_copies_with_different_labels_are_noted() -> None:
    splitting = divided(["a", "b", "a", "b"] * 5, copies=[1, 1, *range(2, 20)])
    assert any("1 example occurs more than once with different targets" in note for note in splitting.notes)
    assert splitting.duplicates == 1


def test_a_group_on_two_given_sides_is_noted() -> None:
    splitting = divided(
        ["a", "b"] * 4, sides=["train"] * 6 + ["test"] * 2, groups=["p", "p", "q", "q", "r", "r", "p", "p"]
    )
    assert any("1 groups stand on two sides" in note and "'p'" in note for note in splitting.notes)


def test_one_group_for_everything_is_refused_with_the_cure() -> None:
    with pytest.raises(DataError, match=r"1 such piece, .*group_column=none"):
        divided(["a", "b"] * 10, groups=["p"] * 20)


def test_hundred_copies_of_one_image_are_refused() -> None:
    with pytest.raises(DataError, match="exact copies must stay on one side"):
        divided(["a", "b"] * 50, copies=[1] * 100)


def test_groups_of_equal_size_come_near_the_share() -> None:
    splitting = divided(["a", "b"] * 100, groups=[f"g{row // 10}" for row in range(200)])
    assert 30 <= len(splitting.rows["test"]) <= 50


def test_copies_are_shared_out_like_everything_else() -> None:
    # 400 pairs of copies among 5,000 examples: once, all of them went into the test split.
    copies = np.concatenate([np.arange(4600), np.arange(400)]).astype(np.uint64)
    answers = np.array(["ham", "spam"], dtype=np.str_)[copies % 2]
    made = split(np.full(5000, ""), truths_of(answers), copies, None, Shares(validation=0.1, test=0.2, seed=0))
    doubled = np.isin(copies, np.arange(400))
    for name, share in (("train", 0.72), ("validation", 0.08), ("test", 0.2)):
        rows = made.rows[name]
        assert len(rows) == pytest.approx(5000 * share, abs=10)
        assert doubled[rows].mean() == pytest.approx(0.16, abs=0.03)
