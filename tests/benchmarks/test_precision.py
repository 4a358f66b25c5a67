"""The comparison of bf16 with fp32 weighs the difference of the means against the spread of the seeds."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import precision


def test_a_difference_below_that_of_the_seeds_is_none() -> None:
    text, is_same = precision.compared({"bf16": [0.92, 0.93, 0.94], "fp32": [0.925, 0.935, 0.945]})
    assert is_same and "bf16 differs by -0.0050, no more than" in text
    text, is_same = precision.compared({"bf16": [0.90, 0.901], "fp32": [0.93, 0.931]})
    assert not is_same and "bf16 differs by -0.0300, more than" in text
