"""Compares runs on the same test examples: scores with intervals, a paired test for each pair, the options that differ.

Reads what `sonde evaluate` left in the run folders; nothing is predicted anew. How it looks is decided elsewhere.
"""

# N examples, C classes

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from sonde.config import RunFolder
from sonde.errors import RunError
from sonde.evaluation.label_predictions import LabelPredictions, read_label_predictions
from sonde.evaluation.predictions import Predictions, read_predictions
from sonde.evaluation.scores import CONFIDENCE, Bootstrap, Score, paired_samples, score_sample
from sonde.metrics import TABLES, AnySample, Metric, prepare, prepare_labels

Made = Predictions | LabelPredictions
"""What a run says of its test examples."""

COMPARED = {
    "label": ("accuracy", "log_loss", "f1_macro"),
    "labels": ("subset_accuracy", "label_log_loss", "f1_macro"),
}
"""By answer the metrics whose paired difference is shown, beside the test of who is right alone."""
READ: dict[str, Callable[[Path], Made]] = {"label": read_predictions, "labels": read_label_predictions}
"""How the predictions of each answer are read."""
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
    only_a_right: int
    only_b_right: int
    p_value: float
    """Exact McNemar test: the chance of so uneven a split of the examples that one alone guesses right, if equal."""
    p_corrected: float
    """The same after Holm's correction for the number of pairs."""
    better: str
    """The run with the better accuracy if the corrected test finds a difference, else an empty text."""


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
    confidence: float
    examples: int
    """Test examples that all runs share."""
    classes: tuple[str, ...]
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
        seed: start of the bootstrap's drawings.
        confidence: how often the intervals hold the truth; also what the paired tests are held against.

    Raises:
        RunError: fewer than two runs, a run twice, a run that is not evaluated, other classes, no shared example, or
            examples of one name with another truth.
    """
    names = _names(folders)
    told_by = [_scores(folder) for folder in folders]
    answer = _answer(told_by, names)
    made = [READ[answer](folder.predictions_file) for folder in folders]
    headlines = [str(scores["headline"]) for scores in told_by]
    shared, notes = _shared(made, names)
    if len(set(headlines)) > 1:
        told = ", ".join(f"{name}: {headline}" for name, headline in zip(names, headlines, strict=True))
        notes.append(f"The runs have different headline metrics ({told}); the first one's is used.")
    shown = {name: TABLES[answer][name] for name in dict.fromkeys((headlines[0], *COMPARED[answer]))}
    bootstrap, positive = Bootstrap(seed, confidence=confidence), _positive(told_by[0], shared[0].classes)
    samples = {name: _sample(part, positive) for name, part in zip(names, shared, strict=True)}
    return Comparison(
        headline=headlines[0],
        confidence=confidence,
        examples=len(shared[0]),
        classes=shared[0].classes,
        runs=tuple(
            ComparedRun(name, len(whole), score_sample(samples[name], shown, bootstrap=bootstrap))
            for name, whole in zip(names, made, strict=True)
        ),
        pairs=_pairs(samples, shown, bootstrap=bootstrap),
        settings=_differences(folders, names),
        notes=tuple(notes),
    )


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> float:
    """Test whether two classifiers err equally often, on the examples that exactly one of them guesses right.

    Args:
        right_a: where the first is right, N.
        right_b: where the second is right, N.

    Returns:
        Two-sided exact p value; 1 where they never disagree.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions", 1947.
    """
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue) if only_a + only_b else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for their number, so that one false alarm among all stays as rare as promised.

    Args:
        p_values: one for each test.

    Returns:
        The corrected values in the same order.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected


def _names(folders: Sequence[RunFolder]) -> list[str]:
    if len(folders) < 2:
        raise RunError("Comparing needs at least two runs: sonde compare runs/first runs/second")
    paths = Counter(folder.path.resolve() for folder in folders)
    twice = next((path for path, times in paths.items() if times > 1), None)
    if twice is not None:
        raise RunError(f"The run {twice} is named twice; name each run once.")
    names = [folder.name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder.path) for folder in folders]


def _scores(folder: RunFolder) -> Mapping[str, Any]:
    """Return a run's scores, whose headline is a metric of its answer."""
    scores: Mapping[str, Any] = folder.read_json(folder.scores_file)
    if scores["headline"] not in TABLES.get(scores.get("answer") or "label", ()):
        raise RunError(f"{folder.scores_file} is damaged. (sonde evaluate {folder.path} writes it anew.)")
    return scores


