"""What holds for the formats of series: .ts, UCR text, tables wide and long, and .npz."""

from pathlib import Path

import numpy as np
import pytest

from sonde import data
from sonde.data.ragged import Ragged
from sonde.data.sources import series_files
from sonde.errors import DataError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
TS = "#made\n@problemName few\n@timeStamps false\n@univariate false\n@classLabel true up down\n@data\n"


def survey(path: Path, modality: str = "", **options: str) -> data.Listing:
    return data.survey(str(path), data.Options(**options), modality)  # type: ignore[arg-type]


def ts(folder: Path, name: str, *lines: str, head: str = TS) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(head + "".join(line + "\n" for line in lines))
    return folder / name


def test_a_ts_folder_holds_its_two_splits(tmp_path: Path) -> None:
    ts(tmp_path / "few", "few_TRAIN.ts", "1,2,3:4,5,6:up", "3,2,1:6,5,4:down")
    ts(tmp_path / "few", "few_TEST.ts", "1,?,3:4,NaN,6:up")
    found = survey(tmp_path / "few")
    assert (found.name, found.modality, found.format) == ("few", "series", ".ts series")
    assert found.splits.tolist() == ["train", "train", "test"] and found.truth.tolist() == ["up", "down", "up"]
    assert isinstance(found.content, np.ndarray) and found.content.shape == (3, 3, 2)
    assert found.content[1].tolist() == [[3, 6], [2, 5], [1, 4]]
    assert np.isnan(found.content[2, 1]).all()
    assert survey(tmp_path / "few" / "few_TRAIN.ts").splits.tolist() == found.splits.tolist()


def test_unequal_series_are_ragged_and_it_is_said(tmp_path: Path) -> None:
    found = survey(ts(tmp_path, "few.ts", "1,2,3:4,5,6:up", "1:2:down"))
    assert isinstance(found.content, Ragged) and found.content.lengths.tolist() == [3, 1]
    assert "2 series of 1 to 3 steps, 2 channels" in found.notes


def test_values_with_times_are_taken_in_order(tmp_path: Path) -> None:
    head = TS.replace("@timeStamps false", "@timeStamps true")
    found = survey(ts(tmp_path, "few.ts", "(0,1),(1,2):(0,3),(1,?):up", "(0,1),(1,2):(0,3),(1,4):down", head=head))
    assert found.content[1].tolist() == [[1, 3], [2, 4]] and np.isnan(found.content[0][1, 1])


def test_series_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    path = ts(tmp_path, "few.ts", "1,2:3,4:up", "1,2:3:up", "1,2:3,4:left", "1,2:up", "?,?:?,?:down", "5,6:7,8:down")
    found = survey(path)
    assert len(found) == 2 and [name for name, _ in found.bad] == [f"few.ts:{line}" for line in (8, 9, 10, 11)]
    reasons = " ".join(reason for _, reason in found.bad)
    for told in (
        "channels of different lengths",
        "'left', which @classLabel",
        "has 1 channels where",
        "missing values only",
    ):
        assert told in reasons


def test_a_folder_with_several_sets_is_refused_unless_one_has_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "few"
    for name in ("few", "few_eq", "other"):
        for split in ("TRAIN", "TEST"):
            ts(folder, f"{name}_{split}.ts", "1,2:3,4:up", "1,2:3,4:down")
    found = survey(folder)
    assert set(found.names) == {f"few_{split}.ts:{line}" for split in ("TRAIN", "TEST") for line in (7, 8)}
    assert any("few_eq_TEST.ts" in note and "not read" in note for note in found.notes)
    assert survey(folder / "few_eq_TRAIN.ts").name == "few_eq"
    folder.rename(tmp_path / "else")
    with pytest.raises(DataError, match=r"holds several data sets\. Name one of their files, such as"):
        survey(tmp_path / "else")


