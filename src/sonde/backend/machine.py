"""What the machine gives this process: its cores, and the memory it has used."""

import os
import resource
import sys


def cores() -> int:
    """Return the number of processor cores that this process may use."""
    # macOS does not tie processes to cores.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def peak_memory_mb() -> float:
    """Return the largest memory this process has used, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
