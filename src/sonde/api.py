"""The verbs: what a person can ask of sonde, the same in the shell and in Python.

Each verb opens a run folder or a data set, calls one stage and returns a value. The shell's commands are made from
these signatures and docstrings (`cli.py`), so a change here is a change there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from sonde.config import RunFolder
    from sonde.evaluation.compare import Comparison

Kind = Literal["models", "recipes", "tasks", "augmentations", "metrics", "backends", "data"]
"""The tables that `sonde list` shows."""


def train(
    data: str | os.PathLike[str],
    *,
    backend: str | None = None,
    model: str | None = None,
    recipe: str | None = None,
    epochs: int | None = None,
    minutes: float | None = None,
    seed: int | None = None,
    seeds: int | None = None,
    folds: int | str | None = None,
    name: str | None = None,
    set: Sequence[str] = (),
) -> RunFolder:
    """Train a model on labelled data, evaluate it and write a report.

    Args:
        data: folder, file or built-in name of the data, or a run file (run.toml).
        backend: framework that trains: torch, tensorflow or jax.
        model: architecture (sonde list models).
        recipe: settings to start from (sonde list recipes).
        epochs: passes over the training examples; at most so many where there are minutes too.
        minutes: time for everything, from the start to the report; the training and its schedule end in time.
        seed: start of every random choice.
        seeds: train so many runs that differ in their seeds alone, and average their answers.
        folds: train so many runs, each tested on another fold of the data; "groups" leaves one group out at a time.
        name: name of the run's folder under runs/.
        set: any other option, as part.option=value.

    Returns:
        The folder of the run, with its model, scores and report.

    Raises:
        SondeError: data, options or backend do not allow it; the text says what to do.
    """
    from sonde import config, planning, stages, studies, terminal

    began = terminal.began()
    given = {"backend": backend, "model": model, "recipe": recipe, "epochs": epochs, "minutes": minutes}
    given |= {"seed": seed, "seeds": seeds, "folds": None if folds is None else str(folds), "name": name}
    said = config.from_words({f"run.{option}": value for option, value in given.items()}, flag="--{}")
    said = config.from_assignments(_each(set)).over(said)
    said, note = planning.merge(said, _path(data))
    if studies.is_study(said):
        return studies.train(said, began, note=note)
    plan = stages.plan(said)
    if note:
        terminal.say(note)
    terminal.what_was_decided(plan.settings, facts=planning.facts(plan))
    return stages.train(plan, began)


def resume(run: str | os.PathLike[str]) -> RunFolder:
    """Go on with a run that was stopped, from its last checkpoint, to the same bits.

    Of a budget of minutes, what the run had used up to that checkpoint counts, and the time between the two does not.

    Args:
        run: the run's folder, or its name under runs/.

    Returns:
        The folder of the run.

    Raises:
        SondeError: there is no such run, or nothing in it to go on from.
    """
    from sonde import config, stages, studies, terminal

    began = terminal.began()
    folder = config.open_run(run)
    return studies.go_on(folder, began) if studies.is_study(folder.settings()) else stages.go_on(folder, began=began)


def evaluate(run: str | os.PathLike[str], *, data: str | os.PathLike[str] | None = None) -> dict[str, Any]:
    """Score a trained run on its test split, or on other data, and write the report.

    Args:
        run: the run's folder, or its name under runs/.
        data: another data set with the same classes; the run's own test split when left out.

    Returns:
        The content of scores.json.

    Raises:
        SondeError: there is no trained model, or the data does not fit it.
    """
    from sonde import config, studies
    from sonde.evaluation.stage import evaluate

    folder = config.open_run(run)
    if data is None and studies.has_no_model(folder):
        folder = studies.sum_up(folder)
    else:
        folder = evaluate(folder, source=None if data is None else _path(data))
    return folder.read_json(folder.scores_file)


def predict(run: str | os.PathLike[str], files: Sequence[str | Path]) -> Sequence[dict[str, Any]]:
    """Answer for new files with a trained run.

    Args:
        run: the run's folder, or its name under runs/.
        files: files of the kind that the run was trained on.

    Returns:
        For each file its answer, the confidence, the next best answers, the set of answers that holds the truth as
        often as was wanted, and whether the model abstains; or the reason why it cannot be read.

    Raises:
        SondeError: there is no trained model.
    """
    from sonde import config
    from sonde.evaluation.stage import predict

    return predict(config.open_run(run), [_path(file) for file in _each(files)])


def explain(
    run: str | os.PathLike[str], files: Sequence[str | Path], *, method: str | None = None, label: str | None = None
) -> Sequence[dict[str, Any]]:
    """Show what in some files speaks for a trained run's answers, as pictures in the run's folder.

    Args:
        run: the run's folder, or its name under runs/.
        files: files of the kind that the run was trained on.
        method: grad-cam, integrated-gradients, occlusion or attention; all that go with what is read when left out.
        label: the class to explain; the answer when left out.

    Returns:
        For each example its answer, the picture, and what each method found or why it does not apply.

    Raises:
        SondeError: there is no trained model, or no such method or class.
    """
    from sonde import config
    from sonde.evaluation.explanations.of_files import explain

    paths = [Path(_path(file)) for file in _each(files)]
    return explain(config.open_run(run), paths, method=method, label=label)


def show(data: str | os.PathLike[str], *, set: Sequence[str] = ()) -> Path:
    """Write a contact sheet of a training batch as the model sees it, with labels.

    Args:
        data: folder, file or built-in name of the data.
        set: options, as part.option=value.

    Returns:
        The picture's path.

    Raises:
        SondeError: the data cannot be read.
    """
    from sonde import config, stages

    said = config.from_assignments(_each(set)).over(config.from_words({"run.data": _path(data)}))
    return stages.contact_sheet(said)


def init(
    data: str | os.PathLike[str],
    *,
    recipe: str | None = None,
    to: str | Path = "run.toml",
    schema: str | Path | None = None,
) -> Path:
    """Write a commented run file for some data, with every option and what was guessed.

    Args:
        data: folder, file or built-in name of the data.
        recipe: settings to start from (sonde list recipes).
        to: file to write; an existing one is never replaced.
        schema: also write a JSON Schema of run files there, for editors.

    Returns:
        The run file's path.

    Raises:
        SondeError: the data cannot be read, or the file exists.
    """
    from sonde import config, stages

    said = config.from_words({"run.data": _path(data)}).over(config.from_words({"run.recipe": recipe}, flag="--{}"))
    return stages.write_run_file(said, Path(to), None if schema is None else Path(schema))


def ensemble(
    runs: Sequence[str | os.PathLike[str]],
    *,
    weights: Literal["equal", "validation"] = "equal",
    name: str | None = None,
) -> RunFolder:
    """Average trained runs of one data set into a run that predicts, is scored and compared like any other.

    Args:
        runs: two or more run folders, or names under runs/; of any models and backends.
        weights: how much each counts: equal, or by how likely each found the truth on validation.
        name: name of the new run's folder under runs/.

    Returns:
        The folder of the new run, with copies of the models, scores and a report.

    Raises:
        SondeError: the runs were not trained on one data set with one split, or one has no model.
    """
    from sonde import config, ensembles

    return ensembles.make([config.open_run(run) for run in _each(runs)], weights=weights, name=name)


def compare(runs: Sequence[str | os.PathLike[str]]) -> Comparison:
    """Compare runs on the same test examples: scores, paired tests, and how their options differ.

    Args:
        runs: two or more run folders, or names under runs/.

    Returns:
        The comparison.

    Raises:
        SondeError: the runs were not scored on common examples.
    """
    from sonde import config
    from sonde.evaluation.compare import compare

    return compare([config.open_run(run) for run in _each(runs)])


def list(kind: Kind) -> Sequence[dict[str, str]]:
    """List what there is to choose from.

    Args:
        kind: models, recipes, tasks, augmentations, metrics, backends or data.

    Returns:
        A name and a sentence for each row of the table.

    Raises:
        SondeError: there is no such table.
    """
    from sonde import tables

    return tables.rows(kind)


def doctor() -> Sequence[dict[str, str]]:
    """Say what is installed, what is missing, and the command that installs it.

    Returns:
        For each part its state and, where it is missing, the cure.
    """
    from sonde import tables

    return tables.check_up()


def _path(data: Any) -> str:
    """Return a path or name as text; what is neither would be a bug far from here."""
    from sonde.errors import ConfigError

    if not isinstance(data, str | os.PathLike):
        raise ConfigError(f"{data!r} is no path: expected a folder, a file or a built-in name, such as 'digits'.")
    return str(os.fspath(data))


def _each(items: Any) -> tuple[Any, ...]:
    """Return the items of a sequence; a single one that stands for itself is one item, not its letters."""
    from sonde.errors import ConfigError

    if isinstance(items, str | os.PathLike):
        return (items,)
    if not isinstance(items, Iterable):
        raise ConfigError(f"{items!r} is not possible: expected a list, such as ['one', 'two'].")
    return tuple(items)


VERBS: dict[str, Callable[..., Any]] = {
    "train": train,
    "resume": resume,
    "evaluate": evaluate,
    "predict": predict,
    "explain": explain,
    "show": show,
    "init": init,
    "ensemble": ensemble,
    "compare": compare,
    "list": list,
    "doctor": doctor,
}
"""Every verb, in the order of the help."""
