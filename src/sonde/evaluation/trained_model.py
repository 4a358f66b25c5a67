"""Opens what a run left behind: its trained model on a backend, and the data that it began with."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import Field

from sonde import backend, data
from sonde.answers import TASKS, Answer, Kept, answer_of, task_of
from sonde.backend.streaming import at_once, batches_of, gathered, predictions
from sonde.config import Options, Run, RunFolder, Settings, fill
from sonde.data import Asked, Column, Dataset, Examples, InputSpec, Stored
from sonde.errors import ModelError, RunError, shortened
from sonde.evaluation.ensemble import AsTheyAre, Averaged, Part


class Threads(Options):
    """The one option of the training that matters to a model that is trained."""

    threads: Annotated[int, Field(ge=1, le=4096)] = 1
    """Processor cores to use."""


@dataclass(frozen=True)
class TrainedModel:
    """A trained model on a backend, with what turns files into its inputs and its outputs into predictions."""

    engine: Any
    """A `backend.Predicts`."""
    description: Any
    """A `models.model_folder.Description`."""
    spec: Any
    """A `data.InputSpec`."""
    target: Any
    """A `data.Target`."""
    fitted: Any
    """What was fitted on validation; see `Answer.fit`."""
    parts: tuple[Part, ...] = ()
    """The members of an ensemble."""
    model: Any = None
    """The Keras model, for explanations; None where several models answer together."""
    module: ModuleType | None = None
    """The backend's module."""

    @property
    def row(self) -> Answer:
        """The row of what it was asked."""
        return answer_of(self.description.task)

    @property
    def modality(self) -> str:
        """What it reads."""
        return TASKS[self.description.task].modality

    def inputs(self, examples: Examples) -> Stored:
        """Return what is predicted from; an ensemble's members encode the raw examples, each in its own way."""
        return examples.raw if self.parts else examples.inputs

    def keep(self, inputs: Stored, truth: Column | None = None, *, batch_size: int = 256) -> Kept:
        """Predict examples batch by batch, and return what is kept of each, in their order.

        Args:
            truth: theirs, encoded, where it is known.
            batch_size: examples at a time; changes the time, not what is predicted.
        """
        row, target = self.row, self.target
        batch_size = at_once(batch_size, row.numbers(target, self.spec.shape))
        found = predictions(self.engine, batches_of(inputs, self.spec.prepare, batch_size=batch_size))

        def keep(rows: Any, outputs: Any) -> Kept:
            kept = row.keep(target, outputs, None if truth is None else truth[rows])
            for read in (inputs, truth):
                data.let_go(read)
            return kept

        return gathered(found, keep, data.join)


def open_model(folder: RunFolder) -> TrainedModel:
    """Rebuild a run's trained model on the backend of this process, or on the run's own.

    Args:
        folder: a run; its weights may come from another backend.

    Raises:
        ModelError: the model is missing, damaged or not to be trusted.
    """
    settings = folder.settings()
    if settings.value("run.folds", "") not in ("", "0"):
        raise RunError(
            f"'{folder.name}' sums up a cross-validation and has no model of its own. Take one of its runs "
            f"({folder.path}-fold1), or train one model: sonde train {folder.settings_file} --folds 0 --name NEW"
        )
    module = start_backend(settings)
    description = read_description(folder)

    from sonde.models.model_folder import ENSEMBLE

    return _open_ensemble(folder.model, module) if description.model == ENSEMBLE else open_single(folder.model, module)


def read_description(folder: RunFolder) -> Any:
    """Read what is said of a run's model, and hold its task against what it reads and answers, and the run's own.

    Args:
        folder: a run whose model is trained; neither is trusted.

    Returns:
        A `models.model_folder.Description`.

    Raises:
        ModelError: it is missing, damaged or changed, or its task is not known or is another model's.
    """
    from sonde.models import model_folder

    description = _of_its_task(model_folder.read_description(folder.model), folder.model)
    task = folder.settings().value("run.task")
    if description.task != task:
        raise ModelError(
            f"{folder.model / 'model.json'} is of the task '{description.task}', and {folder.settings_file} of "
            f"'{shortened(str(task))}'. Put back the one that was changed, or train anew: sonde train DATA --name NEW"
        )
    return description


def _of_its_task(description: Any, path: Path) -> Any:
    file, task = path / "model.json", shortened(description.task)
    if description.task not in TASKS:
        raise ModelError(
            f"{file} names the task '{task}', which sonde does not know ({', '.join(TASKS)}); the folder is refused."
        )
    row, reads = TASKS[description.task], description.input.get("kind")
    if (row.modality, row.answer) != (reads, description.answer):
        raise ModelError(
            f"{file} names the task '{task}', which reads {row.modality} and answers with {row.answer}, for a model "
            f"that reads {shortened(str(reads))} and answers with {shortened(description.answer)}; the folder is "
            "refused."
        )
    return description


def open_single(path: Path, module: ModuleType) -> TrainedModel:
    """Rebuild one trained model from its folder.

    Args:
        path: a model folder; it is not trusted.

    Raises:
        ModelError: the model is missing, damaged or not to be trusted.
    """
    from sonde.models import model_folder

    return _put_on(module, *model_folder.load(path), path)


def _open_ensemble(path: Path, module: ModuleType) -> TrainedModel:
    from sonde.models import ensemble_folder

    members, description = ensemble_folder.load(path)
    parts = []
    for number, member in enumerate(members, 1):
        opened = _put_on(module, member.model, member.description, path / str(number))
        parts.append(Part(opened.engine, opened.spec, opened.fitted, opened.description, member.weight))
    return averaged(parts, description)


