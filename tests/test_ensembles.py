"""An ensemble is a run like any other: it predicts, is scored and compared, and says what it is made of."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import makers
import small_runs
import sonde
from rules.source import ROOT
from sonde import config
from sonde.answers.classification.predictions import read_predictions
from sonde.config import RunFolder
from sonde.config.settings import Setting, Settings
from sonde.errors import ConfigError, ModelError, RunError

QUICK = ("training.precision=fp32", "training.threads=1", "evaluation.resamples=100", "model.width=4")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    small_runs.write_data(folder / "tiny.npz")
    small_runs.write_data(folder / "other.npz", seed=7)
    return folder


def started_in(place: Path, patch: pytest.MonkeyPatch) -> None:
    patch.chdir(place)
    patch.setenv("SONDE_CACHE", str(place / "cache"))


@pytest.fixture(autouse=True)
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started_in(place, monkeypatch)


@pytest.fixture(scope="module")
def members(place: Path) -> list[RunFolder]:
    """Return runs of two kinds of model on one data set."""
    with pytest.MonkeyPatch.context() as patch:
        started_in(place, patch)
        kinds = {"first": "mlp", "second": "lenet"}
        return [sonde.train("tiny.npz", name=name, model=kind, epochs=2, set=QUICK[:3]) for name, kind in kinds.items()]


@pytest.fixture(scope="module")
def whole(members: list[RunFolder], place: Path) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        started_in(place, patch)
        return sonde.ensemble(members, name="whole")


def changed(run: RunFolder, name: str, words: dict[str, Any], fingerprint: str = "") -> RunFolder:
    """Return a copy of a run that claims to be of other options or of other data."""
    path = Path("runs") / name
    shutil.copytree(run.path, path)
    copy = RunFolder(path)
    new = {key: Setting(value, "command line") for key, value in words.items()}
    copy.settings_file.write_text(config.write_settings(Settings({**copy.settings(), **new})))
    environment = copy.read_json(copy.environment_file)
    environment["dataset"]["fingerprint"] = fingerprint or environment["dataset"]["fingerprint"]
    copy.write_json(copy.environment_file, environment)
    return copy


def test_its_answers_are_the_mean_of_its_members_calibrated_anew(members: list[RunFolder], whole: RunFolder) -> None:
    each = [read_predictions(member.predictions_file) for member in members]
    made = read_predictions(whole.predictions_file)
    mean = (each[0].probabilities + each[1].probabilities) / 2
    sharpened = mean ** (1 / whole.scores()["calibration"]["temperature"])
    assert np.allclose(made.probabilities, sharpened / sharpened.sum(axis=1, keepdims=True), atol=1e-4)
    assert (made.predicted == mean.argmax(axis=1)).all()


def test_it_says_what_it_is_made_of_and_whether_it_beats_its_best_member(
    members: list[RunFolder], whole: RunFolder
) -> None:
    said = json.loads((whole.path / "ensemble.json").read_text())
    assert [(row["name"], row["model"], row["weight"]) for row in said["members"]] == [
        ("first", "mlp", 0.5),
        ("second", "lenet", 0.5),
    ]
    for row, member in zip(said["members"], members, strict=True):
        own = member.scores()["test"]
        for metric in ("accuracy", "f1_macro", "log_loss"):
            assert row["scores"][metric]["value"] == pytest.approx(own[metric]["value"], abs=1e-5)
    best = max(said["members"], key=lambda row: row["scores"]["accuracy"]["value"])
    against = said["against_the_best"]
    assert against["member"] == best["name"]
    assert against["difference"]["value"] == pytest.approx(
        said["scores"]["accuracy"]["value"] - best["scores"]["accuracy"]["value"]
    )
    pair = sonde.compare([whole, config.open_run(best["name"])]).pairs[0]
    assert against["p_value"] == pytest.approx(pair.p_value)
    report = whole.report_file.read_text()
    assert 'id="members"' in report and "plot-members" in report and "sonde ensemble runs/first runs/second" in report
    assert whole.settings().value("run.model") == "ensemble"


def test_it_answers_for_files_and_scores_other_data(whole: RunFolder) -> None:
    with np.load("tiny.npz") as archive:
        images = archive["x_test"][:4]
    files = [makers.save(image, Path(f"images/{number}.png")) for number, image in enumerate(images)]
    made = read_predictions(whole.predictions_file)
    rows = sonde.predict(whole, files)
    assert [row["prediction"] for row in rows] == [made.classes[guess] for guess in made.predicted[:4]]
    assert [row["confidence"] for row in rows] == pytest.approx(made.probabilities.max(axis=1)[:4].tolist(), rel=1e-4)
    assert "set" in rows[0] and "abstains" in rows[0]
    before = whole.scores_file.read_bytes()
    assert sonde.evaluate(whole, data="other.npz")["test"]["accuracy"]["n"] == 45
    assert sonde.evaluate(whole) == json.loads(before)


def test_it_outlives_its_members_and_a_move(whole: RunFolder, place: Path, tmp_path: Path) -> None:
    file = makers.save(small_runs.examples(1, seed=3)[0][0], tmp_path / "one.png")
    before = sonde.predict(whole, file)
    shutil.copytree(whole.path, tmp_path / "moved")
    for name in ("first", "second"):
        (place / "runs" / name).rename(place / "runs" / f".{name}")
    try:
        assert sonde.predict(tmp_path / "moved", file) == before
    finally:
        for name in ("first", "second"):
            (place / "runs" / f".{name}").rename(place / "runs" / name)


def test_weights_follow_validation(members: list[RunFolder], whole: RunFolder) -> None:
    weighed = sonde.ensemble(members, weights="validation")
    assert weighed.name == "ensemble-1"
    weights = [row["weight"] for row in json.loads((weighed.path / "ensemble.json").read_text())["members"]]
    assert sum(weights) == pytest.approx(1) and weights[0] != weights[1]
    losses = [member.history()[-1]["validation"]["loss"] for member in members]
    assert (weights[0] > weights[1]) == (losses[0] < losses[1])


@pytest.mark.jax
def test_another_backend_answers_alike(whole: RunFolder, tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="jax is not installed")
    file = makers.save(small_runs.examples(1, seed=3)[0][0], tmp_path / "one.png")
    (own,) = sonde.predict(whole, file)
    code = f"import sonde, json; print(json.dumps(sonde.predict({str(whole.path)!r}, {str(file)!r})))"
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    (theirs,) = json.loads(done.stdout.splitlines()[-1])
    assert theirs["prediction"] == own["prediction"] and theirs["confidence"] == pytest.approx(
        own["confidence"], abs=1e-4
    )


def test_a_member_that_was_tampered_with_is_refused(whole: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(whole.path, tmp_path / "copy")
    file = tmp_path / "copy" / "model" / "1" / "model.json"
    file.write_text(file.read_text().replace('"temperature": ', '"temperature": 1'))
    with pytest.raises(ModelError, match=r"instead of|was changed"):
        sonde.predict(tmp_path / "copy", "x.png")


def test_an_ensemble_is_not_trained_and_not_averaged_again(members: list[RunFolder], whole: RunFolder) -> None:
    with pytest.raises(RunError, match=r"'whole' is an ensemble itself\. Name the runs that it was made of"):
        sonde.ensemble([members[0], whole])
    with pytest.raises(ConfigError, match="is of an ensemble, which is not trained"):
        sonde.train(whole.settings_file, name="again")
    assert sonde.resume(whole) == whole
    cut_off = changed(whole, "cut-off", {})
    shutil.rmtree(cut_off.model)
    with pytest.raises(RunError, match="was cut off before its model was written"):
        sonde.resume(cut_off)


def test_an_ensemble_s_answers_are_explained_by_its_members(whole: RunFolder) -> None:
    with pytest.raises(ConfigError, match="'whole' is an ensemble, whose members read each example in their own ways"):
        sonde.explain(whole, "x.png")


def test_runs_that_cannot_be_averaged_are_refused_with_the_reason(members: list[RunFolder], whole: RunFolder) -> None:
    first, second = members
    other = sonde.train("other.npz", name="other", model="mlp", epochs=1, set=QUICK)
    fold = changed(first, "fold", {"data.fold": "1/5"}, "1" * 64)
    split = changed(first, "split", {"data.split_seed": 4}, "2" * 64)
    larger = changed(second, "larger", {"image.size": [16, 16]})
    cases: list[tuple[list[RunFolder], str]] = [
        ([first], "An ensemble needs 2 to 100 runs, and 1 is named"),
        ([first, first], "is named twice"),
        ([first, other], "began with different examples .*: other data"),
        ([first, fold], r"'first' and 'fold' are different folds \(data\.fold is none and 1/5\)"),
        ([first, split], r"another split of it \(data\.split_seed is 0 and 4\)"),
        ([first, larger], r"read the images differently \('larger': image\.size = \(16, 16\)\)"),
    ]
    for runs, message in cases:
        with pytest.raises(RunError, match=message):
            sonde.ensemble(runs, name="never")
    renamed = changed(second, "renamed", {})
    file = renamed.model / "model.json"
    file.unlink()
    with pytest.raises(ModelError, match=r"model\.json"):
        sonde.ensemble([first, renamed], name="never")
    assert not Path("runs/never").exists()


def test_a_name_that_is_taken_is_said_before_anything_is_opened(members: list[RunFolder], whole: RunFolder) -> None:
    with pytest.raises(RunError, match="a run called 'whole' already"):
        sonde.ensemble(members, name="whole")


def test_several_labels_are_averaged_and_folded_too(place: Path) -> None:
    rng = np.random.default_rng(0)
    has = rng.random((90, 3)) < 0.4
    images = np.clip(rng.normal(90, 25, (90, 8, 8, 1)) + 100 * has[:, [0]][..., None, None], 0, 255).astype(np.uint8)
    answers = np.array(["|".join(np.array(["bar", "disc", "eye"])[row]) for row in has], dtype="<U20")
    np.savez(place / "marks.npz", images=images, labels=answers)
    words = {"model": "mlp", "epochs": 1, "set": (*QUICK, "run.task=image-multilabel", "multilabel.tune_for=f1")}
    averaged = sonde.train("marks.npz", name="marks", seeds=2, **words)
    one, two = (config.open_run(f"marks-seed{seed}") for seed in (0, 1))
    described = averaged.read_json(averaged.model / "model.json")
    assert (described["fitted"]["tuned_for"], len(described["fitted"]["decision"])) == ("f1", 3)
    said = json.loads((averaged.path / "ensemble.json").read_text())
    assert [row["scores"]["f1_macro"]["value"] for row in said["members"]] == pytest.approx(
        [run.scores()["test"]["f1_macro"]["value"] for run in (one, two)], abs=1e-6
    )
    folds = sonde.train("marks.npz", name="marked", folds=2, **words)
    assert folds.scores()["test"]["f1_micro"]["n"] == 90


def test_of_members_that_saw_validation_nothing_is_fitted_but_a_named_confidence_holds(place: Path) -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(60) % 2
    series = np.sin(np.arange(30) * (0.3 + 0.4 * truth[:, None])) + rng.normal(0, 0.3, (60, 30))
    np.savez("waves.npz", x_train=series[:40], y_train=truth[:40], x_test=series[40:], y_test=truth[40:])
    made = ("model.levels=8", "training.threads=1", "evaluation.resamples=100", "classification.abstain_below=0.7")
    run = sonde.train("waves.npz", name="waves", seeds=2, set=made)
    said = run.read_json(run.model / "model.json")["fitted"]
    assert said["abstention"]["threshold"] == 0.7 and said.get("temperature", 1.0) == 1.0 and said.get("sets") is None
    with pytest.raises(RunError, match="solved once more on training and validation examples together"):
        sonde.ensemble(["waves-seed0", "waves-seed1"], weights="validation", name="weighed")
