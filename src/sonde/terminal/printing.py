"""Prints sentences and tables, and makes text that came from data harmless before it reaches a terminal."""

import io
import os
import shlex
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

PLAIN_WIDTH = 10_000
"""Columns where the output is no terminal: a line in a file is never broken."""

UNSAFE = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories that move the cursor, colour, reorder or hide text: controls, formats, surrogates, separators."""

JOINERS = "\u200c\u200d"
"""Formats that words and emoji need: they join or part neighbouring letters and do nothing else."""

_listener: ContextVar[TextIO | None] = ContextVar("listener", default=None)
_losses: list[OSError] = []
"""Why words could not be written, since it was last asked."""


def safe(text: object, *, lines: bool = False) -> str:
    r"""Show what a terminal would act upon: an escape becomes `\x1b`, a right-to-left override `\u202e`.

    Args:
        text: anything from a file, a file's name or a request.
        lines: keep line breaks; for messages, never for a name.

    Returns:
        Text that cannot move the cursor, colour, reorder or hide anything.
    """
    raw = str(text)
    if raw.isprintable():
        return raw
    return "".join(letter if _is_harmless(letter, lines) else _escaped(letter) for letter in raw)


def _is_harmless(letter: str, lines: bool) -> bool:
    return (lines and letter == "\n") or letter in JOINERS or unicodedata.category(letter) not in UNSAFE


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def program() -> str:
    """Return how this process was called: "sonde" where the shell finds it, else its path, such as .venv/bin/sonde."""
    called = sys.argv[0] if sys.argv else ""
    found = shutil.which("sonde")
    if os.path.basename(called) != "sonde" or (found and os.path.samefile(found, called)):
        return "sonde"
    return shlex.quote(os.path.relpath(called))


def say(text: str) -> None:
    """Print a sentence or more.

    Args:
        text: what to say; control characters in it are shown, not obeyed.
    """
    write(f"{safe(text, lines=True)}\n")


def write(text: str) -> None:
    """Write to whoever is talked to. Words that cannot be written, as on a full disk, end no training: they are lost.

    Args:
        text: what is harmless already.

    Raises:
        BrokenPipeError: the reader has gone.
    """
    stream = listener()
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        note_loss(error)


def note_loss(error: OSError) -> None:
    """Say on standard error that words are lost; once, until it was asked whether some are.

    Args:
        error: what writing them ended in.
    """
    if not _losses and sys.stderr is not None:
        reason = error.strerror or str(error)
        with suppress(OSError):
            print(
                f"sonde: Cannot write to standard output: {reason}. The words are lost; the work goes on.",
                file=sys.stderr,
            )
    _losses.append(error)


def has_lost_words() -> bool:
    """Tell whether some words could not be written since this was last asked."""
    lost = bool(_losses)
    _losses.clear()
    return lost


class _Nowhere(io.StringIO):
    """The standard output of a process that was started without one, as by cron."""

    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def talking_to(stream: TextIO) -> Iterator[None]:
    """Send what is said on the way to another stream, so that standard output holds a verb's value alone.

    Args:
        stream: where `say`, the tables and the progress go inside of the `with`.
    """
    token = _listener.set(stream)
    try:
        yield
    finally:
        _listener.reset(token)


def listener() -> TextIO:
    """Return the stream that is talked to: standard output, unless `talking_to` chose another or it is closed."""
    stream = _listener.get() or sys.stdout
    return _Nowhere() if stream is None or stream.closed else stream


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a person watches the stream, so that a line may be drawn anew."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def console(paper: TextIO | None = None) -> "Console":
    """Return rich's console over the stream that is talked to; it reads no markup: brackets in data stay brackets.

    Args:
        paper: draws there instead, as it would for that stream.
    """
    from rich.console import Console

    stream = listener()
    return Console(
        file=stream if paper is None else paper,
        force_terminal=True if stream.isatty() else None,
        width=None if stream.isatty() else PLAIN_WIDTH,
        force_jupyter=False,
        markup=False,
        highlight=False,
        emoji=False,
    )


def draw(picture: "RenderableType") -> None:
    """Print a table or another of rich's pictures."""
    # Rich answers a reader who has gone (`| head`) by ending the process; so it draws into memory and we write.
    paper = io.StringIO()
    console(paper).print(picture)
    write("".join(f"{line.rstrip()}\n" for line in paper.getvalue().splitlines()))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> "Table":
    """Make a table without lines, whose cells are made harmless.

    Args:
        columns: the heads; empty ones make a table without a head.
        rows: cells of each row, in the order of the columns.
        right: heads of the columns that hold numbers.
    """
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=any(columns))
    for name in columns:
        made.add_column(Text(safe(name)), justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(safe(cell)) for cell in row))
    return made
