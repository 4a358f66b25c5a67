"""A whole run with several labels for each example, and one with two unequal classes: train, score, report, predict."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score

import makers
import small_runs
from sonde import config, planning, stages
from sonde.answers.classification.predictions import read_predictions
from sonde.answers.multilabel import predictions as multilabel
from sonde.config import RunFolder
from sonde.errors import ConfigError, RunError
from sonde.evaluation.compare import compare
from sonde.evaluation.costs import scoring
from sonde.evaluation.stage import evaluate, predict

LABELS = ("bar", "disc", "spot")
WORDS: dict[str, Any] = {
    **small_runs.WORDS,
    "run.model": "mlp",
    "run.epochs": 12,
    "model.width": 32,
    "evaluation.resamples": 100,
    "augment.shift": 0.0,
}


def labelled(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Return noisy 8 x 8 images in which each of three marks is there or not, and their labels."""
    rng = np.random.default_rng(seed)
    has = rng.random((count, 3)) < np.array([0.5, 0.4, 0.3])
    images = rng.normal(90, 25, (count, 8, 8, 1))
    images[has[:, 0], 0:2] += 120
    images[has[:, 1], 3:5, 2:6] += 120
    images[has[:, 2], 6:, 6:] += 120
    answers = np.array(["|".join(np.array(LABELS)[row]) for row in has], dtype="<U20")
    return np.clip(images, 0, 255).astype(np.uint8), answers


