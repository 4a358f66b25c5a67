"""Scores a trained run: reads the run folder and the data, writes scores, predictions, plots and the report.

It knows nothing of the training but what stands in the run folder, so that it can run alone, later, or elsewhere.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import tasks
from sonde.backend import predict_all
from sonde.config import RunFolder, fill
from sonde.config.files import write_atomically
from sonde.data import Dataset, Examples, Findings
from sonde.errors import DataError, did_you_mean
from sonde.evaluation.baselines import guess_baselines
from sonde.evaluation.elsewhere import findings_elsewhere, folder_for, in_words, open_elsewhere, own_dataset_if_there
from sonde.evaluation.opening import TrainedModel, open_model, own_dataset
from sonde.evaluation.options import Options
from sonde.evaluation.plots import Evidence, Mistake, draw
from sonde.evaluation.predictions import predictions, write_predictions
from sonde.evaluation.report import write_report
from sonde.evaluation.scores import CALIBRATION, Bootstrap, score, score_per_class
from sonde.evaluation.verdict import judge
from sonde.metrics import curves, temperature
from sonde.metrics.confusion import confusion_matrix
from sonde.metrics.sample import prepare
from sonde.models.views import VIEWS

HEADLINE = "accuracy"
AT_ONCE = 64
"""Files that `predict` holds in memory at a time."""


@dataclass(frozen=True)
class Answers:
    """What the model says of the test examples, and what is true."""

    examples: Examples
    classes: tuple[str, ...]
    truth_N: NDArray[np.int64]
    logits_NC: NDArray[np.float32]
    temperature: float

    @property
    def probabilities_NC(self) -> NDArray[np.float64]:
        """Probabilities after temperature scaling, rounded as predictions.parquet holds them."""
        return temperature.apply(self.logits_NC, self.temperature).astype(np.float32).astype(np.float64)


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
    if source is None:
        known: Dataset | None = dataset or own_dataset(folder)
        assert known is not None
        examples, sentence = known.test, _split_in_words(known)
        _check_labels(examples, classes, known.name)
        found = findings_of(known, tasks.label.check(known))
    else:
        other = open_elsewhere(settings, source)
        examples, sentence = other.examples, in_words(other)
        _check_labels(examples, classes, other.name)
        known = dataset or own_dataset_if_there(folder)
        found = findings_elsewhere(other, known)
        folder = folder_for(folder, other)
    if model.description.views != "one":
        sentence += f"; each answer is {VIEWS[model.description.views].sentence}"
    options = fill(Options, "evaluation", settings)
    logits = predict_all(model.engine, examples.inputs, model.spec.prepare, batch_size=options.batch_size)
    truth = tasks.label.encode(examples.answers, classes)
    answers = Answers(examples, classes, truth, logits, model.description.temperature)
    guesses = {} if known is None else _baselines(answers, known, options.baseline_examples)
    scores = _scores(answers, guesses, sentence, model.description.task, options)
    write_atomically(folder.scores_file, _json(scores))
    folder.write_json(folder.findings_file, found)
    made = predictions(examples.names.tolist(), classes, truth, answers.probabilities_NC)
    write_predictions(folder.predictions_file, made)
    _draw(folder, answers, scores, options)
    return folder


def _json(scores: dict[str, Any]) -> str:
    """Write scores as `RunFolder.write_json` does, but each row of the confusion matrix on one line."""
    text = json.dumps(scores, indent=1, allow_nan=False) + "\n"
    # No text in JSON holds a line break, so that nothing but lists of numbers is matched.
    return re.sub(r"\[\n[\d\s,.eE+-]+\]", lambda row: f"[{' '.join(row[0][1:-1].split())}]", text)


def findings_of(dataset: Dataset, weaknesses: tuple[str, ...]) -> dict[str, Any]:
    """Return what was found in the data as plain values, with the number of examples of each class and split."""
    findings: Findings = dataset.findings
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {
        "bad_files": [list(pair) for pair in findings.bad_files],
        "duplicates": findings.duplicates,
        "leaks": [list(pair) for pair in findings.leaks],
        "leak_count": findings.leak_count,
        "notes": [*findings.notes, *weaknesses],
        "classes": {name: dict(sorted(Counter(each.answers.tolist()).items())) for name, each in splits.items()},
    }


def _split_in_words(dataset: Dataset) -> str:
    origin = dataset.split_origin["test"]
    return (
        f"the data's own test split ({len(dataset.test):,} examples)"
        if origin == "given"
        else (f"{len(dataset.test):,} examples that training never saw ({origin})")
    )


def _check_labels(examples: Examples, classes: tuple[str, ...], name: str) -> None:
    unknown = sorted(set(examples.answers.tolist()) - set(classes))
    if unknown:
        raise DataError(
            f"The data set '{name}' has labels that the model does not know: {', '.join(unknown[:5])}."
            f"{did_you_mean(unknown[0], classes)} It knows: {', '.join(classes[:20])}. "
            "Rename the labels, or train a model with them."
        )


def _baselines(answers: Answers, known: Dataset, most: int) -> dict[str, NDArray[np.float64]]:
    """Let the baselines learn from the run's own training examples, as the model did."""
    truth = tasks.label.encode(known.train.answers, answers.classes)
    inputs, count = known.train.inputs, len(answers.classes)
    return guess_baselines(known.modality, inputs, truth, answers.examples.inputs, classes=count, most=most)


