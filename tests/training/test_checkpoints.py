"""A checkpoint is complete or invisible; once there is one, there is always one to go on from."""

import errno
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import small_runs
from faults import Killed, count_of, failing, was_refused
from sonde import stages
from sonde.config import RunFolder
from sonde.errors import ModelError, RunError, StorageError
from sonde.training.checkpoints import (
    KEPT,
    MARKER,
    Checkpoint,
    Progress,
    clear_unfinished,
    only_one,
    read_newest,
    write_checkpoint,
)


def checkpoint(step: int) -> Checkpoint:
    """Return a checkpoint that knows its step; its numbers are awkward ones."""
    progress = Progress(
        epoch=2, step=step, loss_sum=0.1 + step, best_epoch=1, best_figure=(0.1, -1 / 3), history=[{"epoch": 1}]
    )
    state = {
        "weights/a": np.array([[np.nan, -0.0, 1e-45, step]], np.float32),
        "optimizer/iteration": np.array(step, np.int64),
        "weights/seed": np.array([7, 2**32 - 1], np.uint32),
        "weights/columns": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
    }
    return Checkpoint(progress, state, {"a": np.full((2, 2), step, np.float32)})


def step_of(folder: Path) -> int | None:
    """Return the step of the newest whole checkpoint, after a check that every bit of it is right."""
    found = read_newest(folder)
    if found is None:
        return None
    expected = checkpoint(found.progress.step)
    assert found.progress == expected.progress
    assert small_runs.bits(found.state) == small_runs.bits(expected.state)
    assert small_runs.bits(found.best) == small_runs.bits(expected.best)
    return found.progress.step


def write(folder: Path, *steps: int) -> None:
    for step in steps:
        write_checkpoint(folder, checkpoint(step), step=step)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_is_read_to_the_bit(tmp_path: Path) -> None:
    assert read_newest(tmp_path / "none") is None
    write(tmp_path, 3)
    assert step_of(tmp_path) == 3


def test_only_the_last_ones_are_kept(tmp_path: Path) -> None:
    write(tmp_path, *range(1, 8))
    assert names(tmp_path) == ["step-00000006", "step-00000007"] and KEPT == 2


def test_the_step_decides_which_is_newest_and_not_the_number_of_digits(tmp_path: Path) -> None:
    write(tmp_path, 99_999_999, 100_000_000)
    assert step_of(tmp_path) == 100_000_000
    write(tmp_path, 100_000_001)
    assert names(tmp_path) == ["step-100000000", "step-100000001"]


@pytest.mark.parametrize("killed", [False, True], ids=["fails", "kills"])
@pytest.mark.parametrize("before", [1, 2])
def test_whichever_operation_fails_there_is_one_to_go_on_from(tmp_path: Path, before: int, killed: bool) -> None:
    folder, kept = tmp_path / "checkpoints", tmp_path / "kept"
    write(kept, *range(1, before + 1))
    shutil.copytree(kept, folder)
    operations = count_of(lambda: write(folder, before + 1))
    assert operations > 15
    seen = set()
    for at in range(1, operations + 1):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)
        with failing(at, killed=killed) as watched:
            said = was_refused(lambda: write(folder, before + 1))
        assert watched.hit and (said or step_of(folder) == before + 1)
        seen.add(step_of(folder))
        # As the next process does it: clear up, go on, and write the next ones.
        clear_unfinished(folder)
        assert step_of(folder) in (before, before + 1)
        write(folder, before + 1, before + 2)
        assert step_of(folder) == before + 2
        assert names(folder) == [f"step-{step:08d}" for step in (before + 1, before + 2)]
    assert seen == {before, before + 1}


def test_a_first_checkpoint_that_fails_is_none(tmp_path: Path) -> None:
    operations = count_of(lambda: write(tmp_path / "other", 1))
    for at in range(1, operations + 1):
        folder = tmp_path / str(at)
        with failing(at, killed=True), pytest.raises(Killed):
            write(folder, 1)
        assert step_of(folder) in (None, 1)


