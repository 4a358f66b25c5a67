"""The stages of a run in their order, each leaving its part in the run folder: start, train, evaluate.

A stage that was cut off is gone on with by the same function: what the folder holds says what is left to do.
"""

import itertools
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from sonde import data, planning, terminal, training
from sonde.answers import TASKS
from sonde.config import RUNS, Run, RunFolder, Settings, create_run, fill, guessed, read_settings, write_settings
from sonde.config.disk import remove_leftovers, write_atomically
from sonde.data import Dataset, Listing
from sonde.data.target import words_of
from sonde.environment import describe_environment
from sonde.errors import RunError
from sonde.evaluation import stage as evaluation
from sonde.evaluation.costs import scoring
from sonde.evaluation.trained_model import asked_of, own_dataset, weights_of
from sonde.planning import Plan
from sonde.training import Budget, Costs, Session, Step, Watch

MANY_FILES = 1000
"""Files from which on reading them is announced; fewer are read in a few seconds."""
_one_at_a_time = threading.RLock()
"""Held while a run is planned or trained: the threads, seeds and precision of a backend belong to the whole process."""
MOST_SHOWN = 64
"""Images on a contact sheet."""
WRITTEN_A_SECOND, WRITING = 200e6, 0.05
"""Bytes of a checkpoint that are packed and flushed in a second, and what even a small one takes, until it is known."""
MEASURING = 0.01
"""Share of a budget that goes into timing steps before the first one counts."""
ENOUGH = 0.9
"""Share of a budget from which on nobody asks where the rest went."""


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
    if listing.stored is None and len(listing) > MANY_FILES:
        terminal.say(
            f"Reading the {len(listing):,} {data.MODALITIES[listing.modality].things} of {listing.name} "
            f"({listing.format}) ..."
        )


def start(plan: Plan) -> RunFolder:
    """Make the run's folder, with its options, its environment and what was found in the data.

    Args:
        plan: the resolved run.

    Raises:
        RunError: a run of that name exists.
    """
    from sonde.models.assemble import Blueprint, tensor_shapes
    from sonde.models.reads import reads_of

    settings, dataset, task = plan.settings, plan.dataset, TASKS[plan.settings.value("run.task")]
    options = fill(planning.parts(settings)["model"], "model", settings)
    blueprint = Blueprint(
        settings.value("run.model"), task.answer, reads_of(dataset.spec), plan.head.outputs, options, plan.head.head
    )
    shapes = tensor_shapes(blueprint)
    name = settings.value("run.name")
    return create_run(
        name,
        settings=settings,
        text=run_file(settings, title=f"sonde run '{name}'"),
        environment=describe_environment(settings, dataset, sum(_product(shape) for shape in shapes.values())),
        findings=evaluation.findings_of(dataset, plan.row, plan.warnings),
    )


def train(plan: Plan, began: float) -> RunFolder:
    """Do a whole run: measure where it has a budget of time, make its folder, train, evaluate.

    Args:
        plan: the resolved run.
        began: when the budget began, as `time.monotonic` reads.

    Raises:
        ConfigError: the budget is too small; nothing was written.
        SondeError: training or evaluation cannot go on; what was done stays.
    """
    budget = None
    if plan.settings.value("run.minutes"):
        with _one_at_a_time, _saying_that_nothing_was_written():
            plan, budget = _measured(plan, Watch(began=began))
    return go_on(start(plan), plan.dataset, began=began, budget=budget)


def _measured(plan: Plan, watch: Watch) -> tuple[Plan, Budget]:
    """Build what trains, time it, and choose the steps that fit into the budget; bound the scoring where it must be."""
    settings, begun = plan.settings, watch.used()
    session = training.open_session(RunFolder(RUNS / settings.value("run.name")), settings, plan.dataset)
    settings, budget = _choose(session, watch, settings, watch.used() - begun)
    return replace(plan, settings=settings), budget


