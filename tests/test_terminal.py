"""What sonde prints: harmless whatever the data holds, tables that say enough, and progress in the right form."""

import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde import api, terminal
from sonde.config import RunFolder, Setting, Settings, guessed
from sonde.errors import RunError
from sonde.terminal import command, decided, printing, progress, values

RUDE = "\x1b]0;title\x07\x1b[31mred\r\n\x9b2J\u202eabc\u2066\u2028\udcff[bold]x[/bold]:smile:"


class Tty(io.StringIO):
    """A stream that says that a person watches it."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\rb\tc\nd", "a\\rb\\tc\\nd"),
        ("\x9b2J\x7f", "\\x9b2J\\x7f"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2028\u200b\ufeff", "\\u2028\\u200b\\ufeff"),
        ("\udcff", "\\udcff"),
        ("naïve 東京 עברית 👩\u200d🔬 [bold]", "naïve 東京 עברית 👩\u200d🔬 [bold]"),
        (7, "7"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(raw: object, shown: str) -> None:
    assert terminal.safe(raw) == shown


@given(st.text())
def test_no_text_gets_through_that_moves_colours_or_reorders(raw: str) -> None:
    shown = terminal.safe(raw)
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert not [letter for letter in shown if ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0]
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u2028\u2029")


@given(st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
def test_letters_of_every_script_stay_as_they_are(raw: str) -> None:
    assert terminal.safe(raw) == raw


def test_a_message_keeps_its_lines_and_a_name_does_not() -> None:
    assert terminal.safe("a\nb", lines=True) == "a\nb"
    assert terminal.safe("a\nb") == "a\\nb"


def test_what_is_said_goes_elsewhere_while_a_machine_listens(capsys: pytest.CaptureFixture[str]) -> None:
    aside = io.StringIO()
    with terminal.talking_to(aside):
        terminal.say("on the way")
    terminal.say("the value")
    assert aside.getvalue() == "on the way\n"
    assert capsys.readouterr().out == "the value\n"


class Full(io.StringIO):
    """A stream on a full disk."""

    def write(self, words: str) -> int:
        raise OSError(28, "No space left on device")


def test_words_that_cannot_be_written_are_said_to_be_lost_once_and_end_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    display = terminal.training_progress(2, 5)
    with terminal.talking_to(Full()), display:
        terminal.say("one")
        terminal.show_value("list", [{"name": "cnn"}])
        display.epoch({"epoch": 1, "train": {"loss": 0.5}})
    assert capsys.readouterr() == (
        "",
        "sonde: Cannot write to standard output: No space left on device. The words are lost; the work goes on.\n",
    )
    assert [terminal.has_lost_words(), terminal.has_lost_words()] == [True, False]


def test_a_reader_who_has_gone_still_ends_the_work() -> None:
    class Gone(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    with terminal.talking_to(Gone()), pytest.raises(BrokenPipeError):
        terminal.say("one")
    assert not terminal.has_lost_words()


def test_nothing_is_said_where_there_is_no_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    terminal.say("one")
    terminal.show_value("list", [{"name": "cnn"}])
    with terminal.training_progress(2, 5) as display:
        display.epoch({"epoch": 1, "train": {"loss": 0.5}})
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    terminal.say("two")
    assert not terminal.has_lost_words()


def test_a_table_takes_no_orders_from_its_cells() -> None:
    stream = io.StringIO()
    with terminal.talking_to(stream):
        printing.draw(printing.table(("name", RUDE), [("x", RUDE)]))
    lines = stream.getvalue().split("\n")
    assert len(lines) == 3
    assert "\x1b" not in stream.getvalue()
    assert lines[1].count("[bold]x[/bold]:smile:") == 1


def test_a_long_line_is_never_broken_in_a_file() -> None:
    stream = io.StringIO()
    with terminal.talking_to(stream):
        printing.draw(printing.table(("file",), [("long/" * 500,)]))
    assert stream.getvalue() == f"file\n{'long/' * 500}\n"


def score(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "n": 360}


@pytest.mark.parametrize(
    ("given_score", "shown"),
    [
        (score(0.98123, 0.9604, 0.99), "0.981 (0.960 to 0.990)"),
        (score(0.5), "0.500"),
        (score(None), "-"),
        (None, "-"),
    ],
)
def test_a_score_stands_with_its_interval(given_score: dict[str, Any] | None, shown: str) -> None:
    assert values.interval(given_score) == shown


SCORES = {
    "headline": "accuracy",
    "splits": "the data's own test split (360 examples)",
    "test": {"accuracy": score(0.98, 0.96, 0.99), "log_loss": score(0.07, 0.04, 0.1), "roc_auc": score(None)},
    "baselines": {"majority class": {"accuracy": score(0.1, 0.07, 0.13)}},
    "verdict": {"sentence": "The model is better than the majority class by 0.88."},
}


def shown(verb: str, value: Any, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    with terminal.talking_to(stream):
        terminal.show_value(verb, value)
    return stream.getvalue()


def test_every_verb_has_a_way_to_be_shown() -> None:
    assert [*values.VALUES] == [*api.VERBS]


def test_scores_are_shown_with_intervals_baselines_and_verdict() -> None:
    told = shown("evaluate", SCORES)
    assert "Test accuracy: 0.980 (0.960 to 0.990), on the data's own test split (360 examples)." in told
    assert "majority class: 0.100 (0.070 to 0.130)" in told
    assert "The model is better than the majority class by 0.88." in told
    assert [line.split() for line in told.splitlines() if line.startswith("ROC")] == [
        ["ROC-AUC,", "one", "against", "the", "rest", "-", "-"]
    ]


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("mae", "Test mean absolute error: 0.980"),
        ("mean_dice", "Test mean Dice: 0.980"),
        ("roc_auc", "Test ROC-AUC, one against the rest: 0.980"),
        ("brier", "Test Brier score: 0.980"),
        ("top_2_accuracy", "Test top-2 accuracy: 0.980"),
        ("r2", "Test R²: 0.980"),
    ],
)
def test_a_metric_is_called_on_the_terminal_what_it_is_called_in_the_report(metric: str, words: str) -> None:
    assert words in shown("evaluate", {**SCORES, "headline": metric, "test": {metric: score(0.98, 0.96, 0.99)}})


def test_the_end_of_a_training_names_the_report_and_three_commands(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "a run")
    run.path.mkdir()
    run.settings_file.write_text('[run]\ndata = "my data"\n')
    run.report_file.write_text("<html>")
    run.write_json(run.scores_file, SCORES)
    told = shown("train", run)
    assert "Test accuracy: 0.980" in told
    assert f"Report: {run.report_file}" in told
    commands = [line.split() for line in told.partition("Next:\n")[2].splitlines()]
    assert [words[:2] for words in commands] == [["sonde", "predict"], ["sonde", "train"], ["sonde", "compare"]]
    assert f"sonde predict '{run.path}' FILE..." in told
    assert "sonde train 'my data' --model=NAME" in told


def test_predictions_are_a_table_with_confidence_and_the_next_best() -> None:
    told = shown(
        "predict",
        [
            {
                "file": f"{RUDE}.png",
                "task": "image-classification",
                "prediction": RUDE,
                "confidence": 0.91234,
                "others": [{"prediction": "tulip", "confidence": 0.05}, {"prediction": "x", "confidence": 0.01}],
            },
            {"file": "b.png", "error": "the file is empty"},
        ],
    )
    assert "0.912" in told
    assert "tulip 0.050, x 0.010" in told
    assert "cannot be read: the file is empty" in told
    assert len(told.splitlines()) == 3
    assert "\x1b" not in told


def test_the_set_of_an_answer_is_shown_and_an_answer_that_is_not_given_is_none() -> None:
    row = {
        "task": "image-classification",
        "prediction": "rose",
        "confidence": 0.41,
        "others": [],
        "abstains": True,
        "set": ["rose", "tulip", "a", "b", "c"],
    }
    told = shown("predict", [{"file": "a.png", **row}, {"file": "b.png", **row, "abstains": False, "set": ["rose"]}])
    assert told.splitlines()[0].split() == ["file", "prediction", "confidence", "set"]
    assert "none (unsure: rose)" in told and "rose, tulip, a, b and 1 more" in told
    assert told.splitlines()[2].split() == ["b.png", "rose", "0.410", "rose"]


def test_rows_are_a_table_whose_columns_are_their_keys() -> None:
    told = shown("list", [{"name": "cnn", "what": "A small network."}, {"name": "mlp", "what": "Layers."}])
    assert [line.split(None, 1) for line in told.splitlines()] == [
        ["name", "what"],
        ["cnn", "A small network."],
        ["mlp", "Layers."],
    ]


def test_a_comparison_says_who_is_better_how_sure_and_what_differs() -> None:
    told = shown(
        "compare",
        {
            "headline": "accuracy",
            "figure": "right or wrong",
            "confidence": 0.95,
            "examples": 1360,
            "runs": [
                {"name": "wide", "examples": 1360, "scores": {"accuracy": score(0.98, 0.96, 0.99)}},
                {"name": "deep", "examples": 1360, "scores": {"accuracy": score(0.95, 0.93, 0.97)}},
            ],
            "pairs": [
                {
                    "a": "wide",
                    "b": "deep",
                    "differences": {"accuracy": score(0.03, 0.01, 0.05)},
                    "a_better": 50,
                    "b_better": 9,
                    "is_right_or_wrong": True,
                    "p_value": 0.001,
                    "p_corrected": 0.001,
                    "better": "wide",
                }
            ],
            "settings": [{"key": "run.model", "values": {"wide": "cnn", "deep": None}}],
            "notes": [f"Odd: {RUDE}"],
        },
    )
    assert "On 1,360 common test examples, 95% intervals:" in told
    assert "'wide' against 'deep': 'wide' is better. Accuracy differs by 0.030 (0.010 to 0.050)" in told
    assert [line.split() for line in told.splitlines() if line.startswith("run.model")] == [["run.model", "cnn", "-"]]
    assert "\x1b" not in told


def test_a_written_file_is_named() -> None:
    assert shown("init", Path("run.toml")) == "Wrote run.toml\n"


def test_a_run_as_json_says_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_json(RunFolder(Path("runs/digits-1")))
    assert json.loads(capsys.readouterr().out) == {
        "name": "digits-1",
        "path": "runs/digits-1",
        "report": "runs/digits-1/report.html",
    }


def test_only_a_row_with_an_error_is_a_failure() -> None:
    assert terminal.has_failures([{"file": "a", "prediction": "x"}, {"file": "b", "error": "empty"}])
    assert not terminal.has_failures([{"file": "a", "prediction": "error"}])
    assert not terminal.has_failures([{"file": "a", "note": "2 more examples were not explained"}])
    assert not terminal.has_failures({"error": "no list"})


def test_guesses_are_shown_with_reason_and_the_words_that_change_them() -> None:
    settings = (
        guessed("run.model", "cnn", "images of 8 x 8 are small")
        .over(guessed("image.size", (8, 8), "all images are 8 x 8"))
        .over(Settings({"run.seed": Setting(3, "command line"), "run.epochs": Setting(20, "default")}))
    )
    stream = io.StringIO()
    with terminal.talking_to(stream):
        terminal.what_was_decided(settings, facts={"classes": f"2: a, {RUDE}"})
    told = stream.getvalue()
    assert "\x1b" not in told
    assert [line for line in told.splitlines() if "seed" in line or "epochs" in line] == []
    rows = {line.split()[0]: line for line in told.splitlines() if line}
    assert rows["--model=cnn"].split(None, 1)[1] == "images of 8 x 8 are small"
    assert rows["--set"].startswith("--set 'image.size=[8,8]'  ")
    assert rows["--set"].endswith("  all images are 8 x 8")


def test_guesses_with_one_value_and_one_reason_share_a_line() -> None:
    off = {f"augment.{name}": Setting(0.0, "guessed", reason="off") for name in ("rotate", "crop")}
    stream = io.StringIO()
    with terminal.talking_to(stream):
        terminal.what_was_decided(Settings({**off, "augment.shift": Setting(0.1, "guessed", reason="small")}))
    rows = [" ".join(line.split()) for line in stream.getvalue().splitlines() if line.startswith("--set")]
    assert rows == ["--set augment.rotate=0.0 (and crop) off", "--set augment.shift=0.1 small"]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("run.backend", "jax", "--backend=jax"),
        ("run.task", "image-classification", "--set run.task=image-classification"),
        ("augment.flip", 0.5, "--set augment.flip=0.5"),
        ("training.ema", True, "--set training.ema=true"),
        ("run.name", "my run", "--name='my run'"),
        ("training.clip", None, "--set training.clip=..."),
    ],
)
def test_a_guess_is_shown_as_the_words_that_say_it(key: str, value: object, words: str) -> None:
    assert decided.in_words(key, value) == words


def test_an_option_has_a_flag_of_its_own_where_train_has_one() -> None:
    import inspect

    flags = [name for name in inspect.signature(api.train).parameters if name not in ("data", "set")]
    assert [*decided.OWN_FLAGS] == flags


RECORD = {
    "epoch": 2,
    "step": 46,
    "train": {"loss": 1.2, "accuracy": 0.61},
    "validation": {"loss": 0.9, "accuracy": 0.72},
    "learning_rate": 0.00095,
    "clock": {"seconds": 1.9, "examples_per_second": 1750.4},
    "best": True,
}


def test_a_loss_of_minus_zero_has_no_sign() -> None:
    stream = io.StringIO()
    with terminal.talking_to(stream), terminal.training_progress(10, 23, clock=Clock()) as shown_progress:
        shown_progress.epoch(RECORD | {"validation": {"loss": -0.0, "accuracy": 1.0}})
    assert "validation: loss 0  accuracy 1.000" in stream.getvalue()


def test_elsewhere_an_epoch_is_one_line_and_a_step_none() -> None:
    stream, clock = io.StringIO(), Clock()
    with terminal.talking_to(stream), terminal.training_progress(10, 23, clock=clock) as shown_progress:
        shown_progress.step(loss=1.2)
        clock.now = 20.0
        shown_progress.epoch(RECORD)
    assert stream.getvalue() == (
        "epoch  2/10  loss 1.200  accuracy 0.610  validation: loss 0.900  accuracy 0.720  "
        "lr 0.00095  1,750 examples/s  1:20 left  best\n"
    )


def test_a_resumed_run_reckons_its_time_left_from_its_own_steps() -> None:
    stream, clock = io.StringIO(), Clock()
    with terminal.talking_to(stream), terminal.training_progress(4, 10, done_steps=10, clock=clock) as resumed:
        clock.now = 5.0
        resumed.epoch({"epoch": 2})
        resumed.epoch({"epoch": 4})
    assert stream.getvalue() == "epoch 2/4  0:10 left\nepoch 4/4\n"


def test_a_run_whose_length_changes_on_the_way_says_so_from_then_on() -> None:
    stream, clock = io.StringIO(), Clock()
    display = terminal.training_progress(100, 10, total_steps=43, clock=clock)
    with terminal.talking_to(stream), display as planned:
        clock.now = 10.0
        planned.epoch({"epoch": 1})
        planned.plan(25)
        clock.now = 20.0
        planned.epoch({"epoch": 2})
        planned.epoch({"epoch": 3})
    # The last epoch is a part of one: 5 of its 10 batches.
    assert stream.getvalue() == "epoch 1/5  0:33 left\nepoch 2/3  0:05 left\nepoch 3/3\n"


def test_a_command_begins_when_its_process_began_and_a_verb_when_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 200.0])
    monkeypatch.setattr(command, "_from_start", [])
    monkeypatch.setattr(command, "process_age", lambda: 3.0)
    monkeypatch.setattr(command.time, "monotonic", lambda: next(now))
    assert terminal.began() == 100.0
    terminal.counts_from_its_start()
    assert terminal.began() == terminal.began() == 197.0
    # Where the system does not tell, the import is the earliest moment that is known.
    monkeypatch.setattr(command, "process_age", lambda: None)
    terminal.counts_from_its_start()
    assert terminal.began() == command._imported


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system does not tell when a process began")
def test_the_age_of_a_process_is_what_its_parent_measured() -> None:
    words = "from sonde.terminal.command import process_age; print(process_age())"
    begun = time.monotonic()
    told = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert 0 < float(told.stdout) <= time.monotonic() - begun + 0.05


def test_on_a_terminal_a_bar_shows_loss_metric_rate_speed_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "140")
    stream, clock = Tty(), Clock()
    with terminal.talking_to(stream), terminal.training_progress(2, 4, clock=clock) as live:
        clock.now = 3.0
        live.step(loss=0.5, metric=0.75, learning_rate=0.001, examples_per_second=1204.0)
        assert live._bar is not None
        live._bar.refresh()
        live.epoch({"epoch": 1, "train": {"loss": 0.4}})
    told = stream.getvalue()
    assert "epoch 1/2" in told
    assert "loss 0.500  accuracy 0.750  lr 0.001  1,204 examples/s  0:21 left" in told
    assert "epoch 1/2  loss 0.400" in told


def test_ctrl_c_puts_the_terminal_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Tty()
    with (
        pytest.raises(KeyboardInterrupt),
        terminal.talking_to(stream),
        terminal.training_progress(2, 4) as live,
    ):
        live.step(loss=0.5)
        raise KeyboardInterrupt
    assert stream.getvalue().rfind("\x1b[?25h") > stream.getvalue().rfind("\x1b[?25l")


@pytest.mark.parametrize(("seconds", "shown_time"), [(0, "0:00"), (7.4, "0:07"), (750, "12:30"), (11100, "3:05:00")])
def test_durations_read_like_a_clock(seconds: float, shown_time: str) -> None:
    assert progress.duration(seconds) == shown_time


def test_a_run_with_damaged_scores_says_so(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.scores_file.write_text("{")
    with pytest.raises(RunError, match=r"scores\.json is damaged"):
        shown("train", run)
