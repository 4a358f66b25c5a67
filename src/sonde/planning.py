"""From what was said to a whole plan: every option resolved, each with where it came from, and the data opened.

plan = make_plan(said)        # reads the data, guesses, fills in defaults, refuses what is not possible
plan.settings                 # goes into run.toml
"""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from sonde import backend, data, evaluation, tasks, training
from sonde.backend.trials import remembered
from sonde.config import (
    READ,
    RUNS,
    Run,
    Settings,
    check_room,
    describe,
    fill,
    free_name,
    from_words,
    guessed,
    is_run_file,
    read_settings,
    recipe,
    with_defaults,
)
from sonde.config import Options as OptionSet
from sonde.config.settings import Setting
from sonde.data import Dataset, Listing
from sonde.errors import BackendError, ConfigError, DataError, unknown_name
from sonde.evaluation import goals
from sonde.models import MODELS, options_of

MOST_NAMED = 12
"""Classes that are named on the terminal."""
BOUNDS: dict[str, tuple[str, ...]] = {
    "run.minutes": ("run.epochs", "training.steps"),
    "training.steps": ("run.epochs", "run.minutes"),
    "run.epochs": ("training.steps",),
}
"""What bounds a training, said on the command line, and what a run file's other bounds are then set aside for it.

In one place all of them hold, and the first to be reached ends the training; so do a file's minutes and the epochs
that are said beside it.
"""
MOST_NOTES = 4
"""Notes on the data that are shown on the terminal; the report has all."""


@dataclass(frozen=True)
class Plan:
    """A run before it starts."""

    settings: Settings
    """Every option, with its origin and, for guesses, the reason."""
    listing: Listing
    dataset: Dataset
    warnings: tuple[str, ...]
    """What the data carries badly, in sentences."""


def survey(said: Settings) -> tuple[Settings, Listing]:
    """Look at the data and guess what follows from a look.

    Args:
        said: the options that were given.

    Returns:
        The options with the guesses below them, and the listing.

    Raises:
        SondeError: the data is not there or not recognised, or an option is not possible.
    """
    said = said.over(recipe(said))
    source = said.value("run.data")
    if source is not None and not isinstance(source, str):
        raise ConfigError(f"{_at(said['run.data'])}run.data = {source!r} is not possible: expected text.")
    if not source:
        raise ConfigError('The run file names no data; add it under [run], such as data = "flowers".')
    # The size and channels are not needed for a look, and are guessed from it.
    try:
        listing = data.survey(source, fill(data.Options, "data", said), _modality_said(said))
    except DataError as error:
        at = _at(said["run.data"]) if said["run.data"].origin == "file" else ""
        raise DataError(f"{at}{error}") from error
    task, why = tasks.guess_task(listing)
    # What a checkpoint brings goes before what a look at the data suggests.
    said = said.over(data.guess_from_checkpoint(said, listing.modality))
    settings = said.over(data.guess(listing)).over(guessed("run.task", task, why))
    _check_name("task", settings, tasks.TASKS)
    settings = settings.over(_guess_model(listing, settings)).over(_guess_backend(settings))
    settings = settings.over(_suits(settings))
    return settings.over(guessed("run.name", free_name(listing.name), "the first that is free")), listing


def make_plan(said: Settings, surveyed: tuple[Settings, Listing] | None = None) -> Plan:
    """Resolve every option and open the data.

    Args:
        said: the options that were given, on the command line and in a run file.
        surveyed: what `survey` gave for them, where it was called already.

    Raises:
        SondeError: data, options or backend do not allow the run; nothing was written.
    """
    settings, listing = surveyed or survey(said)
    _check_early(settings)
    own = fill(data.MODALITIES[listing.modality].options, listing.modality, settings)
    dataset = data.load(listing, fill(data.Options, "data", settings), own)
    warnings = tasks.answer(settings.value("run.task")).check(dataset)
    settings = settings.over(training.guess(settings, examples=len(dataset.train))).over(_guess_views(settings))
    settings = settings.over(goals.guess(settings, dataset.train.answers)).over(_guess_length(settings, dataset))
    settings = complete(training.longest(settings).over(settings))
    goals.check(settings, classes_of(dataset, settings))
    training.check_parts(settings, examples=len(dataset.train))
    return Plan(settings, listing, dataset, warnings)


