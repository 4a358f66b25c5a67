"""A table from its file to answers for new rows: trained, scored beside boosting, with sets and answers not given."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sonde import config, planning, stages
from sonde.config import RunFolder
from sonde.evaluation.stage import evaluate, predict

WORDS = {
    "run.backend": "torch",
    "run.epochs": 25,
    "model.dropout": 0.0,
    "model.width": 32,
    "training.batch_size": 32,
    "training.learning_rate": 0.02,
    "training.precision": "fp32",
    "training.threads": 1,
    "evaluation.resamples": 100,
    "classification.abstain_below": 0.9,
    "classification.coverage": 0.8,
}


def write(path: Path, rows: int, *, seed: int, turned: bool = False) -> Path:
    """Write loans whose risk is a matter of income and town; a row number, gaps, and a town that occurs once."""
    rng = np.random.default_rng(seed)
    names = ["id", "income", "town", "since", "risk"]
    lines = []
    for number in range(rows):
        income, town = rng.normal(50, 15), rng.choice(["Bonn", "Ulm", "Kiel"])
        high = (income < 50) ^ (town == "Ulm") ^ (rng.random() < 0.05)
        cell = "" if number % 9 == 0 else f"{income:.2f}"
        lines.append(
            [str(number), cell, town if number else "Rom", f"20{10 + number % 9}-03-01", "high" if high else "low"]
        )
    order = slice(None, None, -1 if turned else 1)
    path.write_text("\n".join(",".join(row[order]) for row in [names, *lines]) + "\n")
    return path


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("work")
        patch.setenv("SONDE_CACHE", str(folder / "cache"))
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def trained(workplace: Path) -> RunFolder:
    write(Path("loans.csv"), 500, seed=0)
    plan = planning.make_plan(config.from_words({**WORDS, "run.data": "loans.csv", "run.name": "loans"}))
    assert plan.settings.value("run.task") == "tabular-classification" and plan.settings.value("run.model") == "mlp"
    assert plan.settings.value("table.ignore") == ["id"]
    return stages.go_on(stages.start(plan), plan.dataset)


def test_a_table_is_learned_and_scored_beside_boosting(trained: RunFolder) -> None:
    scores = json.loads(trained.scores_file.read_text())
    assert scores["test"]["accuracy"]["value"] > 0.8
    assert list(scores["baselines"]) == ["majority class", "logistic regression", "gradient boosting"]
    assert scores["baselines"]["gradient boosting"]["accuracy"]["value"] > 0.8
    assert scores["verdict"]["best_baseline"] == "gradient boosting"


def test_sets_and_answers_not_given_are_checked_on_the_test_and_told(trained: RunFolder) -> None:
    scores = json.loads(trained.scores_file.read_text())
    conformal, abstention = scores["conformal"], scores["abstention"]
    assert conformal["wanted"] == 0.8 and set(conformal["methods"]) == {"lac", "aps"}
    assert conformal["methods"]["lac"]["reached"]["n"] == 100 and "the coverage target was" in conformal["sentence"]
    assert abstention["threshold"] == 0.9 and 0 < abstention["coverage"]["value"] < 1
    report = trained.report_file.read_text()
    assert "Abstention and prediction sets" in report and "a row of a table" in report


def test_new_rows_are_answered_by_name_and_without_what_is_unknown(trained: RunFolder, workplace: Path) -> None:
    new = workplace / "new.csv"
    new.write_text("town,since,income\nBonn,2012-01-01,90\nUlm,,90\nRom,2012-01-01,10\nBonn,2012-01-01,50\n")
    rows = predict(trained, [new])
    assert [row["file"] for row in rows] == [f"{new} line {number}" for number in (2, 3, 4, 5)]
    assert [row["prediction"] for row in rows[:2]] == ["low", "high"]
    assert all(row["prediction"] in row["set"] and row["abstains"] == (row["confidence"] < 0.9) for row in rows)
    assert rows[3]["abstains"]


def test_a_file_that_does_not_fit_is_an_error_of_its_own_row(trained: RunFolder, workplace: Path) -> None:
    (workplace / "short.csv").write_text("town,income\nBonn,90\n")
    (row,) = predict(trained, [workplace / "short.csv"])
    assert "lacks the column 'since', which the model reads" in row["error"]


def test_other_data_may_lack_a_column_that_is_not_read(trained: RunFolder, workplace: Path) -> None:
    lines = write(workplace / "whole.csv", 60, seed=6).read_text().splitlines()
    (workplace / "less.csv").write_text("\n".join(line.partition(",")[2] for line in lines) + "\n")
    folder = evaluate(trained, source=str(workplace / "less.csv"))
    assert json.loads(folder.scores_file.read_text())["test"]["accuracy"]["n"] == 60


def test_other_data_is_scored_with_its_columns_in_any_order(trained: RunFolder, workplace: Path) -> None:
    folders = [evaluate(trained, source=str(write(workplace / f"more{turned}.csv", 200, seed=5, turned=turned)))
               for turned in (False, True)]  # fmt: skip
    first, second = (json.loads(folder.scores_file.read_text())["test"] for folder in folders)
    assert first == second and first["accuracy"]["n"] == 200 and first["accuracy"]["value"] > 0.8
