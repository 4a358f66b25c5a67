"""The examples are what was published, and what is said of times and accuracies is what the runs left behind."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sonde import backend, config, planning

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests")]

import accuracy_runs  # noqa: E402  (the scripts' folders have to be on the path first)
import beginners  # noqa: E402
import time_to_accuracy as bench  # noqa: E402
from accuracy_runs import Bench, Command, Followed, Trained  # noqa: E402
from measuring import Run  # noqa: E402

from makers import write_idx  # noqa: E402

PUBLISHED = {"keras-mnist": 34_826, "torch-mnist": 1_199_882, "keras-fashion": 101_770, "torch-fashion": 669_706}
"""Parameters of each example's net, by its `summary()` or by hand."""


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two tiny data sets, of noise around ten patterns."""
    root, rng = tmp_path_factory.mktemp("sets"), np.random.default_rng(0)
    patterns = rng.integers(0, 256, (10, 28, 28))
    for name in ("mnist", "fashion-mnist"):
        (root / name).mkdir()
        for split, count in (("train", 160), ("t10k", 40)):
            labels = (np.arange(count) % 10).astype(np.uint8)
            images = np.clip(patterns[labels] + rng.normal(0, 40, (count, 28, 28)), 0, 255).astype(np.uint8)
            write_idx(root / name / f"{split}-images-idx3-ubyte", images, packed=split == "train")
            write_idx(root / name / f"{split}-labels-idx1-ubyte", labels, packed=True)
    return root


@pytest.fixture
def kept_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an example set variables for the whole process, and take them back."""
    monkeypatch.setattr(os, "environ", os.environ.copy())


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_an_example_trains_the_published_net_and_tells_one_line(
    name: str, sets: Path, kept_environment: None, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    if backend.in_use() not in (None, "torch"):
        pytest.skip(f"this process runs on {backend.in_use()} already, and the examples on torch")
    backend.use("torch")
    words = ["--data", str(sets / beginners.EXAMPLES[name].data), "--threads", "1", "--epochs", "2"]
    assert beginners.main([name, *words, "--examples", "100"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["parameters"] == PUBLISHED[name] and told["epochs"] == 2
    assert len(told["accuracy"]) == 2 and all(0 <= each <= 1 for each in told["accuracy"])
    first, second = told["seconds"]
    assert 0 < first < second <= told["seconds_in_all"]


def test_an_example_is_asked_for_as_many_epochs_as_are_published() -> None:
    assert [example.epochs for example in beginners.EXAMPLES.values()] == [15, 14, 10, 5]
    assert set(beginners.EXAMPLES) == set(PUBLISHED) == {name for name, _ in bench.PEERS.values()}


def test_what_is_none_of_the_examples_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([110.0, 117.0, 120.0])
    monkeypatch.setattr(beginners.time, "time", lambda: next(times))
    watch = beginners.Watch(began=100.0)
    with watch.resting():
        pass
    watch.note(0.5)
    assert watch.seconds == [13.0] and watch.accuracies == [0.5]


def test_pictures_are_scaled_and_normalised_as_published() -> None:
    pytest.importorskip("torch")
    pixels = np.arange(0, 252, 7, dtype=np.uint8).reshape(1, 6, 6)
    image, label = beginners.Pictures(pixels, np.array([3], np.uint8), (0.25, 0.5))[0]
    np.testing.assert_allclose(image.numpy(), (pixels.astype(np.float32) / 255 - 0.25) / 0.5, rtol=1e-6)
    assert label == 3 and image.shape == (1, 6, 6)


@pytest.mark.parametrize("name", list(bench.COMMANDS))
def test_every_command_of_the_table_is_one_that_sonde_takes(name: str, sets: Path) -> None:
    words = bench.COMMANDS[name].words.split()
    said = [
        value if flag == "--set" else f"run.{flag[2:]}={value}"
        for flag, value in zip(words[::2], words[1::2], strict=True)
    ]
    source = {"run.data": str(sets / bench.COMMANDS[name].data), "training.precision": "fp32", "training.threads": 1}
    plan = planning.make_plan(config.from_assignments(said).over(config.from_words(source)))
    assert plan.settings.value("run.recipe") == "fast"


def test_targets_and_examples_name_commands_of_their_own_data() -> None:
    assert {target.command for target in bench.TARGETS.values()} <= {*bench.COMMANDS}
    sets_of_commands = {command.data for command in bench.COMMANDS.values()}
    assert {example.data for example in beginners.EXAMPLES.values()} <= sets_of_commands


def leave_run(folder: Path, accuracy: float, seconds: Sequence[float], written: float) -> None:
    """Write what a run of sonde leaves behind, its model at that time of day."""
    (folder / "model").mkdir(parents=True)
    lines = [json.dumps({"epoch": number, "clock": {"seconds": each}}) for number, each in enumerate(seconds, 1)]
    (folder / "history.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "scores.json").write_text(json.dumps({"test": {"accuracy": {"value": accuracy}}}), encoding="utf-8")
    (folder / "model" / "digests.json").write_text("{}", encoding="utf-8")
    os.utime(folder / "model" / "digests.json", (written, written))


def test_a_run_tells_its_accuracy_its_training_and_when_its_model_was_there(tmp_path: Path) -> None:
    leave_run(tmp_path, 0.9917, [4.0, 3.5], written=1020.0)
    told = accuracy_runs.read_run(tmp_path, 1000.0)
    assert told == {"accuracy": 0.9917, "epochs": 2, "training": 7.5, "to_model": 20.0}
    assert Trained(**told, whole=25.0, busy=1.5).starting == 12.5


def test_an_example_had_its_last_accuracy_at_the_first_epoch_that_saw_it() -> None:
    run = Followed((0.90, 0.93, 0.91, 0.92), (10.0, 20.0, 30.0, 40.0), 41.0, 2.0)
    assert run.accuracy == 0.92 and run.first == 20.0


def trained(accuracy: float, training: float, to_model: float = 20.0) -> Trained:
    return Trained(accuracy, 1, training, to_model, to_model + 5, 2.0)


@pytest.mark.parametrize(
    ("runs", "reached"),
    [
        ([trained(0.989, 9.0), trained(0.991, 11.0)], "yes"),
        ([trained(0.989, 9.0), trained(0.9905, 11.0)], "no"),
        ([trained(0.992, 9.0), trained(0.991, 11.1)], "no"),
    ],
)
def test_a_promise_is_held_against_the_means(runs: list[Trained], reached: str) -> None:
    assert bench.verdict(bench.Target("MNIST", "mnist-quick", 0.99, 10), runs) == reached


def test_a_spread_has_mean_deviation_and_range() -> None:
    assert bench.spread([1.0, 2.0, 3.0]) == "2.0 ± 1.0 (1.0 to 3.0)"
    assert bench.spread([2.0], ".2f") == "2.00"


class Pretended:
    """Stands for running programs: each command has its accuracy, and each run is noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, accuracies: dict[str, float], example: float):
        self.accuracies, self.example, self.runs = accuracies, example, []
        monkeypatch.setattr(accuracy_runs, "run_once", self.run)
        monkeypatch.setattr(accuracy_runs.time, "time", lambda: 1000.0)

    def run(self, command: Sequence[str], *, environment: dict[str, str], folder: Path | None = None) -> Run:
        if folder is None:
            self.runs.append(command[2])
            times = {"seconds": [100.0, 200.0, 300.0], "seconds_in_all": 310.0}
            told = {"accuracy": [0.5, self.example, self.example], **times}
            return Run(311.0, 600.0, 500.0, 0, f"a greeting\n{json.dumps(told)}\n")
        words = " ".join(command)
        name = next(name for name, known in bench.COMMANDS.items() if f"{known.words} --seed" in words)
        self.runs.append(name)
        assert environment["SONDE_CACHE"] == str(folder / "cache") and environment["OMP_NUM_THREADS"] == "1"
        (folder / "cache").mkdir()
        leave_run(folder / "runs" / "run", self.accuracies[name], [10.0, 5.0], written=1025.0)
        return Run(30.0, 45.0, 500.0, 0, "")


def options(folder: Path) -> list[str]:
    return ["--folder", str(folder), "--data", str(folder), "--threads", "1", "--seeds", "2", "--reuse"]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    commands = {
        "short": Command("mnist", "--epochs 1"),
        "long": Command("mnist", "--epochs 2"),
        "other": Command("fashion-mnist", "--epochs 3"),
    }
    monkeypatch.setattr(bench, "COMMANDS", commands)
    monkeypatch.setattr(bench, "TARGETS", {"easy": bench.Target("MNIST", "long", 0.98, 16)})
    monkeypatch.setattr(bench, "PEERS", {"torch-mnist": ("torch-mnist", "torch")})
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench, "PAGES", {name: tmp_path / f"{name}.md" for name in ("targets", "peers")})
    return tmp_path


def test_longer_commands_follow_until_one_reaches_the_example(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretended = Pretended(monkeypatch, {"short": 0.95, "long": 0.985}, example=0.97)
    assert bench.main([*options(tmp_path), "--write"]) == 0
    assert pretended.runs == ["long", "long", "short", "torch-mnist", "long", "long"]
    text = "".join((page / f"{name}.md").read_text(encoding="utf-8") for name in ("targets", "peers"))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    title = 'PyTorch, example "mnist"'
    asked = ["MNIST 98.0 %, training time", "≤ 16 s", "98.50 % in 15.0 s", "yes", "2 of 2"]
    assert asked in rows
    assert [f"accuracy of {title}", "≥ 10× sooner", "98.50 %, 12.0×", "yes", "1 of 1"] in rows
    # 300 s to 25 s, 200 s to 25 s, 310 s to 30 s, 300 s to the 10 s of starting; sonde against itself.
    assert [title, "12.0", "8.0", "10.3", "30.0", "1.00"] in rows
    assert "    sonde train ../shared/data/mnist --epochs 2 --seed N\n" in text and str(tmp_path) not in text
    assert not list(tmp_path.rglob("cache"))


def test_runs_with_the_same_words_are_read_and_others_made(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pretended = Pretended(monkeypatch, {"short": 0.97, "long": 0.985}, example=0.97)
    bench.main([*options(tmp_path), "--only", "easy"])
    assert pretended.runs == ["long", "long"] and "accuracy of" not in capsys.readouterr().out
    bench.main([*options(tmp_path), "--only", "torch-mnist"])
    assert pretended.runs[2:] == ["short", "torch-mnist", "short"] and "≤ 16 s" in capsys.readouterr().out
    monkeypatch.setitem(bench.COMMANDS, "long", Command("mnist", "--epochs 4"))
    bench.main([*options(tmp_path), "--only", "torch-mnist"])
    assert len(pretended.runs) == 5 and "≤ 16 s" not in capsys.readouterr().out
    bench.main([*options(tmp_path), "--only", "easy"])
    assert pretended.runs[5:] == ["long", "long"]


def test_an_accuracy_that_no_command_reaches_is_said_not_to_be(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Pretended(monkeypatch, {"short": 0.95, "long": 0.985}, example=0.99)
    assert bench.main([*options(tmp_path), "--only", "torch-mnist"]) == 1
    assert "accuracy not reached, 12.0×" in capsys.readouterr().out


def test_a_command_that_fails_is_no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy_runs, "run_once", lambda *words, **options: Run(1.0, 1.0, 1.0, 2, ""))
    with pytest.raises(SystemExit, match="exit code 2"):
        Bench(tmp_path, tmp_path, 1, False).sonde("run", Command("mnist", "--epochs 1"), 0)
    assert not (tmp_path / "run.json").exists()


@pytest.mark.slow
def test_a_real_run_of_sonde_and_of_an_example_are_measured(sets: Path, tmp_path: Path) -> None:
    small = "--model lenet --epochs 2 --set training.precision=fp32 --set evaluation.resamples=100"
    made = Bench(tmp_path, sets, 1, False, peer_epochs=1)
    ours = made.sonde("run", Command("mnist", small), 1)
    assert ours is not None and ours.epochs == 2
    assert 0 < ours.training < ours.to_model < ours.whole
    theirs = made.example("torch-fashion", "torch", 1)
    assert theirs is not None and len(theirs.seconds) == 1 and 0 < theirs.seconds[0] <= theirs.in_all
    assert (tmp_path / "run" / "runs" / "run" / "report.html").exists()
