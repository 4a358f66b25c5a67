"""Scores a trained run: reads the run folder and the data, writes scores, predictions, plots and the report.

It knows nothing of the training but what stands in the run folder, so that it can run alone, later, or elsewhere.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import tasks
from sonde.backend import batches_of, joined, predictions
from sonde.config import RunFolder, fill
from sonde.config.files import write_atomically
from sonde.data import Dataset, Examples, Findings, Stored, join
from sonde.errors import DataError, did_you_mean
from sonde.evaluation.answers import ANSWERS, Answers, Frame, Guess
from sonde.evaluation.answers.given import rounded
from sonde.evaluation.baselines import guess_baselines
from sonde.evaluation.elsewhere import findings_elsewhere, folder_for, in_words, open_elsewhere, own_dataset_if_there
from sonde.evaluation.explanations.in_report import Explained, for_report
from sonde.evaluation.label_baselines import guess_label_baselines
from sonde.evaluation.opening import TrainedModel, open_model, own_dataset
from sonde.evaluation.options import Options
from sonde.evaluation.plots import Evidence, draw
from sonde.evaluation.report import write_report
from sonde.evaluation.several import with_others
from sonde.models.views import VIEWS

AT_ONCE = 64
"""Files that `predict` holds in memory at a time."""


def evaluate(folder: RunFolder, *, source: str | None = None, dataset: Dataset | None = None) -> RunFolder:
    """Score a run and write its report.

    Args:
        folder: a run whose model is trained.
        source: other data, with the same classes; the scores then go into a folder of their own inside the run's.
        dataset: the data that the run began with, where it is open already.

    Returns:
        The folder with scores.json, predictions.parquet, plots and report.html.

    Raises:
        ModelError: the model is missing or damaged.
        DataError: the data is gone, or does not fit the model.
    """
    settings = folder.settings()
    model = open_model(folder)
    classes = model.description.classes
    answer = tasks.answer(model.description.task)
    if source is None:
        known: Dataset | None = dataset or own_dataset(folder)
        assert known is not None
        examples, sentence = known.test, _split_in_words(known)
        _check_labels(examples, model.description, known.name)
        found = findings_of(known, answer.check(known), answer.count)
    else:
        other = open_elsewhere(settings, source, model.spec)
        examples, sentence = other.examples, in_words(other)
        _check_labels(examples, model.description, other.name)
        known = dataset or own_dataset_if_there(folder)
        found = findings_elsewhere(other, known, answer.count)
        folder = folder_for(folder, other)
    if model.description.views != "one":
        sentence += f"; each answer is {VIEWS[model.description.views].sentence}"
    options = fill(Options, "evaluation", settings)
    batches = batches_of(model.inputs(examples), model.spec.prepare, batch_size=options.batch_size)
    logits = joined(predictions(model.engine, batches))["logits"]
    answers = Answers(examples, model.description, answer.encode(examples.answers, classes), logits)
    counts = answer.count((examples if known is None else known.train).answers)
    frame = Frame(options, sentence, counts, folder.history())
    guesses = {} if known is None else _baselines(answers, known, frame)
    folder.write_json(folder.findings_file, found)
    write_up(folder, answers, guesses, frame, model=model)
    return folder


def write_up(
    folder: RunFolder,
    answers: Answers,
    guesses: Mapping[str, Guess],
    frame: Frame,
    *,
    model: TrainedModel | None = None,
) -> None:
    """Score answers and write scores.json, predictions.parquet, the plots and the report.

    Args:
        folder: where to write; what stands there of folds, seeds or members is told beside the scores.
        answers: of the test examples.
        guesses: of the baselines, on the same examples, by name.
        frame: how they are scored.
        model: what answered, where it is one; a few of its answers are explained.
    """
    kind = ANSWERS[answers.description.answer]
    scores = with_others(kind.judge(answers, guesses, frame), folder)
    explained = Explained({}) if model is None else for_report(model, answers, frame.options, scores)
    if explained.importance is not None:
        scores["importance"] = explained.importance
    write_atomically(folder.scores_file, _json(scores))
    kind.write(folder.predictions_file, answers)
    _draw(folder, kind.draw_from(answers, scores, frame), explained.pictures)


def _json(scores: dict[str, Any]) -> str:
    """Write scores as `RunFolder.write_json` does, but each row of the confusion matrix on one line."""
    text = json.dumps(scores, indent=1, allow_nan=False) + "\n"
    # No text in JSON holds a line break, so that nothing but lists of numbers is matched.
    return re.sub(r"\[\n[\d\s,.eE+-]+\]", lambda row: f"[{' '.join(row[0][1:-1].split())}]", text)


def findings_of(
    dataset: Dataset, weaknesses: tuple[str, ...], count: Callable[[NDArray[np.str_]], Mapping[str, int]]
) -> dict[str, Any]:
    """Return what was found in the data as plain values, with the number of examples of each class and split.

    Args:
        dataset: the run's data.
        weaknesses: what the task said of it.
        count: the task's way to count the examples of each class.
    """
    findings: Findings = dataset.findings
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {
        "bad_files": [list(pair) for pair in findings.bad_files],
        "duplicates": findings.duplicates,
        "leaks": [list(pair) for pair in findings.leaks],
        "leak_count": findings.leak_count,
        "notes": [*findings.notes, *weaknesses],
        "classes": {name: dict(sorted(count(each.answers).items())) for name, each in splits.items()},
    }


def _split_in_words(dataset: Dataset) -> str:
    origin = dataset.split_origin["test"]
    return (
        f"the data's own test split ({len(dataset.test):,} examples)"
        if origin == "given"
        else (f"{len(dataset.test):,} examples that training never saw ({origin})")
    )


def _check_labels(examples: Examples, said: Any, name: str) -> None:
    unknown = tasks.answer(said.task).unknown(examples.answers, said.classes)
    if unknown:
        raise DataError(
            f"The data set '{name}' has labels that the model does not know: {', '.join(unknown[:5])}."
            f"{did_you_mean(unknown[0], said.classes)} It knows: {', '.join(said.classes[:20])}. "
            "Rename the labels, or train a model with them."
        )


def _baselines(answers: Answers, known: Dataset, frame: Frame) -> dict[str, Guess]:
    """Let the baselines learn from the run's own training examples, and decide as the model does."""
    said, options = answers.description, frame.options
    guess = guess_label_baselines if said.answer == "labels" else guess_baselines
    # A tuned model against baselines that are not would be no fair comparison.
    tuned = known.validation if said.tuned_for != "none" else None
    # Nor one that was solved on validation examples too against those that were not; tuning takes them otherwise.
    parts = [known.train, known.validation] if said.fitted_on == "left out" and tuned is None else [known.train]
    truth = answers.task.encode(np.concatenate([part.answers for part in parts]), answers.classes)
    raw = answers.examples.raw if tuned is None else join([tuned.raw, answers.examples.raw])
    count, most = len(answers.classes), options.baseline_examples
    learned = known.train.raw if len(parts) == 1 else join([part.raw for part in parts])
    made = guess(known.modality, learned, truth, raw, classes=count, most=most)
    # A model is not compared with itself.
    made = {name: each for name, each in made.items() if name.lower() != said.model}
    if tuned is None:
        return {name: Guess(rounded(each)) for name, each in made.items()}
    apart, checked = len(tuned), answers.task.encode(tuned.answers, answers.classes)
    positive = answers.classes.index(options.positive) if options.positive in answers.classes else None
    return {
        name: Guess(rounded(each[apart:]), answers.task.tune(each[:apart], checked, said.tuned_for, positive))
        for name, each in made.items()
    }


