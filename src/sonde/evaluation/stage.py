"""Scores a trained run: reads the run folder and the data, writes scores, predictions, plots and the report.

It knows nothing of the training but what stands in the run folder, so that it can run alone, later, or elsewhere.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from sonde.answers import CONFIDENCE, TASKS, Answer, Scored
from sonde.answers.answer import Checked, Contest, Worst
from sonde.answers.facts import Shown
from sonde.config import RunFolder, Settings, fill
from sonde.config.disk import write_atomically
from sonde.data import MODALITIES, Dataset, Examples, Findings, Stored, join
from sonde.drawing import Pixels
from sonde.errors import ConfigError, DataError, did_you_mean
from sonde.evaluation.elsewhere import findings_elsewhere, folder_for, in_words, open_elsewhere, own_dataset_if_there
from sonde.evaluation.explanations.in_report import Explained, for_report
from sonde.evaluation.options import Options
from sonde.evaluation.plots import Evidence, draw
from sonde.evaluation.report import write_report
from sonde.evaluation.several_runs import with_others
from sonde.evaluation.solved_baselines import solved_beside
from sonde.evaluation.trained_model import TrainedModel, answer_options, open_model, own_dataset
from sonde.evaluation.verdict import judge_samples
from sonde.metrics.intervals import Bootstrap, Score, score_sample
from sonde.models.views import VIEWS

PREDICTIONS = "predictions"
"""Folder of a run for what is predicted and no row can hold."""
AT_ONCE = 64
"""Files that `predict` holds in memory at a time."""


@dataclass(frozen=True)
class Frame:
    """What the scores are of, and how they are computed."""

    settings: Settings
    """Every option of the run."""
    task: str
    sentence: str
    """Which examples are scored."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Training examples of each class; of the scored ones where those are not known."""
    history: Sequence[Mapping[str, Any]] = ()

    @property
    def options(self) -> Options:
        """How the run is scored."""
        return fill(Options, "evaluation", self.settings)

    @property
    def bootstrap(self) -> Bootstrap:
        """How intervals are drawn."""
        return Bootstrap(self.options.seed, self.options.resamples, CONFIDENCE)


def evaluate(folder: RunFolder, *, source: str | None = None, dataset: Dataset | None = None) -> RunFolder:
    """Score a run and write its report.

    Args:
        folder: a run whose model is trained.
        source: other data, with the same targets; the scores then go into a folder of their own inside the run's.
        dataset: the data that the run began with, where it is open already.

    Returns:
        The folder with scores.json, predictions.parquet, plots and report.html.

    Raises:
        ModelError: the model is missing or damaged.
        DataError: the data is gone, or does not fit the model.
    """
    settings = folder.settings()
    model = open_model(folder)
    row = model.row
    if source is None:
        known: Dataset | None = dataset or own_dataset(folder)
        assert known is not None
        examples, sentence, name = known.test, _split_in_words(known), known.name
        found = findings_of(known, row, row.check(known))
    else:
        other = open_elsewhere(settings, source, model.spec)
        examples, sentence, name = other.examples, in_words(other), other.name
        known = dataset or own_dataset_if_there(folder)
        found = findings_elsewhere(other, known, row)
        folder = folder_for(folder, other)
    truth = _encoded(model, examples, name)
    if model.description.views != "one":
        sentence += f"; each prediction is {VIEWS[model.description.views].sentence}"
    counts = row.count((examples if known is None else known.train).truth)
    frame = Frame(settings, model.description.task, sentence, counts, folder.history())
    kept = model.keep(model.inputs(examples), truth, batch_size=frame.options.batch_size)
    made = row.predictions(model.target, model.fitted, kept, truth, examples.names.tolist())
    guesses = {} if known is None else _baselines(model, examples, truth, known, frame)
    folder.write_json(folder.findings_file, found)
    write_up(folder, scored_as(model.target, model.fitted, made, frame), examples, guesses, frame, model=model)
    return folder


def scored_as(target: Any, fitted: Any, made: Any, frame: Frame) -> Scored:
    """Return predictions with how they are judged.

    Raises:
        ConfigError: an option names a metric or a class that there is not.
    """
    row, options, own = TASKS[frame.task].row, frame.options, answer_options(frame.settings)
    headline = chosen_headline(row, target, own, options.headline)
    return Scored(target, fitted, made, own, frame.bootstrap, headline, frame.counts, options.mistakes)


