"""Pairs of texts: recognised by their columns, named otherwise, and a row without one of the two is said."""

from pathlib import Path

import pytest

from sonde.answers import inferred_task
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
