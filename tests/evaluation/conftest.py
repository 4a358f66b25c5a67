"""Gives the makers of hand-made runs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation_makers import NASTY, Evidence, make_evidence, make_run
from sonde.config import RunFolder


@pytest.fixture
def evidence() -> Callable[..., Evidence]:
    """Give the maker of evidence."""
    return make_evidence


@pytest.fixture
def nasty() -> tuple[str, ...]:
    """Give names that are hard to show."""
    return NASTY


@pytest.fixture
def run_folder(tmp_path: Path) -> Callable[..., RunFolder]:
    """Give a maker of run folders with hand-made files."""

    def make(count: int = 3, *, epochs: int = 12, wins: str = "model") -> RunFolder:
        return make_run(tmp_path / "runs" / "flowers-1", count, epochs=epochs, wins=wins)

    return make
