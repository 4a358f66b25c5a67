"""Cuts the examples into folds, each of which is the test of one run: cross-validation, or one group left out.

    data.fold = "2/5"          the second of five folds, stratified by the labels; groups and copies stay together
    data.fold = "2/groups"     the second group is the test, all others are trained on

A fold is a pure function of the data and of data.split_seed, so that each run can be repeated and resumed alone.
"""

# N examples, P examples that folds are made of, U units (what stays together), K folds, C classes

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data.splits import Indices, Shares, Splitting, Truths, join, split
from sonde.errors import DataError

GROUPS = "groups"
"""Stands for the number of folds where each group is a fold of its own."""
SHOWN = 5
"""Names in an error."""

Texts = NDArray[np.str_]


@dataclass(frozen=True)
class Fold:
    """Which fold is the test."""

    number: int
    """From 1 to `count`."""
    count: int
    group: str = ""
    """The group that is left out, where each fold is a group."""
    of_everything: bool = False
    """Whether folds are made of the data's own test and validation examples too; they take no part otherwise."""


def fold_count(folds: str, of: str, given: Texts, groups: Texts | None) -> int:
    """Return how many folds a data set is cut into.

    Args:
        folds: a number, or "groups" for one fold for each group.
        of: "training" or "everything": what folds are made of.
        given: the data's own split of each example, "" for none, N.
        groups: what must stay together, "" for an example of its own, N; or None.

    Raises:
        DataError: there are no groups, or only one.
    """
    return len(_groups(of, given, groups)) if folds == GROUPS else int(folds)


def read_fold(words: str, of: str, given: Texts, groups: Texts | None) -> Fold:
    """Read data.fold, such as "2/5" or "2/groups".

    Args:
        words: the option; not empty.
        of: "training" or "everything": what folds are made of.
        given: the data's own split of each example, N.
        groups: what must stay together, N; or None.

    Raises:
        DataError: there is no such fold in this data.
    """
    number, _, folds = words.partition("/")
    count = fold_count(folds, of, given, groups)
    if not 1 <= int(number) <= count or count < 2:
        raise DataError(
            f"data.fold = '{words}' is not possible: there are {count} folds here. "
            "Write such as 2/5 for the second of five, at least two, or 2/groups for the second group."
        )
    group = _groups(of, given, groups)[int(number) - 1] if folds == GROUPS else ""
    return Fold(int(number), count, group, of == "everything")


def _groups(of: str, given: Texts, groups: Texts | None) -> list[str]:
    if groups is None:
        raise DataError(
            "The data names no groups, so none can be left out. Name them: a table's column with --set "
            'data.group_column=speaker, or file names with --set data.pattern="{label}_{group}_{index}.wav". '
            "Or cut it into folds without groups: --folds 5"
        )
    names = sorted({str(name) for name in groups[_taking_part(given, of == "everything")].tolist()} - {""})
    if len(names) < 2:
        raise DataError(
            f"Leaving one group out needs at least two groups, and there {'is one' if names else 'are none'}"
            f"{f', {names[0]!r}' if names else ''}. Cut the data into folds without groups: --folds 5"
        )
    return names


