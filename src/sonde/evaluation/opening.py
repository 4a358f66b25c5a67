"""Opens what a run left behind: its trained model on a backend, and the data that it began with."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonde import backend, data
from sonde.config import Run, RunFolder, Settings, fill
from sonde.data import Dataset
from sonde.errors import ModelError, RunError


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
    module = backend.use(_backend_for(run.backend))
    module.start(threads=int(settings.value("training.threads", 1)))

    from sonde.models import folder as model_folder
    from sonde.models.predicting import predicting_engine

    model, description = model_folder.load(folder.model)
    spec = data.spec_from(description.input)
    if spec.shape != description.input_shape:
        raise ModelError(
            f"{folder.model} prepares inputs of shape {spec.shape} for a model that reads {description.input_shape}; "
            "the folder is refused."
        )
    engine = predicting_engine(module, model, description.answer, views=description.views)
    return TrainedModel(engine, description, spec)


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
    if source not in data.BUILTIN and not Path(source).exists() and beside.exists():
        source = str(beside)
    dataset = open_dataset(settings, source)
    began_with = folder.fingerprint()
    if dataset.fingerprint != began_with:
        raise RunError(
            f"The data {source} has changed since the run '{folder.name}' began (its fingerprint is "
            f"{dataset.fingerprint[:12]} instead of {began_with[:12]}); going on would mix two data sets. "
            f"Put the data back, or train anew: sonde train {folder.settings_file} --name NEW"
        )
    return dataset


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
