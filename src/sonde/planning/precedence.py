"""Puts the command line over what it names: a run file, or data; what does not go together is set aside, and said."""

import os
import re
from dataclasses import replace
from pathlib import Path

from sonde import data
from sonde.answers import ANSWERS
from sonde.config import (
    RECIPES,
    RUNS,
    Settings,
    free_name,
    from_words,
    guessed,
    is_run_file,
    read_settings,
    recipe,
)
from sonde.errors import ConfigError
from sonde.models.architectures import ENSEMBLE

BOUNDS: dict[str, tuple[str, ...]] = {
    "run.minutes": ("run.epochs", "training.steps"),
    "training.steps": ("run.epochs", "run.minutes"),
    "run.epochs": ("training.steps",),
}
"""What bounds a training, given on the command line, and what a run file's other bounds are then set aside for it.

In one place all of them hold, and the first to be reached ends the training; so do a file's minutes and the epochs
that are given beside it.
"""
PATHS = ("run.data", "model.weights", "text.vectors")
"""Options that may be paths from the run file's own folder."""


def merge(said: Settings, source: str) -> tuple[Settings, str]:
    """Put the command line over what it names: a run file, or data.

    Args:
        source: path of a run file, path of data, or a built-in name.

    Returns:
        The options of both, and a sentence on what was set aside, or an empty one.

    Raises:
        ConfigError: the run file cannot be read.
    """
    if not is_run_file(source):
        return said.over(from_words({"run.data": source})), ""
    file = _with_data_beside(read_settings(Path(source)), Path(source).parent)
    if file.value("run.model") == ENSEMBLE and "run.model" not in said:
        raise ConfigError(
            f"{source} is of an ensemble, which is not trained: average runs with sonde ensemble RUN RUN, or train a "
            "model on its data with --model=NAME."
        )
    file = _with_free_name(file, Path(source))
    notes = []
    named = recipe(said)
    if aside := data.brought(file, said):
        file = _without(file, aside)
        notes.append(f"What the weights of {source} brought is set aside: {', '.join(aside)}.")
    before, now = file.value("run.model"), said.value("run.model", named.value("run.model"))
    if now is not None and now != before and file.part("model"):
        file = _without(file, [f"model.{name}" for name in file.part("model")])
        notes.append(f"The [model] options of {source} are for '{before}' and are set aside for '{now}'.")
    aside = [key for key in _bounds_aside(said) if key in file and key not in said]
    if aside:
        words = " and ".join(f"{key} = {file.value(key)}" for key in aside)
        file = _without(file, aside)
        notes.append(f"What {source} says of the length ({words}) is set aside for what is said now.")
    aside = [key for key in (*named, *_following(said)) if key in file and key not in said]
    if aside:
        file = _without(file, aside)
        notes.append(f"The options of {source} that the recipe '{said.value('run.recipe')}' sets are set aside for it.")
    notes += _against_its_recipe(file, said, source)
    before, now = file.value("training.optimizer", "adamw"), said.value("training.optimizer")
    aside = [key for key in ("training.learning_rate", "training.weight_decay") if key in file and key not in said]
    if now is not None and now != before and aside:
        file = _without(file, aside)
        what = " and ".join(key.removeprefix("training.").replace("_", " ") for key in aside)
        verb = "are" if len(aside) > 1 else "is"
        notes.append(f"The {what} of {source} {verb} for '{before}' and {verb} set aside for '{now}'.")
    return said.over(file), " ".join(notes)


def _following(said: Settings) -> list[str]:
    """Return the options that follow from a recipe once the task is known; the file of a run holds its own."""
    row = RECIPES.get(said.value("run.recipe", ""))
    asked = [f"{answer}.{name}" for answer in ANSWERS for name in (row.answer if row else ())]
    return [*asked, "evaluation.views"] if row else []


def _against_its_recipe(file: Settings, said: Settings, source: str) -> list[str]:
    """Say where a file sets otherwise what the recipe that it names would set: the recipe then does nothing there."""
    if "run.recipe" in said:
        return []
    against = [
        key for key, each in recipe(file).items() if key not in said and file.value(key, each.value) != each.value
    ]
    if not against:
        return []
    return [
        f"{source} names the recipe '{file.value('run.recipe')}' and sets otherwise itself: {', '.join(against)}. "
        "Remove those lines to have them from the recipe."
    ]


def _bounds_aside(said: Settings) -> tuple[str, ...]:
    return next((others for key, others in BOUNDS.items() if said.value(key)), ())


def _without(settings: Settings, keys: list[str]) -> Settings:
    return Settings({key: setting for key, setting in settings.items() if key not in keys})


def _with_free_name(file: Settings, path: Path) -> Settings:
    """Take another name where the file is that of a run which is here, since a run's own file holds its name."""
    name = file.value("run.name")
    if not isinstance(name, str) or path.resolve().parent.name != name or not (RUNS / name).exists():
        return file
    return guessed("run.name", free_name(re.sub(r"-\d+$", "", name)), f"{name} exists").over(
        _without(file, ["run.name"])
    )


def _with_data_beside(file: Settings, folder: Path) -> Settings:
    """Find data and weights that are written as paths from the run file's own folder, and not from here."""
    for key in PATHS:
        path = file.value(key)
        named = isinstance(path, str) and path and path not in data.BUILTIN
        if named and not os.path.exists(path) and os.path.exists(folder / path):
            file = Settings({**file, key: replace(file[key], value=str(folder / path))})
    return file
