"""Every row of the table of answers keeps what the table promises, with every modality that it may be asked of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contracts.truths import TRUTHS
from sonde.answers import ANSWERS, CONFIDENCE, Answer, Fitting, Scored
from sonde.data import MODALITIES, join
from sonde.data.ragged import Ragged
from sonde.data.target import Column, Moment
from sonde.metrics.intervals import Bootstrap, score_sample

COUNT = 24
PAIRS = [(name, modality) for name, row in ANSWERS.items() for modality in row.tasks]
NAMES = [f"example-{number}" for number in range(COUNT)]


def _row(name: str) -> tuple[Answer, Any, Any, Any]:
    """Return a row with its options, a target and encoded truths."""
    row = ANSWERS[name]
    own = row.options()
    raw = TRUTHS[name](COUNT)
    target = row.learn(raw, own)
    return row, own, target, target.encode(raw)


def _outputs(name: str, target: Any, truth: Any, *, seed: int = 0) -> Mapping[str, Any]:
    """Return what a model that is mostly right would give."""
    return OUTPUTS[name](target, truth, np.random.default_rng(seed))


def _class_logits(target: Any, truth: Any, rng: np.random.Generator) -> Mapping[str, Any]:
    logits = rng.normal(size=(len(truth), len(target.classes))).astype(np.float32)
    logits[np.arange(len(truth)), truth] += 2
    return {"logits": logits}


def _label_logits(target: Any, truth: Any, rng: np.random.Generator) -> Mapping[str, Any]:
    return {"logits": (rng.normal(size=truth.shape) + 3 * truth - 1.5).astype(np.float32)}


def _pixel_logits(target: Any, truth: Any, rng: np.random.Generator) -> Mapping[str, Any]:
    classes = target.classes_of(truth)
    logits = rng.normal(size=(*classes.shape, len(target.classes))).astype(np.float32)
    return {"logits": logits + 2 * np.eye(len(target.classes), dtype=np.float32)[classes]}


def _numbers(target: Any, truth: Any, rng: np.random.Generator) -> Mapping[str, Any]:
    return {"numbers": (truth[:, :1] + rng.normal(scale=0.3, size=(len(truth), 1))).astype(np.float32)}


def _written(target: Any, truth: Any, rng: np.random.Generator) -> Mapping[str, Any]:
    tokens = truth.padded()
    # One token of three texts is another one.
    tokens[:3, 0] = target.numbers("z")[0]
    return {"tokens": tokens, "log_likelihood": -rng.exponential(size=len(tokens)).astype(np.float32)}


OUTPUTS = {
    "classification": _class_logits,
    "generation": _written,
    "multilabel": _label_logits,
    "regression": _numbers,
    "segmentation": _pixel_logits,
}


def _plain(column: Column) -> Any:
    """Return a column so that two can be compared."""
    return [each.tolist() for each in column] if isinstance(column, Ragged) else np.asarray(column).tolist()


@pytest.mark.parametrize("name", ANSWERS)
def test_a_target_comes_back_from_plain_values(name: str) -> None:
    row, _, target, truth = _row(name)
    again = row.target_from(target.to_dict())
    assert again.to_dict() == target.to_dict() and again == target
    raw = TRUTHS[name](COUNT)
    assert _plain(again.encode(raw)) == _plain(truth)


def _perfect(target: Any, batch: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a model would give that makes no mistake, from what the target's loss reads of a batch."""
    truth = np.asarray(batch["truth"])
    if target.to_dict()["kind"] == "generation":
        return {"tokens": truth}
    if target.to_dict()["kind"] == "regression":
        return {"numbers": truth[:, None]}
    several = target.to_dict()["kind"] == "multilabel"
    return {"logits": truth - 0.5 if several else np.eye(len(target.classes))[truth]}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_collated_and_predicted_without_a_mistake_is_the_truth_of_the_data(name: str) -> None:
    _, _, target, truth = _row(name)
    raw, batch = TRUTHS[name](COUNT), target.collate(truth, Moment(0, 1, np.arange(COUNT)))
    decoded = target.decode(_perfect(target, batch), batch)
    if name == "regression":
        assert decoded == pytest.approx(np.asarray(raw, np.float64), rel=1e-6, abs=1e-6)
    else:
        assert _plain(decoded) == _plain(raw)


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("count", [1, 2, 7, COUNT])
def test_the_weights_of_a_batch_add_up_to_one(name: str, count: int) -> None:
    _, _, target, truth = _row(name)
    rows = np.arange(count)
    batch = target.collate(truth[rows], Moment(0, 1, rows))
    assert all(len(array) == count for array in batch.values())
    # Sums of float32 thirds and sevenths.
    assert float(batch["weights"].sum(dtype=np.float64)) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_kept_of_parts_is_what_is_kept_of_the_whole(name: str) -> None:
    row, _, target, truth = _row(name)
    outputs = _outputs(name, target, truth)
    whole = row.keep(target, outputs, truth)
    halves = [np.arange(7), np.arange(7, COUNT)]
    parts = [row.keep(target, {key: each[rows] for key, each in outputs.items()}, truth[rows]) for rows in halves]
    for key, each in whole.items():
        assert _plain(join([part[key] for part in parts])) == _plain(each)


