"""Files of texts and labels are recognised, read as they are meant, and what was decided is said."""

import json
from collections import Counter
from pathlib import Path

import pytest

from makers import write_table
from sonde.data.listing import Listing
from sonde.data.options import Options
from sonde.data.ragged import Ragged, text_of
from sonde.data.sources import survey, text_folders, texts
from sonde.errors import DataError

SHARED = Path(__file__).parents[2].parent / "shared" / "data"

ROWS = [
    {"id": str(number), "text": f"this is text {number}, {'good' if number % 2 else 'bad'}", "label": "ny"[number % 2]}
    for number in range(20)
]


def held(listing: Listing) -> list[str]:
    assert isinstance(listing.content, Ragged)
    return [text_of(listing.content[row]) for row in range(len(listing))]


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(count: int = 12, start: int = 0) -> str:
    return "".join(f"{'ny'[number % 2]} text number {number}\n" for number in range(start, start + count))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_a_table_of_texts_is_recognised_and_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"reviews{suffix}"
    if suffix == ".jsonl":
        write(path, "\n".join(json.dumps(row) for row in ROWS))
    else:
        write_table(path, ROWS)
    listing = survey(str(path), Options())
    assert listing.modality == "text" and len(listing) == 20 and not listing.bad
    assert held(listing)[3] == ROWS[3]["text"] and listing.truth[3] == "y"
    assert "text in 'text', label in 'label'" in listing.reason


def test_columns_are_guessed_said_and_changed(tmp_path: Path) -> None:
    rows = [
        {"topic": "ab"[n % 2], "title": f"a title {n}", "body": f"the body of text {n}", "n": str(n)} for n in range(9)
    ]
    path = write_table(tmp_path / "news.csv", rows)
    listing = texts.read(path, Options())
    assert held(listing)[0] == "the body of text 0" and set(listing.truth) == {"a", "b"}
    assert any(
        "text in 'body', label in 'topic' (change: --set data.text_column=NAME" in note for note in listing.notes
    )
    assert held(texts.read(path, Options(text_column="title")))[1] == "a title 1"
    assert held(texts.read(path, Options(text_column="title+body")))[1] == "a title 1\nthe body of text 1"
    with pytest.raises(DataError, match=r"data\.text_column = 'boddy'.*Did you mean 'body'"):
        texts.read(path, Options(text_column="boddy"))
    with pytest.raises(DataError, match=r"data\.label_column = 'x', but .* has no such column"):
        texts.read(path, Options(label_column="x"))


def test_a_table_without_a_header_keeps_its_first_row(tmp_path: Path) -> None:
    path = write(tmp_path / "sms.tsv", "ham\tGo until the point\nspam\tWin a prize now\nham\tOk then\n" * 4)
    listing = texts.read(path, Options())
    assert len(listing) == 12 and held(listing)[0] == "Go until the point"
    assert "sms.tsv has no header: its first row is a value" in listing.notes


def test_quotes_that_do_not_pair_up_are_letters(tmp_path: Path) -> None:
    path = write(
        tmp_path / "sms.tsv", 'ham\t"Go" he said\nspam\t"Win a prize\nham\tOk "then\nspam\tno more quotes\n' * 3
    )
    listing = texts.read(path, Options())
    assert held(listing)[:3] == ['"Go" he said', '"Win a prize', 'Ok "then']
    assert any("quotes in sms.tsv are letters" in note for note in listing.notes)


def test_quoted_values_keep_their_commas_and_lines(tmp_path: Path) -> None:
    path = write_table(tmp_path / "a.csv", [{"label": "ab"[n % 2], "text": f'one, "two"\nthree {n}'} for n in range(8)])
    assert held(texts.read(path, Options()))[1] == 'one, "two"\nthree 1'


@pytest.mark.parametrize("separator", ["\t", " ", ",", "|", ";"])
def test_lines_of_a_label_and_a_text_are_read_with_any_separator(separator: str, tmp_path: Path) -> None:
    content = "".join(f"{'ny'[n % 2]}{separator}text {n}, or more\n" for n in range(12))
    listing = texts.read(write(tmp_path / "set.txt", content), Options())
    assert held(listing)[2] == "text 2, or more" and Counter(listing.truth.tolist()) == {"n": 6, "y": 6}


