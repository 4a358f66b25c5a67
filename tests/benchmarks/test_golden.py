"""What is the same to the bit is called so, and what is not is named with its size."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import golden  # noqa: E402  (the scripts' folder has to be on the path first)
import golden_data  # noqa: E402
import golden_values  # noqa: E402
from golden_values import Part, digest  # noqa: E402


def part(*, accuracy: Any = 0.75, weight: float = 1.0, name: str = "answer/kernel", **more: Any) -> Part:
    """Return a run of one metric, one column and one weight."""
    kernel = np.array([[0.5, weight]], dtype=np.float32)
    chances = np.array([0.25, weight], dtype=np.float32)
    tree = {
        "scores": {"test": {"accuracy": {"value": accuracy, "n": 4}, **more}, "verdict": {}},
        "history": {"0": {"train": {"loss": 0.5}}},
        "model": {"temperature": 1.5, "sets": {"lac": [0.5, 0.25]}, "tensors": {name: digest(kernel)}},
        "columns": {"truth": digest(np.array(["a", "b"])), "p_0": digest(chances)},
        "first": {"p_0": chances.tolist()},
    }
    return Part(tree, {f"model/{name}": kernel, "columns/p_0": chances})


def test_a_run_does_not_differ_from_itself() -> None:
    assert golden_values.differences(part(), part()) == []


def test_the_smallest_difference_is_told_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden_values, "ROUNDED", {})
    nearly = float(np.nextafter(0.75, 1))
    assert golden_values.differences(part(), part(accuracy=nearly)) == [
        f"scores/test: 1 of 2 values differ, at most by 1.11e-16 (scores/test/accuracy/value: 0.75 -> {nearly})"
    ]
    bit = float(np.nextafter(np.float32(1), np.float32(2)))
    assert golden_values.differences(part(), part(weight=bit)) == [
        "model/tensors: 1 of 1 values differ, at most by 1.19e-07 (model/tensors/answer/kernel)",
        "columns: 1 of 2 values differ, at most by 1.19e-07 (columns/p_0)",
    ]


def test_a_zero_of_the_other_sign_is_a_difference() -> None:
    lines = golden_values.differences(part(weight=0.0), part(weight=-0.0))
    assert lines == [
        "model/tensors: 1 of 1 values differ, such as model/tensors/answer/kernel",
        "columns: 1 of 2 values differ, such as columns/p_0",
    ]


def test_nan_is_the_same_as_nan_and_nothing_else() -> None:
    nan = float("nan")
    assert golden_values.differences(part(accuracy=nan), part(accuracy=nan)) == []
    assert len(golden_values.differences(part(accuracy=nan), part(accuracy=0.5))) == 1


def test_what_is_gone_is_a_difference_and_what_is_new_is_none() -> None:
    assert golden_values.differences(part(), part(recall={"value": 0.5})) == []
    assert golden_values.differences(part(recall={"value": 0.5}), part()) == [
        "scores/test: 1 of 3 values are not there, such as scores/test/recall/value"
    ]


def test_a_weight_may_have_another_name_but_not_other_bits() -> None:
    assert golden_values.differences(part(), part(name="head/kernel")) == []
    lines = golden_values.differences(part(), part(name="head/kernel", weight=2.0))
    assert lines[0] == "model/tensors: 1 of 1 values are not there, such as model/tensors/answer/kernel"


def test_a_fold_that_is_missing_is_told() -> None:
    whole = {"run": part(), "fold1": part()}
    assert golden.differences(whole, {"run": part()}) == ["fold1 is not there"]


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    parts = {"run": part(), "fold1": part(weight=3.0)}
    back = golden_values.kept(golden_values.keep(parts, tmp_path / "run.safetensors"), tmp_path / "run.safetensors")
    assert golden.differences(parts, back) == [] and golden.differences(back, parts) == []
    assert back["fold1"].arrays["columns/p_0"].tolist() == [0.25, 3.0]


def test_new_names_are_led_back_to_the_kept_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    monkeypatch.setattr(golden_values, "COLUMNS", {"truth": ("truth",), "guess": ("guess",)})
    write_run(old, "truth", "guess", '{"test": {"accuracy": 0.5}, "verdict": {"value": 1, "sentence": "It wins."}}')
    write_run(new, "target", "prediction", '{"scores": {"metrics": {"accuracy": 0.5}}, "verdict": {"value": 1}}')
    assert len(golden_values.differences(golden_values.read(old), golden_values.read(new))) == 2
    monkeypatch.setattr(golden_values, "KEYS", {"metrics": "test"})
    monkeypatch.setattr(golden_values, "COLUMNS", {"truth": ("truth", "target"), "guess": ("guess", "prediction")})
    assert golden_values.differences(golden_values.read(old), golden_values.read(new)) == []


def write_run(folder: Path, truth: str, guess: str, scores: str) -> None:
    import pyarrow
    from pyarrow import parquet

    folder.mkdir()
    (folder / "scores.json").write_text(scores)
    columns = {truth: ["a", "b"], guess: ["a", "a"], "p_0": pyarrow.array([0.75, 0.5], pyarrow.float32())}
    parquet.write_table(pyarrow.table(columns), folder / "predictions.parquet")


def test_options_get_their_new_names_and_the_rest_stays() -> None:
    renamed = {"classification.label_smoothing": "classification.smoothing", "augment.shift=0.1": "augment.move=0.1"}
    words = golden.command("accumulated", Path("data"), renamed)
    assert "classification.smoothing=0.1" in words and "data/texts.csv" in words
    assert not any("label_smoothing" in word for word in words)
    assert "augment.move=0.1" in golden.command("image-several", Path("data"), renamed)


def test_the_data_are_the_same_bytes_every_time(tmp_path: Path) -> None:
    for name in ("first", "second"):
        golden_data.make_all(tmp_path / name)
    files = {path.relative_to(tmp_path / "first") for path in (tmp_path / "first").rglob("*") if path.is_file()}
    assert len(files) > 300
    for file in files:
        assert (tmp_path / "first" / file).read_bytes() == (tmp_path / "second" / file).read_bytes(), file


def test_every_run_is_kept() -> None:
    of, runs = golden.load()
    assert list(runs) == [*golden.RUNS, *golden.ENSEMBLES] and len(of["commit"]) == 40
    for name, parts in runs.items():
        for where, each in parts.items():
            digests = {path: value for path, value in golden_values.leaves(each.tree) if isinstance(value, str)}
            for path, value in digests.items():
                array = each.arrays.get(path.replace("/tensors/", "/", 1))
                assert value.startswith("words") or digest(array) == value, f"{name}, {where}: {path}"
