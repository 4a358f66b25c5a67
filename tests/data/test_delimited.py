"""Text with a delimiter is read in every dialect; each row knows its line, and what was decided is said."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.data.encodings import read_head
from sonde.data.sources import delimited
from sonde.data.sources.delimited import Table, head_delimited, is_number, numbered_lines, read_delimited
from sonde.errors import DataError


def read(folder: Path, content: str | bytes, name: str = "t.csv", **options: str) -> Table:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_delimited(path, **options)


CITIES = {"city": ["Ulm", "Köln"], "size": ["1,5", "2"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "windows-1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_every_encoding_and_end_of_line_gives_the_same_cells(encoding: str, end: str, tmp_path: Path) -> None:
    content = f'city,size{end}Ulm,"1,5"{end}Köln,2{end}'.encode(encoding)
    declared = encoding if encoding == "utf-16-be" else ""
    table = read(tmp_path, content, encoding=declared)
    assert table.columns == CITIES and list(table.numbers) == [2, 3] and table.place(1) == "line 3"
    told = {"utf-16": "utf-16 by its first bytes", "windows-1252": "read as windows-1252"}.get(encoding, "")
    assert told in " ".join(table.notes)


def test_a_mark_at_the_beginning_is_no_letter_where_the_encoding_is_said(tmp_path: Path) -> None:
    assert list(read(tmp_path, "\ufeffa,b\n1,2\n", encoding="utf-8").columns) == ["a", "b"]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_by_rows_of_one_length(sign: str, tmp_path: Path) -> None:
    others = "".join({",", ";", "|"} - {sign})
    content = f"na{others}me{sign}label\n" + "".join(f"one {others * (n % 3)}{n}{sign}x\n" for n in range(5))
    table = read(tmp_path, content)
    assert list(table.columns) == [f"na{others}me", "label"] and table.columns["label"] == ["x"] * 5
    assert sign == "," or any("the delimiter of t.csv is" in note and "2 cells" in note for note in table.notes)


def test_commas_between_digits_are_no_delimiters_where_another_fits(tmp_path: Path) -> None:
    table = read(tmp_path, "0,1;0,2;a\n0,3;0,4;b\n")
    assert table.columns == {"column 1": ["0,1", "0,3"], "column 2": ["0,2", "0,4"], "column 3": ["a", "b"]}
    assert any("its commas stand between digits, as decimal points do" in note for note in table.notes)
    assert read(tmp_path, "x;w;label\n0,199;0,6;no\n3,120;2,0;yes\n").columns["x"] == ["0,199", "3,120"]


def test_excel_s_first_line_says_the_delimiter(tmp_path: Path) -> None:
    table = read(tmp_path, "sep=;\r\nx;label\r\n1;a\r\n2;b\r\n")
    assert table.columns == {"x": ["1", "2"], "label": ["a", "b"]} and list(table.numbers) == [3, 4]
    assert "t.csv says itself that its delimiter is ';'" in table.notes


def test_lines_of_comment_above_the_header_are_passed_over_and_that_is_said(tmp_path: Path) -> None:
    table = read(tmp_path, '# made by "my logger\n# v2\nx,label\n1,a\n2,b\n')
    assert table.columns == {"x": ["1", "2"], "label": ["a", "b"]} and list(table.numbers) == [4, 5]
    assert "lines 1 to 2 of t.csv begin with #, and are passed over" in table.notes
    assert list(read(tmp_path, "#x,label\n1,a\n2,b\n").columns) == ["#x", "label"]


def test_a_quoted_cell_keeps_its_commas_quotes_and_lines_and_the_next_row_its_number(tmp_path: Path) -> None:
    table = read(tmp_path, 'label,text\na,"one, ""two""\nthree"\n\nb,four\n')
    assert table.columns["text"] == ['one, "two"\nthree', "four"] and list(table.numbers) == [2, 5]
    assert read(tmp_path, 'label,text\na, "one, two"\nb, three\n').columns["text"] == ["one, two", "three"]


@given(st.lists(st.tuples(*[st.text(st.sampled_from('ab,;|"\t\n\r #\f\u2028'), max_size=6)] * 2), max_size=6))
def test_what_a_writer_of_csv_writes_comes_back_with_its_lines(rows: list[tuple[str, str]]) -> None:
    out, starts = io.StringIO(newline=""), []
    # Without quotes a lone carriage return would be written bare, and be an end of line.
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["first", "second"])
    for row in rows:
        starts.append(len(out.getvalue().replace("\r\n", "\n").replace("\r", "\n").split("\n")))
        writer.writerow(row)
    table = delimited._parse(out.getvalue(), Path("t.csv"), None, ())
    assert list(zip(*table.columns.values(), strict=True)) == [(one.strip(), two.strip()) for one, two in rows]
    assert list(table.numbers) == starts


def test_quotes_that_are_not_closed_are_letters_and_that_is_said(tmp_path: Path) -> None:
    table = read(tmp_path, 'label,text\na,"one\nb,two\nc,three\n')
    assert table.columns["text"] == ['"one', "two", "three"]
    assert "quotes in t.csv are letters like all others, since a quote that line 2 opens is never closed" in table.notes
    inside = read(tmp_path, 'label\ttext\na\t"one" two\nb\tthree\n', "t.tsv")
    assert inside.columns["text"] == ['"one" two', "three"]
    assert any("since the quotes of line 2 do not pair up" in note for note in inside.notes)


def test_quotes_that_would_join_rows_of_a_file_with_tabs_are_letters(tmp_path: Path) -> None:
    table = read(tmp_path, 'label\ttext\na\t"one\nb\ttwo"\nc\tthree\n', "t.tsv")
    assert table.columns["text"] == ['"one', 'two"', "three"] and any("would join rows" in note for note in table.notes)


def test_a_quote_that_is_not_closed_is_named_by_its_line_where_it_cannot_be_a_letter(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a quote that line 3 opens is never closed\. Double the quotes"):
        read(tmp_path, 'label,text\na,one\nb,"two, and\nc,three\n')


def test_a_row_of_another_length_is_named_by_its_line(tmp_path: Path) -> None:
    content = 'label,text\na,"one\ntwo"\n\nb,three, four\n'
    with pytest.raises(DataError, match=r"t\.csv: line 5 has 3 values where there are 2 columns \(label, text\)"):
        read(tmp_path, content)


def test_rows_of_delimiters_alone_and_a_last_column_of_nothing_are_left_out(tmp_path: Path) -> None:
    table = read(tmp_path, ",,\nx,label\n1,a\n\n,,\n2,b\n,,\n")
    assert table.columns == {"x": ["1", "2"], "label": ["a", "b"]} and list(table.numbers) == [3, 6]
    assert "line 1 and 2 more of t.csv hold no value, and are passed over" in table.notes
    for header in ("x,label,", "x,label"):
        table = read(tmp_path, f"{header}\n1,a,\n2,b,\n")
        assert table.columns == {"x": ["1", "2"], "label": ["a", "b"]}
        assert any("behind the last delimiter" in note for note in table.notes)


def test_a_row_of_missing_values_is_a_row(tmp_path: Path) -> None:
    assert read(tmp_path, "x,y\n,\n1,2\n").columns == {"x": ["", "1"], "y": ["", "2"]}


@pytest.mark.parametrize(
    ("first", "others", "has_header"),
    [
        ("x,label", ["1,a", "2,b"], True),
        ("5.1,a", ["4.2,b", "3.3,a"], False),
        ("p,x,s", ["e,x,y", "p,b,s"], False),
        ("male,age,label", ["male,30,a", ",31,b"], True),
        (",0,1,2", ["0,5,6,a", "1,6,7,b"], True),
        ("0,1,2,label", ["5,6,7,a", "6,7,8,b"], True),
        ("0,1,2,a", ["5,6,7,a", "6,7,8,b"], False),
        ("1,2,3", ["4,5,6", "7,8,9"], False),
        ("1,a fine film", ["0,a bad one", "1,good"], False),
        ("2024_01,2024_02", ["1,2", "3,4"], True),
        ("nan,inf", ["1,2", "3,4"], True),
    ],
)
def test_a_first_row_of_values_is_told_from_a_header(
    first: str, others: list[str], has_header: bool, tmp_path: Path
) -> None:
    table = read(tmp_path, "\n".join([first, *others]))
    assert table.has_header == has_header and len(table) == len(others) + (not has_header)
    assert ("t.csv has no header: its first row is a value" in table.notes) == (not has_header)


def test_columns_that_are_known_by_name_make_a_header(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("2024,label\n1,a\n2,b\n")
    assert not read_delimited(path).has_header and read_delimited(path, known=["label"]).has_header


def test_a_header_that_stands_again_is_no_row(tmp_path: Path) -> None:
    table = read(tmp_path, "x,label\n1,a\nx,label\n2,b\n")
    assert table.columns == {"x": ["1", "2"], "label": ["a", "b"]} and list(table.numbers) == [2, 4]
    assert "the header of t.csv stands again on line 3, which is no row" in table.notes


def test_columns_without_a_name_are_numbered_and_equal_names_refused(tmp_path: Path) -> None:
    assert list(read(tmp_path, ",x,,y\n7,a,3,b\n8,b,4,c\n").columns) == ["column 1", "x", "column 3", "y"]
    with pytest.raises(DataError, match=r"has 2 columns called 'x', and it is unclear which one is meant"):
        read(tmp_path, "x, x,y\n1,2,3\n")


def test_what_is_too_large_is_refused_in_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"line 1 has 100,001 cells, and at most 65,536 columns are read"):
        read(tmp_path, ",".join(f"c{place}" for place in range(100_001)) + "\n" + "1," * 100_000 + "x\n")
    long = "x" * 200_000
    assert read(tmp_path, f"text,label\n{long},a\n").columns["text"] == [long]
    monkeypatch.setattr(delimited, "LONGEST_CELL", 1000)
    with pytest.raises(DataError, match=r"line 3 begins a cell of more than 1,000 letters\. Shorten it; if it is"):
        read(tmp_path, f"text,label\nb,c\n{long},a\n")
    monkeypatch.setattr(delimited, "MOST_CELLS", 8)
    with pytest.raises(DataError, match=r"it has more than 8 cells up to line 5"):
        read(tmp_path, "a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n")


def test_a_file_that_is_none_or_too_large_is_refused_in_one_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"gone\.csv is not there \(looked in "):
        read_delimited(tmp_path / "gone.csv")
    with pytest.raises(DataError, match="is a folder; name a file"):
        read_delimited(tmp_path)
    monkeypatch.setattr(delimited, "LARGEST_TABLE", 10)
    with pytest.raises(DataError, match=r"t\.csv has 12 bytes, and at most 10 are read of such a file"):
        read(tmp_path, "a,b\n1,2\n3,4\n")


def test_the_head_of_a_long_file_is_whole_rows_also_where_it_ends_in_quotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "HEAD", 40)
    path = tmp_path / "t.csv"
    path.write_text('label,text\na,one\nb,"two\nthree\nfour\nfive\nsix"\nc,seven\n')
    assert head_delimited(path).columns == {"label": ["a"], "text": ["one"]}
    path.write_text("label,text\na,één\n" + "b,two\n" * 20, encoding="utf-16")
    assert head_delimited(path).columns == {"label": ["a"], "text": ["één"]}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "shift_jis"])
def test_the_head_of_a_text_is_seen_whatever_its_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("label,text\nx,good film\n".encode(encoding) * 9)
    assert read_head(path, 1000)[0].startswith("label,text\nx,good film\n")


def test_lines_end_at_carriage_returns_only_where_nothing_else_ends_them() -> None:
    assert list(numbered_lines("a\rb\rc")) == [(1, "a"), (2, "b"), (3, "c")]
    assert list(numbered_lines("a\rb\r\nc\n")) == [(1, "a\rb"), (2, "c"), (3, "")]


def test_numbers_are_what_other_programs_take_for_them() -> None:
    assert [is_number(cell) for cell in ("1", "-2.5e3", ".5", "1_2", "nan", "-inf", "", "x", "1,5")] == [
        *[True] * 3,
        *[False] * 6,
    ]
