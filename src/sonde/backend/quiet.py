"""Imports a library without its greetings on the terminal, and without another library that it does not need."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly() -> Iterator[None]:
    """Hold back what is written to standard error, from C++ too; it is let out when something is raised."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # There is no standard error to keep quiet.
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            sys.stderr.flush()
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def without(package: str) -> Iterator[None]:
    """Let a package seem not to be installed, unless it is imported already.

    Args:
        package: what an import is to fail for.
    """
    if package in sys.modules:
        yield
        return
    # Python's own sign for a module that cannot be imported.
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]
