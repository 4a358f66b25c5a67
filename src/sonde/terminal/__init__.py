"""What sonde says to a person: sentences, tables, progress.

It loads rich when there is something to draw, and never a framework.

See it:  sonde list models, sonde train digits
"""

from sonde.terminal.command import began, counts_from_its_start
from sonde.terminal.decided import what_was_decided
from sonde.terminal.printing import has_lost_words, note_loss, program, safe, say, talking_to
from sonde.terminal.progress import TrainingProgress, training_progress
from sonde.terminal.values import has_failures, show_json, show_value

__all__ = [
    "TrainingProgress",
    "began",
    "counts_from_its_start",
    "has_failures",
    "has_lost_words",
    "note_loss",
    "program",
    "safe",
    "say",
    "show_json",
    "show_value",
    "talking_to",
    "training_progress",
    "what_was_decided",
]
