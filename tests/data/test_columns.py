"""Cells become numbers, dates or categories, and what is missing or odd is said."""

import numpy as np
import pytest

from sonde.data.table.columns import as_bytes, as_dates, as_numbers, as_words, is_missing, read_column, table_of


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1", "2.5", "-3e2"], [1, 2.5, -300]),
        (["4", "", "?", "NA", "nan", "None", "-"], [4, *[np.nan] * 6]),
        ([" 7 ", "8"], [7, 8]),
        (["", ""], [np.nan, np.nan]),
    ],
)
def test_numbers_are_read_with_gaps_where_words_say_missing(cells: list[str], numbers: list[float]) -> None:
    column, note = read_column(cells)
    assert column.dtype == np.float64 and not note
    np.testing.assert_array_equal(column, numbers)
    assert is_missing(column).tolist() == [number != number for number in numbers]


def test_decimal_commas_are_read_and_said_unless_they_could_be_thousands() -> None:
    column, note = read_column(["1,5", "2,25", "3"])
    assert column.tolist() == [1.5, 2.25, 3.0] and note == "numbers have a decimal comma"
    assert read_column(["1,500", "2,250"])[0].dtype.kind == "U"
    assert read_column(["0,199", "-3,120"])[0].tolist() == [0.199, -3.12]


def test_codes_with_leading_zeros_are_categories() -> None:
    column, note = read_column(["01234", "98765", ""])
    assert column.tolist() == ["01234", "98765", ""] and "leading zeros" in note
    assert read_column(["0", "0.5", "10"])[0].dtype == np.float64


def test_a_few_odd_cells_among_numbers_count_as_missing_and_are_named() -> None:
    cells = [str(number) for number in range(100)] + ["unknown"]
    column, note = read_column(cells)
    assert np.isnan(column[-1]) and column[50] == 50
    assert note == "1 cells are no numbers, such as 'unknown', and count as missing"
    assert read_column(["1", "2", "unknown"])[0].dtype.kind == "U"


def test_infinite_numbers_count_as_missing_and_are_said() -> None:
    column, note = read_column(["1", "inf", "-Infinity"])
    assert np.isnan(column[1:]).all() and note == "2 infinite numbers count as missing"


def test_dates_are_read_as_dates_and_ambiguous_ones_are_named() -> None:
    column, note = read_column(["1970-01-03", "1970-01-02 12:00", "", "1970-01-02T00:00:00Z"])
    assert column.dtype.kind == "M" and not note
    np.testing.assert_array_equal(as_numbers(column)[0], [2.0, 1.5, np.nan, 1.0])
    assert as_dates(np.array(["1970/01/02", "2020-13-01"]))[1] == ["2020-13-01"]
    words, note = read_column(["03/04/2020", "12/11/2020"])
    assert words.dtype.kind == "U" and "can be read in two ways" in note


def test_words_are_categories_and_missing_ones_are_empty() -> None:
    column, _ = read_column(["red", " blue ", "?", "NA", "none"])
    assert column.tolist() == ["red", "blue", "", "", "none"]


def test_a_value_is_the_same_word_however_it_was_stored() -> None:
    assert as_words(np.array([1.0, 2.5, np.nan])).tolist() == ["1", "2.5", ""]
    assert as_words(["1", "2.5", ""]).tolist() == ["1", "2.5", ""]
    assert as_words(np.array(["2020-01-02", "NaT"], dtype="M8[s]")).tolist() == ["2020-01-02T00:00:00", ""]


def test_equal_rows_have_equal_bytes_whatever_holds_their_columns() -> None:
    first = table_of({"a": np.array([1.0, 2.0]), "b": np.array(["x", "yy"])})
    second = table_of({"a": np.array(["2", "1"]), "b": np.array(["yy", "x"], dtype="<U40")})
    assert (as_bytes(first) == as_bytes(second)[::-1]).all()
    assert (as_bytes(first)[0] != as_bytes(first)[1]).any()


def test_words_without_a_number_are_named_one_by_one() -> None:
    numbers, odd = as_numbers(np.array(["3", "many", ""]))
    assert odd == ["many"] and numbers[0] == 3 and np.isnan(numbers[1:]).all()