def _choose(session: Session, watch: Watch, settings: Settings, building: float) -> tuple[Settings, Budget]:
    """Choose the steps of a run with a budget, say what was chosen, and return the options with what it bounds."""
    minutes, dataset = session.run.minutes, session.dataset
    measured = training.measure(session, clock=watch.clock, longest=MEASURING * 60 * minutes)
    scored = scoring(dataset, settings, minutes=minutes, clock=watch.clock)
    checked = len(dataset.validation)
    views = scored.predictions // max(1, len(dataset.test))
    opening = building + measured.first_predict
    state = sum(array.nbytes for array in session.engine.read_state().values())
    # Validation is predicted once more for the temperature, by a model that is built anew, as the test's is.
    rest = 2 * opening + measured.predict * (checked * views + scored.predictions) + scored.seconds
    costs = Costs(measured.step, measured.predict * checked + state / WRITTEN_A_SECOND + WRITING, rest)
    budget = Budget.begin(session, watch, minutes=minutes, costs=costs)
    terminal.say(chosen_in_words(budget))
    for key, setting in scored.settings.items():
        terminal.say(f"{key} = {setting.value:,}: {setting.reason}.")
    return scored.settings.over(settings), budget


def chosen_in_words(budget: Budget) -> str:
    """Return what a budget of time came to, in one line."""
    session, spending = budget.session, budget.spending
    left = f"{session.steps:,} steps ({session.steps / session.training.steps:.3g} epochs)"
    why = "all that the epochs allow" if session.steps == session.most_steps else "as many as fit"
    return (
        f"Budget: {budget.minutes:g} min, of which {spending.seconds:.0f} s have passed. A step takes "
        f"{1000 * spending.costs.step:.3g} ms: {left}, {why}, and {spending.reserve:.0f} s are kept for the model, "
        "the test and the report. The pace is watched, and the steps follow it."
    )


def go_on(
    folder: RunFolder,
    dataset: Dataset | None = None,
    *,
    began: float | None = None,
    budget: Budget | None = None,
) -> RunFolder:
    """Do what is left of a run: train from the last checkpoint, write the model, evaluate.

    Args:
        folder: a run.
        dataset: its data, where it is open already.
        began: when this command began, as `time.monotonic` reads; a budget of time counts from there.
        budget: that of its training, where that is open already.

    Raises:
        RunError: the data is no longer what the run began with.
        SondeError: training or evaluation cannot go on; what was done stays.
    """
    if _is_trained(folder) and folder.report_file.exists():
        terminal.say(f"The run '{folder.name}' had finished already; nothing was left to do.")
        return folder
    # As the file has them: what a budget took from the scoring stands there by now, and is not bounded once more.
    settings = read_settings(folder.settings_file)
    with _one_at_a_time, training.only_one(folder), _saying_how_to_go_on(folder):
        remove_leftovers(folder.path)
        remove_leftovers(folder.plots)
        if not _is_trained(folder):
            if settings.value("run.model") == "ensemble":
                raise RunError(
                    f"The ensemble '{folder.name}' was cut off before its model was written. Remove {folder.path} "
                    "and make it anew: sonde ensemble RUN RUN"
                )
            dataset = dataset or own_dataset(folder)
            session, budget = (budget.session, budget) if budget else _open(folder, settings, dataset, began)
            _train(session, budget)
        if not folder.report_file.exists():
            evaluation.evaluate(folder, dataset=dataset)
        if budget is not None:
            _say_what_was_used(budget)
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


def _open(
    folder: RunFolder, settings: Settings, dataset: Dataset, began: float | None
) -> tuple[Session, Budget | None]:
    """Open a run's training where it stands; one with a budget that has no checkpoint yet is measured."""
    watch = Watch() if began is None else Watch(began=began)
    begun = watch.used()
    session = training.open_session(folder, settings, dataset)
    session.restore()
    if not session.run.minutes:
        return session, None
    budget = Budget.taken_up(session, watch, minutes=session.run.minutes)
    return session, budget or _choose(session, watch, settings, watch.used() - begun)[1]