def _scores(
    answers: Answers, guesses: dict[str, NDArray[np.float64]], sentence: str, task: str, options: Options
) -> dict[str, Any]:
    truth, probabilities = answers.truth_N, answers.probabilities_NC
    seed, resamples = options.seed, options.resamples
    bootstrap = Bootstrap(seed, resamples)
    raw = temperature.apply(answers.logits_NC, 1.0)
    before = score(truth, raw, seed=seed, resamples=resamples, only=CALIBRATION)
    test = score(truth, probabilities, seed=seed, resamples=resamples)
    per_class = score_per_class(truth, probabilities, seed=seed, resamples=resamples)
    baselines = {name: score(truth, guess, seed=seed, resamples=resamples) for name, guess in guesses.items()}
    return {
        "format": 1,
        "task": task,
        "classes": list(answers.classes),
        "headline": HEADLINE,
        "confidence": 0.95,
        "resamples": options.resamples,
        "splits": sentence,
        "test": _plain(test),
        "per_class": {
            name: {"n": int((truth == index).sum()), **_plain(per_class[index])}
            for index, name in enumerate(answers.classes)
        },
        "confusion": confusion_matrix(prepare(truth, probabilities)).tolist(),
        "calibration": {
            "temperature": answers.temperature,
            "before": _plain(before),
            "after": {name: test[name].to_dict() for name in CALIBRATION},
        },
        "baselines": {name: _plain(each) for name, each in baselines.items()},
        "verdict": judge(HEADLINE, truth, probabilities, guesses, bootstrap=bootstrap).to_dict() if guesses else None,
    }


def _plain(scores: dict[str, Any]) -> dict[str, Any]:
    return {name: each.to_dict() for name, each in scores.items()}


def _draw(folder: RunFolder, answers: Answers, scores: dict[str, Any], options: Options) -> None:
    probabilities = answers.probabilities_NC
    sample = prepare(answers.truth_N, probabilities)
    evidence = Evidence(
        history=folder.history(),
        scores=scores,
        roc={name: curves.roc(sample, index) for index, name in enumerate(answers.classes)},
        precision_recall={name: curves.precision_recall(sample, index) for index, name in enumerate(answers.classes)},
        before=curves.reliability(prepare(answers.truth_N, temperature.apply(answers.logits_NC, 1.0))),
        after=curves.reliability(sample),
        mistakes=_mistakes(answers, probabilities, options.mistakes),
    )
    pictures = draw(evidence)
    for old in folder.plots.glob("*.svg"):
        if old.stem not in pictures:
            old.unlink()
    for name, picture in pictures.items():
        write_atomically(folder.plots / f"{name}.svg", picture)
    write_report(folder, pictures, mistakes=evidence.mistakes)


def _mistakes(answers: Answers, probabilities_NC: NDArray[np.float64], most: int) -> tuple[Mistake, ...]:
    """Pick the mistakes that gave the truth the least probability."""
    truth_N, guess_N = answers.truth_N, probabilities_NC.argmax(axis=1)
    rows = np.arange(len(truth_N))
    wrong = rows[guess_N != truth_N]
    worst = wrong[np.argsort(probabilities_NC[wrong, truth_N[wrong]], kind="stable")][:most]
    return tuple(
        Mistake(
            name=str(answers.examples.names[row]),
            truth=answers.classes[truth_N[row]],
            guess=answers.classes[guess_N[row]],
            confidence=float(probabilities_NC[row, guess_N[row]]),
            truth_probability=float(probabilities_NC[row, truth_N[row]]),
            picture=np.asarray(answers.examples.inputs[row]),
        )
        for row in worst
    )


def predict(folder: RunFolder, files: list[Path]) -> list[dict[str, Any]]:
    """Answer for new files.

    Args:
        folder: a run whose model is trained.
        files: files of the kind that it was trained on.

    Returns:
        For each file: file, answer, confidence and the next best answers; or file and the reason it cannot be read.

    Raises:
        ModelError: the model is missing or damaged.
    """
    model = open_model(folder)
    rows: dict[int, dict[str, Any]] = {}
    readable: list[tuple[int, NDArray[Any]]] = []
    for place, file in enumerate(files):
        try:
            readable.append((place, model.spec.read(str(file))))
        except DataError as error:
            rows[place] = {"file": str(file), "error": str(error)}
        if readable and (len(readable) == AT_ONCE or place == len(files) - 1):
            stored = np.stack([each for _, each in readable])
            for (number, _), answer in zip(readable, _answers(model, stored), strict=True):
                rows[number] = {"file": str(files[number]), **answer}
            readable = []
    return [rows[place] for place in range(len(files))]


def _answers(model: TrainedModel, stored: NDArray[Any]) -> list[dict[str, Any]]:
    logits = model.engine.predict(model.spec.prepare(stored))
    probabilities = temperature.apply(logits, model.description.temperature)
    decoded = tasks.label.decode(probabilities, model.description.classes)
    return [
        {
            "answer": best[0],
            "confidence": best[1],
            "others": [{"answer": name, "confidence": share} for name, share in others],
        }
        for best, *others in decoded
    ]
