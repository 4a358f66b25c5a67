"""From what was given to a whole plan: every option resolved, each with where it came from, and the data opened.

plan = make_plan(said)        # reads the data, guesses, fills in defaults, refuses what is not possible
plan.settings                 # goes into run.toml
"""

from dataclasses import dataclass, replace
from typing import Any

from sonde import backend, data, training
from sonde.answers import TASKS, Answer
from sonde.answers import Plan as Head
from sonde.backend.trials import remembered
from sonde.config import Settings, check_room, check_tables, fill, recipe, with_defaults
from sonde.config.settings import Setting
from sonde.data import Dataset, Listing
from sonde.data.listing import as_words
from sonde.errors import BackendError, ConfigError, DataError, unknown_name
from sonde.evaluation.stage import chosen_headline
from sonde.evaluation.trained_model import answer_options, asked_of, own_options, weights_of
from sonde.models import MODELS
from sonde.models.architectures import refuse_beginnings
from sonde.models.heads import HEADS
from sonde.planning.guesses import BY_DATA, BY_LISTING, Look, guess_all, threads
from sonde.planning.parts import TABLES, at, in_order, modality_of, parts, refuse_other_tables


@dataclass(frozen=True)
class Plan:
    """A run before it starts."""

    settings: Settings
    """Every option, with its origin and, for guesses, the reason."""
    listing: Listing
    dataset: Dataset
    target: Any
    """What is asked, learned from the training part: a `data.Target`."""
    head: Head
    """What the head is built of, and what its loss is told: an `answers.Plan`."""
    warnings: tuple[str, ...]
    """What the data carries badly, in sentences."""

    @property
    def row(self) -> Answer:
        """The row of what is asked."""
        return TASKS[self.settings.value("run.task")].row


def survey(said: Settings) -> tuple[Settings, Listing]:
    """Look at the data and guess what follows from a look.

    Args:
        said: the options that were given.

    Returns:
        The options with the guesses below them, and the listing.

    Raises:
        SondeError: the data is not there or not recognised, or an option is not possible.
    """
    check_tables(said, TABLES)
    said = said.over(recipe(said))
    source = said.value("run.data")
    if source is not None and not isinstance(source, str):
        raise ConfigError(f"{at(said['run.data'])}run.data = {source!r} is not possible: expected text.")
    if not source:
        raise ConfigError('The run file names no data; add it under [run], such as data = "flowers".')
    if "run.task" in said:
        _check_name("task", said, TASKS)
    # The size and channels are not needed for a look, and are guessed from it.
    try:
        listing = data.survey(source, fill(data.Options, "data", said), _modality_given(said))
    except DataError as error:
        place = at(said["run.data"]) if said["run.data"].origin == "file" else ""
        raise DataError(f"{place}{error}") from error
    settings = guess_all(Look(said, listing), BY_LISTING)
    task = TASKS.get(settings.value("run.task"))
    if task is not None and not task.row.writes:
        # Somebody asks for a class or a number where texts to be written were recognised.
        listing = replace(listing, truth=as_words(listing.truth))
    return settings, listing


def _modality_given(said: Settings) -> str:
    """Return the modality of the task that a person named, or an empty text."""
    return TASKS[said.value("run.task")].modality if "run.task" in said else ""


def make_plan(said: Settings, surveyed: tuple[Settings, Listing] | None = None) -> Plan:
    """Resolve every option and open the data.

    Args:
        said: the options that were given, on the command line and in a run file.
        surveyed: what `survey` gave for them, where it was called already.

    Raises:
        SondeError: data, options or backend do not allow the run; nothing was written.
    """
    settings, listing = surveyed or survey(said)
    check_early(settings)
    task = TASKS[settings.value("run.task")]
    row = task.row
    options = fill(data.Options, "data", settings)
    dataset = data.load(listing, options, own_options(settings), asked_of(row), weights=weights_of(settings))
    warnings = row.check(dataset)
    settings = guess_all(Look(settings, listing, dataset), BY_DATA)
    settings = complete(training.longest(settings).over(settings))
    own = answer_options(settings)
    target = row.learn(dataset.train.truth, own)
    row.refuse(settings, target)
    chosen_headline(row, target, own, settings.value("evaluation.headline", ""))
    _check_monitor(settings, row)

    from sonde.models import solving

    declared = parts(settings)
    solved = solving.solves(settings.value("run.model"), task.answer, fill(declared["model"], "model", settings))
    head = row.plan(target, target.encode(dataset.train.truth), own, solved)
    return Plan(settings, listing, dataset, target, head, warnings)


