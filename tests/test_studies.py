"""Folds and seeds are ordinary runs, one after the other; what is finished stays, and one folder sums them up."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import makers
import small_runs
import sonde
from asking import CLASSES
from sonde import config, stages, studies, training
from sonde.answers.classification.predictions import read_predictions
from sonde.config import RunFolder
from sonde.data import Options, load, survey
from sonde.errors import ConfigError, DataError, RunError
from sonde.training import Step

QUICK = ("training.precision=fp32", "training.threads=1", "evaluation.resamples=100", "model.width=4")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    images, labels = small_runs.examples(60, seed=1)
    np.savez(folder / "plain.npz", images=images, labels=labels)
    small_runs.write_data(folder / "split.npz", train=60)
    makers.manifest(folder / "grouped", per_class=12, columns=("path", "label", "group"))
    return folder


@pytest.fixture(autouse=True)
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("SONDE_CACHE", str(place / "cache"))


def train(data: str, name: str, **words: Any) -> RunFolder:
    return sonde.train(data, name=name, model="mlp", epochs=1, set=QUICK, **words)


@pytest.fixture(scope="module")
def folds(place: Path) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("SONDE_CACHE", str(place / "cache"))
        return train("plain.npz", "folds", folds=3)


@pytest.fixture(scope="module")
def seeds(place: Path) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("SONDE_CACHE", str(place / "cache"))
        return train("plain.npz", "seeds", seeds=2, seed=5)


def test_each_example_is_answered_once_by_the_run_that_had_not_seen_it(folds: RunFolder) -> None:
    pooled = read_predictions(folds.predictions_file)
    assert sorted(pooled.names) == sorted(f"plain.npz:images[{number}]" for number in range(60))
    parts = [read_predictions(config.open_run(f"folds-fold{number}").predictions_file) for number in (1, 2, 3)]
    assert [name for part in parts for name in part.names] == list(pooled.names)
    assert np.allclose(np.concatenate([part.probabilities for part in parts]), pooled.probabilities, atol=1e-6)
    right = sum(int((part.predicted == part.truth).sum()) for part in parts)
    assert folds.scores()["test"]["accuracy"]["value"] == pytest.approx(right / 60)


def test_the_summary_holds_mean_deviation_intervals_and_baselines_of_each_fold(folds: RunFolder) -> None:
    said = json.loads((folds.path / "folds.json").read_text())
    values = [config.open_run(row["name"]).scores()["test"]["accuracy"]["value"] for row in said["runs"]]
    spread = said["spread"]["accuracy"]
    assert spread["value"] == pytest.approx(np.mean(values)) and spread["deviation"] == pytest.approx(
        np.std(values, ddof=1)
    )
    assert spread["corrected_low"] <= spread["low"] <= spread["value"] <= spread["high"] <= spread["corrected_high"]
    assert set(said["baselines"]) == {"majority class", "logistic regression on pixels"}
    assert folds.scores()["verdict"]["sentence"].endswith(".") and "3 folds" in folds.scores()["verdict"]["sentence"]
    report = folds.report_file.read_text()
    assert 'id="folds"' in report and "Nadeau" in report and "plot-runs" in report
    # One temperature of all there is none, and it is not made up.
    assert "temperature" not in folds.scores()["calibration"]


def test_a_fold_s_run_file_repeats_that_fold_alone_to_the_bit(folds: RunFolder) -> None:
    second = config.open_run("folds-fold2")
    again = sonde.train(second.settings_file, name="again")
    assert (again.model / "weights.safetensors").read_bytes() == (second.model / "weights.safetensors").read_bytes()
    assert again.scores() == second.scores()


def test_the_run_file_of_the_whole_repeats_the_whole(folds: RunFolder) -> None:
    again = sonde.train(folds.settings_file, name="repeated")
    assert again.scores()["test"] == folds.scores()["test"]
    alone = sonde.train(folds.settings_file, name="alone", folds=0)
    assert alone.scores()["test"]["accuracy"]["n"] == 12 and not Path("runs/alone-fold1").exists()


def test_a_series_that_was_cut_off_goes_on_and_keeps_what_is_finished(
    folds: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []
    records = training.Session.records

    def cut_off(session: training.Session) -> Any:
        for record in records(session):
            yield record
            if session.run.name == "cut-fold2" and isinstance(record, Step):
                session.checkpoint()
                raise KeyboardInterrupt
        done.append(session.run.name)

    monkeypatch.setattr(training.Session, "records", cut_off)
    with pytest.raises(KeyboardInterrupt):
        train("plain.npz", "cut", folds=3)
    assert done == ["cut-fold1"]
    assert "All runs of 'cut' go on with" in capsys.readouterr().out
    before = small_runs.files_of(Path("runs/cut-fold1"))
    monkeypatch.setattr(training.Session, "records", records)
    whole = sonde.resume("cut")
    told = capsys.readouterr().out
    assert "Going on from step 1" in told
    assert small_runs.files_of(Path("runs/cut-fold1")) == before
    assert whole.scores()["test"] == folds.scores()["test"]
    assert sonde.resume("cut") == whole
    assert "had finished already" in capsys.readouterr().out


def test_a_late_fold_is_planned_as_an_early_one(folds: RunFolder) -> None:
    first, last = (config.open_run(f"folds-fold{number}").settings() for number in (1, 3))
    differing = {key for key in first if first.value(key) != last.value(key)}
    assert differing == {"run.name", "data.fold"}
    assert (first.value("data.fold"), last.value("data.fold")) == ("1/3", "3/3")
    assert first.value("run.folds") == "" and folds.settings().value("run.folds") == "3"


def test_a_cross_validation_is_summed_up_anew_and_has_no_model(folds: RunFolder) -> None:
    scores = folds.scores()
    folds.scores_file.unlink()
    assert sonde.evaluate(folds) == scores
    for use in (lambda: sonde.predict(folds, "x.png"), lambda: sonde.evaluate(folds, data="plain.npz")):
        with pytest.raises(RunError, match="'folds' sums up a cross-validation and has no model of its own"):
            use()


def test_two_cross_validations_of_one_data_set_compare_on_all_examples(folds: RunFolder) -> None:
    other = sonde.train("plain.npz", name="other", model="mlp", epochs=1, folds=3, seed=9, set=QUICK)
    comparison: Any = sonde.compare([folds, other])
    assert comparison.examples == 60 and {row.key for row in comparison.settings} == {"run.seed"}


def test_folds_leave_the_data_s_own_test_split_alone_and_say_so() -> None:
    whole = train("split.npz", "split", folds=2)
    assert whole.scores()["test"]["accuracy"]["n"] == 60
    notes = whole.read_json(whole.findings_file)["notes"]
    assert any("the data's own 45 test examples take no part" in note for note in notes)
    everything = load(survey("split.npz", Options()), Options(fold="1/2", fold_of="everything"), _own(), CLASSES)
    assert sum(map(len, (everything.train, everything.validation, everything.test))) == 135


def _own() -> Any:
    from sonde.data import MODALITIES

    return MODALITIES["image"].options(size=(8, 8), channels=1)


def test_leaving_one_group_out_tests_on_each_group_once() -> None:
    whole = train("grouped/list.csv", "groups", folds="groups")
    said = json.loads((whole.path / "folds.json").read_text())
    tests = [row["test"] for row in said["runs"]]
    assert tests[:2] == ["the group 'cat0', fold 1 of 8", "the group 'cat1', fold 2 of 8"]
    assert len(said["runs"]) == 8 and whole.scores()["test"]["accuracy"]["n"] == 24
    assert [row["name"] for row in said["runs"]][-1] == "groups-fold8"


def test_seeds_are_averaged_into_a_run_that_predicts(seeds: RunFolder, place: Path) -> None:
    said = json.loads((seeds.path / "seeds.json").read_text())
    assert [row["seed"] for row in said["runs"]] == [5, 6]
    members = [read_predictions(config.open_run(f"seeds-seed{seed}").predictions_file) for seed in (5, 6)]
    whole = read_predictions(seeds.predictions_file)
    assert whole.names == members[0].names
    mean = sum(each.probabilities for each in members) / 2
    warmth = seeds.scores()["calibration"]["temperature"]
    shares = mean ** (1 / warmth) / (mean ** (1 / warmth)).sum(axis=1, keepdims=True)
    assert np.allclose(whole.probabilities, shares, atol=1e-4)
    images, _ = small_runs.examples(1, seed=4)
    makers.save(images[0], place / "one.png")
    (row,) = sonde.predict(seeds, "one.png")
    assert row["prediction"] in small_runs.CLASSES
    report = seeds.report_file.read_text()
    assert 'id="seeds"' in report and 'id="members"' in report
    assert sonde.resume(seeds) == seeds


def test_seeds_share_the_data_that_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[str] = []
    plan = stages.plan
    monkeypatch.setattr(stages, "plan", lambda said: planned.append("planned") or plan(said))
    train("plain.npz", "shared", seeds=2)
    assert len(planned) == 1


def test_a_budget_is_for_the_whole_command(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def trained(plan: Any, began: float) -> RunFolder:
        asked.append(plan.settings.value("run.minutes"))
        raise KeyboardInterrupt

    monkeypatch.setattr(stages, "train", trained)
    with pytest.raises(KeyboardInterrupt):
        train("plain.npz", "budget", folds=4, minutes=8.0)
    assert asked == [pytest.approx(8 * (1 - studies.KEPT) / 4, rel=0.01)]
    # The bound on the epochs that goes with minutes is set once, and not ten times more for each fold.
    epochs = [config.open_run("budget").settings().value("run.epochs")]
    assert epochs == [1]


def test_a_budget_that_is_too_small_leaves_nothing_behind() -> None:
    with pytest.raises(ConfigError, match=r"minutes are too few here.*That is for each of the 3 runs"):
        sonde.train("plain.npz", name="tiny", model="mlp", folds=3, minutes=0.001, set=QUICK)
    assert not list(Path("runs").glob("tiny*"))


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"folds": 1}, ConfigError, "--folds: '1' folds are not possible"),
        ({"folds": "five"}, ConfigError, "'five' folds are not possible"),
        ({"folds": 2, "seeds": 2}, ConfigError, "--folds and --seeds cannot be had together"),
        ({"seeds": 500}, ConfigError, "500 seeds are not possible"),
        ({"folds": "groups"}, DataError, "The data names no groups"),
        ({"folds": 61}, DataError, "61 folds cannot be made of 60 examples. Use --folds 60 or fewer"),
    ],
)
def test_a_series_that_cannot_be_is_refused_before_anything_is_written(
    words: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        train("plain.npz", "never", **words)
    assert not list(Path("runs").glob("never*"))


def test_a_member_s_name_that_is_taken_is_said_at_once(folds: RunFolder) -> None:
    Path("runs/taken-fold2").mkdir()
    Path("runs/taken-fold2/run.toml").write_text("")
    with pytest.raises(RunError, match="a run called 'taken-fold2' already"):
        train("plain.npz", "taken", folds=3)
    assert not Path("runs/taken").exists()


def test_a_fold_that_is_not_finished_is_not_summed_up(folds: RunFolder) -> None:
    scores = Path("runs/folds-fold3/scores.json")
    kept = scores.read_bytes()
    scores.unlink()
    try:
        with pytest.raises(RunError, match=r"'folds-fold3' has no scores\.json"):
            sonde.evaluate(folds)
    finally:
        scores.write_bytes(kept)
