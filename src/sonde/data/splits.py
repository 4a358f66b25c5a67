"""Puts every example on one side: the data's own splits are kept, missing ones are made.

What belongs together stays together: exact copies, and examples of one group. Copies between splits that the data
itself gives are reported, not moved: its owner should know, and its scores should be comparable with other people's.
"""

# N examples, U units (what stays together), K classes

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data.listing import SPLITS
from sonde.errors import DataError

Indices = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEARLY = 0.02
"""Difference between a share that is asked for and the one that is taken, from which on it is said."""
SHOWN_LEAKS = 50
"""Pairs of copies that are listed by name; all of them are counted."""


@dataclass(frozen=True)
class Splitting:
    """Which example is on which side, where the sides come from, and what was seen on the way."""

    rows: Mapping[str, Indices]
    """By split: indices into the examples, ascending."""
    origin: Mapping[str, str]
    """By split: "given", or how it was made."""
    duplicates: int
    leaks: tuple[tuple[int, int], ...]
    """Pairs of copies on two given sides."""
    leak_count: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Shares:
    """How much is set aside where the data does not say, and the seed of the choice."""

    validation: float
    test: float
    seed: int


@dataclass(frozen=True)
class Truths:
    """What dividing examples needs to know of their truths."""

    strata: NDArray[np.str_]
    """What made splits are stratified by, N; all the same where they are not."""
    keys: NDArray[Any]
    """Equal where truths are equal, N."""
    learned: Callable[[str], Sequence[str]] | None = None
    """From one truth to the names in it that training must see; None where nothing has a name."""

    def part(self, rows: Indices) -> "Truths":
        """Return those of some examples."""
        return Truths(self.strata[rows], self.keys[rows], self.learned)


def split(
    given: NDArray[np.str_],
    truths: Truths,
    copies: NDArray[np.uint64],
    groups: NDArray[np.str_] | None,
    shares: Shares,
) -> Splitting:
    """Divide examples into train, validation and test.

    Args:
        given: the data's own split of each example, "" for none, N.
        truths: what made splits are stratified by, N.
        copies: equal numbers mark exact copies, N.
        groups: equal texts stay on one side, "" for an example of its own, N; or None.
        shares: the sizes and the seed of made splits.

    Raises:
        DataError: there is no training split, or everything belongs to one group.
    """
    names = [name for name in SPLITS if np.any(given == name)]
    if names and "train" not in names and np.all(given != ""):
        there = " and a ".join(names)
        raise DataError(
            f"The data has only a {there} split and none for training. Name one of them train, "
            "or remove the splits (a manifest: --set data.split_column=none) and they are made."
        )
    notes = []
    if names and np.any(given == ""):
        notes.append(f"{int(np.sum(given == '')):,} examples name no split and were put into train")
    units = join(copies, groups)
    side = np.where(given == "", "train", given).astype("<U10")
    classes = np.unique(truths.strata, return_inverse=True)[1]
    stratified = len(classes) == 0 or classes.max() > 0
    origin = dict.fromkeys(names, "given")
    whole = "all" if not names else "the training"
    for name, share in (("test", shares.test), ("validation", shares.validation)):
        if name not in names:
            pool = np.flatnonzero(side == "train")
            rng = np.random.default_rng([shares.seed, 0 if name == "test" else 1])
            chosen = _choose(units[pool], classes[pool], share, rng)
            if not chosen.any():
                _refuse_unsplittable(units[pool], groups, name)
            side[pool[chosen]] = name
            how = "grouped" if groups is not None else "stratified" if stratified else "drawn at random"
            of = whole if name == "test" else "the training"
            taken, asked = f"{chosen.mean():.0%}", f"{share:.0%}"
            # What stays together may be much larger than the share.
            wanted = "" if abs(chosen.mean() - share) < NEARLY else f" ({asked} asked for)"
            origin[name] = f"{taken if wanted else asked} of {of} examples{wanted}, {how}, seed {shares.seed}"
    origin.setdefault("train", "the remaining examples")
    rows = {name: np.flatnonzero(side == name) for name in SPLITS}
    return _report(rows, origin, side, truths.keys, copies, groups, notes)


def _refuse_unsplittable(units: Indices, groups: NDArray[np.str_] | None, name: str) -> None:
    count = len(np.unique(units))
    if count == len(units):
        return  # Too few examples, which the task explains better.
    what = "groups and exact copies" if groups is not None else "exact copies"
    raise DataError(
        f"No {name} split can be made: {what} must stay on one side, and the {len(units):,} examples fall into "
        f"{count:,} such piece{'s' if count != 1 else ''}, none of which can be taken away without emptying a class. "
        "Add examples, or give the splits yourself"
        + (", or ignore the groups with --set data.group_column=none." if groups is not None else ".")
    )


def join(copies: NDArray[np.uint64], groups: NDArray[np.str_] | None) -> Indices:
    """Number what must stay together: copies of one another, members of one group, and chains of both.

    Args:
        copies: equal numbers mark exact copies, N.
        groups: equal texts mark a group, "" none, N; or None.

    Returns:
        The number of each example's unit, N.
    """
    by_copy = np.unique(copies, return_inverse=True)[1].astype(np.int64)
    if groups is None or len(copies) == 0:
        return by_copy
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    by_group = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    grouped = groups != ""
    first, second = by_copy[grouped], by_group[grouped] + by_copy.max() + 1
    count = int(by_copy.max() + 1 + by_group.max() + 1)
    links = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(count, count))
    return connected_components(links, directed=False)[1][by_copy].astype(np.int64)