def chosen_headline(row: Answer, target: Any, own: Any, named: str) -> str:
    """Return the metric that stands first.

    Raises:
        ConfigError: there is no such metric for this target.
    """
    table, headline = row.metrics(target, own), named or row.headline(target, own)
    if headline not in table:
        raise ConfigError(
            f"evaluation.headline = '{headline}' is no metric that is computed here."
            f"{did_you_mean(headline, table)} There are: {', '.join(table)}."
        )
    return headline


def write_up(
    folder: RunFolder,
    scored: Scored,
    examples: Examples,
    guesses: Mapping[str, Any],
    frame: Frame,
    *,
    model: TrainedModel | None = None,
) -> None:
    """Score predictions and write scores.json, predictions.parquet, the plots and the report.

    Args:
        folder: where to write; what stands there of folds, seeds or members is told beside the scores.
        scored: the predictions of the test examples.
        guesses: predictions of the baselines for the same examples, by name.
        frame: how they are scored.
        model: what predicted, where it is one; a few of its predictions are explained.
    """
    row, scored = TASKS[frame.task].row, replace(scored, raw=examples.raw)
    scores = with_others(_scores(row, scored, guesses, frame), folder)
    explained = Explained({}) if model is None else for_report(model, scored, examples, frame.options, scores)
    if explained.importance is not None:
        scores["importance"] = explained.importance
    write_atomically(folder.scores_file, _json(scores))
    row.write(folder.predictions_file, scored.predictions)
    modality = TASKS[frame.task].modality
    worst = [_shown(each, examples, modality) for each in row.worst(scored)]
    pictures = {
        **draw(Evidence(frame.history, scores, worst)),
        **{name: drawn for name, plot in row.pictures.items() if (drawn := plot.function(scored, scores)) is not None},
        **explained.pictures,
    }
    for old in folder.plots.glob("*.svg"):
        if old.stem not in pictures:
            old.unlink()
    for name, drawn in pictures.items():
        write_atomically(folder.plots / f"{name}.svg", drawn)
    typical = [_shown(each, examples, modality) for each in row.typical(scored)]
    write_report(folder, pictures, worst=worst, typical=typical)


def _shown(worst: Worst, examples: Examples, modality: str) -> Shown:
    plain_values = {name: value for name, value in vars(worst).items() if name not in ("row", "panels")}
    drawn = MODALITIES[modality].sketch(examples.raw[worst.row])
    panels: dict[str, Pixels] = {}
    if isinstance(drawn, Pixels):
        panels = {title: replace(drawn, overlays=list(each)) for title, each in worst.panels.items()}
    return Shown(**plain_values, picture=drawn, panels=panels)