def test_what_killed_processes_left_is_cleared(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    # A copy under the name of an unfinished one, whole but for its name; one without its marker; a lock.
    shutil.copytree(tmp_path / "step-00000002", tmp_path / ".step-00000003.4711.tmp")
    shutil.copytree(tmp_path / "step-00000002", tmp_path / "step-00000004")
    (tmp_path / "step-00000004" / MARKER).unlink()
    (tmp_path / ".lock").touch()
    assert step_of(tmp_path) == 2
    clear_unfinished(tmp_path)
    assert names(tmp_path) == [".lock", "step-00000001", "step-00000002"]


def flip(file: Path) -> None:
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "a flipped bit": flip,
    "a file cut short": cut,
    "an empty file": lambda file: file.write_bytes(b""),
    "a missing file": Path.unlink,
}


@pytest.mark.parametrize("name", ["state.safetensors", "best.safetensors", "progress.json", MARKER])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_passed_over_for_the_one_before(tmp_path: Path, name: str, damage: str) -> None:
    write(tmp_path, 1, 2)
    DAMAGES[damage](tmp_path / "step-00000002" / name)
    assert step_of(tmp_path) == 1
    # The run goes on from there; the damaged one counts among the kept no more.
    clear_unfinished(tmp_path)
    write_checkpoint(tmp_path, checkpoint(1), step=1)
    write(tmp_path, 2)
    assert names(tmp_path) == ["step-00000001", "step-00000002"] and step_of(tmp_path) == 2


def test_a_damaged_newer_one_does_not_push_out_whole_ones(tmp_path: Path) -> None:
    write(tmp_path, 10, 20)
    flip(tmp_path / "step-00000020" / "state.safetensors")
    write(tmp_path, 12)
    assert names(tmp_path) == ["step-00000010", "step-00000012"]


def test_where_all_are_damaged_nothing_is_guessed(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    for folder in tmp_path.iterdir():
        flip(folder / "state.safetensors")
    with pytest.raises(ModelError, match=r"Every checkpoint in .* is damaged; start the training anew"):
        read_newest(tmp_path)


def forged(folder: Path, name: str, content: bytes) -> None:
    """Replace a file of a checkpoint, and its digest too."""
    (folder / name).write_bytes(content)
    digests = json.loads((folder / MARKER).read_text())
    digests[name] = hashlib.sha256(content).hexdigest()
    (folder / MARKER).write_text(json.dumps(digests))


@pytest.mark.parametrize(
    "content", [b"3", b"[]", b"{}", b'{"epoch": "one"}', b'{"wrong": 1}', b"[" * 100_000, b"\xff", b"null"]
)
def test_a_forged_progress_is_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, 1, 2)
    forged(tmp_path / "step-00000002", "progress.json", content)
    assert step_of(tmp_path) == 1


@pytest.mark.parametrize("marker", [b"[]", b"3", b"{}", b"[" * 9_000, b"\xff", b'{"progress.json": 3}'])
def test_a_forged_marker_is_no_checkpoint(tmp_path: Path, marker: bytes) -> None:
    write(tmp_path, 1, 2)
    (tmp_path / "step-00000002" / MARKER).write_bytes(marker)
    assert step_of(tmp_path) == 1


def test_a_pickle_is_no_checkpoint(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    # The first bytes of every pickle of protocol 4.
    forged(tmp_path / "step-00000002", "state.safetensors", b"\x80\x04\x95" + b"\x00" * 100)
    assert step_of(tmp_path) == 1


def test_a_device_in_place_of_a_file_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, 1, 2)
    file = tmp_path / "step-00000002" / "state.safetensors"
    file.unlink()
    file.symlink_to("/dev/zero")
    assert step_of(tmp_path) == 1


def test_another_model_s_checkpoint_is_refused(begun: Any) -> None:
    folder = small_runs.again(begun.folder, "another-model")
    session = small_runs.open_session(folder, begun.dataset)
    session.checkpoint()
    wider = small_runs.again(begun.folder, "wider", {"model.width": 8})
    shutil.copytree(folder.checkpoints, wider.checkpoints)
    with pytest.raises(ModelError, match=r"belongs to another model than .*run\.toml describes"):
        small_runs.open_session(wider, begun.dataset)
    other_slots = small_runs.again(begun.folder, "other-slots", {"training.optimizer": "sgd"})
    shutil.copytree(folder.checkpoints, other_slots.checkpoints)
    with pytest.raises(ModelError, match="belongs to another model"):
        small_runs.open_session(other_slots, begun.dataset)


