"""From a run folder and a dataset to a trained model: the loop, its schedule, its checkpoints."""

from sonde.training.batches import first_rows
from sonde.training.budget import Costs, Measured, Spending, Watch
from sonde.training.checkpoints import only_one
from sonde.training.opening import open_session
from sonde.training.options import Options, guess, longest
from sonde.training.records import Epoch, Step
from sonde.training.session import Session

__all__ = [
    "Costs",
    "Epoch",
    "Measured",
    "Options",
    "Session",
    "Spending",
    "Step",
    "Watch",
    "first_rows",
    "guess",
    "longest",
    "only_one",
    "open_session",
]
