"""From a run folder and a dataset to a trained model: the loop, its schedule, its checkpoints."""

from sonde.training.batches import first_rows
from sonde.training.checkpoints import only_one
from sonde.training.options import Options, guess
from sonde.training.records import Epoch, Step
from sonde.training.session import Session, open_session

__all__ = ["Epoch", "Options", "Session", "Step", "first_rows", "guess", "only_one", "open_session"]
