"""What opening a data set is told of the answer, where a test has no task in view."""

from sonde.answers import ANSWERS
from sonde.evaluation.opening import asked_of

CLASSES = asked_of(ANSWERS["classification"])
