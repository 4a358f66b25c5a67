"""predictions.parquet gives back what was put in, and a file that is not ours is refused with the reason."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sonde.answers.classification.predictions import Predictions, predictions, read_predictions, write_predictions
from sonde.errors import RunError


def _made() -> Predictions:
    return predictions(["a.png", "b.png", "ü/c.png"], ["cat", "dog"], [0, 1, 1], [[0.9, 0.1], [0.3, 0.7], [0.8, 0.2]])


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    write_predictions(tmp_path / "predictions.parquet", _made())
    found = read_predictions(tmp_path / "predictions.parquet")
    assert (found.names, found.classes) == (_made().names, _made().classes)
    assert (found.truth == _made().truth).all() and (found.probabilities == _made().probabilities).all()


def test_other_programs_find_plain_columns_and_the_classes(tmp_path: Path) -> None:
    write_predictions(tmp_path / "predictions.parquet", _made())
    table = pq.read_table(tmp_path / "predictions.parquet")
    assert table.column_names == ["name", "target", "prediction", "confidence", "correct", "p_0", "p_1"]
    assert table.column("prediction").to_pylist() == ["cat", "dog", "cat"]
    assert table.column("correct").to_pylist() == [True, True, False]
    assert table.column("confidence").to_pylist() == pytest.approx([0.9, 0.7, 0.8])
    assert {str(table.schema.field(name).type) for name in ("confidence", "p_0", "p_1")} == {"float"}
    assert json.loads(table.schema.metadata[b"sonde.classes"]) == ["cat", "dog"]


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(path, _made())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RunError, match=r"is damaged: .*sonde evaluate .* writes it anew"):
        read_predictions(path)


def test_a_missing_file_names_the_verb_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"There is no .*predictions\.parquet\. \(sonde evaluate"):
        read_predictions(tmp_path / "predictions.parquet")


@pytest.mark.parametrize(
    ("column", "content", "reason"),
    [
        ("p_1", pa.array([0.1, 0.7, np.nan], pa.float32()), "not between 0 and 1"),
        ("p_1", pa.array([0.5, 0.7, 0.2], pa.float32()), "with the sum 1"),
        ("p_1", pa.array(["x", "y", "z"]), "one column 'p_1' of type float"),
        ("p_1", None, "one column 'p_1' of type float"),
        ("target", pa.array(["cat", "cow", "dog"]), "the truth 'cow' is not among its classes"),
        ("name", pa.array(["a", None, "b"]), "a value is missing"),
        ("name", pa.array([1, 2, 3]), "one column 'name' of type string"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_with_the_rule(
    tmp_path: Path, column: str, content: pa.Array | None, reason: str
) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(path, _made())
    table = pq.read_table(path)
    place = table.column_names.index(column)
    table = table.remove_column(place)
    if content is not None:
        table = table.add_column(place, column, content)
    pq.write_table(table, path)
    with pytest.raises(RunError, match=reason):
        read_predictions(path)


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({}, "does not name the classes"),
        ({"sonde.classes": "["}, "of the classes in its metadata, it is not JSON"),
        ({"sonde.classes": "[" * 10_000}, "of the classes in its metadata, it holds lists inside of lists"),
        ({"sonde.classes": "9" * 5000}, "of the classes in its metadata, it holds a number of 5,000 digits"),
        ({"sonde.classes": '["cat", "dog"]', "sonde.decision": "[NaN, 0]"}, "the decision in its metadata"),
        ({"sonde.classes": '["cat", "dog"]', "sonde.decision": "[" * 9999}, "the decision in its metadata"),
        ({"sonde.classes": '{"a": 1}'}, "not a list of at least two names"),
        ({"sonde.classes": '["cat", "cat"]'}, "a class occurs twice"),
    ],
)
def test_classes_that_cannot_be_understood_are_refused(tmp_path: Path, metadata: dict[str, str], reason: str) -> None:
    path = tmp_path / "predictions.parquet"
    write_predictions(path, _made())
    pq.write_table(pq.read_table(path).replace_schema_metadata(metadata), path)
    with pytest.raises(RunError, match=reason):
        read_predictions(path)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "predictions.parquet")
    with pytest.raises(RunError, match=r"is damaged: it is not a regular file\. \(sonde evaluate"):
        read_predictions(tmp_path / "predictions.parquet")
