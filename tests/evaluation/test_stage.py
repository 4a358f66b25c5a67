"""Evaluating and predicting with a trained run: the same numbers however often and in whichever batches."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import makers
import small_runs
from sonde import cli, stages
from sonde.answers.classification.predictions import read_predictions
from sonde.config import RunFolder
from sonde.config.settings import Setting, Settings
from sonde.errors import DataError, ModelError, RunError
from sonde.evaluation.stage import evaluate, predict
from sonde.metrics import intervals


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("work")
        patch.setenv("SONDE_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def trained(workplace: Path) -> RunFolder:
    """A run on torch that is trained and evaluated."""
    source = small_runs.write_data(Path("tiny.npz"))
    folder, dataset = small_runs.start(source, {**small_runs.EVERYTHING, "run.epochs": 12, "run.name": "trained"})
    return stages.go_on(folder, dataset)


def copy(folder: RunFolder, name: str, changes: dict[str, Any] | None = None) -> RunFolder:
    """Copy a trained run, with some options changed, and without what its evaluation wrote."""
    other = RunFolder(folder.path.with_name(name))
    shutil.copytree(folder.path, other.path)
    for file in (other.scores_file, other.predictions_file, other.report_file):
        file.unlink(missing_ok=True)
    changed = {key: Setting(value, "file") for key, value in (changes or {}).items()}
    other.settings_file.write_text(stages.run_file(Settings({**other.settings(), **changed}), title=name))
    return other


def numbers(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Give each number of nested values with its place."""
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in pairs:
            yield from numbers(each, f"{place}/{key}")
    else:
        yield place, value


def test_the_model_learned_something_to_be_scored(trained: RunFolder) -> None:
    scores = json.loads(trained.scores_file.read_text())
    assert scores["test"]["accuracy"]["value"] > 0.6 and scores["test"]["accuracy"]["n"] == 45
    assert scores["splits"] == "the data's own test split (45 examples)"
    assert scores["classes"] == list(small_runs.CLASSES)
    assert np.sum(scores["confusion"]) == 45


@pytest.mark.parametrize("batch_size", [1, 7, 32, 1_000_000])
def test_the_batch_size_changes_no_score(trained: RunFolder, batch_size: int) -> None:
    other = evaluate(copy(trained, f"batch-{batch_size}", {"evaluation.batch_size": batch_size}))
    expected, found = (dict(numbers(json.loads(each.scores_file.read_text()))) for each in (trained, other))
    assert found.keys() == expected.keys()
    for place, value in expected.items():
        if isinstance(value, float):
            # Matrix products of another height add in another order; float32 has seven digits.
            assert found[place] == pytest.approx(value, rel=1e-5, abs=1e-6), place
        else:
            assert found[place] == value, place
    assert (
        read_predictions(other.predictions_file).predicted.tolist()
        == read_predictions(trained.predictions_file).predicted.tolist()
    )


def test_evaluating_again_writes_the_same_bytes(trained: RunFolder) -> None:
    names = ("scores.json", "predictions.parquet", "findings.json")
    before = {name: (trained.path / name).read_bytes() for name in names}
    evaluate(trained)
    assert {name: (trained.path / name).read_bytes() for name in names} == before


def test_the_scores_are_those_of_the_written_predictions(trained: RunFolder) -> None:
    made = read_predictions(trained.predictions_file)
    scores = json.loads(trained.scores_file.read_text())
    assert (made.predicted == made.truth).mean() == scores["test"]["accuracy"]["value"]
    truth = np.zeros((3, 3), int)
    np.add.at(truth, (made.truth, made.predicted), 1)
    assert truth.tolist() == scores["confusion"]


def test_the_report_is_there_and_says_the_score(trained: RunFolder) -> None:
    scores = json.loads(trained.scores_file.read_text())
    page = trained.report_file.read_text(encoding="utf-8")
    value = scores["test"]["accuracy"]["value"]
    assert f"{value:.3f}" in page or f"{100 * value:.1f}" in page
    assert sorted(path.suffix for path in trained.plots.iterdir()) == [".svg"] * len(list(trained.plots.iterdir()))
    assert not list(trained.path.rglob("*.tmp"))


def test_other_data_is_scored_on_its_own_test_split(trained: RunFolder) -> None:
    before = trained.scores_file.read_bytes()
    small_runs.write_data(Path("other.npz"), seed=7)
    folder = evaluate(trained, source="other.npz")
    assert folder.path.parent == trained.path and folder.name.startswith("on-other-")
    scores = json.loads(folder.scores_file.read_text())
    assert scores["splits"] == "the test split of other (45 examples)"
    assert scores["test"]["accuracy"]["value"] > 0.5 and folder.report_file.exists()
    assert trained.scores_file.read_bytes() == before


