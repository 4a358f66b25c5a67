"""Sums up a cross-validation: each example is predicted by the run that had not seen it, all pooled and scored.

folds.json -> pooled predictions -> scores.json, predictions.parquet, plots, report.html
"""

# N examples

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sonde.answers import answer_of
from sonde.config import RunFolder
from sonde.data import Dataset, Examples
from sonde.errors import RunError
from sonde.evaluation.several_runs import spread_of_folds
from sonde.evaluation.stage import Frame, scored_as, write_up
from sonde.evaluation.trained_model import own_dataset, read_description, start_backend


@dataclass(frozen=True)
class Shown:
    """The raw examples of a data set by their place in the pooled predictions; looked up when one is shown."""

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
    """Pool the predictions of all folds, score them, and write the report of the whole.

    Args:
        runs: the finished run of each fold, in order.

    Raises:
        RunError: a run is not finished, damaged, or of other classes.
        DataError: the data is gone.
    """
    content = spread_of_folds(folder, runs)
    start_backend(runs[0].settings())

    dataset = own_dataset(runs[0])
    described = [read_description(run) for run in runs]
    row = answer_of(described[0].task)
    target = row.target_from(described[0].target)
    parts = []
    for run, each in zip(runs, described, strict=True):
        if not row.poolable(target, row.target_from(each.target)):
            raise RunError(f"'{runs[0].name}' and '{run.name}' have different targets; they are not of one data set.")
        parts.append((row.fitted_from(each.fitted, target), row.read(run.predictions_file)))
    fitted, made = row.pool(parts)
    shown: Any = Shown(dataset, _keys(list(made.names)))
    truths = row.truths(made)
    counted = row.count(truths)
    examples = Examples(shown, truths, np.array(made.names, dtype=np.str_), shown)
    frame = Frame(_bounded(folder, runs), described[0].task, _in_words(content, len(made)), counted)
    _note(folder, runs, dataset, counted, len(made), notes=_on_decisions(fitted))
    write_up(folder, scored_as(target, fitted, made, frame), examples, {}, frame)
    return folder


def _bounded(folder: RunFolder, runs: Sequence[RunFolder]) -> Any:
    """Return the options of the whole, with as many drawings as its runs could afford."""
    settings, theirs = folder.settings(), [run.settings() for run in runs]
    least = min(theirs, key=lambda each: each.value("evaluation.resamples", 1000))
    kept = {key: least[key] for key in ("evaluation.resamples",) if key in least}
    return type(settings)({**settings, **kept})


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
    return f"{count:,} examples, each predicted by the run that had not seen it ({folds} folds, {how})"


def _on_decisions(fitted: Any) -> tuple[str, ...]:
    """Say that what one fold tests, another tuned its decision on."""
    if not (fitted.decides and fitted.tuned):
        return ()
    return (
        f"the pooled predictions are decided by the mean of what the folds tuned for {fitted.tuned}, and what one fold "
        "tests another tuned on: this flatters the pooled figures a little; those of each fold are free of it",
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
