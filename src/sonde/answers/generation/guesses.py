"""What a run that writes texts does where nobody said: words or characters."""

import numpy as np

from sonde.answers.generation.target import TextTarget
from sonde.config import Settings, guessed
from sonde.data.ragged import Ragged, text_of
from sonde.data.target import Column

LOOKED_AT = 1_000
"""Training targets that are looked at."""
SENTENCE = 3.0
"""Mean number of words from which on targets are written in words."""


def guess(settings: Settings, train_truth: Column) -> Settings:
    """Guess what targets are written in: characters where they are few words, such as numbers and names."""
    assert isinstance(train_truth, Ragged)
    rows = np.linspace(0, len(train_truth) - 1, min(len(train_truth), LOOKED_AT)).astype(int).tolist()
    words = float(np.mean([len(text_of(train_truth[row]).split()) for row in rows]))
    tokens = "words" if words >= SENTENCE else "characters"
    return guessed("generation.tokens", tokens, f"targets have {words:.1f} words on average")


def refuse(settings: Settings, target: TextTarget) -> None:
    """Refuse nothing: no option names a token."""