def split_fold(
    given: Texts,
    truths: Truths,
    copies: NDArray[np.uint64],
    groups: Texts | None,
    shares: Shares,
    fold: Fold,
) -> Splitting:
    """Divide examples so that one fold is the test; what is no part of any fold is on no side.

    The data's own validation split stays what it is, unless folds are made of everything; else it is made of what the
    fold leaves for training. Its examples of groups that are tested are left out: what is chosen on them would be
    chosen for those very groups.

    Args:
        given: the data's own split of each example, "" for none, N.
        truths: what folds are stratified by, and the names that training must see.
        copies: equal numbers mark exact copies, N.
        groups: equal texts stay in one fold, "" for an example of its own, N; or None.
        shares: the size of a made validation split and the seed.
        fold: which fold is the test.

    Raises:
        DataError: there are fewer pieces than folds, or a fold holds all examples of a label.
    """
    part = _taking_part(given, fold.of_everything)
    sides = np.where((given[part] == "") | fold.of_everything, "train", given[part]).astype("<U10")
    pool = part[sides == "train"]
    notes: list[str] = []
    if fold.group:
        assert groups is not None
        # Examples of no group are in no fold: always trained on, never tested.
        number_P = np.where(groups[pool] == "", -1, np.unique(groups[pool], return_inverse=True)[1])
        held_P = groups[pool] == fold.group
        if not held_P.any():
            raise DataError(f"No example of the group '{fold.group}' can be read, so it cannot be tested on.")
        twins_P = ~held_P & np.isin(copies[pool], copies[pool][held_P])
        if twins_P.any():
            notes.append(
                f"{int(twins_P.sum()):,} examples of other groups are exact copies of tested ones and are left out"
            )
    else:
        number_P = assign(
            join(copies[pool], None if groups is None else groups[pool]), truths.strata[pool], fold, shares.seed
        )
        held_P, twins_P = number_P == fold.number - 1, np.zeros(len(pool), dtype=bool)
    if truths.learned is not None:
        _refuse_lone(truths.keys[pool], number_P, truths.learned, grouped=groups is not None)
    sides[np.flatnonzero(sides == "train")[held_P]] = "test"
    kept = ~np.isin(part, pool[twins_P])
    if groups is not None:
        known = (sides == "validation") & (groups[part] != "") & np.isin(groups[part], groups[pool[held_P]])
        if known.any():
            notes.append(
                f"{int(known.sum()):,} examples of the data's own validation split are of tested groups and are left "
                "out"
            )
        kept &= ~known
    part, sides = part[kept], sides[kept]
    made = split(sides, truths.part(part), copies[part], None if groups is None else groups[part], shares)
    stratified = len(np.unique(truths.strata[pool])) > 1
    how = "grouped" if groups is not None else "stratified" if stratified else "drawn at random"
    return replace(
        made,
        rows={name: part[rows] for name, rows in made.rows.items()},
        origin={
            **made.origin,
            "train": "the remaining examples" if made.origin["validation"] != "given" else "the other folds",
            "test": _in_words(fold, shares.seed, how),
        },
        leaks=tuple((int(part[first]), int(part[second])) for first, second in made.leaks),
        notes=(*_left_out(given, fold), *notes, *made.notes),
    )


def _taking_part(given: Texts, of_everything: bool) -> Indices:
    return np.arange(len(given)) if of_everything else np.flatnonzero(given != "test")


def _left_out(given: Texts, fold: Fold) -> list[str]:
    count = 0 if fold.of_everything else int((given == "test").sum())
    if not count:
        return []
    return [
        f"folds are made of the training part: the data's own {count:,} test examples take no part "
        "(--set data.fold_of=everything makes folds of them too)"
    ]


def _in_words(fold: Fold, seed: int, how: str) -> str:
    if fold.group:
        return f"the group '{fold.group}', fold {fold.number} of {fold.count}"
    return f"fold {fold.number} of {fold.count}, {how}, seed {seed}"


def _refuse_lone(
    truth_P: NDArray[Any], number_P: Indices, learned: Callable[[str], Sequence[str]], *, grouped: bool
) -> None:
    """Refuse a label that one fold holds all of: the run that is tested there could not have learned it."""
    names, kind_P = np.unique(truth_P, return_inverse=True)
    folds_of: dict[str, set[int]] = {}
    for kind, number in np.unique(np.stack([kind_P, number_P]), axis=1).T.tolist():
        # Where an example has several labels, each of them is to be learned.
        for label in learned(str(names[kind])):
            folds_of.setdefault(label, set()).add(number)
    lone = sorted(label for label, folds in folds_of.items() if len(folds) == 1 and -1 not in folds)
    if lone:
        more = f" and {len(lone) - SHOWN} more" if len(lone) > SHOWN else ""
        why = "of one group, or exact copies" if grouped else "one only, or exact copies of one another"
        raise DataError(
            f"All examples of {', '.join(repr(name) for name in lone[:SHOWN])}{more} would be in one fold ({why}), so "
            "that nothing could be learned of them when it is tested. Add examples, or remove those labels."
        )