def test_lines_end_at_line_feeds_alone(tmp_path: Path) -> None:
    content = "".join(f"{n % 2} a text\x85with \u2028 and \f{n}\r\n" for n in range(8))
    listing = texts.read(write(tmp_path / "set.txt", content), Options())
    assert len(listing) == 8 and held(listing)[3] == "a text\x85with \u2028 and \f3"


def test_labels_for_fasttext_lose_their_mark(tmp_path: Path) -> None:
    content = "".join(f"__label__{'ab'[n % 2]} some text {n}\n" for n in range(8))
    assert set(texts.read(write(tmp_path / "set.txt", content), Options()).truth) == {"a", "b"}


def test_a_file_for_each_split_is_one_data_set(tmp_path: Path) -> None:
    for name, count in (("train", 12), ("dev", 4), ("test", 6)):
        write(tmp_path / f"set.binary.{name}", lines(count))
    write(tmp_path / "README.md", "about it")
    listing = survey(str(tmp_path), Options())
    assert Counter(listing.splits.tolist()) == {"train": 12, "validation": 4, "test": 6}
    assert listing.names[0] == "set.binary.train line 1"


def test_without_a_training_file_the_validation_file_is_trained_on_and_that_is_said(tmp_path: Path) -> None:
    write(tmp_path / "dev.txt", lines(12))
    write(tmp_path / "test.txt", lines(6))
    listing = texts.read(tmp_path, Options())
    assert Counter(listing.splits.tolist()) == {"": 12, "test": 6}
    assert any("there is no training file: dev.txt is trained on" in note for note in listing.notes)


def test_splits_and_groups_may_stand_in_columns(tmp_path: Path) -> None:
    rows = [{**row, "split": "test" if n % 4 == 0 else "train", "speaker": f"s{n // 2}"} for n, row in enumerate(ROWS)]
    listing = texts.read(write_table(tmp_path / "a.csv", rows), Options())
    assert Counter(listing.splits.tolist()) == {"train": 15, "test": 5}
    assert listing.groups is not None and listing.groups[3] == "s1"


def test_conditions_on_columns_make_the_test_split(tmp_path: Path) -> None:
    rows = [{**row, "year": str(2000 + n)} for n, row in enumerate(ROWS)]
    listing = texts.read(write_table(tmp_path / "a.csv", rows), Options(test_where="year>=2015"))
    assert listing.splits.tolist() == ["train"] * 15 + ["test"] * (len(ROWS) - 15)
    assert any("the test split are" in note and "year>=2015" in note for note in listing.notes)


def test_rows_without_text_or_label_are_named(tmp_path: Path) -> None:
    rows = [*ROWS, {"id": "a", "text": " ", "label": "n"}, {"id": "b", "text": "some more text", "label": ""}]
    listing = texts.read(write_table(tmp_path / "a.csv", rows), Options())
    assert listing.bad == (("line 22 of a.csv", "has no text"), ("line 23 of a.csv", "has no label"))


def test_an_uneven_row_is_named_with_the_cure(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "label,text\nn,one two three\ny,one, two and three\nn,one more text\n")
    with pytest.raises(DataError, match=r"line 3 has 3 values where there are 2 columns.*a comma in double quotes"):
        texts.read(path, Options())


def test_one_cell_of_a_long_text_is_read_whole(tmp_path: Path) -> None:
    rows = [{"label": "ab"[n % 2], "text": f'{"a word of many " * 20_000}, "{n}"'} for n in range(3)]
    assert [len(text) for text in held(texts.read(write_table(tmp_path / "a.csv", rows), Options()))] == [300_005] * 3