@pytest.mark.parametrize(
    ("head", "line", "told"),
    [
        (TS.replace("@data\n", ""), "", "no @data line"),
        (TS, "1,x:2,3:up", "line 7 holds what is no number"),
        (TS.replace("@classLabel true up down", "@classLabel false"), "1,2", "no class labels"),
        ("@problemName few\nhello\n@data\n", "", "begins with 'hello' before @data"),
        (TS, "", "holds no series that can be used"),
    ],
)
def test_a_damaged_ts_file_is_named_with_the_cure(tmp_path: Path, head: str, line: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        survey(ts(tmp_path, "few.ts", line, head=head))


def test_a_typescript_file_is_not_taken_for_series(tmp_path: Path) -> None:
    (tmp_path / "app.ts").write_text("import { x } from 'y';\n")
    with pytest.raises(DataError, match=r"no data set|in no format"):
        survey(tmp_path / "app.ts")


def test_ucr_text_has_its_label_first_and_ends_shorter_series_in_nan(tmp_path: Path) -> None:
    (tmp_path / "Few_TRAIN.tsv").write_text("1\t0.5\t1\t2\n2\t3\tNaN\tNaN\n1\t1\tNaN\t4\n")
    (tmp_path / "Few_TEST.tsv").write_text("  1.0000000e+00   1   2   3\n")
    found = survey(tmp_path)
    assert found.format == "UCR text" and found.name == "Few" and found.truth.tolist() == ["1", "2", "1", "1"]
    assert isinstance(found.content, Ragged) and found.content.lengths.tolist() == [3, 1, 3, 3]
    assert np.isnan(found.content[2][1, 0]) and any("taken as shorter" in note for note in found.notes)


def test_a_wide_table_has_a_row_for_each_series(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    head = ",".join([f"x_{step}" for step in range(10)] + [f"y_{step}" for step in range(10)])
    rows = "\n".join(
        f"{','.join(map(str, range(row, row + 20)))},{'ab'[row % 2]},{'train' if row else 'test'}" for row in range(4)
    )
    path.write_text(f"{head},label,split\n{rows}\n")
    found = survey(path)
    assert found.format == "wide table of series" and isinstance(found.content, np.ndarray)
    assert found.content.shape == (4, 10, 2) and found.content[1, 0].tolist() == [1, 11]
    assert found.splits.tolist() == ["test", "train", "train", "train"] and found.truth.tolist() == [
        "a",
        "b",
        "a",
        "b",
    ]


def test_conditions_on_columns_make_the_test_split(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    head = ",".join(f"x_{step}" for step in range(10))
    rows = "\n".join(f"{','.join(map(str, range(row, row + 10)))},{'ab'[row % 2]},s{row}" for row in range(4))
    path.write_text(f"{head},label,site\n{rows}\n")
    found = survey(path, test_where="site=s1|s3")
    assert found.splits.tolist() == ["train", "test", "train", "test"] and found.content.shape == (4, 10, 1)
    long = tmp_path / "long.csv"
    long.write_text("id,time,label,site,heart\np1,1,up,a,1\np1,2,up,a,2\np2,1,down,b,3\np2,2,down,b,4\n")
    assert survey(long, test_where="site=b").splits.tolist() == ["train", "test"]
    with pytest.raises(DataError, match="there is no field called 'sit'"):
        survey(long, test_where="sit=b")


def test_a_long_table_has_a_row_for_each_step_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(
        "id,time,label,heart,breath\np1,2,up,3,30\np2,1,down,7,70\np1,1,up,1,10\np2,2,down,,80\np1,3,up,5,50\n"
    )
    found = survey(path)
    assert found.format == "long table of series" and found.truth.tolist() == ["up", "down"]
    assert isinstance(found.content, Ragged) and found.content[0].tolist() == [[1, 10], [3, 30], [5, 50]]
    assert np.isnan(found.content[1][1, 0]) and any("channels heart, breath" in note for note in found.notes)


def test_the_columns_of_a_long_table_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("who,when,what,value\na,2024-01-02,x,2\na,2024-01-01,x,1\nb,2024-01-01,y,5\n")
    found = survey(path, "series", series_column="who", time_column="when", label_column="what")
    assert [each[:, 0].tolist() for each in (found.content[0], found.content[1])] == [[1, 2], [5]]
    with pytest.raises(DataError, match=r"data\.series_column = 'whom'.* Did you mean 'who'\?"):
        survey(path, "series", series_column="whom", time_column="when")
    with pytest.raises(DataError, match="neither a number nor a date"):
        survey(path, "series", series_column="who", time_column="what", label_column="when")


def test_a_table_of_numbers_is_one_of_series_only_where_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text(
        "low,mid,high,label\n" + "".join(f"{row},{row + 1},{row + 2.5},{'ab'[row % 2]}\n" for row in range(6))
    )
    assert survey(path).modality == "table"
    assert survey(path, "series").content.shape == (6, 3, 1)


def test_an_archive_with_two_axes_holds_series(tmp_path: Path) -> None:
    x, y = np.arange(12, dtype=np.float32).reshape(4, 3), np.array([0, 1, 0, 1])
    folder = tmp_path / "few"
    folder.mkdir()
    np.savez(folder / "some.npz", x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    for path in (folder, folder / "some.npz"):
        found = survey(path)
        assert found.modality == "series" and found.content.shape == (6, 3, 1)
        assert found.splits.tolist() == ["train"] * 4 + ["test"] * 2


def test_an_archive_can_say_how_long_its_series_are(tmp_path: Path) -> None:
    path = tmp_path / "few.npz"
    np.savez(path, series=np.ones((3, 5, 2)), labels=["a", "b", "a"], lengths=[5, 2, 3])
    found = survey(path)
    assert isinstance(found.content, Ragged) and found.content.lengths.tolist() == [5, 2, 3]
    np.savez(path, series=np.ones((3, 5, 2)), labels=["a", "b", "a"], lengths=[5, 2, 9])
    with pytest.raises(DataError, match="its lengths are not a whole number from 1 to 5"):
        survey(path)


def test_an_archive_with_three_axes_is_one_of_images_unless_series_are_said(tmp_path: Path) -> None:
    path = tmp_path / "few.npz"
    np.savez(path, x_train=np.zeros((4, 8, 2)), y_train=[0, 1, 0, 1])
    assert survey(path).modality == "image"
    assert survey(path, "series").content.shape == (4, 8, 2)


@pytest.mark.parametrize(
    ("name", "count", "shape"),
    [("ucr/GunPoint", 200, (150, 1)), ("ucr/JapaneseVowels", 640, None), ("mnist1d", 5000, (40, 1))],
)
def test_real_data_is_recognised(name: str, count: int, shape: tuple[int, int] | None) -> None:
    if not (SHARED / name).exists():
        pytest.skip(f"{SHARED / name} is not there")
    found = survey(SHARED / name)
    assert found.modality == "series" and len(found) == count and not found.bad
    assert isinstance(found.content, Ragged) if shape is None else found.content.shape == (count, *shape)
    assert set(found.splits) == {"train", "test"}


def test_a_value_that_is_no_number_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("id;time;label;heart\np1;1;up;1\n\np1;2;up;2\np2;1;down;3\np2;x;down;4\n")
    with pytest.raises(DataError, match=r"line 6 of the column 'time' holds 'x', which is neither a number nor a date"):
        survey(path)
    path.write_text("id;time;label;heart\np1;1;up;1\np1;2;up;2\np2;1;down;3\np2;2;down;4\n")
    found = survey(path)
    assert found.truth.tolist() == ["up", "down"] and found.content[:, :, 0].tolist() == [[1, 2], [3, 4]]
    assert any("the delimiter of long.csv is ';'" in note for note in found.notes)


def test_new_series_are_read_with_their_delimiter_and_errors_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("0;1;2\n\n3;?;5\n")
    names, raw = series_files.read_series(path, channels=3)
    assert names == [str(path)] and np.array_equal(raw[0], [[0, 1, 2], [3, np.nan, 5]], equal_nan=True)
    path.write_text("a,b\n1,2\n\n3,x\n")
    with pytest.raises(DataError, match=r"new\.csv is no table of numbers: line 4 of the column 'b' holds 'x'"):
        series_files.read_series(path, channels=2)
    with pytest.raises(DataError, match=r"gone\.tsv is not there"):
        series_files.read_series(tmp_path / "gone.tsv", channels=2)