def assign(unit_P: Indices, strata_P: Texts, fold: Fold, seed: int) -> Indices:
    """Deal units out to folds, so that each fold holds the same share of each class, as far as units allow.

    Units of several examples go first, the largest before all, each to the fold that holds the least of what is in it
    (as scikit-learn's StratifiedGroupKFold); single examples then fill each class up evenly.

    Args:
        unit_P: number of each example's unit: what stays together.
        strata_P: what each fold is to hold the same share of.
        fold: tells the number of folds.

    Returns:
        The fold of each example, from 0.

    Raises:
        DataError: there are fewer units than folds.
    """
    unit_P = np.unique(unit_P, return_inverse=True)[1]
    class_P = np.unique(strata_P, return_inverse=True)[1]
    sizes_U = np.bincount(unit_P)
    if len(sizes_U) < fold.count:
        pieces = "examples" if len(sizes_U) == len(unit_P) else "pieces that stay together (groups, exact copies)"
        raise DataError(
            f"{fold.count:,} folds cannot be made of {len(sizes_U):,} {pieces}. Use --folds {len(sizes_U)} or fewer."
        )
    rng = np.random.default_rng([seed, 2])
    shuffled = rng.permutation(len(unit_P))
    held_KC = np.zeros((fold.count, int(class_P.max()) + 1), dtype=np.int64)
    fold_U = np.full(len(sizes_U), -1, dtype=np.int64)
    _deal_large(rng.permutation(np.flatnonzero(sizes_U > 1)), unit_P, class_P, fold_U, held_KC)
    single = shuffled[sizes_U[unit_P[shuffled]] == 1]
    for number in range(held_KC.shape[1]):
        mine = single[class_P[single] == number]
        fold_U[unit_P[mine]] = _fill_up(held_KC, number, len(mine))
    return fold_U[unit_P]


def _deal_large(units: Indices, unit_P: Indices, class_P: Indices, fold_U: Indices, held_KC: Indices) -> None:
    sizes_U, whole_C = np.bincount(unit_P), np.bincount(class_P)
    order = np.argsort(unit_P, kind="stable")
    starts = np.searchsorted(unit_P[order], np.arange(len(sizes_U)))
    for unit in units[np.argsort(-sizes_U[units], kind="stable")].tolist():
        members = order[starts[unit] : starts[unit] + sizes_U[unit]]
        kinds, counts = np.unique(class_P[members], return_counts=True)
        # The squared shares of all folds grow least where this is least; classes count alike, however large.
        growth_K = (held_KC[:, kinds] * counts / whole_C[kinds] ** 2.0).sum(axis=1).round(12)
        chosen = int(np.lexsort((held_KC.sum(axis=1), growth_K))[0])
        fold_U[unit] = chosen
        held_KC[chosen, kinds] += counts


def _fill_up(held_KC: Indices, number: int, count: int) -> Indices:
    """Return the folds of so many single examples of a class: the emptiest first, in turns."""
    folds = len(held_KC)
    rank_K = np.empty(folds, dtype=np.int64)
    rank_K[np.argsort(held_KC.sum(axis=1), kind="stable")] = np.arange(folds)
    level = held_KC[:, number][:, None] + np.arange(count)
    places = np.lexsort((np.broadcast_to(rank_K[:, None], level.shape).ravel(), level.ravel()))[:count]
    chosen = places // count if count else places
    held_KC[:, number] += np.bincount(chosen, minlength=folds)
    return chosen
