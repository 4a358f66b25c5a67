"""The stages of a run in their order, each leaving its part in the run folder: start, train, evaluate.

A stage that was cut off is gone on with by the same function: what the folder holds says what is left to do.
"""

import itertools
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from sonde import config, data, planning, terminal, training
from sonde.config import Run, RunFolder, Settings, create_run, fill, guessed, read_settings, write_settings
from sonde.config.files import remove_leftovers, write_atomically
from sonde.data import Dataset, Listing
from sonde.environment import describe_environment
from sonde.errors import RunError
from sonde.evaluation import stage as evaluation
from sonde.evaluation.opening import own_dataset
from sonde.planning import Plan
from sonde.training import Session, Step

MANY_FILES = 1000
"""Files from which on reading them is announced; fewer are read in a few seconds."""
_one_at_a_time = threading.RLock()
"""Held while a run is planned or trained: the threads, seeds and precision of a backend belong to the whole process."""
MOST_SHOWN = 64
"""Images on a contact sheet."""


def plan(said: Settings) -> Plan:
    """Resolve every option and open the data; a long reading is announced, as nothing is seen while it lasts.

    Args:
        said: the options that were given.

    Raises:
        SondeError: data, options or backend do not allow the run; nothing was written.
    """
    with _one_at_a_time, _saying_that_nothing_was_written():
        surveyed = planning.survey(said)
        _announce(surveyed[1])
        return planning.make_plan(said, surveyed)


@contextmanager
def _saying_that_nothing_was_written() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        terminal.say("\nStopped; nothing was written.")
        raise


def _announce(listing: Listing) -> None:
    if listing.array is None and len(listing) > MANY_FILES:
        terminal.say(f"Reading the {len(listing):,} images of {listing.name} ({listing.format}) ...")


def start(plan: Plan) -> RunFolder:
    """Make the run's folder, with its options, its environment and what was found in the data.

    Args:
        plan: the resolved run.

    Raises:
        RunError: a run of that name exists.
    """
    from sonde.models.assemble import Blueprint, tensor_shapes

    settings, dataset = plan.settings, plan.dataset
    options = fill(planning.parts(settings)["model"], "model", settings)
    answer = planning.answer_of(settings)
    classes = planning.classes_of(dataset)
    shapes = tensor_shapes(Blueprint(settings.value("run.model"), answer, dataset.spec.shape, len(classes), options))
    name = settings.value("run.name")
    return create_run(
        name,
        settings=run_file(settings, title=f"sonde run '{name}'"),
        environment=describe_environment(settings, dataset, sum(_product(shape) for shape in shapes.values())),
        findings=evaluation.findings_of(dataset, plan.warnings),
    )


def go_on(folder: RunFolder, dataset: Dataset | None = None) -> RunFolder:
    """Do what is left of a run: train from the last checkpoint, write the model, evaluate.

    Args:
        folder: a run.
        dataset: its data, where it is open already.

    Raises:
        RunError: the data is no longer what the run began with.
        SondeError: training or evaluation cannot go on; what was done stays.
    """
    if _is_trained(folder) and folder.report_file.exists():
        terminal.say(f"The run '{folder.name}' had finished already; nothing was left to do.")
        return folder
    settings = folder.settings()
    with _one_at_a_time, training.only_one(folder), _saying_how_to_go_on(folder):
        remove_leftovers(folder.path)
        remove_leftovers(folder.plots)
        if not _is_trained(folder):
            dataset = dataset or own_dataset(folder)
            _train(folder, settings, dataset)
        if not folder.report_file.exists():
            evaluation.evaluate(folder, dataset=dataset)
    return folder


def _is_trained(folder: RunFolder) -> bool:
    return (folder.model / "digests.json").is_file()


@contextmanager
def _saying_how_to_go_on(folder: RunFolder) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        terminal.say(f"\nStopped; nothing is lost. Go on with:\n\n  {terminal.program()} resume {folder.path}")
        raise


def _train(folder: RunFolder, settings: Settings, dataset: Dataset) -> None:
    session = training.open_session(folder, settings, dataset)
    session.restore()
    if session.step:
        terminal.say(f"Going on from step {session.step:,} of {session.steps:,}.")
    with (
        stop_asked() as asked,
        terminal.training_progress(session.run.epochs, session.training.steps, done_steps=session.step) as display,
    ):
        for record in session.records():
            if isinstance(record, Step):
                display.step(
                    loss=record.loss,
                    metric=record.score,
                    learning_rate=record.learning_rate,
                    examples_per_second=record.examples_per_second,
                )
            else:
                display.epoch(record.to_dict())
            if asked:
                _stop(session)
    session.finish()


def _stop(session: Session) -> None:
    session.checkpoint()
    terminal.say(f"\nLeaving off at step {session.step:,} of {session.steps:,}.")
    raise KeyboardInterrupt


@contextmanager
def stop_asked() -> Iterator[list[int]]:
    """Turn the first Ctrl-C into an entry of the list that is handed out; the second one interrupts at once.

    Outside of the main thread, where Python takes no signals, the list stays empty.
    """
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:
        yield asked
        return
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def contact_sheet(said: Settings) -> Path:
    """Write a contact sheet of the first training batch, or of 64 images of it, augmented as in the first epoch.

    Args:
        said: run.data, and the options that were given.
    """
    settings, listing = planning.survey(said)
    _announce(listing)
    with _saying_that_nothing_was_written():
        dataset = data.load(listing, fill(data.Options, "data", settings))
    settings = settings.over(training.guess(settings, examples=len(dataset.train)))
    settings = settings.over(guessed("training.threads", 1, "no thread is started"))
    seed = fill(Run, "run", settings).seed
    size = fill(training.Options, "training", settings).batch_size
    rows = training.first_rows(len(dataset.train), seed, size)[:MOST_SHOWN]
    strengths = data.fill_augment(settings)
    images = data.augment(dataset.train.inputs[rows], strengths, seed=seed, epoch=1, indices_B=rows)
    names = (Path(f"{Path(listing.name).name}-sheet-{number}.png") for number in itertools.count(1))
    path = next(name for name in names if not name.exists())
    write_atomically(path, data.contact_sheet(images, [str(answer) for answer in dataset.train.answers[rows]]))
    return path


def write_run_file(source: str, to: Path, schema: Path | None) -> Path:
    """Write a commented run file for some data.

    Args:
        source: the data.
        to: file to write.
        schema: where to write a JSON Schema of run files, if anywhere.

    Raises:
        RunError: the file exists.
    """
    if to.exists():
        raise RunError(f"{to} exists already; name another file with --to, or remove it.")
    settings = plan(config.from_words({"run.data": source})).settings
    free = Settings({key: setting for key, setting in settings.items() if key != "run.name"})
    title = f"A sonde run. Train it with: sonde train {to}\nEvery option is here; what you remove is guessed anew."
    write_atomically(to, run_file(free, title=title))
    read_settings(to)
    if schema is not None:
        write_atomically(schema, json.dumps(planning.schema(settings), indent=1) + "\n")
    return to


def run_file(settings: Settings, *, title: str) -> str:
    """Return the text of a run file, with a sentence above each option.

    Args:
        settings: every option.
        title: comment for the top.
    """
    return write_settings(settings, planning.sentences(settings), title=title)


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
