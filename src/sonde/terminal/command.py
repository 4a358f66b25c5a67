"""When the command that a person typed began: a budget of time counts from there, Python's own start included."""

import os
import time
from pathlib import Path

LONGEST_START = 120.0
"""Seconds; a process that claims to have needed more to get here is not believed."""

_imported = time.monotonic()
_from_start: list[float] = []


def counts_from_its_start() -> None:
    """Note that this whole process is one command, so that its start is when the command began."""
    age = process_age()
    _from_start[:] = [_imported if age is None else time.monotonic() - age]


def began() -> float:
    """Return when the running command began, as `time.monotonic` reads.

    In the shell that is the start of the process, where the system tells it (Linux), else the moment at which this
    module was imported, some tenths of a second later. A verb that is called from Python begins now.
    """
    return _from_start[0] if _from_start else time.monotonic()


def process_age() -> float | None:
    """Return the seconds since this process was started, or None where the system does not tell."""
    try:
        words = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        # The 22nd field counts from the start of the machine; the name before it may hold blanks.
        started = int(words[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, ValueError, IndexError, AttributeError):
        return None
    return age if 0 <= age <= LONGEST_START else None
