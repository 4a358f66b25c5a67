"""What nobody gave is guessed: a table of guesses, in the order in which they follow from one another.

Each looks at what is known so far and gives settings with their reasons; they stand below all that was given, and below
the guesses before them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sonde import backend, data, training
from sonde.answers import TASKS, Task, inferred_task
from sonde.config import Options, Settings, free_name, guessed, recipe_follows, recipe_of_answer
from sonde.config.settings import Setting
from sonde.data import Dataset, Listing
from sonde.models import MODELS, options_of


@dataclass(frozen=True)
class Look:
    """What a guess may look at."""

    settings: Settings
    """What was given and what was guessed before."""
    listing: Listing
    dataset: Dataset | None = None
    """None before the data is opened."""

    @property
    def known(self) -> Dataset:
        """The opened data."""
        assert self.dataset is not None, "this guess comes after the data is opened"
        return self.dataset


def _checkpoint(look: Look) -> Settings:
    # What a checkpoint brings goes before what a look at the data suggests.
    return data.guess_from_checkpoint(look.settings, look.listing.modality)


def _modality(look: Look) -> Settings:
    return data.guess(look.listing)


def _task(look: Look) -> Settings:
    if "run.task" in look.settings:
        return Settings()
    return guessed("run.task", *inferred_task(look.listing))


def _model(look: Look) -> Settings:
    task = TASKS.get(look.settings.value("run.task"))
    if task is None:
        return Settings()  # It is refused with the other early mistakes.
    name = next(name for name, row in MODELS.items() if row.takes(task.modality, task.answer))
    return guessed("run.model", name, f"the default for {task.modality} data")


def _said(look: Look) -> Settings:
    """Return what the data says of its own answer, such as the names of classes in a file beside it."""
    task = TASKS.get(look.settings.value("run.task"))
    said = {} if task is None else look.listing.said
    known = {} if task is None else task.row.options.model_fields
    return Settings(
        {
            f"{task.answer}.{name}": Setting(value, "guessed", reason="the data says so")
            for name, value in said.items()
            if task is not None and name in known
        }
    )


def _recipe_of_answer(look: Look) -> Settings:
    task = TASKS.get(look.settings.value("run.task"))
    return Settings() if task is None else recipe_of_answer(look.settings, task.answer, task.row.options.model_fields)


def _backend(look: Look) -> Settings:
    installed = [name for name in backend.BACKENDS if backend.is_installed(name)]
    name = backend.in_use() or next(iter(installed), next(iter(backend.BACKENDS)))
    return guessed("run.backend", name, "the first one that is installed" if not backend.in_use() else "in use already")


def _suits(look: Look) -> Settings:
    """Return what goes well with the model; a rate is for an optimizer, and is left out where another one is given."""
    settings, name = look.settings, look.settings.value("run.model")
    if not isinstance(name, str) or name not in MODELS:
        return Settings()
    suits = dict(MODELS[name].suits)
    optimizer = suits.get("training.optimizer", "adamw")
    if settings.value("training.optimizer", optimizer) != optimizer:
        for key in ("training.learning_rate", "training.weight_decay"):
            suits.pop(key, None)
    return Settings({key: Setting(each, "guessed", reason=f"suits the model '{name}'") for key, each in suits.items()})


def _reading(look: Look) -> Settings:
    """Return what goes well with what is asked, of how it is read."""
    task = TASKS.get(look.settings.value("run.task"))
    if task is None:
        return Settings()
    return _suiting(task, task.modality, data.MODALITIES[task.modality].options)


def _body(look: Look) -> Settings:
    """Return what goes well with what is asked, of the model; its options are known once a backend is in use."""
    return _suiting(TASKS[look.settings.value("run.task")], "model", options_of(look.settings.value("run.model")))


def _suiting(task: Task, part: str, options: type[Options]) -> Settings:
    suits = {key: each for key, each in task.row.suits.items() if key.startswith(f"{part}.")}
    return Settings(
        {
            key: Setting(value, "guessed", reason=reason)
            for key, (value, reason) in suits.items()
            if key.partition(".")[2] in options.model_fields
        }
    )


def _name(look: Look) -> Settings:
    return guessed("run.name", free_name(look.listing.name), "the first that is free")


def _training(look: Look) -> Settings:
    return training.guess(look.settings, examples=len(look.known.train))


def _recipe(look: Look) -> Settings:
    return recipe_follows(look.settings)


def _answer(look: Look) -> Settings:
    return TASKS[look.settings.value("run.task")].row.guess(look.settings, look.known.train.truth)


def _length(look: Look) -> Settings:
    """Return the longest length of series that differ in it, for a model that asks for it."""
    spec = look.known.spec
    longest = getattr(spec, "longest", 0)
    if not longest or None not in spec.shape:
        return Settings()
    if "length" not in options_of(look.settings.value("run.model")).model_fields:
        return Settings()
    return guessed("model.length", int(longest), "the longest training series")


def threads(settings: Settings) -> Settings:
    """Guess the threads: the cores that the process may use."""
    reason = "the cores that this process may use"
    if settings.value("run.backend") == "jax":
        reason += "; JAX takes them all, whatever is given here"
    return guessed("training.threads", backend.cores(), reason)


Guess = Callable[[Look], Settings]

BY_LISTING: tuple[Guess, ...] = (
    _checkpoint,
    _modality,
    _task,
    _recipe_of_answer,
    _said,
    _model,
    _backend,
    _suits,
    _reading,
    _name,
)
"""What follows from a look at the files, before anything is opened."""

BY_DATA: tuple[Guess, ...] = (_answer, _body, _training, _recipe, _length)
"""What follows from the opened data."""


def guess_all(look: Look, guesses: tuple[Guess, ...]) -> Settings:
    """Return the settings with some guesses below them, each knowing those before it."""
    settings = look.settings
    for each in guesses:
        settings = settings.over(each(Look(settings, look.listing, look.dataset)))
    return settings
