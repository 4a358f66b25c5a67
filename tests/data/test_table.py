"""Rows become numbers and codes by what the training rows taught, and by nothing else."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from sonde.data import MODALITIES, spec_from
from sonde.data.listing import Listing
from sonde.data.table.columns import table_of
from sonde.data.table.spec import Options, TableSpec, learn, store
from sonde.errors import DataError, ModelError

Rows = NDArray[np.void]


def make_rows(count: int = 60, *, seed: int = 0) -> Rows:
    """Return rows with a number that is missing here and there, a whole one, a date and a category."""
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 12, count)
    age[::7] = np.nan
    day = np.datetime64("2020-01-01", "s") + rng.integers(0, 900, count) * np.timedelta64(86_400, "s")
    town = rng.choice(np.array(["Bonn", "Ulm", "Kiel", ""]), count)
    return table_of({"age": age, "rooms": rng.integers(1, 6, count).astype(float), "built": day, "town": town})


def make_listing(rows: Rows) -> Listing:
    count = len(rows)
    words = np.array([f"row {place}" for place in range(count)])
    return Listing("houses", "table", "", words, np.array(["a", "b"])[np.arange(count) % 2], np.full(count, ""), rows,
                   modality="table")  # fmt: skip


def test_numbers_come_first_then_the_gaps_then_the_codes() -> None:
    spec = learn(make_rows(), None, Options())
    assert spec.features == ("age", "rooms", "built", "age is missing", "town")
    assert spec.shape == (5,) and spec.cardinalities == (4,) and spec.dtype == "float32" and not spec.presence
    encoded = spec.encode(make_rows())
    assert encoded.dtype == np.float32 and np.isfinite(encoded).all()
    assert encoded[:, 3].tolist() == [float(place % 7 == 0) for place in range(60)]


def test_a_missing_number_is_the_median_of_the_training_rows() -> None:
    rows = table_of({"x": np.array([1.0, 2.0, 4.0, 100.0, np.nan])})
    spec = learn(rows, None, Options(scaling="standard"))
    assert spec.numbers[0].median == 3.0
    middle = table_of({"x": np.array([3.0])})
    assert spec.encode(rows)[4, 0] == spec.encode(middle)[0, 0] and spec.encode(rows)[4, 1] == 1


def test_standard_scaling_is_that_of_scikit_learn_on_numbers_without_outliers() -> None:
    values = np.random.default_rng(0).uniform(-3, 9, 500)
    spec = learn(table_of({"x": values}), None, Options(scaling="standard"))
    low, high = np.quantile(values, [0.005, 0.995])
    expected = StandardScaler().fit_transform(np.clip(values, low, high)[:, None])
    np.testing.assert_allclose(spec.encode(table_of({"x": values})), expected, atol=1e-5)


@pytest.mark.parametrize("scaling", ["standard", "quantile"])
def test_an_outlier_is_clipped_to_what_training_saw(scaling: Any) -> None:
    spec = learn(table_of({"x": np.arange(200.0)}), None, Options(scaling=scaling))
    far, edge = (spec.encode(table_of({"x": np.array([value])}))[0, 0] for value in (1e12, 199.0))
    assert far == edge < 4


@pytest.mark.parametrize("scaling", ["standard", "quantile"])
@pytest.mark.parametrize("kind", ["normal", "skewed", "whole", "mostly zero", "constant", "two values", "huge"])
def test_scaled_training_numbers_keep_their_order_and_have_about_mean_0_and_deviation_1(
    kind: str, scaling: Any
) -> None:
    rng = np.random.default_rng(0)
    values = {
        "normal": rng.normal(5, 2, 400),
        "skewed": np.exp(rng.normal(0, 3, 400)),
        "whole": rng.integers(0, 4, 400).astype(float),
        "mostly zero": np.where(rng.random(400) < 0.003, 1.0, 0.0),
        "constant": np.full(400, 7.0),
        "two values": np.repeat([0.0, 1.0], 200),
        "huge": rng.normal(0, 1e200, 400),
    }[kind]
    scaled = learn(table_of({"x": values}), None, Options(scaling=scaling)).encode(table_of({"x": values}))[:, 0]
    order = np.argsort(values)
    assert (np.diff(scaled[order]) >= 0).all() and abs(scaled.mean()) < 0.15
    # The tails of skewed numbers are cut, and a column with one value for nearly all rows has no width to speak of.
    assert kind in ("constant", "mostly zero") or 0.7 < scaled.std() < 1.3


def test_nothing_is_learned_from_rows_outside_of_training() -> None:
    rows = make_rows()
    assert learn(rows[:30], None, Options()) != learn(rows, None, Options())
    spec = learn(rows[:30], None, Options())
    assert (spec.encode(rows)[:30] == spec.encode(rows[:30])).all()


def test_a_value_that_training_did_not_see_or_saw_once_is_code_0_and_so_is_a_missing_one() -> None:
    rows = table_of({"town": np.array(["Ulm", "Ulm", "Bonn", "Bonn", "Bonn", "Kiel", ""])})
    spec = learn(rows, None, Options())
    assert spec.categories[0].values == ("Bonn", "Ulm") and spec.cardinalities == (3,)
    asked = table_of({"town": np.array(["Ulm", "Bonn", "Kiel", "Rom", ""])})
    assert spec.encode(asked)[:, 0].tolist() == [2, 1, 0, 0, 0]
    assert learn(rows, None, Options(fewest=1)).cardinalities == (4,) and learn(
        rows, None, Options(most_values=1)
    ).cardinalities == (2,)


def test_rows_may_come_with_their_columns_in_another_order_and_stored_otherwise() -> None:
    spec = learn(make_rows(), None, Options())
    rows = make_rows()
    built, rooms = rows["built"].astype("M8[D]").astype(str), rows["rooms"].astype(np.int64).astype(str)
    town = rows["town"].astype("<U90")
    words = table_of({"more": np.zeros(60), "town": town, "built": built, "rooms": rooms, "age": rows["age"]})
    np.testing.assert_array_equal(spec.encode(words), spec.encode(rows))


def test_a_column_of_numbers_can_be_read_as_a_category() -> None:
    listing = make_listing(make_rows())
    decoded = store(listing, Options(categories=("rooms",), ignore=("age",)), "key")
    spec = learn(decoded.raw, listing, Options())
    assert [each.name for each in spec.categories] == ["rooms", "town"] and "age" not in spec.columns
    assert "3" in spec.categories[0].values
    # New data holds the number as a number.
    assert spec.encode(make_rows())[:, 1].max() > 0


@pytest.mark.parametrize("option", ["categories", "ignore"])
def test_an_option_with_an_unknown_column_names_the_nearest_one(option: str) -> None:
    listing, options = make_listing(make_rows()), Options.model_validate({option: ("rom",)})
    with pytest.raises(DataError, match=rf"table.{option} names 'rom', but houses has no such column. Did you mean 'r"):
        learn(store(listing, options, "key").raw, listing, options)


def test_a_table_of_ignored_columns_is_refused() -> None:
    with pytest.raises(DataError, match=r"no column is left to read .*Change it with --set 'table.ignore=\[...\]'"):
        store(make_listing(make_rows()), Options(ignore=("age", "rooms", "built", "town")), "key")


def test_equal_rows_are_copies_unless_few_values_make_most_rows_equal() -> None:
    rows = make_rows()
    rows[5] = rows[9]
    marks = store(make_listing(rows), Options(), "key").marks
    assert marks[5] == marks[9] and len(np.unique(marks)) == 59
    few = store(make_listing(table_of({"yes": np.arange(60) % 2 * 1.0})), Options(), "key")
    assert len(np.unique(few.marks)) == 60
    assert few.notes == ("100% of the rows equal another one, as few values allow, and are not taken for copies",)


def test_rows_that_are_equal_since_their_numbers_are_missing_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    income = np.where(np.arange(400) % 9 == 0, np.nan, rng.normal(50, 15, 400))
    town = rng.choice(np.array(["Bonn", "Ulm"]), 400)
    rows = table_of({"income": income, "town": town})
    rows[3] = rows[4]
    marks = store(make_listing(rows), Options(), "key").marks
    assert marks[3] == marks[4] and len(np.unique(marks)) == 399


def test_a_number_for_each_row_does_not_hide_copies() -> None:
    rows = make_rows()
    rows[5] = rows[9]
    numbered = table_of({"id": np.arange(60.0), **{name: rows[name] for name in rows.dtype.names}})
    marks = store(make_listing(numbered), Options(ignore=("id",)), "key").marks
    assert marks[5] == marks[9] and len(np.unique(marks)) == 59


def test_more_values_than_a_model_can_keep_are_refused_with_the_cure() -> None:
    words = np.array([f"{place:05d}" + "x" * 110 for place in range(20_000)])
    with pytest.raises(DataError, match=r"more than the 2,000,000 that a model keeps.*--set table.most_values=100"):
        learn(table_of({"a": words}), None, Options(fewest=1, most_values=100_000))


def test_the_description_of_a_model_of_very_many_columns_stays_small() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 4000))
    spec = learn(table_of({f"x{place}": rows[:, place] for place in range(4000)}), None, Options())
    assert len(json.dumps(spec.to_dict(), indent=1)) < 4_000_000


def test_a_spec_survives_its_own_json_and_encodes_the_same_bits() -> None:
    spec = learn(make_rows(), None, Options())
    again = spec_from(json.loads(json.dumps(spec.to_dict())))
    assert again == spec and (again.encode(make_rows()) == spec.encode(make_rows())).all()
    assert MODALITIES["table"].spec_from(spec.to_dict()) == spec


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("numbers", 0, "knots"), [2.0, 1.0]),
        (("numbers", 0, "knots"), [1.0]),
        (("numbers", 0, "median"), "NaN"),
        (("numbers", 0, "heights"), [1e9] * 48),
        (("numbers", 0, "name"), "rooms"),
        (("numbers", 1, "name"), ""),
        (("categories", 0, "values"), ["Ulm", "Ulm"]),
        (("categories", 0, "values"), ["x" * 300]),
        (("kind",), "tables"),
    ],
)
def test_a_damaged_spec_is_refused_with_the_place(place: tuple[Any, ...], value: Any) -> None:
    values = json.loads(json.dumps(learn(make_rows(), None, Options()).to_dict()))
    inner = values
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    with pytest.raises(ModelError, match="The model's table preprocessing is damaged at"):
        TableSpec.from_dict(values)


def write(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_new_rows_are_read_by_the_names_of_their_columns(tmp_path: Path) -> None:
    spec = learn(make_rows(), None, Options())
    file = write(tmp_path / "new.csv", [["town", "extra", "built", "age", "rooms"], ["Ulm", "1", "2020-05-01", "", "3"],
                                        ["Rom", "2", "", "33", "?"]])  # fmt: skip
    names, rows = spec.read(str(file))
    assert names == [f"{file} line 2", f"{file} line 3"]
    encoded = spec.encode(rows)
    assert encoded[0, 3] == 1 and encoded[0, 4] > 0 and encoded[1, 4] == 0 and np.isfinite(encoded).all()


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([["town", "built", "ages", "rooms"], ["Ulm", "", "3", "1"]],
         r"lacks the column 'age', which the model reads. Did you mean 'ages'\? It has: town, built, ages, rooms"),
        ([["town", "built", "age", "rooms"], ["Ulm", "", "3", "1"], ["Ulm", "", "old", "1"]],
         r"line 3 holds 'old' in the column 'age', which is no number. Correct it, or leave the cell empty"),
        ([["town", "built", "age", "rooms"], ["Ulm", "1.2.20", "3", "1"]], r"which is no date, such as 2026-01-31"),
        ([["town", "built", "age", "rooms"]], r"holds no row below its header"),
    ],
)  # fmt: skip
def test_new_rows_that_do_not_fit_are_refused_with_row_and_column(tmp_path: Path, rows: Any, text: str) -> None:
    spec = learn(make_rows(), None, Options())
    with pytest.raises(DataError, match=text):
        spec.read(str(write(tmp_path / "new.csv", rows)))


def test_what_is_no_table_is_refused_with_what_would_be(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"x.png is no table. Give a file that ends in .csv, .tsv, .parquet"):
        learn(make_rows(), None, Options()).read(str(tmp_path / "x.png"))
    with pytest.raises(DataError, match=r"gone.csv is not there"):
        learn(make_rows(), None, Options()).read(str(tmp_path / "gone.csv"))


def test_a_batch_is_prepared_in_the_place_that_is_given() -> None:
    spec = learn(make_rows(), None, Options())
    encoded = spec.encode(make_rows())
    out = np.empty((10, 5), np.float32)
    assert spec.prepare(encoded[:10], out) is out and (out == spec.prepare(encoded[:10])).all()
