"""Marks tests with the backend that they need: `pytest -m "not tensorflow and not jax"` runs those of torch alone."""

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet

from sonde.backend import BACKENDS


def marked(names: Iterable[str] = BACKENDS) -> list[ParameterSet]:
    """Return names of backends for `pytest.mark.parametrize`, each with the mark of its name."""
    return [pytest.param(name, marks=getattr(pytest.mark, name)) for name in names]


def needed(session: pytest.Session) -> list[str]:
    """Return the backends that the tests which were selected are marked with, in the order of the table."""
    return [name for name in BACKENDS if any(item.get_closest_marker(name) for item in session.items)]
