"""Explains what a run predicts for files: `sonde explain RUN FILE...`.

Writes runs/<name>/explanations/<file>.svg for each example, and tells what each method found.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sonde.config import RunFolder
from sonde.config.disk import write_atomically
from sonde.data import Stored
from sonde.errors import ConfigError, DataError
from sonde.evaluation.explanations import EXPLANATIONS
from sonde.evaluation.explanations.explain import Explanation, class_number, explain_one, methods_of
from sonde.evaluation.explanations.found import Subject
from sonde.evaluation.plots.explanation_pictures import Explained, explanation, heading
from sonde.evaluation.trained_model import open_model

MOST_OF_A_FILE = 20
"""Examples of one file that are explained; a table of thousands would fill the folder."""


def explain(
    folder: RunFolder, files: Sequence[Path], *, method: str | None = None, label: str | None = None
) -> list[dict[str, Any]]:
    """Explain the predictions for files, and write a picture of each into the run's folder.

    Args:
        folder: a run whose model is trained.
        files: files of the kind that it was trained on.
        method: a name in `EXPLANATIONS`; all that go with what is read when left out.
        label: the class to explain; the prediction when left out.

    Returns:
        For each example: file, prediction, confidence, the class that is explained, the picture's path, and what each
        method found; or file and the reason why it cannot be read.

    Raises:
        ModelError: the model is missing or damaged.
        ConfigError: there is no such method or class.
    """
    subject = open_subject(folder)
    only = () if method is None else (method,)
    # Before the first file is read, so that a slip of the keyboard writes nothing.
    methods_of(subject, only)
    if label is not None:
        class_number(subject, label)
    rows: list[dict[str, Any]] = []
    for file in files:
        try:
            names, raw = subject.spec.read(str(file))
        except DataError as error:
            rows.append({"file": str(file), "error": str(error)})
            continue
        for name, one in _each(names, raw):
            explained = explain_one(subject, one, name=name, only=only, about=label or "")
            path = folder.explanations / f"{_free_stem(folder.explanations, name)}.svg"
            write_atomically(path, draw(explained, "explanation"))
            rows.append(row_of(explained, path))
        if len(names) > MOST_OF_A_FILE:
            more = (
                f"{len(names) - MOST_OF_A_FILE:,} more examples were not explained (at most {MOST_OF_A_FILE} of a file)"
            )
            rows.append({"file": str(file), "note": more})
    return rows


def open_subject(folder: RunFolder) -> Subject:
    """Open a run's model to be explained.

    Args:
        folder: a run whose model is trained.

    Raises:
        ModelError: the model is missing or damaged.
        ConfigError: what it reads has no explanations.
    """
    opened = open_model(folder)
    if opened.parts:
        raise ConfigError(
            f"'{folder.name}' is an ensemble, whose members read each example in their own ways. Explain the "
            "prediction of one of the runs that it was made of (its report names them)."
        )
    modality = opened.modality
    if modality not in EXPLANATIONS:
        raise ConfigError(f"There are no explanations for {modality} yet; there are for {', '.join(EXPLANATIONS)}.")
    if opened.row.choose is None:
        raise ConfigError(f"There are no explanations for {opened.description.task} yet.")
    return Subject(opened, modality)


def draw(explained: Explanation, key: str) -> str:
    """Draw an explanation as SVG.

    Args:
        key: a word that is unique among the pictures of a page.
    """
    titles = EXPLANATIONS[explained.modality]
    words = heading(explained.prediction, explained.confidence, truth=explained.truth, about=explained.about)
    found = [(titles[method].title, each) for method, each in explained.found.items()]
    return explanation(Explained(explained.name, words, explained.picture, found), key)


def row_of(explained: Explanation, path: Path) -> dict[str, Any]:
    """Return an explanation as plain values."""
    return {
        "file": explained.name,
        "prediction": explained.prediction,
        "confidence": explained.confidence,
        "explained": explained.about,
        "picture": str(path),
        "methods": [
            {
                "method": method,
                "found": each.sentence,
                **({"does_not_apply": each.reason} if each.reason else {}),
                **each.facts,
            }
            for method, each in explained.found.items()
        ],
    }


def _each(names: list[str], raw: Stored) -> Iterator[tuple[str, Stored]]:
    for row, name in enumerate(names[:MOST_OF_A_FILE]):
        yield name, raw[row : row + 1]


def _free_stem(folder: Path, name: str) -> str:
    """Return a file name that tells of the example and that no other picture has."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(name).stem or name).strip("-").lower()[:60] or "example"
    number = 1
    while (folder / f"{stem}-{number}.svg").exists():
        number += 1
    return f"{stem}-{number}"
