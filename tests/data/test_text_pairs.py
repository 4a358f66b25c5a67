"""Pairs of texts: recognised by their columns, named otherwise, and a row without one of the two is said."""

from pathlib import Path

import numpy as np
import pytest

from sonde import planning
from sonde.answers import inferred_task
from sonde.config import from_words
from sonde.data import Options, survey
from sonde.data.ragged import Ragged, text_of
from sonde.errors import DataError


def pairs(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def read(listing_part: object) -> list[str]:
    assert isinstance(listing_part, Ragged)
    return [text_of(listing_part[row]) for row in range(len(listing_part))]


def test_a_table_of_sources_and_targets_is_recognised(tmp_path: Path) -> None:
    listing = survey(str(pairs(tmp_path / "x.tsv", "source\ttarget\n12\t21\nab c\tc ab\n")), Options())
    assert read(listing.content) == ["12", "ab c"]
    assert read(listing.truth) == ["21", "c ab"]
    assert inferred_task(listing)[0] == "translation"


def test_columns_of_other_names_are_named(tmp_path: Path) -> None:
    file = pairs(tmp_path / "x.csv", "en,de,fr\na cat,eine Katze,un chat\na dog,ein Hund,un chien\n")
    listing = survey(str(file), Options(text_column="en", target_column="fr"))
    assert read(listing.truth) == ["un chat", "un chien"]


def test_a_row_without_a_target_is_named(tmp_path: Path) -> None:
    listing = survey(str(pairs(tmp_path / "x.tsv", "source\ttarget\na\tb\nc\t\n")), Options())
    assert listing.bad == (("line 3 of x.tsv", "has no target text"),)


def test_a_column_that_is_not_there_is_an_error_with_those_that_are(tmp_path: Path) -> None:
    file = pairs(tmp_path / "x.csv", "en,de\na cat,eine Katze\n")
    with pytest.raises(DataError, match=r"target_column = 'dee'.*Did you mean 'de'\?.*Its columns: en, de"):
        survey(str(file), Options(text_column="en", target_column="dee"))


def test_files_of_splits_are_read_together(tmp_path: Path) -> None:
    pairs(tmp_path / "train.tsv", "source\ttarget\na\tb\n")
    pairs(tmp_path / "test.tsv", "source\ttarget\nc\td\n")
    listing = survey(str(tmp_path), Options())
    assert dict(zip(read(listing.content), listing.splits.tolist(), strict=True)) == {"a": "train", "c": "test"}


def _classes(path: Path, count: int = 60) -> Path:
    words = ("good", "bad", "neither")
    rows = [f"the number {row} is {words[row % 3]} today,{words[row % 3]}" for row in range(count)]
    path.write_text("\n".join(["source,target", *rows]))
    return path


def test_few_words_that_repeat_are_classes_whatever_their_column_is_called(tmp_path: Path) -> None:
    listing = survey(str(_classes(tmp_path / "set.csv")), Options())
    assert inferred_task(listing)[0] == "text-classification"
    assert set(np.asarray(listing.truth).tolist()) == {"good", "bad", "neither"}
    asked = survey(str(tmp_path / "set.csv"), Options(target_column="target"))
    assert inferred_task(asked)[0] == "translation"


def test_a_label_column_that_is_named_is_one_of_labels(tmp_path: Path) -> None:
    lines = ["source,target,topic", *(f"a text of {row},ein Text von {row},{row % 2}" for row in range(40))]
    (tmp_path / "set.csv").write_text("\n".join(lines))
    assert inferred_task(survey(str(tmp_path / "set.csv"), Options()))[0] == "translation"
    options = Options(label_column="topic", text_column="source")
    assert inferred_task(survey(str(tmp_path / "set.csv"), options))[0] == "text-classification"


def test_a_class_may_be_asked_where_texts_were_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = ["source,target", *(f"number {row} is here,kind {row % 10}" for row in range(30))]
    (tmp_path / "set.csv").write_text("\n".join(lines))
    said = from_words({"run.data": "set.csv", "run.task": "text-classification"})
    assert isinstance(survey("set.csv", Options()).truth, Ragged)
    settings, listing = planning.survey(said)
    assert settings.value("run.task") == "text-classification" and listing.truth.dtype.kind == "U"