def _draw(folder: RunFolder, evidence: Evidence, explained: Mapping[str, str]) -> None:
    pictures = {**draw(evidence), **explained}
    for old in folder.plots.glob("*.svg"):
        if old.stem not in pictures:
            old.unlink()
    for name, picture in pictures.items():
        write_atomically(folder.plots / f"{name}.svg", picture)
    write_report(folder, pictures, mistakes=evidence.mistakes)


def predict(folder: RunFolder, files: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Answer for new files.

    Args:
        folder: a run whose model is trained.
        files: files of the kind that it was trained on, or texts themselves; a path would lose one of two slashes.

    Returns:
        For each file: file, answer, confidence, the next best answers, the set that holds the truth as often as was
        wanted, and whether the model abstains; or file and the reason it cannot be read.

    Raises:
        ModelError: the model is missing or damaged.
    """
    model = open_model(folder)
    rows: list[dict[str, Any]] = []
    waiting: list[Stored] = []
    for place, file in enumerate(files):
        try:
            names, raw = model.spec.read(str(file))
            rows += [{"file": name} for name in names]
            waiting.append(raw)
        except DataError as error:
            rows.append({"file": str(file), "error": str(error)})
        if waiting and (sum(map(len, waiting)) >= AT_ONCE or place == len(files) - 1):
            unanswered = (row for row in rows if len(row) == 1)
            for row, answer in zip(unanswered, _answers(model, join(waiting)), strict=True):
                row.update(answer)
            waiting = []
    return rows


def _answers(model: TrainedModel, raw: Stored) -> list[dict[str, Any]]:
    batches = batches_of(model.spec.encode(raw), model.spec.prepare, batch_size=AT_ONCE)
    logits = joined(predictions(model.engine, batches))["logits"]
    said = model.description
    answered: list[dict[str, Any]] = ANSWERS[said.answer].rows(
        said, tasks.answer(said.task).probabilities(logits, said.temperature)
    )
    return answered
