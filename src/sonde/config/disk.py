"""Writes files so that a reader finds the old one or the new one, never half of one.

Every durable write of sonde goes through here. The pattern is the usual one for POSIX file systems: write beside the
target, flush to the disk, rename over it, flush the folder.
"""

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sonde.errors import StorageError


def write_atomically(path: Path, content: bytes | str) -> None:
    """Replace a file in one step; after a crash either the old or the new content is there, whole.

    Args:
        path: file to write; its folder is made.
        content: bytes, or text to be written as UTF-8.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    temporary = _beside(path)
    with saying_what_failed(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_durably(temporary, content)
            os.replace(temporary, path)
            flush_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def write_folder_atomically(path: Path, files: Mapping[str, bytes | str], *, marker: str, replace: bool = True) -> None:
    """Make a folder appear with all of its files at once; its marker file is written last.

    A reader takes a folder without the marker as not there.

    Args:
        files: content by file name; one in a folder inside of it is written "inner/name".
        marker: the name among `files` that says the folder is whole.
        replace: remove an older folder of that name first; otherwise only an empty one may be there.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    temporary = _beside(path)
    with saying_what_failed(path):
        try:
            # A killed process of the same number may have left some.
            remove_folder(temporary)
            temporary.mkdir(parents=True)
            for name in [name for name in files if name != marker] + [marker]:
                (temporary / name).parent.mkdir(exist_ok=True)
                write_durably(temporary / name, files[name])
            for inner in sorted({(temporary / name).parent for name in files} - {temporary}):
                flush_folder(inner)
            flush_folder(temporary)
            if replace:
                _remove_whole(path, marker)
            os.replace(temporary, path)
            flush_folder(path.parent)
        finally:
            remove_folder(temporary)


def append_line(path: Path, line: str) -> None:
    """Add one line to a text file and flush it to the disk.

    Raises:
        StorageError: the disk is full or the file cannot be written.
    """
    with saying_what_failed(path), path.open("ab") as file:
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def write_durably(path: Path, content: bytes | str) -> None:
    """Write a file and flush it to the disk; half of it may be there after a crash."""
    raw = content.encode() if isinstance(content, str) else content
    # A link of that name in a stranger's folder would lead to a file of the user.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    try:
        view = memoryview(raw)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_regular(path: Path, *, largest: int) -> bytes:
    """Read a file that is not trusted to be one.

    Args:
        path: file to read; a link is followed.
        largest: bytes that it may have at most.

    Raises:
        OSError: it cannot be read, is larger, or is a pipe or a device, which might never end.
    """
    size = check_regular(path, largest=largest)
    with path.open("rb") as file:
        return file.read(size)


def check_regular(path: Path, *, largest: int) -> int:
    """Return the bytes of a file that is not trusted to be one.

    Args:
        path: file to look at; a link is followed.
        largest: bytes that it may have at most.

    Raises:
        OSError: it cannot be read, is larger, or is a pipe or a device, which might never end.
    """
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    if facts.st_size > largest:
        raise OSError(errno.EFBIG, f"it has {facts.st_size:,} bytes where at most {largest:,} can be right")
    return facts.st_size


def flush_folder(path: Path) -> None:
    """Flush a folder's list of names to the disk, so that a rename survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_folder(path: Path) -> None:
    """Remove a folder and its files, or a link and not what it leads to; nothing happens where there is none."""
    if path.is_symlink():
        path.unlink()
        return
    if not path.is_dir():
        return
    for each in path.iterdir():
        if each.is_dir() and not each.is_symlink():
            remove_folder(each)
        else:
            each.unlink()
    path.rmdir()


def remove_leftovers(path: Path) -> None:
    """Remove what killed processes left half-written in a folder; no other process may be writing there.

    Raises:
        StorageError: the folder cannot be written.
    """
    with saying_what_failed(path):
        for each in path.glob(".*.tmp"):
            remove_folder(each)
            each.unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def _remove_whole(path: Path, marker: str) -> None:
    if not path.is_symlink():
        (path / marker).unlink(missing_ok=True)
    remove_folder(path)


@contextmanager
def saying_what_failed(path: Path) -> Iterator[None]:
    """Turn an operating system's error into one that names the file and the cure.

    Raises:
        StorageError: in place of the `OSError`.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                f"No space left on the disk while writing {path}. What was there before is whole. "
                "Free some space, then go on with: sonde resume RUN"
            ) from error
        raise StorageError(
            f"Cannot write {path}: {error.strerror or error}. What was there before is whole. "
            "Check the folder's permissions and the disk, then try again."
        ) from error


def located(name: str) -> Path:
    """Return the path that a person named, with ~ for a home folder; as it stands where there is no such user."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def cache_folder() -> Path | None:
    """Return where what can be made again is kept: $SONDE_CACHE, else the user's cache folder; None without a home."""
    if os.environ.get("SONDE_CACHE"):
        return located(os.environ["SONDE_CACHE"])
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sonde"
    except RuntimeError:
        return None
