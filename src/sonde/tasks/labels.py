"""Several labels for each example, or none: a table of yes and no, and whether the data can carry the task at all.

In the data the labels of an example are one text, joined by "|"; an empty text has none.
"""

# N examples, K labels

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.data import Dataset
from sonde.errors import DataError, did_you_mean
from sonde.metrics import LABEL_METRICS, prepare_labels, temperature, thresholds, value_of
from sonde.tasks import imbalance

BETWEEN = "|"
"""Stands between the labels of an example."""
SCORE = "f1_micro"
"""Name of what a training step scores."""
FIGURES = ("f1_micro", "f1_macro", "subset_accuracy", "average_precision")
"""Validation figures that an epoch can be chosen by, beside the loss; all of them are better when higher."""
THINGS = "several labels each"
"""What an example has, in words."""
FEWEST = 6
"""Examples in all below which nothing can be said."""
RARE = 0.02
"""Share of the training examples below which a label is called rare."""


def learn_classes(train_answers: NDArray[np.str_]) -> tuple[str, ...]:
    """Return the labels in the training answers, sorted; numbers by their value.

    Args:
        train_answers: joined labels, N.
    """
    names = sorted({name for answer in np.unique(train_answers).tolist() for name in labels_of(answer)})
    if all(name.isascii() and name.isdecimal() for name in names):
        names.sort(key=lambda name: (int(name), name))
    return tuple(names)


def labels_of(answer: str) -> tuple[str, ...]:
    """Return the labels of an example, each once, in their order.

    Args:
        answer: joined labels.
    """
    return tuple(dict.fromkeys(part for each in answer.split(BETWEEN) if (part := each.strip())))


