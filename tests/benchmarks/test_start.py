"""start.py measures whole programs in turns and writes what it saw."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import start  # noqa: E402  (the scripts' folder has to be on the path first)


def test_each_program_runs_once_a_round_and_the_first_round_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = "import os; open(os.environ['TRACE'], 'a').write(os.environ['WORD'] + os.environ['OMP_NUM_THREADS'])"
    monkeypatch.setenv("TRACE", str(tmp_path / "trace"))
    programs = {name: start.Program(("-c", record), {"WORD": name}) for name in ("a", "b")}
    monkeypatch.setattr(start, "PROGRAMS", programs)
    monkeypatch.setattr(start, "PAGE", tmp_path / "start.md")
    monkeypatch.setattr(start, "ROOT", tmp_path)
    assert start.main(["--rounds", "2", "--threads", "1", "--write", "--backends"]) == 0
    assert (tmp_path / "trace").read_text() == "a1b1" * 3
    text = (tmp_path / "start.md").read_text(encoding="utf-8")
    assert "Medians of 2 rounds" in text and "| a    |" in text and "| b    |" in text


def test_a_program_that_fails_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "PROGRAMS", {"broken": start.Program(("-c", "raise SystemExit(3)"))})
    with pytest.raises(SystemExit, match="exit code 3"):
        start.main(["--rounds", "1", "--threads", "1", "--backends"])
