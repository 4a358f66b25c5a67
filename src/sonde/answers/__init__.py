"""What is asked: one row for each answer, and the tasks, which pair an answer with what is read.

    row = answer_of("image-classification")
    target = row.learn(train_truth, options)

The rows are made in the folders; this is the one table of them.
"""

from dataclasses import dataclass

from sonde.answers.answer import CONFIDENCE, FITTED_ON, Answer, Fitting, Kept, Plan, Scored
from sonde.answers.classification.row import ROW as CLASSIFICATION
from sonde.answers.generation.row import ROW as GENERATION
from sonde.answers.multilabel.row import ROW as MULTILABEL
from sonde.answers.regression.row import ROW as REGRESSION
from sonde.answers.segmentation.row import ROW as SEGMENTATION
from sonde.config import Run, Settings, fill
from sonde.data import MODALITIES, Listing
from sonde.errors import ConfigError, DataError, unknown_name

__all__ = [
    "ANSWERS",
    "CONFIDENCE",
    "FITTED_ON",
    "TASKS",
    "Answer",
    "Fitting",
    "Kept",
    "Plan",
    "Scored",
    "Task",
    "answer_of",
    "inferred_task",
    "task_of",
]

ANSWERS: dict[str, Answer] = {
    "segmentation": SEGMENTATION,
    "multilabel": MULTILABEL,
    "regression": REGRESSION,
    "classification": CLASSIFICATION,
    "generation": GENERATION,
}
"""Every answer, in the order in which data is tried for it."""


@dataclass(frozen=True)
class Task:
    """A pairing of a modality with an answer."""

    modality: str
    """What is read: a name in `data.MODALITIES`."""
    answer: str
    """What is asked: a name in `ANSWERS`."""
    doc: str
    """One sentence."""

    @property
    def row(self) -> Answer:
        """The row of what is asked."""
        return ANSWERS[self.answer]

    @property
    def thing(self) -> str:
        """What is read, with its article, such as "an image"."""
        return MODALITIES[self.modality].thing


TASKS: dict[str, Task] = {
    row.tasks[modality]: Task(modality, name, row.doc.format(thing=MODALITIES[modality].thing))
    for modality in MODALITIES
    for name, row in sorted(ANSWERS.items())
    if modality in row.tasks
}
"""Every task, in the order shown to users."""


def answer_of(task: str) -> Answer:
    """Return the row of what a task asks.

    Args:
        task: a name in `TASKS`.
    """
    return TASKS[task].row


def task_of(settings: Settings) -> Task:
    """Return the task of a run.

    Args:
        settings: every option of the run, perhaps from a file that was changed.

    Raises:
        ConfigError: its task is missing or not known.
    """
    name = settings.value("run.task")
    if not isinstance(name, str):
        name = fill(Run, "run", settings).task
    if name not in TASKS:
        raise ConfigError(f"{settings['run.task'].place}: {unknown_name('task', name, TASKS, 'sonde list tasks')}")
    return TASKS[name]


def inferred_task(listing: Listing) -> tuple[str, str]:
    """Tell which task a data set is for.

    Returns:
        The name in `TASKS`, and the reason in words.

    Raises:
        DataError: no answer knows what to do with such targets.
    """
    for row in ANSWERS.values():
        if listing.modality in row.tasks and (reason := row.recognise(listing)):
            what = f"{len(listing):,} {MODALITIES[listing.modality].things} with {reason}"
            return row.tasks[listing.modality], "; ".join([what, *_other_tasks(listing, row)])
    tasks = [name for name, task in TASKS.items() if task.modality == listing.modality]
    raise DataError(
        f"{listing.name} holds {len(listing):,} {MODALITIES[listing.modality].things} with targets that no task of "
        f"theirs predicts. Name the one that is meant: --set run.task=TASK, which may be {', '.join(tasks)}."
    )


def _other_tasks(listing: Listing, taken: Answer) -> list[str]:
    """Say which other tasks a data set may be for, and how to ask for them."""
    others = [row for row in ANSWERS.values() if row is not taken and listing.modality in row.tasks]
    return [f"{why}: --set run.task={row.tasks[listing.modality]}" for row in others if (why := row.may_be(listing))]
