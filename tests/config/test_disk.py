"""What is written durably is there whole, old or new, whatever fails at whichever moment."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import Killed, count_of, failing, was_refused
from sonde.config import RunFolder
from sonde.config.disk import (
    append_line,
    read_regular,
    remove_leftovers,
    write_atomically,
    write_durably,
    write_folder_atomically,
)
from sonde.errors import StorageError

OLD, NEW = {"a": b"old a", "b": "old b", "DONE": "old"}, {"a": b"new a" * 1000, "b": "new b", "DONE": "new"}


def content_of(folder: Path) -> dict[str, bytes] | None:
    """Return a folder's files as a reader sees it: not at all without its marker."""
    if not (folder / "DONE").is_file():
        return None
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def raw(files: dict[str, bytes | str]) -> dict[str, bytes]:
    return {name: each.encode() if isinstance(each, str) else each for name, each in files.items()}


@pytest.mark.parametrize("killed", [False, True], ids=["fails", "kills"])
def test_a_file_is_old_or_new_whichever_operation_fails(tmp_path: Path, killed: bool) -> None:
    file = tmp_path / "deep" / "file.json"
    write_atomically(file, "old")
    operations = count_of(lambda: write_atomically(file, "new"))
    assert operations >= 6
    seen = set()
    for at in range(1, operations + 1):
        write_atomically(file, "old")
        with failing(at, killed=killed) as watched:
            said = was_refused(lambda: write_atomically(file, "new"))
        assert watched.hit and (said or file.read_text() == "new")
        seen.add(file.read_text())
        remove_leftovers(file.parent)
        assert [path.name for path in file.parent.iterdir()] == ["file.json"]
    assert seen == {"old", "new"}


@pytest.mark.parametrize("killed", [False, True], ids=["fails", "kills"])
def test_a_folder_is_whole_or_not_there_whichever_operation_fails(tmp_path: Path, killed: bool) -> None:
    folder = tmp_path / "model"

    def write(files: dict[str, bytes | str]) -> None:
        write_folder_atomically(folder, files, marker="DONE")

    write(OLD)
    operations = count_of(lambda: write(NEW))
    assert operations >= 15
    seen = []
    for at in range(1, operations + 1):
        write(OLD)
        with failing(at, killed=killed) as watched:
            said = was_refused(lambda: write(NEW))
        content = content_of(folder)
        assert watched.hit and (said or content == raw(NEW))
        assert content in (raw(OLD), raw(NEW), None)
        seen.append(content)
    # A second try, by a process of the same number, finds nothing in its way.
    write(NEW)
    assert content_of(folder) == raw(NEW)
    assert raw(OLD) in seen and raw(NEW) in seen


@pytest.mark.parametrize("at", range(1, 16))
def test_a_folder_that_must_be_new_appears_whole_or_not_at_all(tmp_path: Path, at: int) -> None:
    folder = tmp_path / "run"
    with failing(at, killed=True), pytest.raises(Killed):
        write_folder_atomically(folder, NEW, marker="DONE", replace=False)
    assert content_of(folder) in (None, raw(NEW)) and folder.exists() == (content_of(folder) is not None)


def test_a_folder_that_must_be_new_never_replaces_another(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_folder_atomically(folder, OLD, marker="DONE", replace=False)
    with pytest.raises(StorageError, match="not empty"):
        write_folder_atomically(folder, NEW, marker="DONE", replace=False)
    assert content_of(folder) == raw(OLD)
    assert list(tmp_path.iterdir()) == [folder]


def test_everything_is_on_the_disk_before_it_gets_its_name(tmp_path: Path) -> None:
    with failing(0) as watched:
        write_folder_atomically(tmp_path / "model", OLD, marker="DONE")
    names = [name for name, _ in watched.done]
    renamed = names.index("replace")
    flushed = [subject for name, subject in watched.done[:renamed] if name == "fsync"]
    # Each file, the marker behind the others, then their folder; and the folder above after the renaming.
    assert flushed[:3] == ["a", "b", "DONE"] and len(flushed) == 4
    assert ("fsync", tmp_path.name) in watched.done[renamed:]


def test_a_system_that_writes_a_few_bytes_at_a_time_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: real(descriptor, bytes(content)[:3]))
    write_atomically(tmp_path / "file", b"0123456789")
    write_folder_atomically(tmp_path / "model", OLD, marker="DONE")
    assert (tmp_path / "file").read_bytes() == b"0123456789"
    assert content_of(tmp_path / "model") == raw(OLD)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_with_the_cure(tmp_path: Path, code: int) -> None:
    file = tmp_path / "scores.json"
    write_atomically(file, "old")
    with failing(2, code=code, lasting=True), pytest.raises(StorageError) as caught:
        write_atomically(file, "new")
    message = str(caught.value)
    assert message.startswith(f"No space left on the disk while writing {file}.")
    assert "What was there before is whole." in message and "sonde resume RUN" in message
    assert file.read_text() == "old" and list(tmp_path.iterdir()) == [file]


def test_another_failure_is_said_with_the_system_s_word(tmp_path: Path) -> None:
    with failing(2, code=errno.EACCES), pytest.raises(StorageError, match=r"Permission denied.*try again"):
        write_atomically(tmp_path / "file", "new")


def test_a_device_that_is_always_full_is_reported() -> None:
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("this system has no device that is always full")
    with pytest.raises(OSError, match="No space left"):
        write_durably(device, "x")
    with pytest.raises(StorageError, match="No space left on the disk"):
        append_line(device, "x")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 64 kB, where this process may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=64k", "sonde-test", str(disk)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("this system has no mount command to make a small disk with")
    if done.returncode:
        pytest.skip(f"this process may not mount a small disk: {done.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_is_really_full_loses_nothing(small_disk: Path) -> None:
    write_atomically(small_disk / "file", b"old")
    write_folder_atomically(small_disk / "model", OLD, marker="DONE")
    for write in (
        lambda: write_atomically(small_disk / "file", b"x" * 100_000),
        lambda: write_folder_atomically(small_disk / "model", {**NEW, "a": b"x" * 100_000}, marker="DONE"),
    ):
        with pytest.raises(StorageError, match="No space left on the disk"):
            write()
    assert (small_disk / "file").read_bytes() == b"old"
    assert content_of(small_disk / "model") == raw(OLD)
    # What was half-written gave its room back.
    write_atomically(small_disk / "file", b"y" * 30_000)
    assert sorted(path.name for path in small_disk.iterdir()) == ["file", "model"]


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.append_history({"epoch": 1})
    folder.append_history({"epoch": 2})
    whole = folder.history_file.read_bytes()
    for length in range(len(whole) // 2 + 1, len(whole) - 1):
        folder.history_file.write_bytes(whole[:length])
        assert folder.history() == [{"epoch": 1}]


def test_only_leftovers_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".model.123.tmp").mkdir()
    (tmp_path / ".model.123.tmp" / "half").write_text("x")
    (tmp_path / ".scores.json.77.tmp").write_text("x")
    (tmp_path / "kept.tmp").write_text("x")
    (tmp_path / ".lock").write_text("x")
    remove_leftovers(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "kept.tmp"]


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123")
    (tmp_path / "link").symlink_to(file)
    assert read_regular(file, largest=4) == read_regular(tmp_path / "link", largest=4) == b"0123"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for name in ("pipe", "endless", "."):
        with pytest.raises(OSError, match="not a regular file"):
            read_regular(tmp_path / name, largest=100)
    with pytest.raises(OSError, match="4 bytes where at most 3 can be right"):
        read_regular(file, largest=3)
