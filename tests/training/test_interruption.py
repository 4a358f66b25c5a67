"""Real processes: Ctrl-C says how to go on, kill -9 loses nothing, and both go on to the same bits."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import small_runs
from sonde import stages
from sonde.config import RunFolder, open_run

ROOT = Path(__file__).parents[2]

# Long enough for the signal to arrive: fifty steps after the first epoch's line.
LONG = {**small_runs.EVERYTHING, "run.epochs": 12}


def launch(*words: str) -> "subprocess.Popen[str]":
    """Start a sonde process whose words can be read while it runs."""
    return subprocess.Popen(
        [sys.executable, "-m", "sonde", *words],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end_of(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for a process; return its exit code and what it said."""
    said, _ = process.communicate()
    return process.returncode, said


def read_until(process: "subprocess.Popen[str]", word: str) -> str:
    """Read what a process says up to the line with a word."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(f"'{word}' was not said:\n{said}")


def as_options(words: dict[str, object]) -> list[str]:
    pairs = {**small_runs.WORDS, **words}
    return [part for key, value in pairs.items() for part in ("--set", f"{key}={value}")]


def test_ctrl_c_says_how_to_go_on_and_the_run_ends_with_the_same_bits(workplace: Path) -> None:
    source = small_runs.write_data(Path("tiny.npz"))
    whole, dataset = small_runs.start(source, {**LONG, "run.name": "whole"})
    stages.go_on(whole, dataset)

    process = launch("train", str(source), "--name", "cut", *as_options(LONG))
    read_until(process, "epoch  1/12")
    process.send_signal(signal.SIGINT)
    code, said = end_of(process)
    assert code == 130, said
    assert "Leaving off at step" in said and "Go on with:\n\n  sonde resume runs/cut" in said
    assert "Traceback" not in said
    cut = open_run("cut")
    assert cut.path.joinpath("checkpoints").exists() and not cut.model.exists()
    assert 0 < len(cut.history()) < 12

    code, said = end_of(launch("resume", "runs/cut"))
    assert code == 0, said
    assert "Going on from step" in said
    same_result(cut, whole)


def same_result(found: RunFolder, expected: RunFolder) -> None:
    """Compare what two finished runs left, bit by bit."""
    assert small_runs.files_of(found.model) == small_runs.files_of(expected.model)
    assert small_runs.without_clock(found.history()) == small_runs.without_clock(expected.history())
    for name in ("scores.json", "predictions.parquet"):
        assert (found.path / name).read_bytes() == (expected.path / name).read_bytes()


def test_a_second_ctrl_c_does_not_wait() -> None:
    # Whoever runs the tests in the background may have Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        _press_twice()
    finally:
        signal.signal(signal.SIGINT, before)


def _press_twice() -> None:
    with stages.stop_asked() as asked:
        signal.raise_signal(signal.SIGINT)
        assert asked == [signal.SIGINT]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_in_the_evaluation_says_how_to_go_on_too(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = small_runs.write_data(Path("tiny.npz"))
    folder, dataset = small_runs.start(source, {**small_runs.EVERYTHING, "run.epochs": 1, "run.name": "late"})

    def interrupted(folder: RunFolder, *, dataset: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stages.evaluation, "evaluate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            stages.go_on(folder, dataset)
    assert "Go on with:\n\n  sonde resume runs/late" in capsys.readouterr().out
    stages.go_on(folder)
    assert folder.report_file.exists()


def test_what_killed_processes_left_in_the_run_is_cleared(workplace: Path) -> None:
    source = small_runs.write_data(Path("tiny.npz"))
    folder, dataset = small_runs.start(source, {**small_runs.EVERYTHING, "run.epochs": 1, "run.name": "littered"})
    for name in (".model.99.tmp", "plots", "checkpoints"):
        (folder.path / name).mkdir()
    for name in (".model.99.tmp/half", ".scores.json.99.tmp", "plots/.loss.svg.99.tmp", ".history.jsonl.99.tmp"):
        (folder.path / name).write_text("half")
    shutil.copytree(folder.plots, folder.checkpoints / ".step-00000001.99.tmp")
    stages.go_on(folder, dataset)
    assert [path for path in folder.path.rglob("*") if path.name.endswith(".tmp")] == []


def test_a_run_s_folder_appears_with_all_that_going_on_needs(workplace: Path) -> None:
    source = small_runs.write_data(Path("tiny.npz"))
    folder, _ = small_runs.start(source, {**small_runs.EVERYTHING, "run.epochs": 1, "run.name": "bare"})
    # As after a kill right behind the start.
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "environment.json",
        "findings.json",
        "origins.json",
        "run.toml",
    ]
    stages.go_on(open_run("bare"))
    assert folder.report_file.exists()


@pytest.mark.slow
def test_three_kills_three_exact_resumes() -> None:
    words = [sys.executable, str(ROOT / "benchmarks" / "kills.py"), "--kills", "3"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "3 kills, 3 exact resumes" in done.stdout and done.returncode == 0, done.stdout + done.stderr