def _scores(row: Answer, scored: Scored, guesses: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
    """Return the content of scores.json."""
    table, bootstrap = row.metrics(scored.target, scored.own), scored.bootstrap
    own = row.sample(scored.predictions, scored.own)
    others = {name: row.sample(made, scored.own) for name, made in guesses.items()}
    test = score_sample(own, table, bootstrap=bootstrap)
    metric = table[scored.headline]
    return {
        "format": 2,
        "task": frame.task,
        "answer": TASKS[frame.task].answer,
        "headline": scored.headline,
        "confidence": CONFIDENCE,
        "resamples": frame.options.resamples,
        "splits": frame.sentence,
        "test": plain(test),
        "baselines": {name: plain(score_sample(each, table, bootstrap=bootstrap)) for name, each in others.items()},
        "verdict": judge_samples(metric, own, others, bootstrap=bootstrap).to_dict() if others else None,
        **row.judge(scored, test),
    }


def plain(scores: Mapping[str, Score]) -> dict[str, Any]:
    """Return scores as plain values for JSON."""
    return {name: each.to_dict() for name, each in scores.items()}


def _json(scores: dict[str, Any]) -> str:
    """Write scores as `RunFolder.write_json` does, but each row of a matrix on one line."""
    text = json.dumps(scores, indent=1, allow_nan=False) + "\n"
    # No text in JSON holds a line break, so that nothing but lists of numbers is matched.
    return re.sub(r"\[\n[\d\s,.eE+-]+\]", lambda row: f"[{' '.join(row[0][1:-1].split())}]", text)


def findings_of(dataset: Dataset, row: Answer, weaknesses: tuple[str, ...]) -> dict[str, Any]:
    """Return what was found in the data as plain values, with the number of examples of each class and split.

    Args:
        dataset: the run's data.
    """
    findings: Findings = dataset.findings
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {
        "bad_files": [list(pair) for pair in findings.bad_files],
        "duplicates": findings.duplicates,
        "leaks": [list(pair) for pair in findings.leaks],
        "leak_count": findings.leak_count,
        "notes": [*findings.notes, *weaknesses],
        "classes": {name: dict(sorted(row.count(each.truth).items())) for name, each in splits.items()},
    }


def _split_in_words(dataset: Dataset) -> str:
    origin = dataset.split_origin["test"]
    return (
        f"the data's own test split ({len(dataset.test):,} examples)"
        if origin == "given"
        else (f"{len(dataset.test):,} examples that training never saw ({origin})")
    )


def _encoded(model: TrainedModel, examples: Examples, name: str) -> Any:
    """Encode the truths of examples as the model's target does; other data may hold what it does not know."""
    try:
        return model.target.encode(examples.truth)
    except DataError as error:
        raise DataError(f"The data set '{name}' does not fit the model. {error}") from None


def _baselines(model: TrainedModel, examples: Examples, truth: Any, known: Dataset, frame: Frame) -> Mapping[str, Any]:
    """Let the baselines learn from the run's own training examples, and decide as the model does."""
    own, options = answer_options(frame.settings), frame.options
    # A tuned model against baselines that are not would be no fair comparison.
    tuned = bool(model.fitted.tuned)
    # Nor one that was solved on validation examples too against those that were not; tuning takes them otherwise.
    seen = model.fitted.fitted_on == "left out" and not tuned
    parts = [known.train, known.validation] if seen else [known.train]
    learned = known.train.raw if len(parts) == 1 else join([part.raw for part in parts])
    truths = [model.target.encode(part.truth) for part in parts]
    contest = Contest(
        modality=known.modality,
        target=model.target,
        fitted=model.fitted,
        own=own,
        train=learned,
        truth=truths[0] if len(parts) == 1 else join(truths),
        test=examples.raw,
        names=examples.names.tolist(),
        test_truth=truth,
        most=options.baseline_examples,
        checked=Checked(known.validation.raw, model.target.encode(known.validation.truth)) if tuned else None,
    )
    contest = solved_beside(contest, model.description.answer, besides=model.description.model)
    return model.row.guesses(contest)


def predict(folder: RunFolder, files: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Predict on new files.

    Args:
        folder: a run whose model is trained.
        files: files of the kind that it was trained on, or texts themselves; a path would lose one of two slashes.

    Returns:
        For each example the file, the task and what the row of its answer gives, such as prediction and confidence; or
        the file and the reason it cannot be read.

    Raises:
        ModelError: the model is missing or damaged.
    """
    model = open_model(folder)
    rows: list[dict[str, Any]] = []
    waiting: list[Stored] = []
    read = model.spec.read if model.row.unite is None else model.spec.read_whole
    for place, file in enumerate(files):
        try:
            names, raw = read(str(file))
            rows += [{"file": name, "task": model.description.task} for name in _once(model, names)]
            waiting.append(raw)
        except DataError as error:
            rows.append({"file": str(file), "error": str(error)})
        if waiting and (sum(map(len, waiting)) >= AT_ONCE or place == len(files) - 1):
            unanswered = [row for row in rows if "error" not in row and len(row) == 2]
            made = _predicted(model, waiting, [row["file"] for row in unanswered], folder.path / PREDICTIONS)
            for row, predicted in zip(unanswered, made, strict=True):
                row.update(predicted)
            waiting = []
    return rows


def _once(model: TrainedModel, names: Sequence[str]) -> Sequence[str]:
    """Return the names of what is predicted: the windows of a file are one."""
    return names if model.row.unite is None else names[:1]


def _predicted(
    model: TrainedModel, waiting: Sequence[Stored], named: Sequence[str], folder: Path
) -> list[dict[str, Any]]:
    row = model.row
    kept = model.keep(model.spec.encode(join(waiting)), batch_size=AT_ONCE)
    if row.unite is not None:
        ends = np.cumsum([len(each) for each in waiting]).tolist()
        places = [range(end - len(each), end) for end, each in zip(ends, waiting, strict=True)]
        kept = row.unite(model.target, kept, places, named)
    made = row.rows(model.target, model.fitted, kept)
    if row.deliver is None:
        return made
    beside = row.deliver(model.target, kept, named, folder)
    return [{**each, **more} for each, more in zip(made, beside, strict=True)]
