"""Compares runs on the same test examples: scores with intervals, a paired test for each pair, the options that differ.

Reads what `sonde evaluate` left in the run folders; nothing is predicted anew. How it looks is decided elsewhere.
"""

# N examples

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers import ANSWERS, TASKS, Answer
from sonde.config import RunFolder, fill
from sonde.errors import RunError
from sonde.metrics import AnyMetric
from sonde.metrics.intervals import CONFIDENCE, Bootstrap, Score, paired_samples, score_sample
from sonde.metrics.permutation import holm, paired

IGNORED = ("run.name",)
"""Options that always differ."""

Key = tuple[str, int]
"""A test example's name, and which of the examples of that name it is."""


@dataclass(frozen=True)
class ComparedRun:
    """One of the compared runs."""

    name: str
    examples: int
    """Its test examples; those that all runs share are compared."""
    scores: dict[str, Score]
    """On the shared examples."""


@dataclass(frozen=True)
class Pair:
    """Two runs on the same examples."""

    a: str
    b: str
    differences: dict[str, Score]
    """a minus b, with paired intervals."""
    a_better: int
    """Examples on which the first does better; of right and wrong, those that it alone gets right."""
    b_better: int
    is_right_or_wrong: bool
    """Whether an example is right or wrong, and nothing between: the exact test is then McNemar's."""
    p_value: float
    """Paired permutation test: the chance of so large a mean difference, if the two were equal."""
    p_corrected: float
    """The same after Holm's correction for the number of pairs."""
    better: str
    """The better run if the corrected test finds a difference, else an empty text."""


@dataclass(frozen=True)
class Difference:
    """An option that is not the same in all runs; None where a run does not have it."""

    key: str
    values: dict[str, Any]
    """Value by run."""


@dataclass(frozen=True)
class Comparison:
    """What there is to say of several runs on the same test examples."""

    headline: str
    """The metric that the runs were made for, by the first run."""
    figure: str
    """What the paired tests compare of each example, such as its absolute error."""
    confidence: float
    examples: int
    """Test examples that all runs share."""
    runs: tuple[ComparedRun, ...]
    """In the order they were given."""
    pairs: tuple[Pair, ...]
    settings: tuple[Difference, ...]
    notes: tuple[str, ...]
    """Sentences that a reader must know, such as that only a part of the examples is shared."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def compare(folders: Sequence[RunFolder], *, seed: int = 0, confidence: float = CONFIDENCE) -> Comparison:
    """Compare two or more runs on the test examples that they share.

    Args:
        folders: evaluated runs of the same data.
        confidence: how often the intervals hold the truth; also what the paired tests are held against.

    Raises:
        RunError: fewer than two runs, a run twice, a run that is not evaluated, other targets, no shared example, or
            examples of one name with another truth.
    """
    names = _names(folders)
    scored = [folder.read_json(folder.scores_file) for folder in folders]
    row = _row(folders, scored, names)
    made = [row.read(folder.predictions_file) for folder in folders]
    shared, notes = _shared(row, made, names)
    headlines = [str(scores["headline"]) for scores in scored]
    if len(set(headlines)) > 1:
        told = ", ".join(f"{name}: {headline}" for name, headline in zip(names, headlines, strict=True))
        notes.append(f"The runs have different headline metrics ({told}); the first one's is used.")
    bootstrap = Bootstrap(seed, confidence=confidence)
    # By the first run's options, so that all are read alike.
    own = fill(row.options, scored[0]["answer"], folders[0].settings())
    samples = {name: row.sample(part, own) for name, part in zip(names, shared, strict=True)}
    shown = {name: row.table[name] for name in dict.fromkeys((headlines[0], *row.compared)) if name in row.table}
    return Comparison(
        headline=headlines[0],
        figure=row.figure_name,
        confidence=confidence,
        examples=len(shared[0]),
        runs=tuple(
            ComparedRun(name, len(whole), score_sample(samples[name], shown, bootstrap=bootstrap))
            for name, whole in zip(names, made, strict=True)
        ),
        pairs=_pairs(row, samples, shown, bootstrap=bootstrap),
        settings=_differences(folders, names),
        notes=tuple(notes),
    )


def _names(folders: Sequence[RunFolder]) -> list[str]:
    if len(folders) < 2:
        raise RunError("Comparing needs at least two runs: sonde compare runs/first runs/second")
    paths = Counter(folder.path.resolve() for folder in folders)
    twice = next((path for path, times in paths.items() if times > 1), None)
    if twice is not None:
        raise RunError(f"The run {twice} is named twice; name each run once.")
    names = [folder.name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder.path) for folder in folders]


def _row(folders: Sequence[RunFolder], scored: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Answer:
    """Return the row of what all runs were asked."""
    for folder, scores in zip(folders, scored, strict=True):
        known = ANSWERS.get(str(scores.get("answer")))
        if known is None or scores.get("headline") not in known.table or scores.get("task") not in TASKS:
            raise RunError(f"{folder.scores_file} is damaged. (sonde evaluate {folder.path} writes it anew.)")
    tasks = [str(scores["task"]) for scores in scored]
    if len({str(scores["answer"]) for scores in scored}) > 1:
        told = ", ".join(f"'{name}': {task}" for name, task in zip(names, tasks, strict=True))
        raise RunError(f"The runs are of different tasks ({told}). Compare runs of one task.")
    return ANSWERS[str(scored[0]["answer"])]


def _shared(row: Answer, made: Sequence[Any], names: Sequence[str]) -> tuple[list[Any], list[str]]:
    """Cut the predictions down to the examples that all hold, in the first one's order and terms."""
    aligned = [made[0]]
    for name, other in zip(names[1:], made[1:], strict=True):
        try:
            aligned.append(row.align(made[0], other))
        except RunError as error:
            raise RunError(f"'{names[0]}' and '{name}' {error} Compare runs of one data set.") from None
    rows = [_rows(one.names) for one in aligned]
    keys = [key for key in rows[0] if all(key in other for other in rows[1:])]
    sizes = ", ".join(f"'{name}': {len(one):,}" for name, one in zip(names, made, strict=True))
    if not keys:
        raise RunError(
            f"The runs share no test example ({sizes}), so they were tested on different data. Compare runs of one "
            "data set, or score them on the same one: sonde evaluate RUN --data DATA"
        )
    notes = []
    if any(len(one) != len(keys) for one in made):
        notes.append(
            f"Only the {len(keys):,} test examples that all runs share are compared ({sizes}). Examples of one run's "
            "test split may have been in another run's training split."
        )
    parts = [one.part([rows_of[key] for key in keys]) for one, rows_of in zip(aligned, rows, strict=True)]
    for name, part in zip(names[1:], parts[1:], strict=True):
        _refuse_other_truth(row, keys, (names[0], parts[0]), (name, part))
    return parts, notes