def complete(settings: Settings) -> Settings:
    """Settle precision and threads, fill in the defaults of every part, and check them all.

    Args:
        settings: with all guesses that the data decides.

    Raises:
        SondeError: an option is unknown or not possible, or the backend is not installed.
    """
    settings = _with_precision(settings.over(_guess_threads(settings)))
    for part, options in parts(settings).items():
        settings = with_defaults(fill(options, part, settings), part, settings)
    data.fill_augment(settings, modality_of(settings))
    return _in_order(settings)


def parts(settings: Settings) -> dict[str, type[OptionSet]]:
    """Return the options class of each part of a run; [augment] is a table of its own.

    Args:
        settings: decides the model, whose options these are.
    """
    modality = modality_of(settings)
    return {
        "run": Run,
        "data": data.Options,
        modality: data.MODALITIES[modality].options,
        "model": options_of(settings.value("run.model")),
        "training": training.Options,
        "evaluation": evaluation.Options,
    }


def modality_of(settings: Settings) -> str:
    """Return what is read: the modality of the run's task."""
    return tasks.TASKS[settings.value("run.task")].modality


def _modality_said(said: Settings) -> str:
    """Return the modality of the task that a person named, or an empty text."""
    task = said.value("run.task")
    return tasks.TASKS[task].modality if isinstance(task, str) and task in tasks.TASKS else ""


def _check_early(settings: Settings) -> None:
    """Find mistakes before minutes are spent on decoding: in the backend, the model and every option."""
    trial = settings.over(training.guess(settings, examples=1000)).over(_guess_threads(settings))
    threads = fill(training.Options, "training", trial).threads
    chosen = settings["run.backend"]
    try:
        # Those of the run, since the trial of bf16 is to say what is faster on them.
        backend.use(str(chosen.value)).start(threads=threads)
    except BackendError as error:
        raise BackendError(f"{_at(chosen)}{error}") from error
    _check_name("model", settings, MODELS)
    _refuse_other_tables(settings)
    model = settings["run.model"]
    reads = modality_of(settings)
    if reads not in MODELS[model.value].reads:
        raise ConfigError(f"{_at(model)}The model '{model.value}' does not read {reads} data (sonde list models).")
    _check_pretrained(settings)
    for part, options in parts(settings).items():
        fill(options, part, trial)
    data.fill_augment(settings, modality_of(settings))
    check_room(settings.value("run.name"))


def _refuse_other_tables(settings: Settings) -> None:
    own = modality_of(settings)
    for part in READ:
        for name, setting in settings.part(part).items():
            if part != own:
                raise ConfigError(
                    f"{_at(setting)}{part}.{name} is an option of {part} data, and {settings.value('run.data')} is "
                    f"{own} data. Leave it out, or name the task: --set run.task={part}-label."
                )


def _check_pretrained(settings: Settings) -> None:
    """Refuse a checkpoint without the model that it is for, and that model without one."""
    model, checkpoint = settings["run.model"], settings.value("text.checkpoint")
    if checkpoint and model.value != "pretrained":
        raise ConfigError(
            f"{_at(model)}text.checkpoint is for the model 'pretrained'; leave out --model={model.value}."
        )
    if model.value == "pretrained" and not checkpoint:
        raise ConfigError(f"{_at(model)}The model 'pretrained' begins with a checkpoint: --set text.checkpoint=FOLDER.")


def _check_name(kind: str, settings: Settings, table: Any) -> None:
    setting = settings[f"run.{kind}"]
    if not isinstance(setting.value, str):
        raise ConfigError(
            f"{_at(setting)}run.{kind} = {setting.value!r} is not possible: expected one of {', '.join(table)}."
        )
    if setting.value not in table:
        raise ConfigError(_at(setting) + unknown_name(kind, setting.value, table, f"sonde list {kind}s"))


def _at(setting: Setting) -> str:
    return f"{setting.place}: " if setting.place else ""


def _guess_model(listing: Listing, settings: Settings) -> Settings:
    task = tasks.TASKS[settings.value("run.task")]
    name = next(name for name, row in MODELS.items() if task.modality in row.reads)
    return guessed("run.model", name, f"the default for {task.modality} data")


