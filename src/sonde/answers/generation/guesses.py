"""What a run that writes texts does where nobody said: words or characters."""

import numpy as np

from sonde.answers.generation.target import TextTarget
from sonde.config import Settings, guessed
from sonde.data.ragged import as_texts, text_of
from sonde.data.target import Column

LOOKED_AT = 1_000
"""Training targets that are looked at."""
SENTENCE = 3.0
"""Mean number of words from which on targets are written in words."""


def guess(settings: Settings, train_truth: Column) -> Settings:
    """Guess what targets are written in: characters where they are few words, such as numbers and names."""
    held = as_texts(train_truth)
    rows = np.linspace(0, len(held) - 1, min(len(held), LOOKED_AT)).astype(int).tolist()
    words = float(np.mean([len(text_of(held[row]).split()) for row in rows]))
    tokens = "words" if words >= SENTENCE else "characters"
    return guessed("generation.tokens", tokens, f"targets have {words:.1f} words on average")


def refuse(settings: Settings, target: TextTarget) -> None:
    """Refuse nothing: no option names a token."""