def unequal(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Return noisy 8 x 8 images, every tenth of which is of the rare class."""
    rng = np.random.default_rng(seed)
    rare = np.arange(count) % 8 == 0
    images = rng.normal(110, 45, (count, 8, 8, 1)) + 13 * rare[:, None, None, None]
    return np.clip(images, 0, 255).astype(np.uint8), np.where(rare, "spam", "ham").astype("<U4")


def write(path: Path, make: Any, *, train: int = 320) -> Path:
    """Write an archive with a training, a validation and a test split."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, (split, count) in enumerate({"train": train, "val": 160, "test": 120}.items()):
        arrays[f"x_{split}"], arrays[f"y_{split}"] = make(count, seed=number + 1)
    np.savez(path, **arrays)
    return path


def described(folder: RunFolder) -> dict[str, Any]:
    """Return what a run's model folder says of its model."""
    said: dict[str, Any] = json.loads((folder.model / "model.json").read_text())
    return said


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("work")
        patch.setenv("SONDE_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        write(Path("marks.npz"), labelled)
        write(Path("mail.npz"), unequal)
        yield folder


@pytest.fixture(scope="module")
def several(workplace: Path) -> RunFolder:
    """A run with several labels for each example."""
    folder, dataset = small_runs.start(Path("marks.npz"), {**WORDS, "run.name": "several"})
    return stages.go_on(folder, dataset)


@pytest.fixture(scope="module")
def rare(workplace: Path) -> RunFolder:
    """A run with two unequal classes, evened out and tuned."""
    words = {"classification.class_weights": "balanced", "classification.tune_for": "f1", "run.name": "rare"}
    folder, dataset = small_runs.start(Path("mail.npz"), {**WORDS, **words})
    return stages.go_on(folder, dataset)


@pytest.fixture(scope="module")
def evened(workplace: Path) -> RunFolder:
    """The same, decided as the training was told to even out the classes."""
    folder, dataset = small_runs.start(
        Path("mail.npz"), {**WORDS, "classification.logit_adjustment": 1.0, "run.name": "evened"}
    )
    return stages.go_on(folder, dataset)


def test_several_labels_are_recognised_and_learned(several: RunFolder) -> None:
    scores, settings = several.scores(), several.settings()
    assert settings["run.task"].value == "image-multilabel"
    assert settings["training.monitor"].value == "average_precision" and settings["multilabel.tune_for"].value == "f1"
    assert scores["headline"] == "f1_micro" and scores["test"]["f1_micro"]["value"] > 0.9
    assert scores["classes"] == list(LABELS) and "confusion" not in scores
    assert [set(record["validation"]) for record in several.history()] == [
        {"loss", "f1_micro", "average_precision"}
    ] * 12
    assert set(several.history()[0]["train"]) == {"loss", "f1_micro"}
    findings = several.read_json(several.findings_file)
    assert set(findings["classes"]["train"]) == set(LABELS)


def test_the_scores_are_those_of_the_predictions_that_are_kept(several: RunFolder) -> None:
    made, scores = multilabel.read_predictions(several.predictions_file), several.scores()
    assert scores["test"]["f1_micro"]["value"] == pytest.approx(f1_score(made.truth, made.predicted, average="micro"))
    for index, name in enumerate(LABELS):
        row = scores["per_class"][name]
        assert row["threshold"] == pytest.approx(made.decision[index])
        assert row["f1"]["value"] == pytest.approx(f1_score(made.truth[:, index], made.predicted[:, index]))
        assert row["low"] if "low" in row else row["f1"]["low"] <= row["f1"]["value"] <= row["f1"]["high"]
    _, answers = labelled(120, seed=3)
    assert ["|".join(np.array(LABELS)[row > 0]) for row in made.truth] == answers.tolist()


def test_thresholds_stand_in_the_model_s_folder_and_rule_its_answers(several: RunFolder, workplace: Path) -> None:
    said = described(several)
    assert len(said["fitted"]["decision"]) == 3 and all(0 < each < 1 for each in said["fitted"]["decision"])
    assert said["fitted"]["tuned_for"] == "f1" and said["answer"] == "multilabel"
    images, answers = labelled(6, seed=77)
    files = [makers.save(image, workplace / f"{number}.png") for number, image in enumerate(images)]
    rows = predict(several, files)
    assert [row["prediction"] for row in rows] == answers.tolist()
    for row in rows:
        given = [label["prediction"] for label in row["labels"]]
        assert set(row["prediction"].split("|")) == set(given or [""])
        for label in row["labels"]:
            assert label["confidence"] >= said["fitted"]["decision"][LABELS.index(label["prediction"])]
        for other in row["others"]:
            assert other["confidence"] < said["fitted"]["decision"][LABELS.index(other["prediction"])]


def test_baselines_of_labels_decide_as_the_model_does(several: RunFolder) -> None:
    scores = several.scores()
    assert set(scores["baselines"]) == {"label frequencies", "logistic regression on pixels, for each label"}
    assert scores["verdict"]["wins"] in ("model", "baseline", "neither")
    # A label in every example is the best that frequencies can do for F1 where most have it.
    assert scores["baselines"]["label frequencies"]["roc_auc"]["value"] == pytest.approx(0.5)


def test_the_report_shows_each_label_first_with_its_threshold(several: RunFolder) -> None:
    page = several.report_file.read_text()
    assert "Which of 3 labels" in page and "Thresholds of the labels" in page
    assert 'id="confusion"' not in page and 'id="classes"' in page and 'id="ranking"' in page
    assert "Calibration error of a label" in page


def test_other_data_is_scored_with_the_same_thresholds(several: RunFolder, workplace: Path) -> None:
    images, answers = labelled(60, seed=9)
    np.savez(workplace / "other.npz", images=images, labels=answers)
    other = evaluate(several, source="other.npz")
    scores = other.scores()
    assert scores["test"]["f1_micro"]["n"] == 60 and scores["test"]["f1_micro"]["value"] > 0.85
    assert [row["threshold"] for row in scores["per_class"].values()] == [
        row["threshold"] for row in several.scores()["per_class"].values()
    ]


def test_a_run_with_labels_is_gone_on_with_to_the_same_bits(several: RunFolder) -> None:
    folder, dataset = small_runs.start(Path("marks.npz"), {**WORDS, "run.name": "stopped"})
    small_runs.train(small_runs.open_session(folder, dataset), steps=150)
    stages.go_on(folder, dataset)
    assert small_runs.without_clock(folder.history()) == small_runs.without_clock(several.history())
    assert small_runs.bits(small_runs.weights_in(folder.model)) == small_runs.bits(small_runs.weights_in(several.model))


def test_runs_with_labels_are_compared_by_exact_matches(several: RunFolder) -> None:
    folder, dataset = small_runs.start(
        Path("marks.npz"), {**WORDS, "run.seed": 1, "run.epochs": 2, "run.name": "short"}
    )
    made = compare([several, stages.go_on(folder, dataset)])
    assert made.headline == "f1_micro" and made.examples == 120
    assert made.pairs[0].differences["f1_micro"].value is not None


def test_a_rare_class_is_searched_for_and_said(rare: RunFolder) -> None:
    scores, settings = rare.scores(), rare.settings()
    assert settings["classification.positive"].value == "spam"
    assert scores["headline"] == "f1_positive" and scores["positive"] == "spam" and scores["unequal"]
    assert scores["ratio"] == pytest.approx(7.0)
    notes = rare.read_json(rare.findings_file)["notes"]
    assert any("the classes are unequal: 'ham' has 7.0 times" in note for note in notes)
    page = rare.report_file.read_text()
    assert page.index('id="classes"') < page.index('id="ranking"') < page.index('id="scores"')
    assert "is predicted from a probability of" in page


def test_a_tuned_decision_rules_scores_and_predictions_alike(rare: RunFolder, workplace: Path) -> None:
    said = described(rare)
    made, scores = read_predictions(rare.predictions_file), rare.scores()
    assert list(made.decision) == said["fitted"]["decision"] and said["fitted"]["tuned_for"] == "f1"
    positive = made.classes.index("spam")
    expected = f1_score(made.truth == positive, made.predicted == positive)
    assert scores["test"]["f1_positive"]["value"] == pytest.approx(expected)
    if said["fitted"]["decision"]:
        assert scores["decision"]["with"]["value"] == pytest.approx(expected)
        plain = made.probabilities.argmax(axis=1) == positive
        assert scores["decision"]["without"]["value"] == pytest.approx(f1_score(made.truth == positive, plain))
    images, _ = unequal(120, seed=3)
    files = [makers.save(image, workplace / "mail" / f"{number}.png") for number, image in enumerate(images[:24])]
    told = [row["prediction"] for row in predict(rare, files)]
    assert told == [made.classes[guess] for guess in made.predicted[:24]]


def test_evened_out_training_keeps_its_probabilities_true(evened: RunFolder) -> None:
    made = read_predictions(evened.predictions_file)
    positive = made.classes.index("spam")
    # Without the way back, a model that is told to see the classes even would say 0.3 to 0.5 on average.
    assert made.probabilities[:, positive].mean() == pytest.approx(1 / 8, abs=0.05)
    said = described(evened)
    assert said["fitted"]["tuned_for"] == "none" and len(said["fitted"]["decision"]) == 2
    # It answers as the training asked for: more spam than the most probable class would say.
    assert (made.predicted == positive).sum() > (made.probabilities.argmax(axis=1) == positive).sum()


def test_options_that_name_nothing_are_refused_before_the_training(workplace: Path) -> None:
    for words, answer in (
        ({"classification.positive": "spamm"}, r"none of the classes.*Did you mean 'spam'"),
        ({"evaluation.headline": "f1_macroo"}, r"no metric that is computed here.*Did you mean 'f1_macro'"),
        ({"training.monitor": "f1_micro"}, r"training.monitor = 'f1_micro' is no validation figure of"),
    ):
        with pytest.raises(ConfigError, match=answer):
            planning.make_plan(config.from_words({**WORDS, "run.data": "mail.npz", **words}))


def test_the_time_of_scoring_labels_is_reckoned(workplace: Path) -> None:
    plan = planning.make_plan(config.from_words({**WORDS, "run.data": "marks.npz"}))
    seconds = iter(range(1000))
    found = scoring(plan.dataset, plan.settings, minutes=10_000, clock=lambda: float(next(seconds)))
    assert found.seconds > 0 and found.predictions == 120


def test_damaged_predictions_of_labels_are_refused(several: RunFolder, workplace: Path) -> None:
    with pytest.raises(RunError, match="sonde evaluate"):
        multilabel.read_predictions(workplace / "none.parquet")
    (workplace / "junk.parquet").write_bytes(b"junk")
    with pytest.raises(RunError, match="is damaged"):
        multilabel.read_predictions(workplace / "junk.parquet")
    with pytest.raises(RunError, match="is damaged"):
        read_predictions(several.predictions_file)


def test_scores_hold_only_what_json_can(several: RunFolder, rare: RunFolder) -> None:
    for folder in (several, rare):
        json.dumps(folder.scores(), allow_nan=False)
