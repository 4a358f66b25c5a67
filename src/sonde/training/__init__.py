"""From a run folder and a dataset to a trained model: the loop, its schedule, its checkpoints."""

from sonde.training.batches import first_rows
from sonde.training.budget import Budget, Measured, Watch, measure
from sonde.training.checkpoints import only_one
from sonde.training.deadline import Costs
from sonde.training.opening import open_session
from sonde.training.options import Options, guess, longest
from sonde.training.records import Epoch, Step
from sonde.training.session import Session

__all__ = [
    "Budget",
    "Costs",
    "Epoch",
    "Measured",
    "Options",
    "Session",
    "Step",
    "Watch",
    "first_rows",
    "guess",
    "longest",
    "measure",
    "only_one",
    "open_session",
]
