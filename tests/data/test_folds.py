"""Every example is tested in one fold, folds hold the same share of each class, and what belongs together stays so."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asking import truths_of
from sonde.data.folds import Fold, fold_count, read_fold, split_fold
from sonde.data.splits import Shares, Splitting
from sonde.errors import DataError

SHARES = Shares(validation=0.1, test=0.2, seed=0)


def folded(
    answers: list[str], fold: Fold, *, sides: list[str] | None = None, copies: list[int] | None = None,
    groups: list[str] | None = None, shares: Shares = SHARES, several: bool = False,
) -> Splitting:  # fmt: skip
    count = len(answers)
    return split_fold(
        np.array(sides or [""] * count, dtype=np.str_),
        truths_of(np.array(answers, dtype=np.str_), several=several),
        np.array(copies if copies is not None else range(count), dtype=np.uint64),
        None if groups is None else np.array(groups, dtype=np.str_),
        shares,
        fold,
    )


def texts(words: list[str]) -> np.ndarray:
    return np.array(words, dtype=np.str_)


@given(st.lists(st.sampled_from("abc"), min_size=0, max_size=80), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_each_example_is_tested_once_and_classes_keep_their_shares(rest: list[str], count: int, seed: int) -> None:
    answers = [*"aaabbb", *rest, *(rest.count("c") == 1) * ["c"]]
    tested: list[int] = []
    sizes = []
    for number in range(1, count + 1):
        made = folded(answers, Fold(number, count), shares=Shares(0.1, 0.2, seed))
        rows = {name: set(each.tolist()) for name, each in made.rows.items()}
        assert sorted(row for side in rows.values() for row in side) == list(range(len(answers)))
        tested += rows["test"]
        sizes.append(len(rows["test"]))
        for name in set(answers):
            held = sum(answers[row] == name for row in rows["test"])
            assert abs(held - answers.count(name) / count) < 1
    assert sorted(tested) == list(range(len(answers)))
    assert max(sizes) - min(sizes) <= 1


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40), st.integers(0, 20)), min_size=4, max_size=90),
    st.integers(0, 99),
)
def test_copies_and_groups_stay_in_one_fold(rows: list[tuple[str, int, int]], seed: int) -> None:
    answers, copies, groups = (list(column) for column in zip(*rows, strict=True))
    names = [f"g{group}" if group else "" for group in groups]
    for number in (1, 2, 3):
        try:
            made = folded(answers, Fold(number, 3), copies=copies, groups=names, shares=Shares(0.1, 0.2, seed))
        except DataError:
            return
        side = {int(row): name for name, each in made.rows.items() for row in each}
        for one, here in side.items():
            for other, there in side.items():
                if copies[one] == copies[other] or (names[one] == names[other] != ""):
                    assert here == there


def test_folds_of_groups_are_as_even_as_a_trusted_library_makes_them() -> None:
    from sklearn.model_selection import StratifiedGroupKFold

    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, 600)
    answers = np.where(rng.random(600) < 0.1 + 0.6 * (groups % 3 == 0), "rare", "usual")

    def unevenness(tests: list[np.ndarray]) -> float:
        return float(np.std([(answers[rows] == "rare").sum() for rows in tests]))

    names = [f"g{group}" for group in groups]
    ours = [folded(answers.tolist(), Fold(k, 5), groups=names).rows["test"] for k in range(1, 6)]
    theirs = [rows for _, rows in StratifiedGroupKFold(5).split(answers, answers, groups)]
    assert unevenness(ours) <= 1.5 * unevenness(theirs)


def test_a_fold_depends_on_the_data_and_the_seed_alone() -> None:
    answers = list("aabbab" * 10)
    one, same = (folded(answers, Fold(2, 4)) for _ in range(2))
    other = folded(answers, Fold(2, 4), shares=Shares(0.1, 0.2, 1))
    assert {name: rows.tolist() for name, rows in one.rows.items()} == {
        name: rows.tolist() for name, rows in same.rows.items()
    }
    assert one.rows["test"].tolist() != other.rows["test"].tolist()
    assert one.origin["test"] == "fold 2 of 4, stratified, seed 0"


def test_the_data_s_own_test_split_takes_no_part_unless_that_is_said() -> None:
    answers, sides = list("ab" * 20), ["test"] * 10 + ["train"] * 30
    made = [folded(answers, Fold(k, 3), sides=sides) for k in (1, 2, 3)]
    assert sorted(row for each in made for row in each.rows["test"].tolist()) == list(range(10, 40))
    assert "the data's own 10 test examples take no part" in made[0].notes[0]
    whole = [folded(answers, Fold(k, 3, of_everything=True), sides=sides) for k in (1, 2, 3)]
    assert sorted(row for each in whole for row in each.rows["test"].tolist()) == list(range(40))
    assert whole[0].notes == () and whole[0].leak_count == 0


def test_the_data_s_own_validation_split_stays_what_it_is() -> None:
    answers, sides = list("ab" * 20), ["validation"] * 10 + [""] * 30
    made = folded(answers, Fold(1, 3), sides=sides)
    assert made.rows["validation"].tolist() == list(range(10))
    assert made.origin["validation"] == "given" and made.origin["train"] == "the other folds"


def test_leaving_a_group_out_tests_on_that_group_and_on_nothing_else() -> None:
    answers, groups = list("ab" * 12), [name for name in ("ann", "bob", "cid") for _ in range(8)]
    given_, names = texts([""] * 24), texts(groups)
    assert fold_count("groups", "training", given_, names) == 3
    fold = read_fold("2/groups", "training", given_, names)
    assert (fold.group, fold.number, fold.count) == ("bob", 2, 3)
    made = folded(answers, fold, groups=groups)
    assert {groups[row] for row in made.rows["test"]} == {"bob"} and len(made.rows["test"]) == 8
    # Validation is another group, so that what is chosen on it is chosen for strangers.
    assert len({groups[row] for row in made.rows["validation"]}) == 1
    assert made.origin["test"] == "the group 'bob', fold 2 of 3"


def test_copies_of_a_left_out_group_s_examples_are_not_trained_on() -> None:
    answers, groups = list("ab" * 12), [name for name in ("ann", "bob", "cid") for _ in range(8)]
    copies = list(range(24))
    copies[0], copies[1] = copies[8], copies[9]
    made = folded(answers, Fold(2, 3, "bob"), groups=groups, copies=copies)
    seen = {row for rows in made.rows.values() for row in rows.tolist()}
    assert seen == set(range(24)) - {0, 1}
    assert "2 examples of other groups are exact copies of tested ones and are left out" in made.notes


def test_leaks_are_named_by_their_place_in_the_data() -> None:
    answers, sides = list("ab" * 20), ["test"] * 10 + ["validation"] * 10 + [""] * 20
    copies = list(range(40))
    copies[39] = copies[11]
    made = [folded(answers, Fold(k, 2), sides=sides, copies=copies) for k in (1, 2)]
    assert {pair for each in made for pair in each.leaks} <= {(39, 11), (11, 39)}
    assert all(each.leak_count == 1 for each in made)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("3/2", "data.fold = '3/2' is not possible: there are 2 folds here"),
        ("1/1", "there are 1 folds here"),
        ("1/groups", "The data names no groups, so none can be left out"),
    ],
)
def test_a_fold_that_cannot_be_is_refused(words: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_fold(words, "training", texts(["", ""]), None)


def test_too_few_groups_pieces_and_examples_of_a_label_are_said() -> None:
    with pytest.raises(DataError, match="needs at least two groups, and there is one, 'ann'"):
        fold_count("groups", "training", texts(["", "test"]), texts(["ann", "bob"]))
    with pytest.raises(DataError, match=r"7 folds cannot be made of 6 examples\. Use --folds 6 or fewer"):
        folded(list("ababab"), Fold(1, 7))
    with pytest.raises(DataError, match=r"3 folds cannot be made of 2 pieces that stay together"):
        folded(list("ababab"), Fold(1, 3), groups=["x", "y"] * 3)
    with pytest.raises(DataError, match="All examples of 'c' would be in one fold"):
        folded(list("abababc"), Fold(1, 2))
    with pytest.raises(DataError, match="All examples of 'c' would be in one fold"):
        folded([*["a|b", "a", "b"] * 4, "a|c"], Fold(1, 2), several=True)


def test_a_label_that_is_seldom_the_rarest_of_an_example_is_no_lone_label() -> None:
    # 'B' is in 51 examples, and in one of them only there is no rarer label beside it.
    made = folded([*["A|B"] * 50, "B", *["C"] * 20], Fold(1, 3), several=True)
    assert 22 <= len(made.rows["test"]) <= 25


def test_a_single_label_that_holds_a_bar_is_one_label() -> None:
    # All examples of 'x|y' are copies of one; 'x' and 'y' are other labels.
    copies = [0, 0, 0, *range(1, 41)]
    with pytest.raises(DataError, match=r"All examples of 'x\|y' would be in one fold"):
        folded(["x|y"] * 3 + ["x"] * 20 + ["y"] * 20, Fold(1, 3), copies=copies)


@pytest.mark.parametrize("fold", [Fold(1, 3, "s0"), Fold(1, 2)])
def test_no_group_is_both_tested_and_chosen_on(fold: Fold) -> None:
    groups = [f"s{row // 2 % 3}" for row in range(60)]
    made = folded(list("ab" * 30), fold, sides=["train"] * 36 + ["validation"] * 24, groups=groups)
    tested, chosen = ({groups[row] for row in made.rows[name]} for name in ("test", "validation"))
    assert tested and chosen and not tested & chosen
    assert any("validation split are of tested groups and are left out" in note for note in made.notes)