def test_data_without_splits_is_scored_whole(trained: RunFolder) -> None:
    images, labels = small_runs.examples(33, seed=9)
    np.savez("plain.npz", images=images, labels=labels)
    scores = json.loads(evaluate(trained, source="plain.npz").scores_file.read_text())
    assert scores["splits"] == "all 33 examples of plain" and scores["test"]["accuracy"]["n"] == 33


def test_a_test_split_alone_is_scored(trained: RunFolder) -> None:
    images, labels = small_runs.examples(12, seed=9)
    np.savez("held.npz", x_test=images, y_test=labels)
    scores = json.loads(evaluate(trained, source="held.npz").scores_file.read_text())
    assert scores["splits"] == "the test split of held (12 examples)" and scores["test"]["accuracy"]["n"] == 12


def test_a_few_examples_of_one_class_are_scored(trained: RunFolder) -> None:
    images, labels = small_runs.examples(9, seed=9)
    for number, image in enumerate(images[labels == "dog"]):
        makers.save(image, Path(f"dogs/dog/{number}.png"))
    scores = json.loads(evaluate(trained, source="dogs").scores_file.read_text())
    assert scores["test"]["accuracy"]["n"] == 3 and scores["test"]["roc_auc"]["value"] is None


def test_the_report_on_other_data_tells_of_that_data(trained: RunFolder) -> None:
    images, labels = small_runs.examples(33, seed=9)
    np.savez("garden.npz", images=images, labels=labels)
    folder = evaluate(trained, source="garden.npz")
    told = folder.read_json(folder.environment_file)
    own = trained.read_json(trained.environment_file)
    assert told["dataset"]["name"] == "garden" and told["dataset"]["sizes"] == {"test": 33}
    assert told["dataset"]["fingerprint"] != own["dataset"]["fingerprint"] and told["model"] == own["model"]
    assert folder.read_json(folder.findings_file)["classes"] == {"test": {"cat": 11, "dog": 11, "eel": 11}}
    first, _, _ = folder.report_file.read_text(encoding="utf-8").partition("</header>")
    assert "garden" in first and "33 test examples" in first and "training examples" not in first


def test_other_data_of_one_name_does_not_share_a_folder(trained: RunFolder) -> None:
    folders = []
    for number, place in enumerate(("a", "b")):
        images, labels = small_runs.examples(9, seed=number)
        Path(place).mkdir()
        np.savez(f"{place}/test.npz", images=images, labels=labels)
        folders.append(evaluate(trained, source=f"{place}/test.npz"))
    assert folders[0].path != folders[1].path


