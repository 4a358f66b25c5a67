"""Explains examples: those that a person names, and a few of the test split for the report."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonde.data import MODALITIES, Stored
from sonde.drawing import Sketch
from sonde.errors import ConfigError, did_you_mean, unknown_name
from sonde.evaluation.explanations import EXPLANATIONS
from sonde.evaluation.explanations.found import Example, Found, Subject


@dataclass(frozen=True, eq=False)
class Explanation:
    """One example, the model's prediction, and what each method found."""

    name: str
    """What a person can find the example by."""
    prediction: str
    confidence: float | None
    """Probability of the prediction, where there is one."""
    about: str
    """What is explained: the prediction, unless somebody chose another class."""
    found: dict[str, Found]
    """By the method's name in `EXPLANATIONS`."""
    picture: Sketch | None
    modality: str
    truth: str = ""
    """What is true, where that is known."""


def explain_one(
    subject: Subject,
    raw: Stored,
    *,
    name: str,
    only: Sequence[str] = (),
    about: str = "",
    truth: str = "",
) -> Explanation:
    """Explain the prediction for one example.

    Args:
        raw: one raw example, N first.
        name: what a person can find it by.
        only: methods, by their names in `EXPLANATIONS`; all when empty.
        about: the class to explain; the prediction when empty.

    Raises:
        ConfigError: there is no such method for what is read, or no such class.
    """
    encoded = subject.spec.encode(raw)
    chosen = subject.chosen(encoded)
    subject = subject.about(chosen)
    target = class_number(subject, about) if about else chosen.index
    example = Example(raw, encoded, _picture(subject, raw))
    found = {each: _found(subject, example, target, each) for each in methods_of(subject, only)}
    return Explanation(
        name,
        chosen.name,
        chosen.confidence,
        about or chosen.name,
        found,
        example.picture,
        subject.modality,
        truth,
    )


def methods_of(subject: Subject, only: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the methods for what a model reads.

    Args:
        only: those that a person asked for; all when empty.

    Raises:
        ConfigError: one of them is unknown, or is for other things.
    """
    table = EXPLANATIONS.get(subject.modality, {})
    everywhere = {name for each in EXPLANATIONS.values() for name in each}
    for name in only:
        if name not in everywhere:
            raise ConfigError(unknown_name("method", name, sorted(everywhere), "sonde explain --help"))
        if name not in table:
            raise ConfigError(f"'{name}' does not go with {subject.modality}; these do: {', '.join(table)}.")
    return tuple(only) or tuple(table)


def class_number(subject: Subject, name: str) -> int:
    """Return the number of a class that a person named.

    Raises:
        ConfigError: there is no such class.
    """
    classes = subject.classes
    if not classes:
        raise ConfigError("This model predicts no classes, so that none can be chosen; leave out --label.")
    if name not in classes:
        raise ConfigError(
            f"The model knows no class '{name}'.{did_you_mean(name, classes)} It knows: {', '.join(classes[:20])}."
        )
    return classes.index(name)


def of_the_test(
    subject: Subject, raw: Stored, names: NDArray[np.str_], rows: Sequence[tuple[int, str]], *, seconds: float
) -> Iterator[Explanation]:
    """Explain some test examples, for as long as there is time.

    Args:
        raw: the test examples.
        rows: places of those to be explained, with what is true.
        seconds: time for all of them; the first one is explained in any case.
    """
    begun = time.monotonic()
    for at, (row, truth) in enumerate(rows):
        if at and (time.monotonic() - begun) * (at + 1) / at > seconds:
            return
        yield explain_one(subject, raw[row : row + 1], name=str(names[row]), truth=truth)


def _found(subject: Subject, example: Example, target: int, method: str) -> Found:
    if example.picture is None:
        return Found(reason="there is nothing to show of such examples")
    return EXPLANATIONS[subject.modality][method].function(subject, example, target)


def _picture(subject: Subject, raw: Stored) -> Sketch | None:
    """Return what is shown of an example: the places that weights stand at."""
    modality = MODALITIES[subject.modality]
    return modality.explained(subject.spec, raw) if modality.explained else modality.sketch(raw[0])
