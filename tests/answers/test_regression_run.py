"""A number from the file to predictions for new rows: trained, scored, resumed, averaged, and solved at once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import small_runs
from sonde import config, planning, stages
from sonde.config import RunFolder
from sonde.evaluation.stage import evaluate, predict
from sonde.evaluation.trained_model import open_model, own_dataset
from sonde.metrics import REGRESSION_METRICS, value_of

WORDS: dict[str, Any] = {
    "run.backend": "torch",
    "run.epochs": 15,
    "run.data": "homes.csv",
    "model.dropout": 0.0,
    "model.width": 32,
    "training.batch_size": 32,
    "training.learning_rate": 0.02,
    "training.precision": "fp32",
    "training.threads": 1,
    "evaluation.resamples": 100,
    "evaluation.explain": 1,
}


def write(path: Path, rows: int, *, seed: int) -> Path:
    """Write homes whose price is a straight line of two columns."""
    rng = np.random.default_rng(seed)
    size, age = rng.uniform(20, 200, rows), rng.uniform(0, 90, rows)
    lines = [f"{a:.2f},{b:.2f},{3 * a - b + 500:.3f}" for a, b in zip(size, age, strict=True)]
    path.write_text("\n".join(["size,age,price", *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("work")
        patch.setenv("SONDE_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        write(Path("homes.csv"), 400, seed=0)
        yield folder


def train(name: str, **more: Any) -> RunFolder:
    words = {key.replace("__", "."): value for key, value in more.items()}
    plan = planning.make_plan(config.from_words({**WORDS, "run.name": name, **words}))
    assert plan.settings.value("run.task").endswith("-regression")
    folder = stages.start(plan)
    session = small_runs.open_session(folder, plan.dataset)
    small_runs.train(session)
    session.finish()
    return evaluate(folder, dataset=plan.dataset)


@pytest.fixture(scope="module")
def trained(workplace: Path) -> RunFolder:
    return train("homes")


def test_a_perfect_line_is_learned(trained: RunFolder) -> None:
    scores = json.loads(trained.scores_file.read_text())
    # What a small network leaves of a line after 15 epochs; the mean has 0.
    assert scores["headline"] == "mae" and scores["test"]["r2"]["value"] > 0.98
    assert list(scores["baselines"]) == ["mean", "ridge regression", "gradient boosting"]
    assert scores["verdict"]["best_baseline"] == "ridge regression"
    for score in scores["test"].values():
        assert score["low"] <= score["value"] <= score["high"]
    assert scores["intervals"]["coverage"]["value"] > 0.6


def test_the_report_says_how_far_off_predictions_are(trained: RunFolder) -> None:
    report = trained.report_file.read_text()
    assert "Which number goes with a row of a table?" in report
    assert "Half of the test predictions are off by at most" in report
    for picture in ("plot-predicted", "plot-residuals", "plot-errors", "plot-coverage"):
        assert picture in report
    assert "split conformal prediction" in report and "too high" in report


def test_new_rows_are_predicted_in_their_unit(trained: RunFolder, workplace: Path) -> None:
    Path("new.csv").write_text("size,age\n100,10\n150,80\n")
    rows = predict(trained, ["new.csv"])
    for row, price in zip(rows, (790, 870), strict=True):
        # Prices deviate by some 160.
        assert abs(row["prediction"] - price) < 60 and row["low"] < row["prediction"] < row["high"]


def test_the_size_of_a_batch_changes_no_score(trained: RunFolder) -> None:
    model, examples = open_model(trained), own_dataset(trained).test
    truth = model.target.encode(examples.truth)
    found = []
    for size in (1, 7, 256):
        kept = model.keep(examples.inputs, truth, batch_size=size)
        made = model.row.predictions(model.target, model.fitted, kept, truth, examples.names.tolist())
        found.append(value_of(REGRESSION_METRICS["mae"], model.row.sample(made, None)))
    # A product of another size adds up float32 in another order.
    assert found[1] == pytest.approx(found[0], rel=1e-5) and found[2] == pytest.approx(found[0], rel=1e-5)


def test_a_stopped_training_goes_on_to_the_same_bits(trained: RunFolder) -> None:
    folder = small_runs.again(trained, "stopped")
    dataset = own_dataset(trained)
    small_runs.train(small_runs.open_session(folder, dataset), steps=13)
    session = small_runs.open_session(folder, dataset)
    small_runs.train(session)
    session.finish()
    assert small_runs.bits(small_runs.weights_in(folder.model)) == small_runs.bits(small_runs.weights_in(trained.model))
    assert folder.read_json(folder.model / "model.json")["fitted"] == trained.read_json(
        trained.model / "model.json"
    )["fitted"]  # fmt: skip


def test_quantiles_are_trained_scored_and_read_back(workplace: Path) -> None:
    folder = train("quantiles", regression__loss="quantiles", run__epochs=6)
    scores = json.loads(folder.scores_file.read_text())
    assert [share for share, _ in scores["quantiles"]["below"]] == [0.05, 0.5, 0.95]
    made = open_model(folder).row.read(folder.predictions_file)
    assert (np.diff(made.at_quantiles, axis=1) >= 0).all()
    assert "Pinball loss" in folder.report_file.read_text()


def test_series_are_solved_at_once(workplace: Path) -> None:
    rng = np.random.default_rng(0)
    walks = rng.normal(size=(160, 30)).cumsum(axis=1).astype(np.float32)
    level = rng.uniform(0, 20, 160).astype(np.float32)
    # How often a wave goes up and down, which a kernel counts.
    waves = walks * 0.1 + np.sin(level[:, None] * np.linspace(0, 3, 30))
    np.savez("waves.npz", x_train=waves[:120], y_train=level[:120], x_test=waves[120:], y_test=level[120:])
    told = {"run.data": "waves.npz", "run.name": "waves", "run.backend": "torch", "training.threads": 1}
    plan = planning.make_plan(config.from_words({**told, "evaluation.resamples": 100, "evaluation.explain": 0}))
    assert plan.settings.value("run.model") == "minirocket"
    folder = stages.start(plan)
    session = small_runs.open_session(folder, plan.dataset)
    small_runs.train(session)
    session.finish()
    scores = json.loads(evaluate(folder, dataset=plan.dataset).scores_file.read_text())
    assert scores["test"]["r2"]["value"] > 0.9
    assert scores["fitted_on"].startswith("training and validation examples, each when left out")


def plan_of(**more: Any) -> planning.Plan:
    words = {key: value for key, value in WORDS.items() if not key.startswith("model.")}
    return planning.make_plan(
        config.from_words({**words, **{key.replace("__", "."): each for key, each in more.items()}})
    )


def test_a_training_begins_as_a_ridge_regression_and_a_line_is_exact(workplace: Path) -> None:
    plan = plan_of(run__name="line", run__epochs=3)
    chosen = {key: plan.settings[key] for key in ("model.linear", "table.scaling")}
    assert {key: (each.value, each.origin) for key, each in chosen.items()} == {
        "model.linear": (True, "guessed"),
        "table.scaling": ("standard", "guessed"),
    }
    session = small_runs.open_session(stages.start(plan), plan.dataset)
    test, target = plan.dataset.test, plan.target
    found = session.engine.predict({"inputs": plan.dataset.spec.prepare(test.inputs)})
    off_N = target.decode(found, {}) - np.asarray(target.encode(test.truth))[:, 1]
    # Prices deviate by some 160; half a percent of the sizes and ages is clipped at either end.
    assert np.median(np.abs(off_N)) < 1
    # At ten times the usual rate it moves away from the line a little; without one it is off by fifty times as much.
    small_runs.train(session)
    session.finish()
    scores = evaluate(session.folder, dataset=plan.dataset).scores()
    assert scores["test"]["rmse"]["value"] < 4 * scores["baselines"]["ridge regression"]["rmse"]["value"]


def test_what_goes_well_with_a_number_yields_to_what_was_said_and_to_a_model_without_it(workplace: Path) -> None:
    plan = plan_of(run__name="said", model__linear=False, table__scaling="quantile")
    assert (plan.settings.value("model.linear"), plan.settings.value("table.scaling")) == (False, "quantile")
    classes = planning.make_plan(config.from_words({"run.data": "wine", "run.backend": "torch"})).settings
    assert (classes.value("model.linear"), classes.value("table.scaling")) == (False, "quantile")


def test_quantiles_and_classes_begin_with_a_line_where_they_are_told(workplace: Path) -> None:
    plan = plan_of(run__name="spread", regression__loss="quantiles")
    engine = small_runs.open_session(stages.start(plan), plan.dataset).engine
    found = engine.predict({"inputs": plan.dataset.spec.prepare(plan.dataset.test.inputs)})["numbers"]
    assert found.shape[1] == 3 and np.allclose(found, found[:, :1]) and found.std() > 0.5
    words = {"run.data": "wine", "run.backend": "torch", "run.name": "wine", "model.linear": True}
    wine = planning.make_plan(config.from_words({**words, "training.precision": "fp32", "training.threads": 1}))
    engine = small_runs.open_session(stages.start(wine), wine.dataset).engine
    logits = engine.predict({"inputs": wine.dataset.spec.prepare(wine.dataset.test.inputs)})["logits"]
    assert (logits.argmax(axis=1) == np.asarray(wine.target.encode(wine.dataset.test.truth))).mean() > 0.9
