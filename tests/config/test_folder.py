"""A run folder may be anybody's: nothing in it leads sonde to files that lie elsewhere."""

import re
from pathlib import Path

import pytest

from sonde.config import open_run
from sonde.config.files import remove_folder, remove_leftovers, write_atomically, write_folder_atomically
from sonde.errors import ConfigError, RunError, StorageError
from sonde.training.checkpoints import clear_unfinished, only_one


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "runs" / "theirs"
    path.mkdir(parents=True)
    (path / "run.toml").write_text("")
    return path


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """What a link in a stranger's folder leads to."""
    path = tmp_path / "mine"
    (path / "plots").mkdir(parents=True)
    for name in ("thesis.txt", "DONE", "COMMIT", ".lock", "plots/drawing.svg"):
        (path / name).write_text("mine")
    return path


def is_whole(mine: Path) -> bool:
    files = [path for path in mine.rglob("*") if path.is_file()]
    return len(files) == 5 and all(path.read_text() == "mine" for path in files)


def test_a_link_is_removed_and_what_it_leads_to_stays(tmp_path: Path, mine: Path) -> None:
    for name in ("link", ".link.12.tmp", "step-00000001"):
        (tmp_path / name).symlink_to(mine)
    remove_folder(tmp_path / "link")
    remove_leftovers(tmp_path)
    assert not (tmp_path / "link").is_symlink() and not (tmp_path / ".link.12.tmp").is_symlink()
    (mine / "COMMIT").rename(mine / "kept")
    clear_unfinished(tmp_path)
    (mine / "kept").rename(mine / "COMMIT")
    assert not (tmp_path / "step-00000001").is_symlink() and is_whole(mine)


def test_a_folder_that_is_written_takes_the_place_of_a_link(tmp_path: Path, mine: Path) -> None:
    (tmp_path / "model").symlink_to(mine)
    write_folder_atomically(tmp_path / "model", {"DONE": "new"}, marker="DONE")
    assert is_whole(mine) and not (tmp_path / "model").is_symlink()
    assert (tmp_path / "model" / "DONE").read_text() == "new"


def test_a_file_half_written_under_a_name_that_can_be_guessed_is_no_way_out(
    tmp_path: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getpid", lambda: 77)
    (tmp_path / ".scores.json.77.tmp").symlink_to(mine / "thesis.txt")
    with pytest.raises(StorageError, match=r"Cannot write .*scores\.json"):
        write_atomically(tmp_path / "scores.json", "new")
    assert is_whole(mine)
    # The link is gone with the attempt.
    write_atomically(tmp_path / "scores.json", "new")


def test_a_lock_that_is_a_link_is_neither_emptied_nor_followed(run: Path, mine: Path) -> None:
    (run / "checkpoints").mkdir()
    opened = open_run(run)
    (run / "checkpoints" / ".lock").symlink_to(mine / "thesis.txt")
    with pytest.raises(StorageError, match="checkpoints"), only_one(opened):
        pytest.fail("it was taken for a lock")
    assert is_whole(mine)


@pytest.mark.parametrize(
    "part",
    ["checkpoints", "plots", "model", "history.jsonl", "checkpoints/.lock", "checkpoints/step-00000001", "on-x",
     "on-x/plots"],
)  # fmt: skip
def test_a_run_with_a_part_that_lies_elsewhere_is_refused_by_name(part: str, run: Path, mine: Path) -> None:
    assert open_run("theirs").path == Path("runs/theirs")
    (run / part).parent.mkdir(exist_ok=True)
    (run / part).symlink_to(mine)
    with pytest.raises(RunError, match=rf"{re.escape(part)} is a link to {re.escape(str(mine))}, .*remove the link"):
        open_run("theirs")
    # Where it leads to nothing, something may be made there.
    (run / part).unlink()
    (run / part).symlink_to(mine / "nothing")
    with pytest.raises(RunError, match="is a link"):
        open_run(run)
    assert is_whole(mine)


def test_the_run_folder_itself_may_be_a_link(run: Path, tmp_path: Path) -> None:
    (run / "checkpoints").mkdir()
    run.rename(tmp_path / "large-disk")
    run.symlink_to(tmp_path / "large-disk")
    assert open_run("theirs").path == Path("runs/theirs")


def test_what_a_killed_process_left_is_not_listed_as_a_run(run: Path) -> None:
    (run.parent / ".second.4711.tmp").mkdir()
    with pytest.raises(RunError, match=r"There is no run at 'secnd'\. Runs here: theirs\.$"):
        open_run("secnd")


@pytest.mark.parametrize("content", [b"3\n", b'{"epoch": "x"}\n', b"\xff\xfe", b'{"epoch": 1, "train": 3}\n'])
def test_a_damaged_history_is_named_with_its_cure(run: Path, content: bytes) -> None:
    (run / "history.jsonl").write_bytes(content)
    with pytest.raises(RunError, match=r"history\.jsonl is damaged: .*Remove it"):
        open_run("theirs").history()


def test_a_line_of_the_history_that_a_crash_cut_off_is_left_out(run: Path) -> None:
    (run / "history.jsonl").write_bytes(b'{"epoch": 1, "validation": null}\n{"epo')
    assert [record["epoch"] for record in open_run("theirs").history()] == [1]


@pytest.mark.parametrize("content", [None, b"{}", b"[]", b'{"dataset": 3}', b"\xff\xfe", b"{"])
def test_a_run_without_a_whole_environment_is_to_be_trained_anew(run: Path, content: bytes | None) -> None:
    if content is not None:
        (run / "environment.json").write_bytes(content)
    with pytest.raises(RunError, match=r"environment\.json.*train anew") as caught:
        open_run("theirs").fingerprint()
    assert "evaluate" not in str(caught.value)


def test_a_run_without_its_run_file_is_called_that(run: Path) -> None:
    (run / "run.toml").rename(run / "environment.json")
    for word in ("theirs", run):
        with pytest.raises(RunError, match=r"has no run\.toml"):
            open_run(word)


def test_a_run_opens_from_what_a_verb_returned_and_from_nothing_else(run: Path) -> None:
    folder = open_run("theirs")
    assert open_run(folder).path == folder.path
    for other in (None, 3, [folder]):
        with pytest.raises(ConfigError, match="is no run"):
            open_run(other)  # type: ignore[arg-type]