def complete(settings: Settings) -> Settings:
    """Settle precision and threads, fill in the defaults of every part, and check them all.

    Args:
        settings: with all guesses that the data decides.

    Raises:
        SondeError: an option is unknown or not possible, or the backend is not installed.
    """
    settings = _with_precision(settings.over(threads(settings)))
    for part, options in parts(settings).items():
        settings = with_defaults(fill(options, part, settings), part, settings)
    data.fill_augment(settings, modality_of(settings))
    return in_order(settings)


def check_early(settings: Settings) -> None:
    """Find mistakes before minutes are spent on decoding: in the backend, the model and every option."""
    _check_name("task", settings, TASKS)
    trial = settings.over(training.guess(settings, examples=1000)).over(threads(settings))
    count = fill(training.Options, "training", trial).threads
    chosen = settings["run.backend"]
    try:
        # Those of the run, since the trial of bf16 is to say what is faster on them.
        backend.use(str(chosen.value)).start(threads=count)
    except BackendError as error:
        raise BackendError(f"{at(chosen)}{error}") from error
    _check_name("model", settings, MODELS)
    refuse_other_tables(settings)
    _check_model(settings)
    _check_views(settings)
    for part, options in parts(settings).items():
        fill(options, part, trial)
    data.fill_augment(settings, modality_of(settings))
    check_room(settings.value("run.name"))


def _check_model(settings: Settings) -> None:
    model, task = settings["run.model"], TASKS[settings.value("run.task")]
    row = MODELS[model.value]
    if task.modality not in row.reads:
        raise ConfigError(
            f"{at(model)}The model '{model.value}' does not read {task.modality} data (sonde list models)."
        )
    if not row.takes(task.modality, task.answer):
        fitting = [name for name, each in MODELS.items() if each.takes(task.modality, task.answer)]
        raise ConfigError(
            f"{at(model)}The model '{model.value}' is not for {settings.value('run.task')}. Models that are: "
            f"{', '.join(fitting)}."
        )
    refuse_beginnings(settings)


def _check_views(settings: Settings) -> None:
    views, task = settings.get("evaluation.views"), TASKS[settings.value("run.task")]
    has_views = data.MODALITIES[task.modality].has_views
    if views is None or views.value == "one" or (has_views and HEADS[task.answer].views != "none"):
        return
    what = "what is written" if has_views else f"{task.modality} data"
    raise ConfigError(
        f"{at(views)}evaluation.views = '{views.value}' averages over views of an image, and there are none of "
        f"{what}. Leave it out."
    )


def _check_monitor(settings: Settings, row: Answer) -> None:
    monitor = settings["training.monitor"]
    if monitor.value not in ("loss", *row.monitors):
        raise ConfigError(
            f"{at(monitor)}training.monitor = '{monitor.value}' is no validation figure of "
            f"{settings.value('run.task')}. There are: loss, {', '.join(row.monitors)}."
        )


def _check_name(kind: str, settings: Settings, table: Any) -> None:
    setting = settings[f"run.{kind}"]
    if not isinstance(setting.value, str):
        raise ConfigError(
            f"{at(setting)}run.{kind} = {setting.value!r} is not possible: expected one of {', '.join(table)}."
        )
    if setting.value not in table:
        raise ConfigError(at(setting) + unknown_name(kind, setting.value, table, f"sonde list {kind}s"))


def _with_precision(settings: Settings) -> Settings:
    if settings.value("training.precision", "auto") != "auto":
        return settings
    name, work = settings.value("run.backend"), MODELS[settings.value("run.model")].work
    module, package = backend.use(name), backend.BACKENDS[name].package
    count = settings.value("training.threads")
    chosen = remembered(lambda: module.choose_precision(work=work), package, threads=count, work=work)
    return Settings({**settings, "training.precision": Setting(chosen.value, "guessed", reason=chosen.reason)})
