"""Comparing runs: the right test on the right examples, and a refusal where the data differ."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from sonde.answers.classification.predictions import predictions, write_predictions
from sonde.config import RunFolder, Setting, Settings, write_settings
from sonde.errors import RunError
from sonde.evaluation.compare import compare
from sonde.metrics.permutation import holm

CLASSES = ("cat", "dog", "owl")
TRUTH = np.arange(200) % 3


def _guesses(wrong: Sequence[int], truth: NDArray[np.intp] = TRUTH) -> NDArray[np.float64]:
    guess = truth.copy()
    guess[list(wrong)] = (guess[list(wrong)] + 1) % 3
    return 0.7 * np.eye(3)[guess] + 0.1


def _run(
    path: Path,
    probabilities: NDArray[np.float64],
    *,
    truth: NDArray[np.intp] = TRUTH,
    names: Sequence[str] | None = None,
    classes: Sequence[str] = CLASSES,
    options: dict[str, Any] | None = None,
) -> RunFolder:
    path.mkdir(parents=True)
    folder = RunFolder(path)
    options = {"run.name": path.name, "run.model": "cnn", **(options or {})}
    folder.settings_file.write_text(write_settings(Settings({key: Setting(options[key], "file") for key in options})))
    scores = {
        "task": "image-classification",
        "answer": "classification",
        "headline": "accuracy",
        "splits": "the test split",
        "test": {"accuracy": {"value": 0.9}},
    }
    folder.write_json(folder.scores_file, scores)
    names = names or [f"test/{index}.png" for index in range(len(truth))]
    write_predictions(folder.predictions_file, predictions(names, classes, truth, probabilities))
    return folder


def test_a_clear_difference_is_found_by_the_exact_test_and_the_paired_interval(tmp_path: Path) -> None:
    good = _run(tmp_path / "good", _guesses(range(10)))
    poor = _run(tmp_path / "poor", _guesses(range(5, 50)))
    found = compare([good, poor])
    (pair,) = found.pairs
    assert (found.examples, found.headline, found.notes) == (200, "accuracy", ())
    assert [run.scores["accuracy"].value for run in found.runs] == pytest.approx([0.95, 0.775])
    assert (pair.a_better, pair.b_better, pair.better) == (40, 5, "good")
    assert pair.p_value == pair.p_corrected == pytest.approx(binomtest(5, 45).pvalue)
    assert list(pair.differences) == ["accuracy", "log_loss", "f1_macro"]
    assert pair.differences["accuracy"].value == pytest.approx(0.175)
    assert pair.differences["accuracy"].low > 0.1 and pair.differences["log_loss"].high < 0  # type: ignore[operator]


def test_runs_that_differ_by_chance_have_no_better_one(tmp_path: Path) -> None:
    found = compare([_run(tmp_path / "a", _guesses(range(10))), _run(tmp_path / "b", _guesses(range(8, 20)))])
    assert found.pairs[0].better == "" and found.pairs[0].p_value > 0.5


def test_three_runs_make_three_pairs_whose_p_values_are_corrected(tmp_path: Path) -> None:
    folders = [_run(tmp_path / name, _guesses(range(wrong))) for name, wrong in (("a", 4), ("b", 10), ("c", 40))]
    found = compare(folders)
    assert [(pair.a, pair.b) for pair in found.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [pair.p_corrected for pair in found.pairs] == holm([pair.p_value for pair in found.pairs])


def test_examples_and_classes_in_another_order_are_put_in_the_same_one(tmp_path: Path) -> None:
    straight = _run(tmp_path / "straight", _guesses(range(10)))
    order, classes = np.random.default_rng(0).permutation(200), np.array([2, 0, 1])
    shuffled = _run(
        tmp_path / "shuffled",
        _guesses(range(10))[order][:, classes],
        truth=np.argsort(classes)[TRUTH[order]],
        names=[f"test/{index}.png" for index in order],
        classes=[CLASSES[index] for index in classes],
    )
    (pair,) = compare([straight, shuffled]).pairs
    assert (pair.a_better, pair.b_better, pair.p_value) == (0, 0, 1.0)
    assert pair.differences["log_loss"].value == 0


def test_runs_that_share_some_examples_are_compared_on_these_and_it_is_said(tmp_path: Path) -> None:
    whole = _run(tmp_path / "whole", _guesses(range(10)))
    part = _run(tmp_path / "part", _guesses(range(10))[:60], truth=TRUTH[:60])
    found = compare([whole, part])
    assert found.examples == 60 and [run.examples for run in found.runs] == [200, 60]
    assert found.runs[0].scores["accuracy"].n == 60
    assert "Only the 60 test examples that all runs share" in found.notes[0]


def test_runs_without_a_shared_example_are_refused(tmp_path: Path) -> None:
    here = _run(tmp_path / "here", _guesses([0]))
    there = _run(tmp_path / "there", _guesses([0]), names=[f"other/{index}.png" for index in range(200)])
    with pytest.raises(RunError, match=r"share no test example \('here': 200, 'there': 200\).*sonde evaluate RUN"):
        compare([here, there])


def test_examples_of_one_name_with_another_truth_are_refused(tmp_path: Path) -> None:
    here = _run(tmp_path / "here", _guesses([0]))
    other = (TRUTH + 1) % 3
    there = _run(tmp_path / "there", _guesses([0], other), truth=other)
    with pytest.raises(RunError, match=r"200 of 200 .* another target, such as test/0\.png \('cat' and 'dog'\)"):
        compare([here, there])


def test_other_classes_are_refused(tmp_path: Path) -> None:
    here = _run(tmp_path / "here", _guesses([0]))
    there = _run(tmp_path / "there", _guesses([0]), classes=["cat", "dog", "cow"])
    with pytest.raises(RunError, match="have different classes \\('cow', 'owl'\\)"):
        compare([here, there])


def test_one_run_or_one_run_twice_is_refused(tmp_path: Path) -> None:
    here = _run(tmp_path / "here", _guesses([0]))
    with pytest.raises(RunError, match="at least two runs"):
        compare([here])
    with pytest.raises(RunError, match="named twice"):
        compare([here, here])


def test_a_run_that_is_not_evaluated_is_refused_with_the_verb(tmp_path: Path) -> None:
    here, there = (_run(tmp_path / name, _guesses([0])) for name in ("here", "there"))
    there.predictions_file.unlink()
    with pytest.raises(RunError, match=r"sonde evaluate .*there"):
        compare([here, there])


def test_examples_of_the_same_name_are_told_apart_by_their_order(tmp_path: Path) -> None:
    names = [f"test/{index // 2}.png" for index in range(200)]
    folders = [_run(tmp_path / name, _guesses([1]), names=names) for name in ("a", "b")]
    assert compare(folders).examples == 200


def test_only_options_that_differ_are_listed_and_the_name_is_not(tmp_path: Path) -> None:
    same = {"run.epochs": 5}
    a = _run(tmp_path / "a", _guesses([0]), options={**same, "training.batch_size": 32})
    b = _run(tmp_path / "b", _guesses([0]), options={**same, "training.batch_size": 64, "model.width": 8})
    found = {difference.key: difference.values for difference in compare([a, b]).settings}
    assert found == {"training.batch_size": {"a": 32, "b": 64}, "model.width": {"a": None, "b": 8}}


def test_runs_of_one_name_in_two_folders_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    folders = [_run(tmp_path / parent / "digits-1", _guesses([0])) for parent in ("mine", "yours")]
    assert [run.name for run in compare(folders).runs] == [str(folder.path) for folder in folders]


def test_a_comparison_is_plain_data(tmp_path: Path) -> None:
    found = compare([_run(tmp_path / "a", _guesses([0])), _run(tmp_path / "b", _guesses([1]))])
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["pairs"][0]["a"] == "a"
