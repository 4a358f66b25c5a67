"""Makes room for scores on other data than the run's own: a folder inside the run's, which tells of that data."""

from typing import Any

import numpy as np

from sonde import data
from sonde.answers import Answer, task_of
from sonde.config import RunFolder, Settings, fill
from sonde.config.disk import write_atomically
from sonde.data import Dataset, InputSpec, Unsplit
from sonde.errors import DataError, RunError
from sonde.evaluation.trained_model import asked_of, own_dataset, own_options


def open_elsewhere(settings: Settings, source: str, spec: InputSpec) -> Unsplit:
    """Open other data with a run's data options, without dividing it.

    Args:
        settings: the run's options.
        source: path or built-in name.
        spec: the model's, which encodes the examples.

    Raises:
        DataError: it is gone or not recognised, or too much of it cannot be read.
    """
    options = fill(data.Options, "data", settings)
    task = task_of(settings)
    listing = data.survey(source, options, task.modality)
    return data.load_unsplit(listing, options, own_options(settings), asked_of(task.row), spec)


def in_words(other: Unsplit) -> str:
    """Return which examples are scored, such as "all 33 examples of garden"."""
    count = f"{len(other.examples):,}"
    if other.origin == data.WHOLE:
        return f"all {count} examples of {other.name}"
    return f"the test split of {other.name} ({count} examples)"


def folder_for(folder: RunFolder, other: Unsplit) -> RunFolder:
    """Make the folder for the scores on other data, with the options and the history of the run.

    Args:
        folder: the run whose model is scored.
        other: the data that it is scored on; data sets of one name get folders of their own.

    Returns:
        The folder; its environment.json tells of the other data.
    """
    stem = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in other.name) or "data"
    beside = RunFolder(folder.path / f"on-{stem[:80]}-{other.fingerprint[:8]}")
    for file in (folder.settings_file, folder.origins_file, folder.history_file):
        if file.exists():
            write_atomically(beside.path / file.name, file.read_bytes())
    environment = folder.read_json(folder.environment_file) if folder.environment_file.exists() else {}
    block = {
        "name": other.name,
        "format": other.format,
        "fingerprint": other.fingerprint,
        "sizes": {"test": len(other.examples)},
        "split_origin": {"test": other.origin},
    }
    beside.write_json(beside.environment_file, {**environment, "dataset": block})
    return beside


def findings_elsewhere(other: Unsplit, known: Dataset | None, row: Answer) -> dict[str, Any]:
    """Return what was found in the examples that are scored, as plain values for findings.json.

    Args:
        known: the run's own data, where it is still there.
    """
    findings = other.findings
    return {
        "bad_files": [list(pair) for pair in findings.bad_files],
        "duplicates": findings.duplicates,
        "leaks": [],
        "leak_count": 0,
        "notes": [*findings.notes, *_seen_in_training(other, known)],
        "classes": {"test": dict(sorted(row.count(other.examples.truth).items()))},
    }


def own_dataset_if_there(folder: RunFolder) -> Dataset | None:
    """Open the data that a run began with; None where it is gone or changed."""
    try:
        return own_dataset(folder)
    except (DataError, RunError):
        return None


def _seen_in_training(other: Unsplit, known: Dataset | None) -> tuple[str, ...]:
    """Count the examples of other data that the model was trained on."""
    if known is None:
        return ("The run's own data is gone or changed: no baselines, and no search for examples seen in training.",)
    copies = int(np.isin(data.marks(other.examples.raw), data.marks(known.train.raw)).sum())
    return (f"{copies:,} of these examples have an exact copy in the training data.",) if copies else ()
