"""What differs between the answers when a run is scored: one file each, with the same functions.

sample(answers, probabilities)      what the metrics read
judge(answers, guesses, frame)      the content of scores.json
draw_from(answers, scores, frame)   what the pictures are drawn from
write(path, answers)                predictions.parquet
rows(description, probabilities)    what `predict` answers
"""

from types import ModuleType

from sonde.evaluation.answers import label, labels
from sonde.evaluation.answers.given import Answers, Frame, Guess

__all__ = ["ANSWERS", "Answers", "Frame", "Guess"]

ANSWERS: dict[str, ModuleType] = {"label": label, "labels": labels}
"""How each answer of `tasks.ANSWERS` is scored, kept and shown."""
