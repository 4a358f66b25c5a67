"""A run folder may be anybody's: nothing in it leads sonde to files that lie elsewhere."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sonde.config import RunFolder, Setting, Settings, create_run, open_run, write_settings
from sonde.config.disk import remove_folder, remove_leftovers, write_atomically, write_folder_atomically
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


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"3\n", "line 1 is no record of an epoch"),
        (b'{"epoch": "x"}\n', "line 1 is no record of an epoch (epoch: input should be a valid integer)"),
        (b'{"epoch": 1, "train": 3}\n', "train: input should be a valid dictionary"),
        (b'{"epoch": 1}\n{"epoch": 2, "train": {"loss": "x"}}\n', "line 2 is no record of an epoch (train.loss"),
        (b'{"epoch": 1, "validation": {"accuracy": NaN}}\n', "it holds NaN, which is no number"),
        (b'{"epoch": 1, "train": {"loss": 1e308}}\n', "train.loss: 1e+308 cannot be right"),
        (b'{"epoch": 1, "learning_rate": [[]]}\n', "learning_rate: input should be a valid number"),
        (b'{"epoch": 1, "clock": {"seconds": "x"}}\n', "clock.seconds"),
        (b'{"epoch": 1, "clock": {"seconds": 1e999}}', "larger than any number"),
        (b'{"epoch": ' + b"9" * 5000 + b"}\n", "a number of 5,000 digits"),
        (b"[" * 10_000 + b"\n", "more than 64 deep"),
        (b'{"epoch": 1\n{"epoch": 2}\n', "line 1 is no record of an epoch (it is not JSON"),
        (b"\xff\xfe", "it is not UTF-8 text"),
    ],
)  # fmt: skip
def test_a_damaged_history_is_named_with_line_reason_and_cure(run: Path, content: bytes, reason: str) -> None:
    (run / "history.jsonl").write_bytes(content)
    with pytest.raises(RunError, match=rf"history\.jsonl is damaged: .*{re.escape(reason)}.*Remove it"):
        open_run("theirs").history()


def test_a_line_of_the_history_that_a_crash_cut_off_is_left_out(run: Path) -> None:
    (run / "history.jsonl").write_bytes(b'{"epoch": 1, "validation": null}\n{"epo')
    assert [record["epoch"] for record in open_run("theirs").history()] == [1]
    (run / "history.jsonl").write_bytes(b'{"epoch": 1}')
    assert open_run("theirs").history() == [{"epoch": 1}]


GOOD: dict[str, dict[str, Any]] = {
    "environment.json": {
        "packages": {"torch": "2"},
        "model": {"name": "cnn", "parameters": 3},
        "precision": {"value": "fp32", "reason": "said"},
        "git": None,
        "cores": 2,
        "budget": {"minutes": 1, "steps": 3, "seconds_used": 2.5, "seconds_kept": 1, "stopped": False},
    },
    "findings.json": {"bad_files": [["a", "b"]], "notes": [], "classes": {"train": {"cat": 1}}, "leak_count": 0},
    "scores.json": {"headline": "accuracy", "splits": "x", "test": {"accuracy": {"value": 0.5, "low": None}}},
    "origins.json": {"run.seed": {"value": 0, "origin": "default"}},
}


@pytest.mark.parametrize(
    ("name", "key", "value", "reason"),
    [
        ("environment.json", "packages", 5, "packages: input should be a valid dictionary"),
        ("environment.json", "packages", {"torch": []}, "packages.torch: input should be a valid string"),
        ("environment.json", "model", "x", "model: input should be a valid dictionary"),
        ("environment.json", "model", {"name": "cnn", "parameters": "3"}, "model.parameters"),
        ("environment.json", "precision", 5, "precision: input should be a valid dictionary"),
        ("environment.json", "git", [], "git: input should be a valid dictionary"),
        ("environment.json", "cores", -1, "cores: input should be greater than or equal to 0"),
        ("environment.json", "command", "sonde train", "command: input should be a valid list"),
        ("environment.json", "budget", {"minutes": 1}, "budget.steps: field required"),
        ("findings.json", "bad_files", [["a"]], "bad_files.0"),
        ("findings.json", "classes", {"train": {"cat": 1e30}}, "classes.train.cat"),
        ("findings.json", "notes", "x", "notes: input should be a valid list"),
        ("scores.json", "headline", [], "headline: input should be a valid string"),
        ("scores.json", "headline", "f1", "'f1' is not among the scores on the test"),
        ("scores.json", "answer", {}, "answer: input should be a valid string"),
        ("scores.json", "test", {"accuracy": 3}, "test.accuracy: input should be a valid dictionary"),
        ("scores.json", "test", {"accuracy": {"value": "x"}}, "test.accuracy.value: input should be a valid number"),
        ("scores.json", "baselines", [], "baselines: input should be a valid dictionary"),
        ("scores.json", "folds", {"headline": "f1"}, "folds.runs: field required"),
        ("scores.json", "ensemble", {"metrics": 3}, "ensemble.metrics: input should be a valid list"),
        ("origins.json", "run.seed", {"value": 0, "origin": "nobody"}, "run.seed.origin"),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_said_where_the_file_is_read(
    run: Path, name: str, key: str, value: Any, reason: str
) -> None:
    folder = open_run("theirs")
    folder.write_json(run / name, GOOD[name])
    assert folder.read_json(run / name) == GOOD[name]
    folder.write_json(run / name, {**GOOD[name], key: value})
    cure = {"scores.json": "sonde evaluate", "origins.json": "Remove it"}.get(name, "train anew")
    with pytest.raises(RunError, match=rf"{re.escape(name)} is damaged: .*{re.escape(reason)}.*\({cure}|; {cure}"):
        folder.read_json(run / name)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_in_a_run_folder_is_not_waited_for(run: Path, make: Callable[[Path], None]) -> None:
    for name in ("environment.json", "history.jsonl", "scores.json", "origins.json"):
        make(run / name)
    folder = open_run("theirs")
    for act in (folder.fingerprint, folder.history, folder.scores, folder.settings):
        with pytest.raises(RunError, match="is damaged: it is not a regular file"):
            act()


SAID = Settings(
    {
        "run.data": Setting("pets", "command line"),
        "run.epochs": Setting(20, "guessed", reason="the default # for pets\nof this size"),
        "run.seed": Setting(3, "file", place="my.toml, line 2"),
        "image.size": Setting((28, 28), "guessed", reason="the median"),
        "training.rate": Setting(1.0, "default"),
    }
)


def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(tmp_path)
    return create_run("first", settings=SAID, text=write_settings(SAID), environment={}, findings={})


def told(settings: Settings) -> dict[str, tuple[Any, str, str]]:
    return {key: (each.value, each.origin, each.reason) for key, each in settings.items()}


def test_who_chose_each_option_and_why_is_read_back_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path, monkeypatch)
    read = folder.settings()
    assert told(read) == {**told(SAID), "image.size": ([28, 28], "guessed", "the median")}
    assert read["run.seed"].place == f"{folder.settings_file}, line 5"


def test_a_value_that_was_changed_in_the_run_file_is_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path, monkeypatch)
    text = folder.settings_file.read_text()
    folder.settings_file.write_text(text.replace("epochs = 20", "epochs = 21").replace("rate = 1.0", "rate = 1"))
    read = told(folder.settings())
    assert read["run.epochs"] == (21, "file", "") and read["training.rate"] == (1, "file", "")
    assert read["image.size"] == ([28, 28], "guessed", "the median")


def test_a_run_file_without_its_origins_counts_as_from_the_file_whatever_its_comments_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path, monkeypatch)
    assert "epochs = 20  # guessed: the default # for pets of this size" in folder.settings_file.read_text()
    folder.origins_file.unlink()
    assert {(origin, reason) for _, origin, reason in told(folder.settings()).values()} == {("file", "")}


def test_origins_that_are_damaged_are_named_with_their_cure(run: Path) -> None:
    (run / "origins.json").write_text("{")
    with pytest.raises(RunError, match=r"origins\.json is damaged: it is not JSON.*Remove it, and every option"):
        open_run("theirs").settings()


@pytest.mark.parametrize("name", ["a" * 10_000, "~nosuchuser/x", "a\0b", "\ud800"])
def test_a_name_that_no_file_can_have_is_no_run(run: Path, name: str) -> None:
    with pytest.raises(RunError, match="There is no run at"):
        open_run(name)


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
