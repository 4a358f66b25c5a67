"""Marks what repeats a contract on further kinds of input, so that `make quick` can leave it out."""

import pytest
from _pytest.mark import ParameterSet


def cases(pairs: list[tuple[str, str]]) -> list[ParameterSet]:
    """Return pairs for `pytest.mark.parametrize`, marked "further" but for the first of each model.

    Args:
        pairs: model and row of `KINDS`.
    """
    names = [name for name, _ in pairs]
    return [
        pytest.param(*pair, marks=[pytest.mark.further] if pair[0] in names[:place] else [])
        for place, pair in enumerate(pairs)
    ]