def _suits(settings: Settings) -> Settings:
    """Return what goes well with the model; a rate is for an optimizer, and is left out where another one is said."""
    name = settings.value("run.model")
    if not isinstance(name, str) or name not in MODELS:
        return Settings()  # It is refused with the other early mistakes.
    suits = dict(MODELS[name].suits)
    optimizer = suits.get("training.optimizer", "adamw")
    if settings.value("training.optimizer", optimizer) != optimizer:
        for key in ("training.learning_rate", "training.weight_decay"):
            suits.pop(key, None)
    return Settings({key: Setting(each, "guessed", reason=f"suits the model '{name}'") for key, each in suits.items()})


def _guess_length(settings: Settings, dataset: Dataset) -> Settings:
    """Return the longest length of series that differ in it, for a model that asks for it."""
    longest = getattr(dataset.spec, "longest", 0)
    if not longest or None not in dataset.spec.shape:
        return Settings()
    if "length" not in options_of(settings.value("run.model")).model_fields:
        return Settings()
    return guessed("model.length", int(longest), "the longest training series")


def _guess_views(settings: Settings) -> Settings:
    if settings.value("run.recipe") != "fast" or settings.value("run.model") != "fast":
        return Settings()
    flips = settings.value("augment.flip", 0.0)
    views, why = (
        ("flip", "mirror images are trained on too") if flips else ("shift", "mirror images are not trained on")
    )
    return guessed("evaluation.views", views, f"the recipe 'fast'; {why}")


def _guess_backend(settings: Settings) -> Settings:
    installed = [name for name in backend.BACKENDS if backend.is_installed(name)]
    name = backend.in_use() or next(iter(installed), next(iter(backend.BACKENDS)))
    return guessed("run.backend", name, "the first one that is installed" if not backend.in_use() else "in use already")


def _guess_threads(settings: Settings) -> Settings:
    reason = "the cores that this process may use"
    if settings.value("run.backend") == "jax":
        reason += "; JAX takes them all, whatever is said here"
    return guessed("training.threads", backend.cores(), reason)


def _with_precision(settings: Settings) -> Settings:
    if settings.value("training.precision", "auto") != "auto":
        return settings
    name, work = settings.value("run.backend"), MODELS[settings.value("run.model")].work
    module, package = backend.use(name), backend.BACKENDS[name].package
    threads = settings.value("training.threads")
    chosen = remembered(lambda: module.choose_precision(work=work), package, threads=threads, work=work)
    return Settings({**settings, "training.precision": Setting(chosen.value, "guessed", reason=chosen.reason)})


def _in_order(settings: Settings) -> Settings:
    """Put the options of each part in the order in which they are declared."""
    ordered: dict[str, Setting] = {}
    for part, options in parts(settings).items():
        ordered.update({f"{part}.{name}": settings[f"{part}.{name}"] for name in options.model_fields})
    ordered.update({key: setting for key, setting in settings.items() if key not in ordered})
    return Settings(ordered)


def merge(said: Settings, source: str) -> tuple[Settings, str]:
    """Put the command line over what it names: a run file, or data.

    Args:
        said: the command line's options.
        source: path of a run file, path of data, or a built-in name.

    Returns:
        The options of both, and a sentence on what was set aside, or an empty one.

    Raises:
        ConfigError: the run file cannot be read.
    """
    if not is_run_file(source):
        return said.over(from_words({"run.data": source})), ""
    file = _with_data_beside(read_settings(Path(source)), Path(source).parent)
    if file.value("run.model") == "ensemble" and "run.model" not in said:
        raise ConfigError(
            f"{source} is of an ensemble, which is not trained: average runs with sonde ensemble RUN RUN, or train a "
            "model on its data with --model=NAME."
        )
    file = _with_free_name(file, Path(source))
    notes = []
    named = recipe(said)
    before, now = file.value("run.model"), said.value("run.model", named.value("run.model"))
    if now is not None and now != before and file.part("model"):
        file = _without(file, [f"model.{name}" for name in file.part("model")])
        notes.append(f"The [model] options of {source} are for '{before}' and are set aside for '{now}'.")
    if aside := data.brought(file, said):
        file = _without(file, aside)
        notes.append(f"What the checkpoint of {source} brought is set aside: {', '.join(aside)}.")
    aside = [key for key in _bounds_aside(said) if key in file and key not in said]
    if aside:
        words = " and ".join(f"{key} = {file.value(key)}" for key in aside)
        file = _without(file, aside)
        notes.append(f"What {source} says of the length ({words}) is set aside for what is said now.")
    # The views follow from the recipe too; the file of a run holds those of its own.
    aside = [key for key in (*named, *(["evaluation.views"] if named else [])) if key in file and key not in said]
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
    """Find data and checkpoints that are written as paths from the run file's own folder, and not from here."""
    for key in ("run.data", "text.checkpoint", "text.vectors"):
        path = file.value(key)
        named = isinstance(path, str) and path and path not in data.BUILTIN
        if named and not os.path.exists(path) and os.path.exists(folder / path):
            file = Settings({**file, key: replace(file[key], value=str(folder / path))})
    return file


