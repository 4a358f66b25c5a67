"""What a multilabel run does where nobody said."""

from sonde.answers.multilabel.target import LabelsTarget
from sonde.config import Settings, guessed
from sonde.data.target import Column


def guess(settings: Settings, train_truth: Column) -> Settings:
    """Guess that each label is given from a threshold of its own on."""
    return guessed("multilabel.tune_for", "f1", "each label has a threshold of its own")


def refuse(settings: Settings, target: LabelsTarget) -> None:
    """Refuse nothing: no option names a label."""