@pytest.mark.parametrize("name", ANSWERS)
def test_predictions_come_back_from_their_file(name: str, tmp_path: Path) -> None:
    row, own, target, truth = _row(name)
    kept = row.keep(target, _outputs(name, target, truth), truth)
    fitted = row.fitted_from(row.fit(target, kept, truth, Fitting(own, row.plan(target, truth, own, False))), target)
    made = row.predictions(target, fitted, kept, truth, NAMES)
    row.write(tmp_path / "predictions.parquet", made)
    again = row.read(tmp_path / "predictions.parquet")
    assert again.names == made.names and len(again) == len(made) == COUNT
    assert not row.unequal_truths(made, row.align(made, again)).any()
    assert np.array_equal(row.figure(row.sample(again, own)), row.figure(row.sample(made, own)))
    assert [row.truth_in_words(again, place) for place in range(COUNT)] == [
        row.truth_in_words(made, place) for place in range(COUNT)
    ]


@pytest.mark.parametrize("name", ANSWERS)
def test_every_interval_holds_its_value(name: str) -> None:
    row, own, target, truth = _row(name)
    kept = row.keep(target, _outputs(name, target, truth), truth)
    fitted = row.fitted_from(row.fit(target, kept, truth, Fitting(own, row.plan(target, truth, own, False))), target)
    made = row.predictions(target, fitted, kept, truth, NAMES)
    table = row.metrics(target, own)
    assert row.headline(target, own) in table and set(table) <= set(row.table)
    scores = score_sample(row.sample(made, own), table, bootstrap=Bootstrap(0, 200, CONFIDENCE))
    for metric, score in scores.items():
        if score.value is not None:
            assert score.low is not None and score.high is not None, metric
            assert score.low <= score.value <= score.high, metric
    scored = Scored(target, fitted, made, own, Bootstrap(0, 100, CONFIDENCE), row.headline(target, own))
    judged = row.judge(scored, scores)
    assert isinstance(judged, dict) and len(row.worst(scored)) <= scored.mistakes


@pytest.mark.parametrize("name", [name for name, row in ANSWERS.items() if row.average is not None])
def test_an_ensemble_of_two_equal_models_is_that_model(name: str) -> None:
    row, own, target, truth = _row(name)
    outputs = _outputs(name, target, truth)
    kept = row.keep(target, outputs, truth)
    fitted = row.fitted_from(row.fit(target, kept, truth, Fitting(own, row.plan(target, truth, own, False))), target)
    assert row.average is not None
    mean = row.average([(fitted, outputs), (fitted, outputs)], [0.5, 0.5])
    alone = row.average([(fitted, outputs)], [1.0])
    for key, each in alone.items():
        # The mean of two equal numbers is that number but for rounding.
        np.testing.assert_allclose(mean[key], each, rtol=1e-6, atol=1e-6)
    plain = row.fitted_from({}, target)
    of_mean, of_one = (
        row.sample(row.predictions(target, plain, row.keep(target, each, truth), truth, NAMES), own)
        for each in (mean, outputs)
    )
    assert row.figure(of_mean) == pytest.approx(row.figure(of_one), abs=1e-4)
    assert len(np.unique(row.figure(of_one))) > 1, "a model that is always right tells nothing"


@pytest.mark.parametrize(("name", "modality"), PAIRS)
def test_a_task_has_its_words(name: str, modality: str) -> None:
    row = ANSWERS[name]
    assert modality in MODALITIES
    assert row.doc.format(thing=MODALITIES[modality].thing).endswith(".")
    assert row.question.format(thing=MODALITIES[modality].thing, count=3).endswith("?")
    target = row.learn(TRUTHS[name](COUNT), row.options())
    assert all(isinstance(word, str) and word for word in row.in_words(target).values())


@pytest.mark.parametrize("name", ANSWERS)
def test_predicted_rows_are_plain_and_fill_their_columns(name: str) -> None:
    row, _, target, truth = _row(name)
    kept = row.keep(target, _outputs(name, target, truth), None)
    fitted = row.fitted_from({}, target)
    rows = row.rows(target, fitted, kept)
    assert len(rows) == COUNT and all("prediction" in each for each in rows)
    assert all(isinstance(cell(each), str) for each in rows for cell in row.columns.values())


def test_there_are_truths_for_every_answer() -> None:
    assert set(TRUTHS) == set(OUTPUTS) == set(ANSWERS)
