"""Sums up a cross-validation: each example's answer by the run that had not seen it, pooled and scored like any other.

folds.json -> pooled predictions -> scores.json, predictions.parquet, plots, report.html
"""

# N examples, C classes

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sonde import tasks
from sonde.config import RunFolder, fill
from sonde.data import Dataset, Examples
from sonde.errors import RunError
from sonde.evaluation.answers import Answers, Frame
from sonde.evaluation.ensemble import LOGITS
from sonde.evaluation.label_predictions import LabelPredictions, read_label_predictions
from sonde.evaluation.opening import own_dataset, read_description, start_backend
from sonde.evaluation.options import Options
from sonde.evaluation.predictions import Predictions, read_predictions
from sonde.evaluation.several import spread_of_folds
from sonde.evaluation.stage import write_up

Made = Predictions | LabelPredictions

READ: dict[str, Callable[[Path], Made]] = {"label": read_predictions, "labels": read_label_predictions}
"""What reads the predictions of each answer."""


@dataclass(frozen=True)
class Shown:
    """The raw examples of a data set by their place in the pooled answers; looked up when a mistake is shown."""

    dataset: Dataset
    keys: Sequence[tuple[str, int]]
    """Name of each pooled example, and which of that name it is."""

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, row: int) -> Any:
        """Return one raw example; an empty array where this data set does not hold it."""
        name, place = self.keys[row]
        for side in (self.dataset.test, self.dataset.train, self.dataset.validation):
            found = np.flatnonzero(side.names == name)
            if place < len(found):
                return side.raw[int(found[place])]
            place -= len(found)
        return np.empty(0)


def sum_up_folds(folder: RunFolder, runs: Sequence[RunFolder]) -> RunFolder:
    """Pool the answers of all folds, score them, and write the report of the whole.

    Args:
        folder: of the whole.
        runs: the finished run of each fold, in order.

    Raises:
        RunError: a run is not finished, damaged, or of other classes.
        DataError: the data is gone.
    """
    content = spread_of_folds(folder, runs)
    start_backend(runs[0].settings())

    dataset = own_dataset(runs[0])
    said = [read_description(run) for run in runs]
    made = [READ[each.answer](run.predictions_file) for run, each in zip(runs, said, strict=True)]
    for run, each in zip(runs[1:], said[1:], strict=True):
        if each.classes != said[0].classes:
            raise RunError(f"'{runs[0].name}' and '{run.name}' know different classes; they are not of one data set.")
    whole = said[0].model_copy(
        update={"temperature": 1.0, "sets": None, "abstention": type(said[0].abstention)(), "decision": _decision(said)}
    )
    names = np.array([name for each in made for name in each.names], dtype=np.str_)
    truth = np.concatenate([each.truth for each in made])
    logits = LOGITS[whole.answer](np.concatenate([each.probabilities for each in made])).astype(np.float32)
    shown: Any = Shown(dataset, _keys(names.tolist()))
    examples = Examples(shown, _answers(made, whole), names, shown)
    answer = tasks.answer(whole.task)
    options = fill(Options, "evaluation", _bounded(folder, runs))
    counted = answer.count(examples.answers)
    frame = Frame(options, _in_words(content, len(names)), counted)
    _note(folder, runs, dataset, counted, len(names), notes=_on_decisions(whole))
    write_up(folder, Answers(examples, whole, truth, logits), {}, frame)
    return folder


def _bounded(folder: RunFolder, runs: Sequence[RunFolder]) -> Any:
    """Return the options of the whole, with as many drawings as its runs could afford."""
    settings, theirs = folder.settings(), [run.settings() for run in runs]
    least = min(theirs, key=lambda each: each.value("evaluation.resamples", 1000))
    kept = {key: least[key] for key in ("evaluation.resamples",) if key in least}
    return type(settings)({**settings, **kept})


def _decision(said: Sequence[Any]) -> tuple[float, ...]:
    """Return the mean of what the folds decide by; each fold's own figures are with its own."""
    tuned = [each.decision for each in said if each.decision]
    return tuple(float(each) for each in np.mean(tuned, axis=0)) if len(tuned) == len(said) else ()


def _answers(made: Sequence[Made], said: Any) -> Any:
    words = []
    for each in made:
        for truth in each.truth:
            names = [said.classes[int(truth)]] if np.ndim(truth) == 0 else _having(truth, said.classes)
            words.append(names[0] if np.ndim(truth) == 0 else tasks.labels.join(names))
    return np.array(words, dtype=np.str_)


def _having(truth_K: Any, classes: Sequence[str]) -> list[str]:
    return [classes[index] for index in np.flatnonzero(truth_K).tolist()]


def _keys(names: Sequence[str]) -> list[tuple[str, int]]:
    seen: Counter[str] = Counter()
    keys = []
    for name in names:
        keys.append((name, seen[name]))
        seen[name] += 1
    return keys


def _in_words(content: dict[str, Any], count: int) -> str:
    folds = len(content["runs"])
    how = "one for each group" if content["folds"] == "groups" else str(content["runs"][0]["test"]).partition(", ")[2]
    return f"{count:,} examples, each answered by the run that had not seen it ({folds} folds, {how})"


def _on_decisions(whole: Any) -> tuple[str, ...]:
    """Say that what one fold tests, another tuned its decision on."""
    if not whole.decision or whole.tuned_for == "none":
        return ()
    goal = whole.tuned_for.replace("_", " ")
    return (
        f"the pooled answers are decided by the mean of what the folds tuned for {goal}, and what one fold tests "
        "another tuned on: this flatters the pooled figures a little; those of each fold are free of it",
    )


def _note(
    folder: RunFolder, runs: Sequence[RunFolder], dataset: Dataset, counted: Any, count: int, *, notes: tuple[str, ...]
) -> None:
    """Write what is known of the whole data: all of its examples were tested, and there is no training split."""
    environment = folder.read_json(folder.environment_file)
    environment["dataset"] = {
        "name": dataset.name,
        "format": dataset.format,
        "fingerprint": runs[0].fingerprint(),
        "sizes": {"test": count},
        "split_origin": {},
    }
    folder.write_json(folder.environment_file, environment)
    findings = dataset.findings
    found = {
        "bad_files": [list(pair) for pair in findings.bad_files],
        "duplicates": findings.duplicates,
        "leaks": [],
        "leak_count": 0,
        "notes": [*findings.notes, *notes],
        "classes": {"test": dict(sorted(counted.items()))},
    }
    folder.write_json(folder.findings_file, found)
