"""A small run that writes texts: it resumes to the same bits, its report shows what it wrote, it predicts new files."""

from pathlib import Path

import pytest

import small_runs
from sonde.backend.engine import weights_of
from sonde.config import RunFolder
from sonde.data import Dataset
from sonde.evaluation.explanations.of_files import explain
from sonde.evaluation.stage import evaluate, predict

WORDS = {
    "run.name": "pairs",
    "run.epochs": 2,
    "evaluation.explain": 1,
    "model.width": 8,
    "model.depth": 1,
    "model.heads": 2,
    "generation.depth": 1,
    "generation.heads": 2,
}
STRINGS = [f"{number:03d}" for number in range(0, 1000, 7)]


@pytest.fixture
def begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[RunFolder, Dataset]:
    monkeypatch.chdir(tmp_path)
    lines = ["source\ttarget", *(f"{each}\t{each[::-1]}" for each in STRINGS)]
    Path("pairs.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # Those of images are none of texts.
    common = {key: value for key, value in small_runs.WORDS.items() if not key.startswith("augment.")}
    monkeypatch.setattr(small_runs, "WORDS", common)
    return small_runs.start(Path("pairs.tsv"), WORDS)


def test_a_stopped_training_goes_on_to_the_same_bits_and_its_report_shows_what_was_written(
    begun: tuple[RunFolder, Dataset],
) -> None:
    folder, dataset = begun
    stopped = small_runs.open_session(folder, dataset)
    small_runs.train(stopped, steps=3)
    stopped.checkpoint()
    resumed = small_runs.open_session(folder, dataset)
    small_runs.train(resumed)
    other = small_runs.again(folder, "straight")
    straight = small_runs.open_session(other, dataset)
    small_runs.train(straight)
    assert small_runs.bits(resumed.engine.read_state()) == small_runs.bits(straight.engine.read_state())

    resumed.finish()
    evaluate(folder, dataset=dataset)
    scores = folder.read_json(folder.scores_file)
    assert scores["headline"] == "exact_match" and set(scores["test"]) == {"exact_match", "character_error_rate"}
    assert set(scores["baselines"]) == {"commonest target", "copy of the source", "nearest neighbour"}
    assert scores["pairs"]["best"][0]["source"] == scores["pairs"]["best"][0]["target"][::-1]
    report = (folder.path / "report.html").read_text(encoding="utf-8")
    assert "Examples" in report and "Error by length" not in report  # All targets are of one length.

    Path("new.tsv").write_text("source\n123\n456\n", encoding="utf-8")
    assert "Explanations" in report
    explained = explain(folder, [Path("new.tsv")])
    assert [row["file"] for row in explained] == ["new.tsv line 2", "new.tsv line 3"]
    for row in explained:
        found = {each["method"]: each["found"] for each in row["methods"]}
        assert set(found) == {"integrated-gradients", "occlusion", "attention"}
        assert "log-likelihood of the text" in found["occlusion"]
    rows = predict(folder, ["new.tsv"])
    assert [row["file"] for row in rows] == ["new.tsv line 2", "new.tsv line 3"]
    assert all(isinstance(row["prediction"], str) and 0 < row["confidence"] <= 1 for row in rows)


def test_a_text_that_is_written_is_wholly_right_where_it_is_taught(begun: tuple[RunFolder, Dataset]) -> None:
    folder, dataset = begun
    session = small_runs.open_session(folder, dataset)
    small_runs.train(session, steps=3)
    session.best = weights_of(session.engine.read_state())
    _, kept, _ = session._as_chosen()
    session.validation_truth = kept["tokens"]
    taught = session._kept(session.engine)
    assert session.row.figures(session.training.target, taught, kept["tokens"], ("exact_match",))["exact_match"] == 1.0