def _rows(names: Sequence[str]) -> dict[Key, int]:
    seen: Counter[str] = Counter()
    rows = {}
    for place, name in enumerate(names):
        rows[(name, seen[name])] = place
        seen[name] += 1
    return rows


def _refuse_other_truth(row: Answer, keys: list[Key], first: tuple[str, Any], second: tuple[str, Any]) -> None:
    different = np.flatnonzero(row.unequal_truths(first[1], second[1]))
    if len(different):
        place = int(different[0])
        truths = [row.truth_in_words(part, place) for _, part in (first, second)]
        raise RunError(
            f"'{first[0]}' and '{second[0]}' were tested on different data: {len(different):,} of {len(keys):,} test "
            f"examples of one name have another target, such as {keys[place][0]} ({truths[0]!r} and {truths[1]!r}). "
            "Compare runs of one data set."
        )


def _pairs(
    row: Answer, samples: Mapping[str, Any], shown: Mapping[str, AnyMetric], *, bootstrap: Bootstrap
) -> tuple[Pair, ...]:
    couples = list(combinations(samples, 2))
    figures = {name: row.figure(sample) for name, sample in samples.items()}
    p_values = [paired(figures[a], figures[b], seed=bootstrap.seed) for a, b in couples]
    pairs = []
    for (a, b), p_value, corrected in zip(couples, p_values, holm(p_values), strict=True):
        found = corrected < 1 - bootstrap.confidence
        pairs.append(
            Pair(
                a=a,
                b=b,
                differences={
                    name: paired_samples(metric, samples[a], samples[b], bootstrap=bootstrap)
                    for name, metric in shown.items()
                },
                a_better=int((figures[a] > figures[b]).sum()),
                b_better=int((figures[b] > figures[a]).sum()),
                is_right_or_wrong=_is_binary(figures[a]) and _is_binary(figures[b]),
                p_value=p_value,
                p_corrected=corrected,
                better=(a if figures[a].mean() > figures[b].mean() else b) if found else "",
            )
        )
    return tuple(pairs)


def _is_binary(figure_N: NDArray[np.float64]) -> bool:
    return bool(np.isin(figure_N, (0.0, 1.0)).all())


def _differences(folders: Sequence[RunFolder], names: Sequence[str]) -> tuple[Difference, ...]:
    settings = {name: folder.settings() for name, folder in zip(names, folders, strict=True)}
    keys = dict.fromkeys(key for one in settings.values() for key in one if key not in IGNORED)
    found = []
    for key in keys:
        values = {name: one.value(key) for name, one in settings.items()}
        if any(value != values[names[0]] for value in values.values()):
            found.append(Difference(key, values))
    return tuple(found)
