"""Lets the file system fail, and processes die, at any one of the operations that a piece of code does.

The operations are counted as they come: `failing(at=7)` lets the seventh one fail.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sonde.errors import StorageError

OPERATIONS = ("open", "write", "fsync", "replace", "rename", "mkdir", "unlink", "rmdir")
"""What is counted, as named in `os`; pathlib calls the same."""


class Killed(BaseException):
    """The process is no more; nothing in it may catch this, and whatever it does afterwards does nothing."""


@dataclass
class Watched:
    """The operations that were done."""

    done: list[tuple[str, str]] = field(default_factory=list)
    """Name and file of each."""
    hit: bool = False
    """Whether the one that was to fail was reached."""


@contextmanager
def failing(at: int, *, code: int = errno.EIO, killed: bool = False, lasting: bool = False) -> Iterator[Watched]:
    """Let one operation of the block fail.

    Args:
        at: its number, from 1; 0 lets none fail.
        code: what the system says.
        killed: end the process there instead, a write half done; every later operation of the block is undone too.
        lasting: let every later write fail too, as on a full disk.
    """
    watched = Watched()

    def wrap(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*arguments: Any, **options: Any) -> Any:
            if killed and watched.hit:
                raise Killed
            watched.done.append((name, _subject(name, arguments)))
            late = lasting and watched.hit and name == "write"
            if len(watched.done) != at and not late:
                return real(*arguments, **options)
            watched.hit = True
            if killed:
                if name == "write":
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                raise Killed
            raise OSError(code, os.strerror(code))

        return operation

    with pytest.MonkeyPatch.context() as patch:
        for name in OPERATIONS:
            patch.setattr(os, name, wrap(name, getattr(os, name)))
        yield watched


def _subject(name: str, arguments: tuple[Any, ...]) -> str:
    if name in ("write", "fsync"):
        return Path(os.readlink(f"/proc/self/fd/{arguments[0]}")).name
    return Path(arguments[0]).name


def count_of(work: Callable[[], object]) -> int:
    """Return how many operations a piece of work does when nothing fails."""
    with failing(0) as watched:
        work()
    return len(watched.done)


def was_refused(work: Callable[[], object]) -> bool:
    """Tell whether a piece of work ended with an error that people are meant to see, or with the process."""
    try:
        work()
    except (StorageError, Killed):
        return True
    return False
