"""From what was given to a whole plan: what nobody gave is guessed, and what is not possible is refused."""

from sonde.planning.facts import facts
from sonde.planning.merging import merge
from sonde.planning.parts import modality_of, parts, schema, sentences
from sonde.planning.plan import Plan, complete, make_plan, survey

__all__ = ["Plan", "complete", "facts", "make_plan", "merge", "modality_of", "parts", "schema", "sentences", "survey"]