def _choose(units: Indices, classes: Indices, share: float, rng: np.random.Generator) -> Bools:
    """Choose whole units so that of every class about `share` is taken; never the last unit of a class."""
    units = np.unique(units, return_inverse=True)[1]
    classes = np.unique(classes, return_inverse=True)[1]
    taken = np.zeros(len(units), dtype=bool)
    if len(units) == 0:
        return taken
    sizes = np.bincount(units)
    per_class = np.bincount(classes)
    target = np.rint(per_class * share).astype(np.int64)
    target = np.minimum(np.maximum(target, 1), per_class - 1)
    # Units of several get the share of the places that is theirs: a test of nothing but copies would be no fair sample.
    of_large = np.bincount(classes[sizes[units] > 1], minlength=len(per_class))
    fair = np.where(of_large == per_class, target, np.minimum(np.rint(of_large * share).astype(np.int64), target))
    missing = fair.copy()
    left = per_class.copy()
    taken |= _choose_large(units, classes, missing, left, rng)[units]
    missing += target - fair
    _choose_single(np.flatnonzero(sizes[units] == 1), classes, missing, taken, rng)
    if not taken.any() and target.any():
        # Every unit is far larger than the share: the smallest one that leaves some of each class is the nearest.
        for unit in np.argsort(sizes, kind="stable"):
            if np.all(np.bincount(classes[units == unit], minlength=len(left)) < left):
                return units == unit
    return taken


def _choose_large(units: Indices, classes: Indices, missing: Indices, left: Indices, rng: np.random.Generator) -> Bools:
    """Walk through the units of several examples in random order; take what brings the classes nearer their share."""
    sizes = np.bincount(units)
    chosen = np.zeros(len(sizes), dtype=bool)
    members = np.flatnonzero(sizes[units] > 1)
    # One line for each unit and class in it, the lines of a unit side by side.
    lines, count = np.unique(units[members] * len(left) + classes[members], return_counts=True)
    unit, kind = lines // len(left), lines % len(left)
    starts = np.flatnonzero(np.diff(unit, prepend=-1))
    bounds = np.append(starts, len(lines)).tolist()
    for number in rng.permutation(len(starts)).tolist():
        start, end = bounds[number], bounds[number + 1]
        kinds, counts = kind[start:end], count[start:end]
        # The squared distance to the target falls exactly when the first condition holds.
        nearer = counts @ counts < 2 * (missing[kinds] @ counts)
        if nearer and (counts < left[kinds]).all():
            missing[kinds] -= counts
            left[kinds] -= counts
            chosen[unit[start]] = True
    return chosen


def _choose_single(rows: Indices, classes: Indices, missing: Indices, taken: Bools, rng: np.random.Generator) -> None:
    """Fill up each class with examples that stand alone."""
    shuffled = rng.permutation(rows)
    shuffled = shuffled[np.argsort(classes[shuffled], kind="stable")]
    kinds = classes[shuffled]
    first = np.searchsorted(kinds, np.arange(len(missing)))
    rank = np.arange(len(shuffled)) - first[kinds]
    taken[shuffled[rank < missing[kinds]]] = True


def _report(
    rows: dict[str, Indices],
    origin: dict[str, str],
    side: NDArray[np.str_],
    keys: NDArray[Any],
    copies: NDArray[np.uint64],
    groups: NDArray[np.str_] | None,
    notes: list[str],
) -> Splitting:
    sides = np.stack([side == name for name in SPLITS], axis=1)
    kind = np.unique(copies, return_inverse=True)[1]
    present = np.zeros((int(kind.max(initial=-1)) + 1, 3), dtype=bool)
    for number in range(3):
        present[kind[sides[:, number]], number] = True
    duplicates = len(kind) - int(present.sum())
    # Of copies on several sides the one that is trained on (or, without it, validated on) is where the leak comes from.
    source = present.argmax(axis=1)[kind]
    leaking = np.flatnonzero(~sides[np.arange(len(kind)), source]) if len(kind) else np.empty(0, dtype=np.int64)
    leaks = [
        (int(np.flatnonzero((kind == kind[row]) & sides[:, source[row]])[0]), int(row)) for row in leaking[:SHOWN_LEAKS]
    ]
    labelled = np.unique(np.stack([kind, np.unique(keys, return_inverse=True)[1]]), axis=1)[0]
    conflicts = int(np.sum(np.bincount(labelled) > 1)) if duplicates or len(leaking) else 0
    if conflicts:
        what = "example occurs" if conflicts == 1 else "examples occur"
        notes.append(f"{conflicts:,} {what} more than once with different targets")
    if groups is not None:
        notes += _split_groups(groups, side)
    return Splitting(rows, origin, duplicates, tuple(leaks), len(leaking), tuple(notes))


def _split_groups(groups: NDArray[np.str_], side: NDArray[np.str_]) -> list[str]:
    names, kind = np.unique(groups, return_inverse=True)
    pairs = np.unique(np.stack([kind, np.unique(side, return_inverse=True)[1]]), axis=1)
    both = names[(np.bincount(pairs[0], minlength=len(names)) > 1) & (names != "")]
    if len(both) == 0:
        return []
    return [f"{len(both):,} groups stand on two sides of the data's own splits, such as '{both[0]}'"]