def test_without_the_run_s_own_data_other_data_is_scored_and_shown_all_the_same(
    trained: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    other = copy(trained, "orphan", {"run.data": "orphan.npz"})
    small_runs.write_data(Path("held-out.npz"), seed=7)
    Path("orphan.npz").unlink(missing_ok=True)
    assert cli.main(["evaluate", str(other.path), "--data", "held-out.npz"]) == 0
    assert "the test split of held-out (45 examples)" in capsys.readouterr().out


def test_the_number_of_drawings_reaches_every_interval_and_the_verdict(
    trained: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    draw = intervals._counts

    def counted(examples: int, bootstrap: intervals.Bootstrap) -> Iterator[Any]:
        drawn.append(bootstrap.resamples)
        return draw(examples, bootstrap)

    monkeypatch.setattr(intervals, "_counts", counted)
    evaluate(copy(trained, "drawn", {"evaluation.resamples": 101}))
    # Before scaling, after it, of each class, of two baselines, and of the verdict.
    assert drawn == [101] * 6


def test_a_row_of_the_confusion_matrix_is_one_line(trained: RunFolder) -> None:
    text = trained.scores_file.read_text()
    confusion = json.loads(text)["confusion"]
    assert all(f"  {row}" in text.splitlines() or f"  {row}," in text.splitlines() for row in confusion)


def test_images_of_another_size_are_resized_to_the_model_s(trained: RunFolder) -> None:
    images, labels = small_runs.examples(30, seed=9)
    np.savez("large.npz", images=images.repeat(3, axis=1).repeat(3, axis=2), labels=labels)
    np.savez("small.npz", images=images, labels=labels)
    large, small = (evaluate(trained, source=f"{name}.npz") for name in ("large", "small"))
    # Whole-number enlargement and reduction give the same pixels back.
    assert (
        read_predictions(large.predictions_file).predicted.tolist()
        == read_predictions(small.predictions_file).predicted.tolist()
    )


def test_unknown_labels_are_named(trained: RunFolder) -> None:
    images, labels = small_runs.examples(30, seed=9)
    np.savez("renamed.npz", images=images, labels=np.where(labels == "dog", "dogs", labels))
    with pytest.raises(DataError, match=r"The label 'dogs' is none of the model's 3 classes\. Did you mean 'dog'\?"):
        evaluate(trained, source="renamed.npz")


def test_data_that_is_gone_is_said(trained: RunFolder) -> None:
    with pytest.raises(DataError, match="nowhere"):
        evaluate(trained, source="nowhere.npz")


def test_own_data_that_changed_is_not_scored(workplace: Path, trained: RunFolder) -> None:
    other = copy(trained, "changed", {"run.data": "changed.npz"})
    small_runs.write_data(Path("changed.npz"), seed=3)
    with pytest.raises(RunError, match="has changed since the run 'changed' began"):
        evaluate(other)
    assert not other.scores_file.exists()


def test_a_model_that_was_tampered_with_is_not_scored(trained: RunFolder) -> None:
    other = copy(trained, "tampered")
    weights = other.model / "weights.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    for use in (lambda: evaluate(other), lambda: predict(other, [])):
        with pytest.raises(ModelError, match="was changed since it was written"):
            use()
    assert not other.scores_file.exists() and not other.report_file.exists()


def test_inputs_that_are_prepared_for_another_model_are_refused(trained: RunFolder) -> None:
    from sonde.models import model_folder as models

    other = copy(trained, "misfit")
    _, described = models.load(other.model)
    misfit = described.model_copy(update={"input": {**described.input, "height": 9}})
    models.save(other.model, misfit, small_runs.weights_in(trained.model))
    told = r"prepares inputs of shape \(9, 8, 1\) \(float32\) for a model that reads \(8, 8, 1\)"
    with pytest.raises(ModelError, match=told):
        evaluate(other)


def test_a_run_without_a_model_says_how_to_get_one(trained: RunFolder) -> None:
    other = copy(trained, "untrained")
    shutil.rmtree(other.model)
    with pytest.raises(ModelError, match="sonde resume RUN"):
        evaluate(other)


@pytest.fixture(scope="module")
def files(trained: RunFolder) -> list[Path]:
    """Files of test images, among them a missing and a corrupt one."""
    images, _ = small_runs.examples(5, seed=11)
    good = [makers.save(image, Path(f"images/{number}.png")) for number, image in enumerate(images)]
    corrupt = Path("images/corrupt.png")
    corrupt.write_bytes(good[0].read_bytes()[:40])
    return [good[0], Path("images/missing.png"), *good[1:4], corrupt, good[4]]


def test_each_file_gets_an_answer_or_the_reason_why_not(trained: RunFolder, files: list[Path]) -> None:
    rows = predict(trained, files)
    assert [row["file"] for row in rows] == [str(file) for file in files]
    answered = {"file", "task", "prediction", "confidence", "others", "set", "abstains"}
    assert [set(row) for row in rows] == [{"file", "error"} if number in (1, 5) else answered for number in range(7)]
    assert "missing.png" in rows[1]["error"] and "corrupt.png" in rows[5]["error"]
    for row in rows:
        if "prediction" in row:
            shares = [row["confidence"], *(other["confidence"] for other in row["others"])]
            names = [row["prediction"], *(other["prediction"] for other in row["others"])]
            assert sorted(names) == list(small_runs.CLASSES)
            assert shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(1)


def test_a_file_s_answer_does_not_depend_on_the_files_beside_it(trained: RunFolder, files: list[Path]) -> None:
    together = {row["file"]: row for row in predict(trained, files)}
    for file in files:
        (alone,) = predict(trained, [file])
        beside = together[str(file)]
        assert alone.get("prediction") == beside.get("prediction") and alone.get("error") == beside.get("error")
        assert alone.get("confidence", 0) == pytest.approx(beside.get("confidence", 0), rel=1e-5)


def test_files_are_answered_as_the_test_split_was(trained: RunFolder) -> None:
    with np.load("tiny.npz") as archive:
        images = archive["x_test"][:10]
    paths = [makers.save(image, Path(f"test/{number}.png")) for number, image in enumerate(images)]
    made = read_predictions(trained.predictions_file)
    rows = predict(trained, paths)
    assert [row["prediction"] for row in rows] == [made.classes[guess] for guess in made.predicted[:10]]
    assert [row["confidence"] for row in rows] == pytest.approx(made.probabilities.max(axis=1)[:10].tolist(), rel=1e-5)


def test_no_files_give_no_rows(trained: RunFolder) -> None:
    assert predict(trained, []) == []
