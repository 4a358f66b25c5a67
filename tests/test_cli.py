"""The shell: mistakes get one message and an exit code, results a table or JSON, and help is fast."""

import json
import os
import resource
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sonde import __version__, api, cli, terminal
from sonde.errors import DataError

SOURCES = Path(__file__).parents[1] / "src"
ENV = {**os.environ, "PYTHONPATH": str(SOURCES)}
HELP_SECONDS = 0.3
"""Promised for `sonde --help`, Python's start included."""


def playing(monkeypatch: pytest.MonkeyPatch, verb: str, act: Callable[..., Any]) -> None:
    """Put a function with the same signature in the place of a verb."""
    act.__annotations__ = dict(api.VERBS[verb].__annotations__)
    monkeypatch.setitem(api.VERBS, verb, act)


def doctor_that(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    playing(monkeypatch, "doctor", act)


def shell(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sonde", *words], capture_output=True, text=True, env={**ENV, **settings}, check=False
    )


def test_a_mistake_is_one_message_without_a_traceback_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> None:
        raise DataError("There is no folder 'flowrs'. Did you mean 'flowers'?")

    doctor_that(monkeypatch, act)
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr() == ("", "sonde: There is no folder 'flowrs'. Did you mean 'flowers'?\n")


def test_control_characters_in_an_error_are_shown_and_not_obeyed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> None:
        raise DataError("Cannot read \x1b[2Jevil\u202egnp.\x07[bold]:smile:")

    doctor_that(monkeypatch, act)
    cli.main(["doctor"])
    assert capsys.readouterr().err == "sonde: Cannot read \\x1b[2Jevil\\u202egnp.\\x07[bold]:smile:\n"


def test_what_is_no_mistake_of_the_reader_is_called_a_bug_and_shown_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> None:
        raise ZeroDivisionError("by \x1b[31mnothing")

    doctor_that(monkeypatch, act)
    assert cli.main(["doctor"]) == 1
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "ZeroDivisionError: by \\x1b[31mnothing" in told
    assert told.splitlines()[-1].startswith("This is a bug in sonde")


def test_ctrl_c_ends_quietly_with_exit_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> None:
        raise KeyboardInterrupt

    doctor_that(monkeypatch, act)
    assert cli.main(["doctor"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian", "digits"], 'Unknown command "trian". Did you mean "train"?'),
        (["train", "digits", "--epoch", "3"], "Unknown option: --epoch. Did you mean --epochs?"),
        (["train", "digits", "--epochs", "many"], 'Invalid value for --epochs: unable to convert "many" into int.'),
        (["train"], "train needs DATA."),
        (["train", "digits", "--seed"], "--seed needs a value."),
        (["predict", "runs/x"], "predict needs FILES."),
        (["evaluate", "a", "b"], "evaluate does not know what to do with: b"),
        (["list", "model"], 'Did you mean "models"?'),
        (["train", "digits", "--\x1b[31m"], "\\x1b[31m"),
    ],
)
def test_a_mistake_in_the_command_line_says_what_would_have_worked_and_exits_with_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert "\nHelp: sonde" in err
    assert "\x1b" not in err


def test_help_shows_every_verb_and_the_help_of_a_verb_its_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    overview = capsys.readouterr().out
    assert [verb for verb in api.VERBS if verb not in overview] == []
    assert cli.main(["train", "--help"]) == 0
    flags = capsys.readouterr().out
    assert [flag for flag in ("--backend", "--epochs", "--set", "--json") if flag not in flags] == []


def test_no_word_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert "train" in capsys.readouterr().out


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_repeated_set_and_many_files_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def show(data: str, *, set: Sequence[str] = ()) -> Path:
        seen.update(data=data, set=[*set])
        return Path("sheet.png")

    playing(monkeypatch, "show", show)
    assert cli.main(["show", "digits", "--set", "image.size=32", "--set", "augment.flip=0.5"]) == 0
    assert seen == {"data": "digits", "set": ["image.size=32", "augment.flip=0.5"]}


@pytest.mark.parametrize("words", [["doctor", "--json"], ["--json", "doctor"]])
def test_json_is_all_that_stands_on_standard_output(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> list[dict[str, Any]]:
        terminal.say("looking around")
        return [{"part": "torch", "share": float("nan"), "where": Path("x"), "evil": "\x1b[2J\u202e"}]

    doctor_that(monkeypatch, act)
    assert cli.main(words) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == [{"part": "torch", "share": None, "where": "x", "evil": "\x1b[2J\u202e"}]
    assert out.isascii()
    assert "\x1b" not in out
    assert err == "looking around\n"


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_file_that_cannot_be_read_is_shown_and_fails_the_command(
    flags: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def predict(run: str, files: Sequence[str]) -> list[dict[str, Any]]:
        return [
            {"file": files[0], "task": "image-classification", "prediction": "rose", "confidence": 0.9, "others": []},
            {"file": files[1], "error": "the file is empty"},
        ]

    playing(monkeypatch, "predict", predict)
    assert cli.main(["predict", "r", "a.png", "b.png", *flags]) == 1
    out = capsys.readouterr().out
    assert "rose" in out
    assert "the file is empty" in out


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = [sys.executable, "-m", "sonde", "--version"]
    reader, writer = os.pipe()
    os.close(reader)
    try:
        answer = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, env=ENV, check=False)
    finally:
        os.close(writer)
    assert answer.stderr == ""


@pytest.mark.parametrize("words", [["list", "models"], ["list", "models", "--json"], ["--help"], ["--version"]])
def test_output_to_a_full_disk_is_one_message_and_a_failure(words: list[str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    with open("/dev/full", "w") as full:
        answer = subprocess.run(
            [sys.executable, "-m", "sonde", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=ENV,
            check=False,
        )
    assert answer.returncode == 1
    assert answer.stderr == (
        "sonde: Cannot write to standard output: No space left on device. The words are lost; the work goes on.\n"
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_process_that_was_started_without_an_output_says_nothing_and_works(closed: str, tmp_path: Path) -> None:
    program = (
        "from sonde import cli; code = cli.main(['list', 'models', '--json']); file = open('file', 'w'); "
        # Else a file would get the number of standard output, and what libraries print there.
        "print(code, file.fileno() > 2, file=file)"
    )
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(program)} {closed}"
    answer = subprocess.run(["sh", "-c", command], capture_output=True, text=True, env=ENV, cwd=tmp_path, check=False)
    assert (answer.returncode, answer.stderr, (tmp_path / "file").read_text()) == (0, "", "0 True\n")


def test_an_error_of_the_system_that_is_not_of_the_output_is_still_called_a_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act() -> None:
        raise OSError(28, "No space left on device")

    doctor_that(monkeypatch, act)
    assert cli.main(["doctor"]) == 1
    assert "This is a bug in sonde" in capsys.readouterr().err


def test_a_terminal_that_is_not_utf_8_gets_escapes_instead_of_a_crash() -> None:
    answer = shell("train", "dîgits", "--épochs", "3", PYTHONIOENCODING="ascii")
    assert answer.returncode == 2
    assert "Unknown option: --\\xe9pochs" in answer.stderr


def test_python_m_sonde_is_the_shell() -> None:
    answer = shell("trian")
    assert (answer.returncode, answer.stdout) == (2, "")


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"]])
def test_help_is_there_before_one_wonders(words: list[str]) -> None:
    # Processor time of the child, not the wall's: it does not depend on who else is at work. Best of five, as a cold
    # disk and a first compilation are not the shell's.
    best = float("inf")
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        shell(*words)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
        if best < HELP_SECONDS:
            break
    assert best < HELP_SECONDS


@pytest.mark.parametrize(("flag", "number"), [("epochs", "1.5"), ("seed", "3.9"), ("epochs", "1e3"), ("seed", "nan")])
def test_a_number_that_is_not_whole_is_refused_and_not_rounded(
    flag: str, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["train", "digits", f"--{flag}", number]) == 1
    assert capsys.readouterr().err == f"sonde: --{flag} {number} is not possible: expected a whole number.\n"


def test_whole_numbers_reach_the_verb_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def train(
        data: str,
        *,
        backend: str | None = None,
        model: str | None = None,
        epochs: int | None = None,
        seed: int | None = None,
        name: str | None = None,
        set: Sequence[str] = (),
    ) -> Path:
        seen.update(data=data, epochs=epochs, seed=seed)
        return Path("run")

    playing(monkeypatch, "train", train)
    assert cli.main(["train", "digits", "--epochs", "3", "--seed", "9007199254740993", "--json"]) == 0
    assert seen == {"data": "digits", "epochs": 3, "seed": 9007199254740993}