def test_best_weights_of_another_model_are_refused(begun: Any) -> None:
    session = small_runs.open_session(small_runs.again(begun.folder, "odd-best"), begun.dataset)
    session.best = {"odd": np.zeros(1, np.float32)}
    session.checkpoint()
    with pytest.raises(ModelError, match="belongs to another model"):
        small_runs.open_session(session.folder, begun.dataset)


def test_a_run_is_trained_by_one_process_at_a_time(begun: Any) -> None:
    folder = small_runs.again(begun.folder, "one-at-a-time")
    program = (
        "import sys; from pathlib import Path; from sonde.config import RunFolder\n"
        "from sonde.errors import RunError; from sonde.training.checkpoints import only_one\n"
        "try:\n    with only_one(RunFolder(Path(sys.argv[1]))): print('mine')\n"
        "except RunError as error: print(error)"
    )

    def elsewhere() -> str:
        words = [sys.executable, "-c", program, str(folder.path)]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()

    with only_one(folder):
        assert elsewhere() == ("Another process is training the run 'one-at-a-time' right now; wait for it or stop it.")
        with pytest.raises(RunError, match="Another process"):
            stages.go_on(folder, begun.dataset)
    assert elsewhere() == "mine"


def test_data_that_changed_is_refused(workplace: Path) -> None:
    source = small_runs.write_data(Path("moving.npz"))
    folder, _ = small_runs.start(source, {**small_runs.EVERYTHING, "run.name": "moving"})
    small_runs.write_data(source, seed=2)
    with pytest.raises(RunError, match=r"The data moving\.npz has changed since the run 'moving' began .*Put the data"):
        stages.go_on(folder)
    assert not folder.model.exists()


def test_a_full_disk_stops_the_training_and_loses_nothing(begun: Any) -> None:
    folder = small_runs.again(begun.folder, "full", {"training.checkpoint_steps": 2})
    unbroken = small_runs.open_session(small_runs.again(begun.folder, "full-whole"), begun.dataset)
    small_runs.train(unbroken)
    session = small_runs.open_session(folder, begun.dataset)
    small_runs.train(session, steps=8)
    with (
        failing(1, code=errno.ENOSPC, lasting=True),
        pytest.raises(StorageError, match=r"No space left on the disk .*sonde resume RUN"),
    ):
        small_runs.train(session)
    gone_on = small_runs.open_session(folder, begun.dataset)
    assert gone_on.step == 6
    small_runs.train(gone_on)
    assert small_runs.bits(gone_on.engine.read_state()) == small_runs.bits(unbroken.engine.read_state())


def broken_at_every(begun: Any, stride: int, *, killed: bool) -> None:
    """Let a run's last steps, its end and its model fail at every so-manieth operation, and go on with it."""
    name = f"broken-{stride}-{killed}"
    stopped = small_runs.again(begun.folder, name, {"training.checkpoint_steps": 2})
    session = small_runs.open_session(stopped, begun.dataset)
    small_runs.train(session, steps=17)
    session.checkpoint()

    def finish(folder: RunFolder) -> None:
        session = small_runs.open_session(folder, begun.dataset)
        small_runs.train(session)
        session.finish()

    def copy(number: int) -> RunFolder:
        folder = RunFolder(stopped.path.with_name(f"{name}-{number}"))
        shutil.copytree(stopped.path, folder.path)
        return folder

    whole = copy(0)
    operations = count_of(lambda: finish(whole))
    assert operations > 50
    for at in range(1, operations + 1, stride):
        folder = copy(at)
        with failing(at, killed=killed) as watched:
            said = was_refused(lambda: finish(folder))  # noqa: B023
        assert watched.hit and (said or not killed)
        assert read_newest(folder.checkpoints) is not None
        finish(folder)
        assert small_runs.files_of(folder.model) == small_runs.files_of(whole.model)
        assert small_runs.without_clock(folder.history()) == small_runs.without_clock(whole.history())


@pytest.mark.parametrize("killed", [False, True], ids=["fails", "kills"])
def test_a_run_survives_the_failure_of_its_operations(begun: Any, killed: bool) -> None:
    # Every 17th; all of them in the slow test below.
    broken_at_every(begun, 17, killed=killed)


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True], ids=["fails", "kills"])
def test_a_run_survives_the_failure_of_each_operation(begun: Any, killed: bool) -> None:
    broken_at_every(begun, 1, killed=killed)
