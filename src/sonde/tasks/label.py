"""One label for each example: classes as numbers, and whether the data can carry the task at all."""

# N examples, K classes

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.data import Dataset
from sonde.errors import DataError, did_you_mean
from sonde.metrics import METRICS, prepare, temperature, thresholds, value_of
from sonde.tasks import imbalance

SCORE = "accuracy"
"""Name of what a training step scores."""
FIGURES = ("accuracy", "balanced_accuracy", "f1_macro", "average_precision")
"""Validation figures that an epoch can be chosen by, beside the loss; all of them are better when higher."""
THINGS = "one label each"
"""What an example has, in words."""
FEWEST = 6
"""Examples in all below which nothing can be said: two classes, each once in training, validation and test."""


def learn_classes(train_answers: NDArray[np.str_]) -> tuple[str, ...]:
    """Return the classes in the training answers, sorted; numbers by their value.

    Args:
        train_answers: labels as the data spells them, N.
    """
    names = sorted({str(name) for name in train_answers.tolist()})
    if all(name.isascii() and name.isdecimal() for name in names):
        names.sort(key=lambda name: (int(name), name))
    return tuple(names)


def encode(answers: NDArray[np.str_], classes: Sequence[str]) -> NDArray[np.int64]:
    """Turn labels into class numbers.

    Args:
        answers: labels as the data spells them, N.
        classes: as `learn_classes` gave them, K.

    Returns:
        int64, N, from 0 to K - 1.

    Raises:
        DataError: a label is no class; the text names it.
    """
    names, places = np.unique(answers, return_inverse=True)
    numbers = {name: number for number, name in enumerate(classes)}
    unknown = [str(name) for name in names.tolist() if name not in numbers]
    if unknown:
        raise DataError(
            f"The label '{unknown[0]}' is none of the model's {len(classes)} classes."
            f"{did_you_mean(unknown[0], classes)} It knows: {_some(list(classes))}."
        )
    return np.array([numbers[name] for name in names.tolist()], dtype=np.int64)[places]


def count(answers: NDArray[np.str_]) -> Counter[str]:
    """Count the examples of each class.

    Args:
        answers: labels as the data spells them, N.
    """
    return Counter(answers.tolist())


def unknown(answers: NDArray[np.str_], classes: Sequence[str]) -> list[str]:
    """Return the labels that are no class, sorted.

    Args:
        answers: labels as the data spells them, N.
        classes: the names, K.
    """
    return sorted(set(answers.tolist()) - set(classes))


def figures(
    logits: NDArray[np.floating], truth: NDArray[np.integer], wanted: Sequence[str] = (SCORE,)
) -> dict[str, float]:
    """Return the loss and some figures of a validation.

    Args:
        logits: N x K.
        truth: class numbers, N.
        wanted: names in `FIGURES`.
    """
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(logits))
    told = {"loss": float(-log_probabilities[rows, truth].mean())}
    for name in wanted:
        if name == SCORE:
            told[name] = float((logits.argmax(axis=1) == truth).mean())
        elif np.isfinite(logits).all():
            told[name] = float(np.nan_to_num(value_of(METRICS[name], prepare(truth, np.exp(log_probabilities)))))
    return told


def calibrate(logits: ArrayLike, truth: ArrayLike) -> float:
    """Return the temperature that fits validation examples; see `metrics.temperature.fit`."""
    return temperature.fit(logits, truth)


def probabilities(logits: ArrayLike, warmth: float) -> NDArray[np.float64]:
    """Turn logits into probabilities.

    Args:
        logits: N x K.
        warmth: the model's temperature.
    """
    return temperature.apply(logits, warmth)


def tune(probabilities: ArrayLike, truth: ArrayLike, goal: str, positive: int | None = None) -> tuple[float, ...]:
    """Return the decision that is best on validation examples: an offset for each class, or none.

    Args:
        probabilities: N x K.
        truth: class numbers, N.
        goal: what for, a name in `metrics.thresholds.GOALS`.
        positive: the one of two classes that is searched for.
    """
    return thresholds.best_offsets(truth, probabilities, goal, positive=positive)


def undo(correction: Sequence[float], warmth: float) -> tuple[float, ...]:
    """Return the decision that answers as the logits did before a correction was added to them.

    Args:
        correction: of each class; see `tasks.imbalance`.
        warmth: the model's temperature.
    """
    return tuple(-each / warmth for each in correction)