def test_a_column_of_row_numbers_without_a_name_makes_no_other_table(tmp_path: Path) -> None:
    content = ",text,label\n" + "".join(f"{n},this is text number {n},{'ab'[n % 2]}\n" for n in range(12))
    listing = survey(str(write(tmp_path / "a.csv", content)), Options())
    assert listing.modality == "text" and held(listing)[0] == "this is text number 0"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"text": ', "it is not JSON"),
        ('{"text": "a b c", "label": ' + "[" * 10_000, "it holds lists inside of lists"),
        ('{"text": "a b c", "label": ' + "9" * 5000 + "}", "it holds a number of 5,000 digits"),
    ],
    ids=["cut", "depth", "digits"],
)
def test_a_line_that_is_not_json_is_named(line: str, says: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", f'{{"text": "a b c", "label": 1}}\n{line}\n')
    assert texts.sniff(path) == "JSON lines (a.jsonl)"
    with pytest.raises(DataError, match=rf"a\.jsonl: line 2: {says}.*Each line is one JSON object"):
        texts.read(path, Options())


def test_numbers_lists_and_truth_values_of_json_become_labels(tmp_path: Path) -> None:
    rows = [{"text": "one two three", "label": label} for label in (1, True, ["b", "a"], "x", 0)]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert texts.read(path, Options()).truth.tolist() == ["1", "true", "b|a", "x", "0"]


def test_another_encoding_is_said_and_believed(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.txt", ("".join(f"{n % 2} un café plein de monde {n}\n" for n in range(40))).encode("latin-1")
    )
    listing = texts.read(path, Options())
    assert held(listing)[0] == "un café plein de monde 0"
    assert any(
        "a.txt is not UTF-8 at byte 8 (0xe9, line 1); it was read as windows-1252" in each for each in listing.notes
    )
    with pytest.raises(DataError, match=r"a\.txt is not utf-8 text: byte 8"):
        texts.read(path, Options(encoding="utf-8"))


def test_an_encoding_that_cannot_be_told_is_asked_for_by_byte(tmp_path: Path) -> None:
    content = "text,label\n" + "".join(f"良い映画でした。とても{n},{n % 2}\n" for n in range(30))
    path = write(tmp_path / "a.csv", content.encode("shift_jis"))
    with pytest.raises(DataError, match=r"a\.csv is not UTF-8: byte 11 \(0x97, line 2\).*--set data\.encoding=NAME"):
        survey(str(path), Options())
    assert held(survey(str(path), Options(encoding="shift_jis")))[1] == "良い映画でした。とても1"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("numbers.csv", "a,b,label\n" + "1.5,2,x\n2.5,3,y\n" * 9),
        ("titanic.csv", "name,sex,age,fare,deck,label\n" + "Mr Owen Harris,m,22,7,C,0\nMiss Laina,f,26,8,,1\n" * 9),
        ("series.txt", "".join(f"{n % 2} 0.5 0.{n} 0.7\n" for n in range(12))),
        ("series.tsv", "".join(f"{n % 2}\t0.5\t0.{n}\t0.7\n" for n in range(12))),
        ("prose.txt", "Once upon a time there was\nsomebody who wrote a story\nand that is all.\n"),
        ("picture.bin", b"\x89PNG\r\n\0\0\0"),
        ("empty.csv", ""),
    ],
)  # fmt: skip
def test_what_holds_no_texts_with_labels_is_left_to_others(name: str, content: str | bytes, tmp_path: Path) -> None:
    assert texts.sniff(write(tmp_path / name, content)) is None


def test_a_table_of_paths_with_captions_is_left_to_others(tmp_path: Path) -> None:
    rows = []
    for number in range(6):
        write(tmp_path / f"{number}.png", b"x")
        rows.append({"path": f"{number}.png", "caption": f"a photo of thing {number}", "label": "ab"[number % 2]})
    assert texts.sniff(write_table(tmp_path / "list.csv", rows)) is None


def test_class_folders_of_text_files_are_read_with_their_splits(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for kind in ("pos", "neg"):
            for number in range(3):
                write(tmp_path / split / kind / f"{number}.txt", f"{kind} text {number}")
    listing = survey(str(tmp_path), Options())
    assert listing.modality == "text" and Counter(listing.splits.tolist()) == {"train": 6, "test": 6}
    assert text_folders.sniff(tmp_path) == "test/, train/ with 2 folders of texts (neg, pos)"


@pytest.mark.parametrize(
    ("name", "counts", "classes"),
    [
        ("sms-spam", {"": 5574}, 2),
        ("sst2", {"train": 6920, "validation": 872, "test": 1821}, 2),
        ("trec", {"train": 5452, "test": 500}, 6),
        ("ag-news", {"": 8000, "test": 7600}, 4),
    ],
)
def test_real_sets_are_read_whole(name: str, counts: dict[str, int], classes: int) -> None:
    if not (SHARED / name).is_dir():
        pytest.skip(f"{name} is not beside this checkout")
    listing = survey(str(SHARED / name), Options())
    assert Counter(listing.splits.tolist()) == counts and len(set(listing.truth.tolist())) == classes
    assert not listing.bad and listing.modality == "text"