def _answer(told_by: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    answers = [str(scores.get("answer") or "label") for scores in told_by]
    if len(set(answers)) > 1:
        told = ", ".join(f"'{name}': {answer}" for name, answer in zip(names, answers, strict=True))
        raise RunError(f"The runs answer different questions ({told}). Compare runs of one task.")
    return answers[0]


def _positive(scores: Mapping[str, Any], classes: Sequence[str]) -> int:
    named = str(scores.get("positive"))
    return list(classes).index(named) if named in classes else -1


def _sample(part: Made, positive: int) -> AnySample:
    if isinstance(part, LabelPredictions):
        return prepare_labels(part.truth, part.probabilities, part.decision)
    return prepare(part.truth, part.probabilities, decided_N=part.guess, positive=positive)


def _shared(made: Sequence[Made], names: Sequence[str]) -> tuple[list[Made], list[str]]:
    """Cut the predictions down to the examples that all hold, in the first one's order of examples and classes."""
    for name, other in zip(names[1:], made[1:], strict=True):
        if set(other.classes) != set(made[0].classes):
            odd = sorted(set(other.classes) ^ set(made[0].classes))
            raise RunError(
                f"'{names[0]}' and '{name}' know different classes ({_some(odd)}), so they were trained on different "
                "data. Compare runs of one data set."
            )
    rows = [_rows(one) for one in made]
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
    parts = [_part(one, [row[key] for key in keys], made[0].classes) for one, row in zip(made, rows, strict=True)]
    for name, part in zip(names[1:], parts[1:], strict=True):
        _refuse_other_truth(keys, (names[0], parts[0]), (name, part))
    return parts, notes


def _rows(made: Made) -> dict[Key, int]:
    seen: Counter[str] = Counter()
    rows = {}
    for row, name in enumerate(made.names):
        rows[(name, seen[name])] = row
        seen[name] += 1
    return rows


def _part(made: Made, rows: list[int], classes: tuple[str, ...]) -> Made:
    columns = [made.classes.index(name) for name in classes]
    decision = tuple(made.decision[column] for column in columns) if made.decision else ()
    names, probabilities = tuple(made.names[row] for row in rows), made.probabilities[rows][:, columns]
    if isinstance(made, LabelPredictions):
        return LabelPredictions(names, classes, made.truth[rows][:, columns], probabilities, decision)
    return Predictions(names, classes, np.argsort(columns)[made.truth[rows]], probabilities, decision)


def _refuse_other_truth(keys: list[Key], first: tuple[str, Made], second: tuple[str, Made]) -> None:
    unequal = np.asarray(first[1].truth != second[1].truth).reshape(len(keys), -1).any(axis=1)
    different = np.flatnonzero(unequal)
    if len(different):
        place = int(different[0])
        truths = [_truth_in_words(part, place) for _, part in (first, second)]
        raise RunError(
            f"'{first[0]}' and '{second[0]}' were tested on different data: {len(different):,} of {len(keys):,} test "
            f"examples of one name have another truth, such as {keys[place][0]} ({truths[0]!r} and {truths[1]!r}). "
            "Compare runs of one data set."
        )


def _truth_in_words(part: Made, place: int) -> str:
    if isinstance(part, LabelPredictions):
        return ", ".join(part.classes[index] for index in np.flatnonzero(part.truth[place]))
    return part.classes[part.truth[place]]


def _pairs(samples: Mapping[str, AnySample], shown: Mapping[str, Metric], *, bootstrap: Bootstrap) -> tuple[Pair, ...]:
    couples = list(combinations(samples, 2))
    right = {name: sample.correct_N > 0 for name, sample in samples.items()}
    p_values = [mcnemar(right[a], right[b]) for a, b in couples]
    pairs = []
    for (a, b), p_value, corrected in zip(couples, p_values, holm(p_values), strict=True):
        only_a, only_b = int((right[a] & ~right[b]).sum()), int((right[b] & ~right[a]).sum())
        pairs.append(
            Pair(
                a=a,
                b=b,
                differences={
                    name: paired_samples(metric, samples[a], samples[b], bootstrap=bootstrap)
                    for name, metric in shown.items()
                },
                only_a_right=only_a,
                only_b_right=only_b,
                p_value=p_value,
                p_corrected=corrected,
                better=(a if only_a > only_b else b) if corrected < 1 - bootstrap.confidence else "",
            )
        )
    return tuple(pairs)


def _differences(folders: Sequence[RunFolder], names: Sequence[str]) -> tuple[Difference, ...]:
    settings = {name: folder.settings() for name, folder in zip(names, folders, strict=True)}
    keys = dict.fromkeys(key for one in settings.values() for key in one if key not in IGNORED)
    found = []
    for key in keys:
        values = {name: one.value(key) for name, one in settings.items()}
        if any(value != values[names[0]] for value in values.values()):
            found.append(Difference(key, values))
    return tuple(found)


def _some(words: Sequence[str]) -> str:
    return ", ".join(repr(word) for word in words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")
