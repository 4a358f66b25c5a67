"""Makes what is slow once for the whole suite: pytest-xdist's processes wait for the first of them, and share it."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that is filled once, however many processes and tests ask for it.

    What is in it belongs to all of them: a test that changes something there takes a copy.

    Args:
        factory: pytest's `tmp_path_factory`.
        name: of the folder.
        make: fills the empty folder. Where it fails, the next one who asks begins with an empty folder again.
    """
    base = factory.getbasetemp()
    # The processes of pytest-xdist have folders of their own in one that they share.
    place = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, made = place / name, place / f"{name}.made"
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