def encode(answers: NDArray[np.str_], classes: Sequence[str]) -> NDArray[np.uint8]:
    """Turn joined labels into a table of yes and no.

    Args:
        answers: joined labels, N.
        classes: as `learn_classes` gave them, K.

    Returns:
        uint8, N x K.

    Raises:
        DataError: a label is not known; the text names it.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    kinds, places = np.unique(answers, return_inverse=True)
    table = np.zeros((len(kinds), len(classes)), dtype=np.uint8)
    for row, answer in enumerate(kinds.tolist()):
        for name in labels_of(answer):
            if name not in numbers:
                raise DataError(
                    f"The label '{name}' is none of the model's {len(classes)} labels."
                    f"{did_you_mean(name, classes)} It knows: {_some(list(classes))}."
                )
            table[row, numbers[name]] = 1
    return np.asarray(table[places.reshape(-1)])


def count(answers: NDArray[np.str_]) -> Counter[str]:
    """Count the examples of each label; one with several counts for each of them.

    Args:
        answers: joined labels, N.
    """
    counted: Counter[str] = Counter()
    for answer, times in Counter(answers.tolist()).items():
        counted.update(dict.fromkeys(labels_of(answer), times))
    return counted


def unknown(answers: NDArray[np.str_], classes: Sequence[str]) -> list[str]:
    """Return the labels that are not known, sorted.

    Args:
        answers: joined labels, N.
        classes: the names, K.
    """
    return sorted(set(count(answers)) - set(classes))


def figures(
    logits: NDArray[np.floating], truth: NDArray[np.integer], wanted: Sequence[str] = (SCORE,)
) -> dict[str, float]:
    """Return the loss and some figures of a validation, with every label given from one half on.

    Args:
        logits: N x K.
        truth: 1 where an example has a label, N x K.
        wanted: names in `FIGURES`.
    """
    if not np.isfinite(logits).all():
        return {"loss": float("nan")}
    signed = np.where(truth > 0, 1.0, -1.0) * logits.astype(np.float64)
    sample = prepare_labels(truth, temperature.apply_labels(logits, 1.0))
    # What cannot be computed for want of a label is no better than nothing.
    told = {name: float(np.nan_to_num(value_of(LABEL_METRICS[name], sample))) for name in wanted}
    return {"loss": float(np.logaddexp(0.0, -signed).mean()), **told}


def calibrate(logits: ArrayLike, truth: ArrayLike) -> float:
    """Return the temperature that fits validation examples; see `metrics.temperature.fit_labels`."""
    return temperature.fit_labels(logits, truth)


def probabilities(logits: ArrayLike, warmth: float) -> NDArray[np.float64]:
    """Turn logits into the probability of each label.

    Args:
        logits: N x K.
        warmth: the model's temperature.
    """
    return temperature.apply_labels(logits, warmth)


def tune(probabilities: ArrayLike, truth: ArrayLike, goal: str, positive: int | None = None) -> tuple[float, ...]:
    """Return the threshold of each label that is best on validation examples.

    Args:
        probabilities: N x K.
        truth: 1 where an example has a label, N x K.
        goal: what for, a name in `metrics.thresholds.GOALS`.
        positive: not read; every label is searched for.
    """
    return thresholds.best_thresholds(truth, probabilities, goal)


def undo(correction: Sequence[float], warmth: float) -> tuple[float, ...]:
    """Return the thresholds that answer as the logits did before a correction was added to them.

    Args:
        correction: of each label; see `tasks.imbalance`.
        warmth: the model's temperature.
    """
    return tuple(float(1 / (1 + np.exp(-each / warmth))) for each in correction)


def decide(probabilities: ArrayLike, decision: Sequence[float] = ()) -> NDArray[np.bool_]:
    """Return which labels are given, N x K.

    Args:
        probabilities: N x K.
        decision: a threshold for each label, or none for one half.
    """
    return np.asarray(np.asarray(probabilities) >= (np.asarray(decision) if len(decision) else 0.5))


def even_out(truth: NDArray[np.integer], classes: int, *, options: Mapping[str, object]) -> imbalance.Evening:
    """Return what a training is given that evens out presence and absence of each label.

    Args:
        truth: 1 where a training example has a label, N x K.
        classes: how many labels there are, K.
        options: weights, sampling and adjustment, as `imbalance.even_out_labels` reads them.
    """
    return imbalance.even_out_labels(truth.sum(axis=0, dtype=np.int64), len(truth), **options)  # type: ignore[arg-type]


def decode(
    probabilities: NDArray[np.floating], classes: Sequence[str], *, top: int = 5, decision: Sequence[float] = ()
) -> list[list[tuple[str, float]]]:
    """Name the labels that each example is given, the most probable first; an example may have none.

    Args:
        probabilities: N x K.
        classes: the names, K.
        top: not read; all labels that are given are named.
        decision: a threshold for each label, or none for one half.
    """
    given_NK = decide(probabilities, decision)
    order_NK = np.argsort(-probabilities, axis=1, kind="stable")
    return [
        [(classes[place], float(row[place])) for place in order if given[place]]
        for row, order, given in zip(probabilities, order_NK.tolist(), given_NK, strict=True)
    ]


def join(names: Sequence[str]) -> str:
    """Return labels as one text, as the data holds them.

    Args:
        names: of one example.
    """
    return BETWEEN.join(names)


def check(dataset: Dataset) -> tuple[str, ...]:
    """Refuse data that cannot carry the task, and say what it carries badly.

    Args:
        dataset: what `data.load` gave.

    Returns:
        Sentences on weaknesses, for the report.

    Raises:
        DataError: too few examples, no or one label, a label that training never sees, or an empty split; the text
            names the label and the cure.
    """
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    total = sum(len(examples) for examples in splits.values())
    if total < FEWEST:
        raise DataError(
            f"The data set '{dataset.name}' has only {total} examples in all. Training, choosing and testing need at "
            "least 3 of each label, and some 100 in all to mean anything."
        )
    counts = {name: count(examples.answers) for name, examples in splits.items()}
    known = set().union(*counts.values())
    if len(known) < 2:
        one = f"only the label '{next(iter(known))}'" if known else "no label at all"
        raise DataError(
            f"The examples have {one}. Several labels for each example need at least two different ones; where each "
            "has one label or none, make 'none' a label of its own and say --set run.task="
            + f"{dataset.modality}-label."
        )
    for name in ("validation", "test"):
        unseen = sorted(set(counts[name]) - set(counts["train"]))
        if unseen:
            raise DataError(
                f"These labels occur in the {name} split but never in training: {_some(unseen)}. A model "
                f"cannot learn them; move some of their examples to train, or remove them from {name}."
            )
        if not len(splits[name]):
            raise DataError(f"The {name} split is empty. Add examples to it, or remove it and it is made.")
    if len(counts["train"]) < 2:
        raise DataError(
            f"The training examples have only the label '{next(iter(counts['train']))}'. Add examples of a second one."
        )
    return _weaknesses(dataset, counts)


def _weaknesses(dataset: Dataset, counts: dict[str, Counter[str]]) -> tuple[str, ...]:
    notes = []
    for name in ("validation", "test"):
        missing = sorted(set(counts["train"]) - set(counts[name]))
        if missing:
            notes.append(f"labels without an example in {name}, of which its scores say nothing: {_some(missing)}")
    train = counts["train"]
    few = [name for name, times in sorted(train.items()) if times < 10]
    if few:
        notes.append(f"labels with fewer than 10 training examples: {_some(few)}")
    everywhere = sorted(name for name, times in train.items() if times == len(dataset.train))
    if everywhere:
        notes.append(f"labels that every training example has, so that there is nothing to learn: {_some(everywhere)}")
    rare = sorted(name for name, times in train.items() if times < RARE * len(dataset.train))
    if rare:
        notes.append(
            f"rare labels, below {RARE:.0%} of the training examples: {_some(rare)}; what helps, as --set: "
            "training.class_weights=sqrt, training.loss=focal (thresholds are tuned for each label already)"
        )
    return tuple(notes)


def _some(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
