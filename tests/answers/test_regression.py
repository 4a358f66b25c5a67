"""A number for each example: units, scales, quantiles, intervals, what is refused, and what must be beaten."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonde import cli, config, data
from sonde.answers import ANSWERS, TASKS, Fitting, Scored, inferred_task
from sonde.answers.answer import Contest
from sonde.answers.regression import baselines, fit, guesses, predictions, scores, training
from sonde.answers.regression.fitted import Fitted, Interval, fitted_from
from sonde.answers.regression.options import Options
from sonde.answers.regression.target import NumberTarget, check, learn, target_from, written
from sonde.config import Settings, from_words
from sonde.data.listing import Listing, numbered, text_array
from sonde.data.ragged import Ragged, texts
from sonde.data.table.columns import table_of
from sonde.data.target import Asked, Moment
from sonde.errors import ConfigError, DataError, ModelError, RunError
from sonde.metrics.intervals import Bootstrap
from sonde.planning.guesses import Look, _task, guess_all

ROW = ANSWERS["regression"]
PRICES = ["1200", "0.5", "35", "18000", "7.25", "410"]


def words(values: Any) -> Any:
    return text_array([repr(float(value)) for value in values])


def table(truth: Any, **more: Any) -> Listing:
    """A table of one column, which is noise, with these truths."""
    rows = table_of({"x": np.random.default_rng(0).normal(size=len(truth))})
    names = numbered("homes.csv row ", len(truth))
    plain: Any = {
        "truth": truth if isinstance(truth, Ragged) else text_array(list(truth)),
        "splits": np.full(len(truth), ""),
        "content": rows,
    }
    return Listing(name="homes", format="", reason="", names=names, modality="table", **{**plain, **more})


def load(truth: Any) -> data.Dataset:
    asked = Asked(ROW.strata, ROW.learned)
    return data.load(table(truth), data.Options(), data.MODALITIES["table"].options(), asked)


def fitted(target: NumberTarget, numbers: Any, truth: Any, **own: Any) -> Fitted:
    return fitted_from(fit.fit(target, {"numbers": numbers}, truth, Fitting(Options(**own))), target)


@pytest.mark.parametrize("scale", ["plain", "log"])
def test_units_come_back(scale: str) -> None:
    target = learn(text_array(PRICES), Options(scale=scale))
    truth = target.encode(text_array(PRICES))
    # What stands in files and errors is what was given, to the bit.
    assert np.asarray(truth)[:, 1].tolist() == [float(price) for price in PRICES]
    # Back from the scale that is learned only rounding is lost.
    np.testing.assert_allclose(target.restored(np.asarray(truth)[:, 0]), np.asarray(truth)[:, 1], rtol=1e-12)
    assert np.asarray(truth)[:, 0].mean() == pytest.approx(0, abs=1e-12)
    assert np.asarray(truth)[:, 0].std() == pytest.approx(1, abs=1e-12)


def test_the_target_is_learned_on_the_training_part_alone() -> None:
    target = learn(text_array(["1", "2", "3"]), Options())
    far = np.asarray(target.encode(text_array(["2", "1002"])))
    assert far[0, 0] == 0 and far[1, 0] == pytest.approx(1000 / np.std([1, 2, 3]))
    batch = target.collate(far, Moment(0, 1, np.arange(2)))
    assert batch["truth"].dtype == np.float32 and batch["truth"].shape == (2,)


def test_a_logarithm_takes_what_lies_below_training() -> None:
    target = learn(text_array(["10", "100"]), Options(scale="log"))
    learned = np.asarray(target.encode(text_array(["0", "-5", "1", "1e90"])))[:, 0]
    assert np.isfinite(learned).all() and learned[0] == learned[1] == learned[2] < learned[3]
    assert np.isfinite(target.restored(np.float32(3e38)))
    with pytest.raises(DataError, match=r"needs positive targets, and the smallest in training is -1\. Use --set"):
        learn(text_array(["-1", "3"]), Options(scale="log"))


def test_a_target_of_anybody_is_checked() -> None:
    good = learn(text_array(PRICES), Options(loss="quantiles", scale="log")).to_dict()
    assert target_from(good).quantiles == (0.05, 0.5, 0.95)
    for bad in ({"mean": "x"}, {"deviation": 0}, {"deviation": float("nan")}, {"least": -1}, {"quantiles": [0.5, 0.2]}):
        with pytest.raises(ModelError, match="no mean and deviation that numbers can be restored with"):
            target_from({**good, **bad})
    with pytest.raises(ModelError, match=r"fitted.spread"):
        fitted_from({"spread": -1.0}, target_from(good))


def test_what_is_no_number_is_named_by_file_and_row() -> None:
    truth = [*map(str, range(30)), "12 EUR", "nan", "1e400"]
    with pytest.raises(DataError) as refused:
        check(load(truth))
    told = str(refused.value)
    assert told.startswith("3 targets are not numbers:")
    assert "homes.csv row [30]: '12 EUR'" in told and "'nan'" in told and "'1e400'" in told
    assert "with a point before decimals" in told and "--set data.label_column=NAME" in told


def test_a_constant_target_is_refused_and_harmless() -> None:
    with pytest.raises(DataError, match=r"All \d+ training targets are 7; there is nothing to predict"):
        check(load(["7"] * 40))
    target = learn(text_array(["7.1"] * 40), Options())
    assert target.deviation == 1 and target.restored(np.zeros(2)).tolist() == pytest.approx([7.1, 7.1])


def test_too_few_are_refused_and_few_are_said() -> None:
    with pytest.raises(DataError, match="has only 8 examples in all"):
        check(load(list(map(str, range(8)))))
    assert check(load([str(value * 0.5) for value in range(40)]))[0].endswith("training examples are few for a number")


@pytest.mark.parametrize(
    ("truth", "task"),
    [
        ([f"{row * 0.37:.2f}" for row in range(60)], "tabular-regression"),
        ([str(row * 3) for row in range(200)], "tabular-regression"),
        ([*(f"{row * 0.37:.2f}" for row in range(60)), "12 EUR"], "tabular-regression"),
        ([str(3 + row % 6) for row in range(200)], "tabular-classification"),
        (["0.5" if row % 2 else "1.5" for row in range(60)], "tabular-classification"),
        (["yes" if row % 2 else "no" for row in range(60)], "tabular-classification"),
    ],
)
def test_a_number_is_told_from_a_class(truth: list[str], task: str) -> None:
    assert inferred_task(table(truth))[0] == task


def test_whole_numbers_that_are_classes_are_told_how_to_be_a_quantity() -> None:
    grades = [str(3 + row % 6) for row in range(200)]
    told = inferred_task(table(grades))[1]
    assert told.endswith("; the labels are numbers; to predict them as quantities: --set run.task=tabular-regression")
    # Classes that are numbered from 0 on are no quantity, as a rule.
    assert "quantities" not in inferred_task(table([str(row % 10) for row in range(200)]))[1]


def test_the_command_tells_how_grades_become_numbers_and_what_it_tells_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    size = np.random.default_rng(0).normal(size=120)
    rows = [f"{number:.3f},{3 + place % 6}" for place, number in enumerate(size)]
    Path("grades.csv").write_text("\n".join(["size,grade", *rows]) + "\n")
    small = ["training.steps=1", "model.width=4", "training.precision=fp32", "training.threads=1"]
    small += ["evaluation.resamples=100", "evaluation.explain=0"]
    command = ["train", "grades.csv", "--backend=torch", *(word for each in small for word in ("--set", each))]

    assert cli.main([*command, "--name=classes"]) == 0
    _, found, rest = " ".join(capsys.readouterr().out.split()).partition("to predict them as quantities: ")
    assert found, "the plan does not say that the classes may be numbers"
    assert "accuracy" in config.open_run("runs/classes").scores()["test"]

    option = rest.split()[:2]
    assert cli.main([*command, "--name=numbers", *option]) == 0
    assert "mae" in config.open_run("runs/numbers").scores()["test"]
    assert "to predict them as quantities" not in capsys.readouterr().out


def test_the_built_in_diabetes_is_a_regression() -> None:
    listing = data.survey("diabetes", data.Options())
    assert len(listing) == 442 and inferred_task(listing)[0] == "tabular-regression"


def test_targets_that_no_task_predicts_are_refused_unless_a_task_is_named() -> None:
    listing = table(texts(["one text", "another"]))
    with pytest.raises(
        DataError, match=r"homes holds 2 rows with targets that no task .* --set run\.task=TASK, .*tabular-"
    ):
        inferred_task(listing)
    named = from_words({"run.task": "tabular-classification"})
    assert guess_all(Look(named, listing), (_task,)) == named


def test_every_modality_has_its_task() -> None:
    assert set(ROW.tasks) == set(data.MODALITIES) and all(task in TASKS for task in ROW.tasks.values())


def test_a_long_tail_of_positive_numbers_is_learned_as_logarithms() -> None:
    rng = np.random.default_rng(0)
    tail = np.exp(rng.normal(size=500) * 1.2)
    setting = guesses.guess(Settings(), words(tail))["regression.scale"]
    assert setting.value == "log" and setting.reason.startswith("positive targets with a long tail: skewness")
    for other in (rng.normal(size=500) + 9, -tail, rng.uniform(1, 2, 500)):
        assert "regression.scale" not in guesses.guess(Settings(), words(other))


def test_the_middle_quantile_is_the_median() -> None:
    given = from_words({"regression.loss": "quantiles", "regression.quantiles": [0.1, 0.2, 0.5]})
    with pytest.raises(ConfigError, match=r"has 0.2 in its middle, and the middle one is the prediction"):
        guesses.refuse(given, NumberTarget(0, 1))
    with pytest.raises(ValueError, match="an odd number of different shares"):
        Options(quantiles=(0.5, 0.1, 0.9))


def test_a_head_that_is_solved_for_has_no_quantiles() -> None:
    own = Options(loss="quantiles")
    target = learn(text_array(PRICES), own)
    with pytest.raises(ConfigError, match="this model's head is solved for"):
        training.plan(target, target.encode(text_array(PRICES)), own, True)
    assert training.plan(learn(text_array(PRICES), Options()), target, Options(), True).loss == {}


def test_quantiles_never_cross() -> None:
    target = NumberTarget(10, 2, quantiles=(0.05, 0.5, 0.95))
    crossed = np.array([[1.0, -1.0, 0.5], [0.0, 3.0, -2.0]], np.float32)
    kept = training.keep(target, {"numbers": crossed}, None)
    assert (np.diff(kept["numbers"]) >= 0).all()
    for radius in (-5.0, 0.1):
        known = Fitted(interval=Interval(coverage=0.9, radius=radius, examples=50))
        for row in ROW.rows(target, known, kept):
            assert row["low"] <= row["prediction"] <= row["high"]
            assert sorted(row["quantiles"].values()) == list(row["quantiles"].values())


@pytest.mark.parametrize("quantiles", [(), (0.05, 0.5, 0.95)])
def test_intervals_hold_what_they_promise(quantiles: tuple[float, ...]) -> None:
    """Of 400 new examples 90 % are to be held, on average over 60 draws of 60 examples for the fit."""
    rng = np.random.default_rng(1)
    target, held = NumberTarget(5, 2, quantiles=quantiles), []
    for _ in range(60):
        # Heavy tails, and quantiles that are far too narrow: the promise does not hang on the model.
        truth = 5 + rng.standard_t(3, 460)
        encoded = target.encode(words(truth))
        numbers = np.zeros((460, 1)) if not quantiles else np.tile([-0.1, 0.0, 0.1], (460, 1))
        known = fitted(target, numbers[:60], encoded[:60])
        made = predictions.predict(target, known, {"numbers": numbers[60:]}, encoded[60:], list("x" * 400))
        assert made.interval is not None
        held.append(((made.interval[0] <= made.truth) & (made.truth <= made.interval[1])).mean())
    # 60 shares that deviate by some 0.04 each: their mean by 0.005.
    assert 0.885 <= np.mean(held) <= 0.93


def test_too_few_examples_give_no_interval() -> None:
    target = learn(text_array(PRICES), Options())
    truth = target.encode(text_array(PRICES))
    known = fitted(target, np.zeros((6, 1)), truth)
    assert known.interval is None
    kept = {"numbers": np.zeros((6, 1))}
    assert predictions.predict(target, known, kept, truth, PRICES).interval is None
    assert ROW.rows(target, known, kept)[0]["low"] is None
    assert ROW.columns["interval"](ROW.rows(target, known, kept)[0]) == "none (too few validation examples)"


def test_an_ensemble_that_saw_validation_takes_the_widest_interval_of_its_members() -> None:
    members = [Fitted(interval=Interval(coverage=0.9, radius=radius, examples=40)) for radius in (0.5, 0.8)]
    found = fit.fit(
        NumberTarget(0, 1),
        {"numbers": np.zeros((3, 1))},
        np.zeros((3, 2)),
        Fitting(Options(), seen=True, members=members),
    )
    assert found["interval"]["radius"] == 0.8
    found = fit.fit(
        NumberTarget(0, 1),
        {"numbers": np.zeros((3, 1))},
        np.zeros((3, 2)),
        Fitting(Options(), seen=True, members=[*members, Fitted()]),
    )
    assert found["interval"] is None


def _made(count: int = 200) -> predictions.Predictions:
    rng = np.random.default_rng(0)
    truth = rng.normal(50, 10, count)
    predicted = truth + rng.normal(0, 3, count)
    names = tuple(f"row {place}" for place in range(count))
    return predictions.Predictions(names, truth, predicted, (predicted - 5, predicted + 5), 0.9)


def test_the_pieces_of_scores_say_what_the_numbers_say() -> None:
    made = _made()
    scored = Scored(NumberTarget(50, 10), Fitted(), made, Options(), Bootstrap(0, 100, 0.95), "mae", mistakes=3)
    found = scores.judge(scored, {})
    assert found["errors"]["largest"] == np.abs(made.truth - made.predicted).max()
    assert found["errors"]["at_shares"][0][1] == np.median(np.abs(made.error))
    assert found["intervals"]["coverage"]["value"] == (np.abs(made.error) <= 5).mean()
    assert found["intervals"]["interval_width"]["value"] == pytest.approx(10)
    worst = scores.worst(scored)
    assert len(worst) == 3 and worst[0].row == np.abs(made.error).argmax()
    assert worst[0].note.endswith("too high" if made.error[worst[0].row] > 0 else "too low")
    assert len(set(scores.telling(scored, 4))) == 4


def test_two_models_are_compared_by_their_absolute_errors() -> None:
    made = _made(5)
    assert ROW.figure(ROW.sample(made, Options())).tolist() == (-np.abs(made.error)).tolist()


def test_folds_are_pooled_with_their_own_means() -> None:
    first, second = NumberTarget(1, 2), NumberTarget(3, 4)
    assert ROW.poolable(first, second) and not ROW.poolable(first, replace(second, quantiles=(0.1, 0.5, 0.9)))
    made = _made(6)
    _, whole = predictions.pool([(Fitted(), made.part([0, 1])), (Fitted(), made.part([2, 3, 4, 5]))])
    assert whole.names == made.names and whole.predicted.tolist() == made.predicted.tolist()
    assert whole.interval is not None and whole.interval[1].tolist() == (made.predicted + 5).tolist()


def test_a_file_of_predictions_that_is_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    made = replace(_made(4), interval=None, coverage=0.0)
    predictions.write_predictions(path, made)
    again = predictions.read_predictions(path)
    assert again.interval is None and again.truth.tolist() == made.truth.tolist()
    predictions.write_predictions(path, replace(made, predicted=np.array([1.0, np.inf, 2.0, 3.0])))
    with pytest.raises(RunError, match="one of its numbers is infinite or none"):
        predictions.read_predictions(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(RunError, match="is damaged"):
        predictions.read_predictions(path)
    with pytest.raises(RunError, match=r"There is no .*predictions\.parquet"):
        predictions.read_predictions(tmp_path / "predictions" / "predictions.parquet")


@pytest.mark.parametrize("modality", data.MODALITIES)
def test_the_baselines_of_every_modality_learn_what_is_easy(modality: str) -> None:
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 1, 150)
    raw = INPUTS[modality](truth)
    target = learn(words(truth), Options())
    encoded = target.encode(words(truth))
    rows = [np.arange(100), np.arange(100, 150)]
    contest = Contest(
        modality=modality, target=target, fitted=Fitted(), own=Options(), train=raw[rows[0]], truth=encoded[rows[0]],
        test=raw[rows[1]], names=[str(row) for row in rows[1]], test_truth=encoded[rows[1]], most=20_000,
    )  # fmt: skip
    found = baselines.guesses(contest)
    errors = {name: np.abs(made.error).mean() for name, made in found.items()}
    assert next(iter(found)) == "mean" and len(found) == 3
    assert max(error for name, error in errors.items() if name != "mean") < 0.5 * errors["mean"]


def _texts(truth: Any) -> Any:
    return texts([" ".join(["good"] * round(9 * each) + ["bad"] * round(9 - 9 * each)) for each in truth])


INPUTS: dict[str, Any] = {
    "image": lambda truth: np.tile(np.rint(255 * truth).astype(np.uint8)[:, None, None, None], (1, 4, 4, 1)),
    "text": _texts,
    "audio": lambda truth: np.tile(truth.astype(np.float32)[:, None, None], (1, 6, 3)),
    "series": lambda truth: np.tile(truth.astype(np.float32)[:, None, None], (1, 5, 1)),
    "table": lambda truth: table_of({"x": truth, "y": -truth}),
}


def test_numbers_are_written_for_people() -> None:
    assert [written(value) for value in (3.0, 0.1234567, 1234567.0, 234567.89, -12.5, 1e30)] == [
        "3", "0.123457", "1,234,567", "234,567.9", "-12.5", "1e+30",
    ]  # fmt: skip
