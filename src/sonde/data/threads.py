"""How many threads read and decode files."""

import os


def threads() -> int:
    """Return the number of threads: one for each core, four at most."""
    return min(4, os.cpu_count() or 1)