def _train(session: Session, budget: Budget | None) -> None:
    if session.step:
        terminal.say(f"Going on from step {session.step:,} of {session.steps:,}.")
        if budget:
            used, limit = budget.watch.used(), budget.limit
            terminal.say(f"Of its {limit:.0f} s, {used:.0f} s are used, those before the stop included.")
    _note_in_environment(session, budget)
    progress = terminal.training_progress(
        session.run.epochs,
        session.training.steps,
        done_steps=session.step,
        total_steps=session.steps,
        metric=session.row.shown,
    )
    with stop_asked() as asked, progress as display:
        planned = session.steps
        for record in budget.records() if budget else session.records():
            if session.steps != planned:
                planned = session.steps
                display.plan(planned)
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
    if budget and budget.spending.stopped:
        terminal.say("Nothing more fitted into the budget: the training was stopped before its learning rate was down.")
    _note_in_environment(session, budget)
    session.finish()


def _note_in_environment(session: Session, budget: Budget | None) -> None:
    """Write down what only the built engine or the clock tells: layers that run as Keras wrote them, the budget."""
    folder = session.folder
    noted = folder.read_json(folder.environment_file)
    known = dict(noted)
    fallbacks = list(getattr(session.engine, "fallbacks", ()))
    if fallbacks:
        noted["fallbacks"] = fallbacks
        if "fallbacks" not in known:
            terminal.say(f"Run as Keras wrote them, for want of a native equivalent: {', '.join(fallbacks)}.")
    if budget:
        noted["budget"] = {
            "minutes": budget.minutes,
            "steps": session.steps,
            "seconds_per_step": budget.spending.costs.step,
            "seconds_kept": budget.spending.reserve,
            "seconds_used": budget.watch.used(),
            "stopped": budget.spending.stopped,
        }
    if noted != known:
        folder.write_json(folder.environment_file, noted)


def _say_what_was_used(budget: Budget) -> None:
    used, session = budget.watch.used(), budget.session
    words = f"The run took {used:.0f} s of the {budget.limit:.0f} s."
    if session.steps == session.most_steps and used < ENOUGH * budget.limit:
        words += " The epochs allowed no more; --epochs raises that bound."
    terminal.say(words)


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
        own = fill(data.MODALITIES[listing.modality].options, listing.modality, settings)
        asked = asked_of(TASKS[settings.value("run.task")].row)
        options = fill(data.Options, "data", settings)
        dataset = data.load(listing, options, own, asked, weights=weights_of(settings))
    settings = settings.over(training.guess(settings, examples=len(dataset.train)))
    settings = settings.over(guessed("training.threads", 1, "no thread is started"))
    seed = fill(Run, "run", settings).seed
    size = fill(training.Options, "training", settings).batch_size
    rows = training.first_rows(len(dataset.train), seed, size)[:MOST_SHOWN]
    modality = listing.modality
    strengths = data.fill_augment(settings, modality)
    inputs = dataset.train.inputs
    batch = data.mix_others(inputs[rows], inputs, strengths, modality=modality, moment=(seed, 1), indices_B=rows)
    batch, _ = data.augment(batch, strengths, modality=modality, seed=seed, epoch=1, indices_B=rows)
    suffix, content = data.MODALITIES[modality].sheet(dataset.spec, batch, words_of(dataset.train.truth[rows]))
    names = (Path(f"{Path(listing.name).name}-sheet-{number}{suffix}") for number in itertools.count(1))
    path = next(name for name in names if not name.exists())
    write_atomically(path, content)
    return path


def write_run_file(said: Settings, to: Path, schema: Path | None) -> Path:
    """Write a commented run file for some data.

    Args:
        said: run.data, and the options that were given.
        schema: where to write a JSON Schema of run files, if anywhere.

    Raises:
        RunError: the file exists.
    """
    if os.path.exists(to):
        raise RunError(f"{to} exists already; name another file with --to, or remove it.")
    settings = plan(said).settings
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
    """
    return write_settings(settings, planning.sentences(settings), title=title)


def _product(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