def decide(probabilities: ArrayLike, decision: Sequence[float] = ()) -> NDArray[np.intp]:
    """Return the class numbers that are answered, N.

    Args:
        probabilities: N x K.
        decision: an offset for each class, or none for the most probable one.
    """
    return thresholds.decide(probabilities, decision)


def even_out(truth: NDArray[np.integer], classes: int, *, options: Mapping[str, object]) -> imbalance.Evening:
    """Return what a training is given that evens out its classes.

    Args:
        truth: class numbers of the training examples, N.
        classes: how many there are, K.
        options: weights, sampling and adjustment, as `imbalance.even_out` reads them.
    """
    counts = np.bincount(truth, minlength=classes)
    return imbalance.even_out(counts, **options)  # type: ignore[arg-type]


def decode(
    probabilities: NDArray[np.floating], classes: Sequence[str], *, top: int = 5, decision: Sequence[float] = ()
) -> list[list[tuple[str, float]]]:
    """Name the classes of each example in the order in which they would be answered, the answer first.

    Args:
        probabilities: N x K.
        classes: the names, K.
        top: how many to name.
        decision: an offset for each class, or none for the most probable first.
    """
    ordered = probabilities
    if len(decision):
        ordered = np.log(np.maximum(probabilities, thresholds.SMALLEST)) + np.asarray(decision)
    order = np.argsort(-ordered, axis=1, kind="stable")[:, :top]
    return [
        [(classes[place], float(row[place])) for place in places]
        for row, places in zip(probabilities, order.tolist(), strict=True)
    ]


def check(dataset: Dataset) -> tuple[str, ...]:
    """Refuse data that cannot carry the task, and say what it carries badly.

    Args:
        dataset: what `data.load` gave.

    Returns:
        Sentences on weaknesses, for the report.

    Raises:
        DataError: too few examples, one class, a class with one example, a class that training never sees, or an empty
            split; the text names the class and the cure.
    """
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    counts = {name: Counter(examples.answers.tolist()) for name, examples in splits.items()}
    total = sum((counts[name] for name in splits), Counter[str]())
    if sum(total.values()) < FEWEST:
        raise DataError(
            f"The data set '{dataset.name}' has only {sum(total.values())} examples in all ({_counted(total)}). "
            f"Training, choosing and testing need at least 3 of each class, and some 100 in all to mean anything."
        )
    if len(total) == 1:
        raise DataError(
            f"All {sum(total.values()):,} examples belong to one class, '{next(iter(total))}'; there is nothing to "
            "tell apart. Add a second class (one folder for each)."
        )
    lonely = sorted(name for name, count in total.items() if count == 1)
    if lonely:
        raise DataError(
            f"These classes have one example only: {_some(lonely)}. One cannot be learned from and tested with; "
            "add at least two more to each, or remove them."
        )
    _check_splits(counts)
    return _weaknesses(counts)


def _check_splits(counts: dict[str, Counter[str]]) -> None:
    for name in ("validation", "test"):
        unseen = sorted(set(counts[name]) - set(counts["train"]))
        if unseen:
            raise DataError(
                f"These classes occur in the {name} split but never in training: {_some(unseen)}. A model "
                f"cannot learn them; move some of their examples to train, or remove them from {name}."
            )
        if not counts[name]:
            raise DataError(f"The {name} split is empty. Add examples to it, or remove it and it is made.")
    if len(counts["train"]) == 1:
        raise DataError(
            f"All training examples belong to one class, '{next(iter(counts['train']))}'. "
            "Add examples of a second class."
        )


def _weaknesses(counts: dict[str, Counter[str]]) -> tuple[str, ...]:
    notes = []
    for name in ("validation", "test"):
        missing = sorted(set(counts["train"]) - set(counts[name]))
        if missing:
            notes.append(f"classes without an example in {name}, of which its scores say nothing: {_some(missing)}")
    few = {name: count for name, count in counts["train"].items() if count < 10}
    if few:
        notes.append(f"classes with fewer than 10 training examples: {_counted(Counter(few))}")
    unequal = imbalance.in_words(counts["train"])
    return (*notes, unequal) if unequal else tuple(notes)


def _some(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _counted(counts: Counter[str]) -> str:
    words = [f"'{name}' {count}" for name, count in sorted(counts.items())[:5]]
    return ", ".join(words) + (f" and {len(counts) - 5} more" if len(counts) > 5 else "")
