"""The tasks: pairs of what is read and what is asked, and which one a data set is for."""

from dataclasses import dataclass
from types import ModuleType

from sonde.data import MODALITIES, Listing
from sonde.tasks import imbalance, label, labels

__all__ = ["ANSWERS", "TASKS", "Task", "answer", "guess_task", "imbalance", "label", "labels"]

ANSWERS: dict[str, ModuleType] = {"label": label, "labels": labels}
"""What can be asked: modules with the same functions, from `learn_classes` to `decode`, and the same `check`."""


@dataclass(frozen=True)
class Task:
    """A pairing of a modality with an answer."""

    modality: str
    """What is read: a name in `data.MODALITIES`."""
    answer: str
    """What is asked: the name of a module in `tasks`."""
    doc: str
    """One sentence."""


TASKS: dict[str, Task] = {
    "image-label": Task(
        modality="image",
        answer="label",
        doc="Says which one of several classes an image belongs to.",
    ),
    "image-labels": Task(
        modality="image",
        answer="labels",
        doc="Says which of several labels an image has; it may have none, or many.",
    ),
    "text-label": Task(
        modality="text",
        answer="label",
        doc="Says which one of several classes a text belongs to.",
    ),
    "text-labels": Task(
        modality="text",
        answer="labels",
        doc="Says which of several labels a text has; it may have none, or many.",
    ),
    "audio-label": Task(
        modality="audio",
        answer="label",
        doc="Says which one of several classes a recording belongs to.",
    ),
    "audio-labels": Task(
        modality="audio",
        answer="labels",
        doc="Says which of several labels a recording has; it may have none, or many.",
    ),
    "series-label": Task(
        modality="series",
        answer="label",
        doc="Says which one of several classes a series belongs to.",
    ),
    "series-labels": Task(
        modality="series",
        answer="labels",
        doc="Says which of several labels a series has; it may have none, or many.",
    ),
    "table-label": Task(
        modality="table",
        answer="label",
        doc="Says which one of several classes a row of a table belongs to.",
    ),
    "table-labels": Task(
        modality="table",
        answer="labels",
        doc="Says which of several labels a row of a table has; it may have none, or many.",
    ),
}
"""Every task, in the order shown to users."""


def answer(task: str) -> ModuleType:
    """Return the module of what a task asks.

    Args:
        task: a name in `TASKS`.
    """
    return ANSWERS[TASKS[task].answer]


def guess_task(listing: Listing) -> tuple[str, str]:
    """Tell which task a data set is for.

    Args:
        listing: what `data.survey` found.

    Returns:
        The name in `TASKS`, and the reason in words.
    """
    kind = "labels" if listing.several else "label"
    module, things = ANSWERS[kind], MODALITIES[listing.modality].things
    different = len(module.learn_classes(listing.answers))
    return f"{listing.modality}-{kind}", f"{len(listing):,} {things} with {module.THINGS}, {different} different ones"
