"""Tables of rows are recognised, their label found, and columns that say nothing or too much are left out and said."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from asking import CLASSES
from sonde.data import Listing, Options, guess, load, survey
from sonde.data.sources import text_columns
from sonde.data.table import spec as table_module
from sonde.data.table.columns import names_of
from sonde.data.table.guesses import left_out, telling
from sonde.errors import DataError


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def passengers(count: int = 60) -> list[str]:
    """Return a table like that of a known ship: numbers, gaps, categories, a row number and a ticket for each."""
    rng = np.random.default_rng(0)
    lines = ["PassengerId,Pclass,Sex,Age,Ticket,Port,Survived"]
    for row in range(1, count + 1):
        sex, port = rng.choice(["male", "female"]), rng.choice(["S", "C", "Q", ""])
        age = "" if row % 5 == 0 else f"{rng.uniform(1, 70):.1f}"
        lines.append(f"{row},{rng.integers(1, 4)},{sex},{age},A/{row * 37},{port},{int(rng.random() < 0.4)}")
    return lines


def read(path: Path, **options: str) -> Listing:
    return survey(str(path), Options(**options))


def test_a_table_is_recognised_and_its_label_column_said(tmp_path: Path) -> None:
    listing = read(write(tmp_path / "ship.csv", passengers()))
    assert listing.modality == "table" and listing.format == "table (csv)" and listing.name == "ship"
    assert listing.reason == "60 rows of 6 columns, label in 'Survived'"
    assert listing.names[:2].tolist() == ["ship.csv line 2", "ship.csv line 3"] and set(listing.truth) == {"0", "1"}
    assert isinstance(listing.content, np.ndarray)
    assert names_of(listing.content) == ("PassengerId", "Pclass", "Sex", "Age", "Ticket", "Port")
    assert "change: --set data.label_column=NAME" in listing.notes[0]


def test_a_table_of_constants_is_not_said_to_hold_none(tmp_path: Path) -> None:
    path = write(tmp_path / "flat.csv", ["width,height,label", *(f"1,2,{'ab'[row % 2]}" for row in range(40))])
    setting = guess(read(path))["table.ignore"]
    assert setting.value == [] and setting.reason.startswith("every column numbers the rows, is constant or repeats")


def test_a_header_without_rows_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "none.csv", ["width,label"])
    with pytest.raises(DataError, match=r"none\.csv holds a header \(width, label\) and no row below it\. Add rows"):
        read(path)


def test_row_numbers_and_texts_that_differ_everywhere_are_left_out_with_the_reason(tmp_path: Path) -> None:
    listing = read(write(tmp_path / "ship.csv", passengers()))
    setting = guess(listing)["table.ignore"]
    assert setting.value == ["PassengerId", "Ticket"] and setting.origin == "guessed"
    assert setting.reason == "'PassengerId' counts the rows, 'Ticket' holds 60 different texts in 60 rows"


def test_what_is_left_out_reaches_neither_the_model_nor_the_baselines(tmp_path: Path) -> None:
    listing = read(write(tmp_path / "ship.csv", passengers()))
    own = table_module.Options(ignore=("PassengerId", "Ticket"))
    dataset = load(listing, Options(), own, CLASSES)
    assert names_of(dataset.train.raw) == ("Pclass", "Sex", "Age", "Port")
    assert dataset.spec.shape == (5,) and dataset.spec.cardinalities == (3, 4)
    assert dataset.train.inputs.dtype == np.float32 and len(dataset.test) == 12


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (["7"] * 30, "has one value only"),
        ([""] * 30, "is empty"),
        ([str(100 + row) for row in range(30)], "counts the rows"),
        (["dead" if row % 3 else "alive" for row in range(30)], "is the label in other words"),
        (["1" if row % 3 else "0" for row in range(30)], "is the label in other words"),
        ([f"{row % 7}" for row in range(30)], ""),
        ([f"{row * 0.31:.2f}" for row in range(30)], ""),
        (["x", *[""] * 29], ""),
    ],
)
def test_a_column_that_says_nothing_or_everything_is_found(tmp_path: Path, column: list[str], reason: str) -> None:
    lines = ["a,odd,label", *(f"{row * 7 % 11},{cell},{row % 3 > 0}" for row, cell in enumerate(column))]
    listing = read(write(tmp_path / "x.csv", lines))
    assert left_out(listing) == ({"odd": reason} if reason else {})


def test_numbers_that_differ_are_ids_only_when_they_are_called_so(tmp_path: Path) -> None:
    lines = ["order_id,price,label", *(f"{row * 13 % 101},{row * 17 % 101},{'ab'[row % 2]}" for row in range(50))]
    assert left_out(read(write(tmp_path / "x.csv", lines))) == {
        "order_id": "differs in every row and is named like a number of rows"
    }


def test_a_column_whose_values_go_with_one_label_each_is_read_and_warned_of(tmp_path: Path) -> None:
    lines = [
        "ward,age,label",
        *(f"{'ABCDEF'[row % 6]},{row * 7 % 90},{'yes' if row % 2 else 'no'}" for row in range(60)),
    ]
    listing = read(write(tmp_path / "x.csv", lines))
    assert left_out(listing) == {}
    assert telling(listing)[0].startswith("each value of the column 'ward' goes with one label only; see that it is")
    assert any("goes with one label only" in note for note in listing.notes)


def test_the_test_split_is_not_looked_at(tmp_path: Path) -> None:
    lines = ["a,b,split,label", *(f"{row * 7 % 11},1,train,{'xy'[row % 2]}" for row in range(30)),
             *(f"{row},2,test,{'xy'[row % 2]}" for row in range(10))]  # fmt: skip
    assert left_out(read(write(tmp_path / "x.csv", lines))) == {"b": "has one value only"}


def test_a_column_of_dates_asks_for_splits_by_date(tmp_path: Path) -> None:
    lines = ["day,x,label", *(f"2020-01-{1 + row % 28:02},{row % 9},{'ab'[row % 2]}" for row in range(40))]
    listing = read(write(tmp_path / "x.csv", lines))
    assert isinstance(listing.content, np.ndarray) and listing.content["day"].dtype.kind == "M"
    assert any("the rows have dates ('day')" in note for note in listing.notes)


def test_one_table_for_each_split_is_read_and_one_without_labels_left_out(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", passengers(40))
    write(tmp_path / "valid.csv", passengers(10))
    write(tmp_path / "test.csv", [line.rpartition(",")[0] for line in passengers(10)])
    listing = read(tmp_path)
    assert listing.splits.tolist() == ["train"] * 40 + ["validation"] * 10
    assert "test.csv has no column 'Survived' and is left out" in listing.notes


def test_a_table_with_fewer_columns_than_the_first_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", passengers(20))
    write(tmp_path / "test.csv", [line.partition(",")[2] for line in passengers(10)])
    with pytest.raises(DataError, match=r"test.csv lacks the column 'PassengerId', which train.csv has"):
        read(tmp_path)


def test_parquet_that_would_grow_beyond_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_columns, "MOST_CELLS", 1000)
    pq.write_table(pa.table({"a": [1.0] * 501, "label": ["x"] * 501}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"declares 501 rows of 2 columns, more cells than the 1,000"):
        read(tmp_path / "x.parquet")


def test_parquet_keeps_its_numbers_and_whole_labels(tmp_path: Path) -> None:
    columns = {"x": [0.5, None, 2.0] * 8, "kind": ["a", "b", None] * 8, "target": [0.0, 1.0, None] * 8}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    listing = read(tmp_path / "x.parquet")
    assert set(listing.truth) == {"0", "1"} and len(listing) == 16
    assert listing.bad[0] == ("x.parquet row 3", "has no label")
    assert isinstance(listing.content, np.ndarray) and np.isnan(listing.content["x"]).sum() == 8


@pytest.mark.parametrize(
    "labels", [["007", "7", "07"], ["1_2", "12", "3"], ["1e2", "100", "2e5"], ["1.0", "1", "2"], ["NA", "None", "EU"]]
)
def test_a_label_is_what_stands_in_the_file(tmp_path: Path, labels: list[str]) -> None:
    lines = ["x,w,label", *(f"{row * 7 % 11},{row % 5},{labels[row % 3]}" for row in range(30))]
    assert read(write(tmp_path / "x.csv", lines)).truth.tolist() == labels * 10


def test_a_table_with_carriage_returns_alone_is_read(tmp_path: Path) -> None:
    rows = "".join(f"{row % 7}.{row},{row % 5}.5,{'xy'[row % 2]}\r" for row in range(60))
    (tmp_path / "mac.csv").write_text("a,b,label\r" + rows, newline="")
    listing = read(tmp_path / "mac.csv")
    assert len(listing) == 60 and set(listing.truth) == {"x", "y"} and listing.names[1] == "mac.csv line 3"


def test_new_rows_are_read_in_the_encoding_that_the_training_rows_were_said_to_be_in(tmp_path: Path) -> None:
    lines = [
        "城市,x,label",
        *(f"{'東京' if row % 2 else '大阪'},{row * 7 % 11},{'ab'[row % 3 > 0]}" for row in range(30)),
    ]
    for name in ("train.csv", "new.csv"):
        (tmp_path / name).write_text("\n".join(lines), encoding="shift_jis")
    dataset = load(read(tmp_path / "train.csv", encoding="shift_jis"), Options(), table_module.Options(), CLASSES)
    _, rows = dataset.spec.read(str(tmp_path / "new.csv"))
    assert isinstance(rows, np.ndarray) and rows["城市"].tolist() == ["大阪", "東京"] * 15


def test_a_table_without_a_header_has_numbered_columns_and_its_label_last(tmp_path: Path) -> None:
    lines = [f"{5 + row % 3}.{row % 10},{row % 7},{'setosa' if row % 2 else 'virginica'}" for row in range(30)]
    listing = read(write(tmp_path / "iris.csv", lines))
    assert len(listing) == 30 and "label in 'column 3'" in listing.reason


def test_columns_that_pandas_numbered_are_names(tmp_path: Path) -> None:
    lines = [",0,1,2", *(f"{row},{row % 5},{row % 3},{'ab'[row % 2]}" for row in range(30))]
    listing = read(write(tmp_path / "x.csv", lines))
    assert (
        len(listing) == 30 and "label in '2'" in listing.reason and left_out(listing) == {"column 1": "counts the rows"}
    )


def test_split_and_group_columns_are_used_and_not_read(tmp_path: Path) -> None:
    lines = ["patient,x,split,diagnosis"]
    lines += [f"p{row // 3},{row % 8},{'test' if row > 40 else 'train'},{'ab'[row % 2]}" for row in range(60)]
    listing = read(write(tmp_path / "x.csv", lines))
    assert listing.reason == "60 rows of 1 columns, label in 'diagnosis', split in 'split', group in 'patient'"
    assert listing.groups is not None and listing.splits[-1] == "test"
    assert isinstance(listing.content, np.ndarray) and names_of(listing.content) == ("x",)


def test_a_label_that_is_a_quantity_is_read_as_it_stands(tmp_path: Path) -> None:
    lines = ["x,target", *(f"{row % 7},{row * 1.37:.2f}" for row in range(200))]
    listing = read(write(tmp_path / "x.csv", lines))
    assert listing.truth[:3].tolist() == ["0.00", "1.37", "2.74"]
    # What is different in every row goes with every other such column, and gives nothing away.
    assert left_out(listing) == {}


def test_without_a_label_by_name_a_last_column_of_numbers_is_it(tmp_path: Path) -> None:
    lines = ["a,b,c", *(f"{row * 1.5},{row % 7},{row * 0.37}" for row in range(200))]
    assert "label in 'c'" in read(write(tmp_path / "x.csv", lines)).reason
    homes = ["rooms,size,price", *(f"{row % 7},{row * 1.5},{row * 0.37}" for row in range(200))]
    assert "label in 'price'" in read(write(tmp_path / "homes.csv", homes)).reason


def test_a_label_that_cannot_be_told_is_asked_for(tmp_path: Path) -> None:
    lines = ["a,b,c", *(f"{row * 1.5},{row % 7},note {row}" for row in range(200))]
    file = write(tmp_path / "x.csv", lines)
    with pytest.raises(DataError, match=r"candidates: a, b, c. Say it with --set data.label_column=NAME"):
        read(file)
    assert "label in 'b'" in read(file, label_column="b").reason
    with pytest.raises(DataError, match=r"data.label_column = 'bb', but .* has no such column. Did you mean 'b'\?"):
        read(file, label_column="bb")


def test_a_table_of_labels_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no column beside the label"):
        read(write(tmp_path / "x.csv", ["label", *("ab"[row % 2] for row in range(20))]), label_column="label")


def test_several_labels_stay_several(tmp_path: Path) -> None:
    lines = [
        "x,y,labels",
        *(f"{row % 7},{row * 0.3:.1f},{('a|b', 'a', '', 'b|c', 'c|a')[row % 5]}" for row in range(60)),
    ]
    listing = read(write(tmp_path / "x.csv", lines))
    assert listing.several and listing.truth[:3].tolist() == ["a|b", "a", ""] and not listing.bad


@pytest.mark.parametrize(
    ("name", "rows", "columns"), [("breast-cancer", 569, 30), ("wine", 178, 13), ("diabetes", 442, 10)]
)
def test_the_built_in_tables_are_there_offline(name: str, rows: int, columns: int) -> None:
    listing = survey(name, Options())
    assert isinstance(listing.content, np.ndarray) and listing.modality == "table"
    assert len(listing) == rows and len(names_of(listing.content)) == columns and left_out(listing) == {}
