"""The tasks: pairs of what is read and what is asked, and which one a data set is for."""

from dataclasses import dataclass

from sonde.data import Listing
from sonde.tasks import label

__all__ = ["TASKS", "Task", "guess_task", "label"]


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
}
"""Every task, in the order shown to users."""


def guess_task(listing: Listing) -> tuple[str, str]:
    """Tell which task a data set is for.

    Args:
        listing: what `data.survey` found.

    Returns:
        The name in `TASKS`, and the reason in words.
    """
    classes = len(set(listing.answers.tolist()))
    return f"{listing.modality}-label", f"{len(listing):,} images with one label each, {classes} different ones"