def averaged(parts: Sequence[Part], description: Any) -> TrainedModel:
    """Make one model of several.

    Args:
        parts: the members, with their weights.
        description: of the whole; a `models.model_folder.Description`.
    """
    row = answer_of(description.task)
    target = row.target_from(description.target)
    fitted = row.fitted_from(description.fitted, target)
    return TrainedModel(Averaged(parts, row), description, AsTheyAre(parts[0].spec), target, fitted, tuple(parts))


def _put_on(module: ModuleType, model: Any, description: Any, path: Path) -> TrainedModel:
    """Build the engine of a model, and hold its task, its spec and its target against what it reads and gives."""
    from sonde.models.predicting import predicting_engine
    from sonde.models.reads import Reads

    row = answer_of(_of_its_task(description, path).task)
    spec = data.spec_from(description.input)
    if Reads(spec.shape, spec.dtype, spec.cardinalities, spec.presence) != description.reads.value:
        raise ModelError(
            f"{path} prepares inputs of shape {spec.shape} ({spec.dtype}) for a model that reads "
            f"{description.reads.shape} ({description.reads.dtype}), or other codes than it knows; "
            "the folder is refused."
        )
    try:
        target = row.target_from(description.target)
        fitted = row.fitted_from(description.fitted, target)
        outputs = row.outputs(target)
    except ModelError as error:
        raise ModelError(f"{path} is not a whole sonde model. {error} The folder is refused.") from None
    if outputs != description.outputs:
        raise ModelError(
            f"{path} has a target of {outputs:,} outputs and a model of {description.outputs:,}; the folder is refused."
        )
    engine = predicting_engine(module, model, description.answer, views=description.views)
    return TrainedModel(engine, description, spec, target, fitted, model=model, module=module)


def start_backend(settings: Settings) -> ModuleType:
    """Start what predicts: the backend of this process, or the run's own.

    Args:
        settings: the run's options.
    """
    run, asked = fill(Run, "run", settings), settings.part("training")
    threads = fill(Threads, "training", Settings({"training.threads": asked["threads"]} if "threads" in asked else {}))
    module = backend.use(_backend_for(run.backend))
    module.start(threads=threads.threads)
    return module


def _backend_for(own: str) -> str:
    """Choose what predicts: this process's backend, else $KERAS_BACKEND, else the run's own, else any that is there."""
    asked = os.environ.get("KERAS_BACKEND", "")
    if backend.in_use() or asked in backend.BACKENDS:
        return backend.in_use() or asked
    return next((name for name in (own, *backend.BACKENDS) if backend.is_installed(name)), own)


def own_dataset(folder: RunFolder) -> Dataset:
    """Open the data that a run began with.

    Args:
        folder: the run.

    Raises:
        RunError: the data has changed since; the scores would be of another data set.
        DataError: it is gone or not recognised.
    """
    settings = folder.settings()
    source = str(settings.value("run.data"))
    # A run that is opened from elsewhere finds its data beside its `runs` folder, where it was started.
    beside = folder.path.resolve().parent.parent / source
    if source not in data.BUILTIN and not os.path.exists(source) and os.path.exists(beside):
        source = str(beside)
    dataset = open_dataset(settings, source, _spec_of(folder, settings))
    began_with = folder.fingerprint()
    if dataset.fingerprint != began_with:
        raise RunError(
            f"The data {source} has changed since the run '{folder.name}' began (its fingerprint is "
            f"{dataset.fingerprint[:12]} instead of {began_with[:12]}); going on would mix two data sets. "
            f"Put the data back, or train anew: sonde train {folder.settings_file} --name NEW"
        )
    return dataset


def _spec_of(folder: RunFolder, settings: Settings) -> InputSpec | None:
    """Return the spec of a run's model that began with weights of others, which may be gone or others by now."""
    description = folder.model / "model.json"
    if not weights_of(settings) or not description.is_file():
        return None
    return data.spec_from(folder.read_json(description).get("input", {}))


def open_dataset(settings: Settings, source: str, spec: InputSpec | None = None) -> Dataset:
    """Open a data set with a run's data options.

    Args:
        settings: the run's options.
        source: path or built-in name.
        spec: of the run's model, where that is not to be learned anew.

    Raises:
        DataError: it is gone, changed beyond use, or not recognised.
    """
    options = fill(data.Options, "data", settings)
    task = task_of(settings)
    listing = data.survey(source, options, task.modality)
    return data.load(
        listing, options, own_options(settings), asked_of(task.row), spec=spec, weights=weights_of(settings)
    )


def asked_of(row: Answer) -> Asked:
    """Return what opening a data set needs to know of an answer."""
    return Asked(row.strata, row.learned, row.store)


def answer_options(settings: Settings) -> Options:
    """Return a run's options of what it is asked, such as its label smoothing."""
    task = task_of(settings)
    return fill(task.row.options, task.answer, settings)


def weights_of(settings: Settings) -> str:
    """Return the weights that others have trained and a run's model begins with, or an empty text."""
    return str(settings.value("model.weights", ""))


def own_options(settings: Settings) -> Options:
    """Return a run's options of what it reads, such as the size of images.

    Args:
        settings: every option of the run.
    """
    modality = task_of(settings).modality
    return fill(data.MODALITIES[modality].options, modality, settings)
