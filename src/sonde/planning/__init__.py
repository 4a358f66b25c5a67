"""From what was given to a whole plan: what nobody gave is guessed, and what is not possible is refused."""

from sonde.planning.data_in_words import facts
from sonde.planning.parts import modality_of, parts, schema, sentences
from sonde.planning.plan import Plan, complete, make_plan, survey
from sonde.planning.precedence import merge

__all__ = ["Plan", "complete", "facts", "make_plan", "merge", "modality_of", "parts", "schema", "sentences", "survey"]