def facts(plan: Plan) -> dict[str, str]:
    """Return what was seen in the data, in words, to stand above the guesses.

    Args:
        plan: the run.
    """
    dataset = plan.dataset
    classes = classes_of(dataset, plan.settings)
    names = ", ".join(classes[:MOST_NAMED]) + (", ..." if len(classes) > MOST_NAMED else "")
    sides = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    seen = {
        "data": f"{dataset.name} ({plan.listing.format}: {plan.listing.reason})",
        "classes": f"{len(classes)}: {names}",
        "splits": ", ".join(f"{name} {len(each):,} ({dataset.split_origin[name]})" for name, each in sides.items()),
    }
    findings = dataset.findings
    if findings.bad_files:
        name, reason = findings.bad_files[0]
        more = f", and {len(findings.bad_files) - 1} more in the report" if len(findings.bad_files) > 1 else ""
        seen["left out"] = f"{name}: {reason}{more}"
    if findings.duplicates:
        seen["copies"] = f"{findings.duplicates:,} exact duplicates"
    if findings.leak_count:
        seen["leakage"] = f"{findings.leak_count:,} test or validation examples have an exact copy in another split"
    notes = list(dict.fromkeys([*plan.warnings, *findings.notes]))
    if notes:
        more = f" And {len(notes) - MOST_NOTES} more in the report." if len(notes) > MOST_NOTES else ""
        seen["mind"] = " ".join(_as_sentence(note) for note in notes[:MOST_NOTES]) + more
    if given := _given(plan.settings):
        seen["given"] = given
    return seen


def _as_sentence(note: str) -> str:
    return note[:1].upper() + note[1:] + ("" if note.endswith((".", "!", "?")) else ".")


def _given(settings: Settings) -> str:
    """Name what every run is told by, where it was not guessed: the guesses stand in a table of their own."""
    words = []
    for key in ("run.task", "run.model", "image.size", "training.precision"):
        setting = settings.get(key)
        if setting is not None and setting.origin != "guessed":
            value = "x".join(map(str, setting.value)) if isinstance(setting.value, list | tuple) else setting.value
            name = key.removeprefix("run.").removeprefix("training.").replace(".", " ")
            words.append(f"{name} {value} ({setting.origin})")
    return ", ".join(words)


def answer_module(settings: Settings) -> ModuleType:
    """Return the module of `tasks` that is for what is asked."""
    return tasks.answer(settings.value("run.task"))


def answer_of(settings: Settings) -> str:
    """Return what is asked: the answer of the run's task."""
    return tasks.TASKS[settings.value("run.task")].answer


def classes_of(dataset: Dataset, settings: Settings) -> tuple[str, ...]:
    """Return the classes or labels of a data set, in the order of their numbers.

    Args:
        dataset: the run's data.
        settings: name the task.
    """
    return tuple(tasks.answer(settings.value("run.task")).learn_classes(dataset.train.answers))


def sentences(settings: Settings) -> dict[str, str]:
    """Return the help of every option of a run by "part.option", with its range.

    Args:
        settings: decides the model, whose options are among them.
    """
    out = {f"augment.{name}": row.doc for name, row in data.AUGMENTATIONS[modality_of(settings)].items()}
    for part, options in parts(settings).items():
        out.update({f"{part}.{name}": sentence for name, sentence in describe(options).items()})
    return out


def schema(settings: Settings) -> dict[str, Any]:
    """Return a JSON Schema of run files, for editors.

    Args:
        settings: decides the model, whose options are in it.
    """
    tables = {part: options.model_json_schema() for part, options in parts(settings).items()}
    for table in tables.values():
        table.pop("required", None)
    numbers = {
        name: {"type": "number", "minimum": row.low, "maximum": row.high, "description": row.doc}
        for name, row in data.AUGMENTATIONS[modality_of(settings)].items()
    }
    tables["augment"] = {"type": "object", "properties": numbers, "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sonde run file",
        "type": "object",
        "properties": tables,
        "additionalProperties": False,
    }
