"""Makes what is slow once for the whole suite: pytest-xdist's processes wait for the first of them, and share it."""

import fcntl
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that is filled once, however many processes and tests ask for it.

    What is in it belongs to all of them: a test that changes something there takes a copy.

    Args:
        factory: pytest's `tmp_path_factory`.
        name: of the folder.
        make: fills the empty folder.

    Raises:
        RuntimeError: it failed for somebody before. It is not tried again, as that would take as long for each test.
    """
    base = factory.getbasetemp()
    # The processes of pytest-xdist have folders of their own in one that they share.
    place = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, made, failed = place / name, place / f"{name}.made", place / f"{name}.failed"
    with (place / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failed.exists():
            raise RuntimeError(f"{name} could not be made:\n{failed.read_text(encoding='utf-8')}")
        if not made.exists():
            folder.mkdir()
            try:
                make(folder)
            except BaseException:
                failed.write_text(traceback.format_exc(), encoding="utf-8")
                raise
            made.touch()
    return folder
