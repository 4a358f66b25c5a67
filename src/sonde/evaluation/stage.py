"""Scores a trained run: reads the run folder and the data, writes scores, predictions, plots and the report.

It knows nothing of the training but what stands in the run folder, so that it can run alone, later, or elsewhere.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import backend, data, tasks
from sonde.backend import EngineSettings, predict_all
from sonde.config import Run, RunFolder, Settings, fill
from sonde.config.files import write_atomically
from sonde.data import Dataset, Examples, Findings
from sonde.errors import DataError, did_you_mean
from sonde.evaluation.baselines import guess_baselines
from sonde.evaluation.options import Options
from sonde.evaluation.plots import Evidence, Mistake, draw
from sonde.evaluation.predictions import predictions, write_predictions
from sonde.evaluation.report import write_report
from sonde.evaluation.scores import score, score_per_class
from sonde.evaluation.verdict import judge
from sonde.metrics import curves, temperature
from sonde.metrics.confusion import confusion_matrix
from sonde.metrics.sample import prepare

HEADLINE = "accuracy"
CALIBRATION = ("expected_calibration_error", "log_loss", "brier")
"""What temperature scaling is to improve; shown before and after it."""
MOST_CURVES = 100
"""Classes with a curve of their own in the ROC and precision-recall plots."""


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


def evaluate(folder: RunFolder, *, source: str | None = None) -> RunFolder:
    """Score a run and write its report.

    Args:
        folder: a run whose model is trained.
        source: other data, with the same classes; the scores then go into a folder of their own inside the run's.

    Returns:
        The folder with scores.json, predictions.parquet, plots and report.html.

    Raises:
        ModelError: the model is missing or damaged.
        DataError: the data is gone, or does not fit the model.
    """
    settings = folder.settings()
    model = open_model(folder)
    if source is None:
        source = str(settings.value("run.data"))
        dataset = open_dataset(settings, source)
        examples, sentence = dataset.test, _split_in_words(dataset)
        weaknesses = tasks.label.check(dataset)
    else:
        dataset = open_dataset(settings, source)
        examples, sentence = _unseen(dataset)
        weaknesses = ()
        folder = _folder_beside(folder, settings, dataset, source)
    options = fill(Options, "evaluation", settings)
    logits = predict_all(model.engine, examples.inputs, model.spec.prepare, batch_size=options.batch_size)
    classes = model.description.classes
    _check_labels(examples, classes, source)
    truth = tasks.label.encode(examples.answers, classes)
    answers = Answers(examples, classes, truth, logits, model.description.temperature)
    scores = _scores(answers, dataset, sentence, model.description.task, options)
    probabilities = answers.probabilities_NC
    folder.write_json(folder.scores_file, scores)
    folder.write_json(folder.findings_file, findings_of(dataset, weaknesses))
    write_predictions(folder.predictions_file, predictions(examples.names.tolist(), classes, truth, probabilities))
    _draw(folder, answers, scores, options)
    return folder


@dataclass(frozen=True)
class TrainedModel:
    """A trained model on a backend, with what turns files into its inputs."""

    engine: Any
    """A `backend.Engine`; only `predict` and `input_gradient` are meant to be used."""
    description: Any
    """A `models.folder.Description`."""
    spec: Any
    """A `data.InputSpec`."""


def open_model(folder: RunFolder) -> TrainedModel:
    """Rebuild a run's trained model on the backend of this process, or on the run's own.

    Args:
        folder: a run; its weights may come from another backend.

    Raises:
        ModelError: the model is missing, damaged or not to be trusted.
    """
    settings = folder.settings()
    run = fill(Run, "run", settings)
    name = backend.in_use() or (run.backend if backend.is_installed(run.backend) else _any_installed(run.backend))
    module = backend.use(name)
    module.start(threads=int(settings.value("training.threads", 1)))

    from sonde.models import folder as model_folder
    from sonde.models.heads import HEADS

    model, description = model_folder.load(folder.model)
    head = HEADS[description.answer]
    # An optimizer without slots: nothing is trained here.
    engine = module.build(model, head.loss(0.0), head.score, EngineSettings(optimizer="sgd", momentum=0.0))
    return TrainedModel(engine, description, data.spec_from(description.input))


def _any_installed(wanted: str) -> str:
    return next((name for name in backend.BACKENDS if backend.is_installed(name)), wanted)


def open_dataset(settings: Settings, source: str) -> Dataset:
    """Open a data set with a run's data options.

    Args:
        settings: the run's options.
        source: path or built-in name.

    Raises:
        DataError: it is gone, changed beyond use, or not recognised.
    """
    options = fill(data.Options, "data", settings)
    return data.load(data.survey(source, options), options)


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


def _unseen(dataset: Dataset) -> tuple[Examples, str]:
    """Return the test split of other data where it brings one, else all of it."""
    if dataset.split_origin["test"] == "given":
        return dataset.test, f"the test split of {dataset.name} ({len(dataset.test):,} examples)"
    sides = (dataset.train, dataset.validation, dataset.test)
    whole = Examples(
        np.concatenate([side.inputs for side in sides]),
        np.concatenate([side.answers for side in sides]),
        np.concatenate([side.names for side in sides]),
    )
    return whole, f"all {len(whole):,} examples of {dataset.name}"


def _check_labels(examples: Examples, classes: tuple[str, ...], source: str) -> None:
    unknown = sorted(set(examples.answers.tolist()) - set(classes))
    if unknown:
        raise DataError(
            f"{source} has labels that the model does not know: {', '.join(unknown[:5])}."
            f"{did_you_mean(unknown[0], classes)} It knows: {', '.join(classes[:20])}. "
            "Rename the labels, or train a model with them."
        )


def _folder_beside(folder: RunFolder, settings: Settings, dataset: Dataset, source: str) -> RunFolder:
    stem = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in dataset.name) or "data"
    other = RunFolder(folder.path / f"on-{stem[:80]}")
    for file in (folder.settings_file, folder.environment_file, folder.history_file):
        if file.exists():
            write_atomically(other.path / file.name, file.read_bytes())
    return other


def _scores(answers: Answers, dataset: Dataset, sentence: str, task: str, options: Options) -> dict[str, Any]:
    truth, probabilities = answers.truth_N, answers.probabilities_NC
    train_truth = tasks.label.encode(*_known(dataset.train, answers.classes))
    kept = np.isin(dataset.train.answers, answers.classes)
    guesses = guess_baselines(
        dataset.modality, dataset.train.inputs[kept], train_truth, answers.examples.inputs, classes=len(answers.classes)
    )
    seed, resamples = options.seed, options.resamples
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
        "verdict": judge(HEADLINE, truth, probabilities, guesses, seed=options.seed).to_dict(),
    }


def _known(examples: Examples, classes: tuple[str, ...]) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    return examples.answers[np.isin(examples.answers, classes)], classes


def _plain(scores: dict[str, Any]) -> dict[str, Any]:
    return {name: each.to_dict() for name, each in scores.items()}


def _draw(folder: RunFolder, answers: Answers, scores: dict[str, Any], options: Options) -> None:
    probabilities = answers.probabilities_NC
    sample = prepare(answers.truth_N, probabilities)
    shown = answers.classes if len(answers.classes) <= MOST_CURVES else ()
    evidence = Evidence(
        history=folder.history(),
        scores=scores,
        roc={name: curves.roc(sample, index) for index, name in enumerate(shown)},
        precision_recall={name: curves.precision_recall(sample, index) for index, name in enumerate(shown)},
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
    out: list[dict[str, Any]] = []
    for file in files:
        try:
            stored = model.spec.read(str(file))
        except DataError as error:
            out.append({"file": str(file), "error": str(error)})
            continue
        logits = model.engine.predict(model.spec.prepare(stored[None]))
        probabilities = temperature.apply(logits, model.description.temperature)
        best, *others = tasks.label.decode(probabilities, model.description.classes)[0]
        out.append(
            {
                "file": str(file),
                "answer": best[0],
                "confidence": best[1],
                "others": [{"answer": name, "confidence": share} for name, share in others],
            }
        )
    return out
