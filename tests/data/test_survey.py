"""Recognising a format: what is there is said, what is missing is named, and nothing is guessed in silence."""

import os
from pathlib import Path

import numpy as np
import pytest

import makers
from asking import CLASSES
from sonde import data
from sonde.data.image.spec import Options as ImageOptions
from sonde.errors import DataError

PLAIN = data.Options()


def surveyed(path: Path, **options: str) -> data.Listing:
    return data.survey(str(path), data.Options(**options))


def counts(listing: data.Listing) -> dict[str, int]:
    names, numbers = np.unique(listing.splits, return_counts=True)
    return dict(zip(names.tolist(), numbers.tolist(), strict=True))


# --- nothing fits -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["a" * 10_000, "flowers/" + "a" * 300, "~nosuchuser/x", "~" + "a" * 10_000, "a\0b", "\ud800"],
    ids=["long", "long inside", "no user", "long user", "null", "half a letter"],
)
def test_a_name_that_no_file_can_have_is_not_there(name: str) -> None:
    with pytest.raises(DataError, match=r"There is no data at .*built-in name: digits") as caught:
        data.survey(name, data.Options())
    assert len(str(caught.value)) < 400


def test_a_path_that_is_not_there_gets_a_suggestion(tmp_path: Path) -> None:
    (tmp_path / "flowers").mkdir()
    with pytest.raises(DataError, match=r"There is no data at .*Did you mean '.*flowers'.*built-in name: digits"):
        surveyed(tmp_path / "flower")
    with pytest.raises(DataError, match="Did you mean 'digits'"):
        data.survey("digit", PLAIN)


def test_an_empty_folder_is_called_one_and_the_formats_are_listed(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        surveyed(tmp_path)
    assert "is an empty folder" in str(refused.value)
    assert all(name in str(refused.value) for name in data.SOURCES)


def test_what_was_found_instead_is_said(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.pdf"):
        (tmp_path / name).write_text("x")
    (tmp_path / "sub").mkdir()
    with pytest.raises(DataError, match=r"holds 2 \.txt, 1 \.pdf, 1 folder without images"):
        surveyed(tmp_path)


def test_images_without_class_folders_get_the_cure(tmp_path: Path) -> None:
    makers.save(makers.picture(0, 0), tmp_path / "a.png")
    with pytest.raises(DataError, match="put those of each class in a folder"):
        surveyed(tmp_path)


def test_a_single_file_an_archive_and_a_url_each_get_their_answer(tmp_path: Path) -> None:
    makers.save(makers.picture(0, 0), tmp_path / "a.png")
    with pytest.raises(DataError, match=r"is a single \.png file"):
        surveyed(tmp_path / "a.png")
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match=r"is an archive\. Unpack it first"):
        surveyed(tmp_path / "a.zip")
    with pytest.raises(DataError, match=r"is a URL\. sonde reads local files only"):
        data.survey("https://example.org/set.zip", PLAIN)


def test_what_is_neither_file_nor_folder_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (os.devnull, str(tmp_path / "pipe")):
        with pytest.raises(DataError, match="is neither a file nor a folder, but a device or a pipe"):
            data.survey(place, PLAIN)


def test_one_file_of_an_idx_set_leads_to_its_folder(tmp_path: Path) -> None:
    path = makers.idx(tmp_path / "set")
    with pytest.raises(DataError, match=r"is one file of an IDX data set\. Name the folder that holds them all: .*set"):
        surveyed(path / "train-images-idx3-ubyte.gz")


def test_a_folder_called_like_a_built_in_set_is_reached_with_a_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    makers.class_folders(tmp_path / "digits")
    monkeypatch.chdir(tmp_path)
    assert len(data.survey("./digits", PLAIN)) == 20
    built_in = data.survey("digits", PLAIN)
    assert len(built_in) == 1797 and "write ./digits" in built_in.notes[0]


# --- manifests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_table_gives_path_label_split_and_group(suffix: str, tmp_path: Path) -> None:
    path = makers.manifest(tmp_path, suffix=suffix, columns=("path", "label", "split", "group"))
    for place in (path, tmp_path):
        listing = surveyed(place)
        assert counts(listing) == {"train": 12, "validation": 4, "test": 4}
        assert listing.truth.tolist() == ["cat"] * 10 + ["dog"] * 10
        assert listing.groups is not None and listing.groups[3] == "cat1"
        assert "path in 'path', label in 'label', split in 'split', group in 'group'" in listing.reason


def test_columns_of_other_names_are_known_by_what_they_hold(tmp_path: Path) -> None:
    path = makers.manifest(tmp_path, columns=("path", "label"))
    path.write_text(path.read_text().replace("path,label", "bild,sorte"))
    listing = surveyed(path)
    assert "path in 'bild', label in 'sorte'" in listing.reason and len(listing) == 20


def test_a_table_without_a_header_keeps_its_first_row(tmp_path: Path) -> None:
    path = makers.manifest(tmp_path)
    path.write_text(path.read_text().split("\n", 1)[1])
    listing = surveyed(path)
    assert len(listing) == 20 and "path in 'column 1', label in 'column 2'" in listing.reason


def test_semicolons_and_a_byte_order_mark_are_understood(tmp_path: Path) -> None:
    path = makers.manifest(tmp_path)
    path.write_text("\ufeff" + path.read_text().replace(",", ";"))
    assert len(surveyed(path)) == 20


def test_the_columns_can_be_said_and_a_wrong_one_gets_a_suggestion(tmp_path: Path) -> None:
    path = makers.manifest(tmp_path, columns=("path", "label", "split", "group"))
    listing = surveyed(path, label_column="group", split_column="none", group_column="none")
    assert listing.truth[0] == "cat0" and counts(listing) == {"": 20} and listing.groups is None
    with pytest.raises(DataError, match=r"data.label_column = 'lable'.*Did you mean 'label'.*Its columns: path"):
        surveyed(path, label_column="lable")


def test_two_possible_labels_are_asked_about(tmp_path: Path) -> None:
    path = makers.manifest(tmp_path, columns=("path", "label", "split"))
    path.write_text(path.read_text().replace("label", "left").replace("split", "right").replace("val", "other"))
    with pytest.raises(DataError, match=r"candidates: left, right. Say it with --set data.label_column=NAME"):
        surveyed(path)


def test_rows_without_file_or_label_are_named_and_counted(tmp_path: Path) -> None:
    path = makers.manifest(tmp_path, per_class=30)
    with path.open("a") as file:
        file.write("images/absent.png,cat\nhttps://example.org/a.png,cat\nimages/cat-1.png,\n,dog\n")
    listing = surveyed(path)
    reasons = dict(listing.bad)
    assert len(listing) == 60 and len(reasons) == 4
    assert "is not there" in reasons["images/absent.png"]
    assert "is a URL" in reasons["https://example.org/a.png"]
    assert "has no label" in reasons["images/cat-1.png"]
    assert "has no path" in reasons["line 65 of list.csv"]
    options = data.Options(bad_share=0.1)
    assert len(data.load(listing, options, ImageOptions(size=(12, 12)), CLASSES).findings.bad_files) == 4


def test_paths_above_the_manifest_and_whole_paths_work_where_they_exist(tmp_path: Path) -> None:
    image = makers.save(makers.picture(0, 0), tmp_path / "images" / "a.png")
    rows = [{"path": name, "label": "cat"} for name in ("../images/a.png", str(image), "../images/b.png")]
    listing = surveyed(makers.write_table(tmp_path / "lists" / "l.csv", rows))
    assert len(listing) == 2 and listing.bad[0][0] == "../images/b.png"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"path,label\na.png,cat,extra\n", "line 2 has 3 values where there are 2 columns"),
        (b"path,label\n\xff\xfe,cat\n", r"is not UTF-8: byte 11 \(0xff, line 2\)"),
        (
            b'path,label\n"a.png,cat\nb,c,d\n',
            r"a quote that line 2 opens is never closed\. Double",
        ),
        (b"path,label,label\na.png,cat,dog\n", "2 columns called 'label'.*Rename or remove"),
        (b"path,label\n", r"l\.csv holds a header \(path, label\) and no row"),
        (b"one,two\n1,2\n", "It cannot be told which column of .* holds the label; candidates: one, two"),
    ],
)
def test_a_damaged_table_is_refused_with_the_reason(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_bytes(content)
    with pytest.raises(DataError, match=reason):
        surveyed(tmp_path / "l.csv")


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\f", "\v", "\x1c"], ids=ascii)
def test_only_a_line_s_end_ends_a_row(odd: str, tmp_path: Path) -> None:
    makers.save(makers.picture(0, 0), tmp_path / "a.png")
    for end in ("\n", "\r\n", "\r"):
        rows = ["path,label", f"a.png,cat{odd}fish", f'a.png,"dog{odd}fish, large"']
        (tmp_path / "l.csv").write_bytes((end.join(rows) + end).encode())
        assert surveyed(tmp_path / "l.csv").truth.tolist() == [f"cat{odd}fish", f"dog{odd}fish, large"]


def test_equal_names_of_columns_are_refused_in_parquet_too_and_missing_ones_are_not(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    makers.save(makers.picture(0, 0), tmp_path / "a.png")
    columns = [pyarrow.array([text]) for text in ("a.png", "cat", "dog")]
    table = pyarrow.Table.from_arrays(columns, names=["path", "label", "label"])
    pyarrow.parquet.write_table(table, tmp_path / "l.parquet")
    with pytest.raises(DataError, match=r"l\.parquet .*'label'"):
        surveyed(tmp_path / "l.parquet")
    (tmp_path / "l.csv").write_text("path,label,,\na.png,cat,,\n")
    assert surveyed(tmp_path / "l.csv").truth.tolist() == ["cat"]


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "l.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"l\.parquet is not a readable parquet file"):
        surveyed(tmp_path / "l.parquet")


def test_an_unknown_split_word_in_a_named_column_is_refused(tmp_path: Path) -> None:
    path = makers.manifest(tmp_path, columns=("path", "label", "group"))
    with pytest.raises(DataError, match=r"column 'group' holds cat0.*split_column=none"):
        surveyed(path, split_column="group")


def test_an_unknown_word_among_known_splits_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    path = makers.manifest(tmp_path, columns=("path", "label", "split"))
    path.write_text(path.read_text().replace("cat-0.png,cat,test", "cat-0.png,cat,extra"))
    with pytest.raises(DataError, match=r"column 'split' holds extra.*split_column=none"):
        surveyed(path)


def test_a_fold_that_is_no_split_does_not_hide_one(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "train", "test set")):
        makers.save(makers.picture(0, number), tmp_path / f"{number}.png")
        with (tmp_path / "l.csv").open("a") as file:
            file.write(("path,label,fold,split\n" if number == 0 else "") + f"{number}.png,cat,{number},{split}\n")
    assert counts(surveyed(tmp_path / "l.csv")) == {"train": 2, "test": 1}


def test_the_backslashes_of_windows_are_understood_and_that_is_said(tmp_path: Path) -> None:
    path = makers.manifest(tmp_path)
    path.write_text(path.read_text().replace("images/", "images\\"))
    listing = surveyed(path)
    assert len(listing) == 20 and not listing.bad and "20 paths of list.csv with backslashes" in listing.notes[-1]


def test_a_table_beside_class_folders_does_not_hide_them(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", 3)
    (path / "notes.csv").write_text("a,b\n1,2\n")
    assert surveyed(path).format == "folder of classes"


# --- arrays -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("packed", "dot"), [(True, False), (False, False), (False, True), (True, True)])
def test_idx_files_are_read_packed_or_not_in_both_spellings(packed: bool, dot: bool, tmp_path: Path) -> None:
    listing = surveyed(makers.idx(tmp_path / "set", packed=packed, dot=dot))
    assert counts(listing) == {"train": 16, "test": 4}
    assert "images" in str(listing.names[0]) and str(listing.names[0]).endswith("[0]")


def test_idx_without_labels_or_with_too_few_is_refused(tmp_path: Path) -> None:
    path = makers.idx(tmp_path / "set", packed=False)
    makers.write_idx(path / "t10k-labels-idx1-ubyte", np.zeros(3, dtype=np.uint8))
    with pytest.raises(DataError, match="holds 3 labels for 4 images"):
        surveyed(path)
    (path / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="has no labels beside it; expected t10k-labels-idx1-ubyte"):
        surveyed(path)


def test_an_idx_file_that_declares_too_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = makers.idx(tmp_path / "set", packed=False)
    file = path / "train-images-idx3-ubyte"
    raw = bytearray(file.read_bytes())
    raw[4:16] = b"\x7f\xff\xff\xff" * 3
    file.write_bytes(raw)
    with pytest.raises(DataError, match=r"declares .* bytes, more than"):
        surveyed(path)
    raw[4:8] = (17).to_bytes(4, "big")
    raw[8:16] = (12).to_bytes(4, "big") * 2
    file.write_bytes(raw)
    with pytest.raises(DataError, match="declares 2,448 values and holds 2,304"):
        surveyed(path)


def test_cifar_classes_have_their_names_and_cifar_100_its_fine_ones(tmp_path: Path) -> None:
    for fine in (False, True):
        listing = surveyed(makers.cifar(tmp_path / f"set{fine}", fine=fine))
        assert set(listing.truth) == {"cat", "dog"} and counts(listing) == {"train": 16, "test": 4}
        expected, _ = makers.pictures(10, side=32)
        assert listing.stored is not None
        assert np.array_equal(listing.stored, np.concatenate([expected[4:], expected[:4]]))
    makers.cifar(tmp_path / "above" / "cifar-10-batches-bin")
    assert len(surveyed(tmp_path / "above")) == 20


def test_a_cifar_label_without_a_name_is_refused(tmp_path: Path) -> None:
    path = makers.cifar(tmp_path / "set")
    (path / "batches.meta.txt").write_text("cat\n")
    with pytest.raises(DataError, match="holds label 1, but only 1 classes are named"):
        surveyed(path)


def npz_with(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


IMAGES, LABELS = makers.pictures(5)


def test_npz_understands_the_usual_names(tmp_path: Path) -> None:
    names = [
        {"images": IMAGES, "labels": LABELS},
        {"X": IMAGES, "y": LABELS},
        {"train_images": IMAGES, "train_labels": LABELS[:, None], "val_images": IMAGES, "val_labels": LABELS},
        {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES, "y_test": LABELS},
        {"images": IMAGES, "labels": LABELS, "split": np.array(["train", "test"] * 5)},
    ]
    seen = [counts(surveyed(npz_with(tmp_path / "a.npz", **arrays))) for arrays in names]
    assert seen == [
        {"": 10},
        {"": 10},
        {"train": 10, "validation": 10},
        {"train": 10, "test": 10},
        {"train": 5, "test": 5},
    ]


def test_npz_pixels_of_other_kinds_are_converted_and_that_is_said(tmp_path: Path) -> None:
    fractions = surveyed(npz_with(tmp_path / "a.npz", x=(IMAGES / 255).astype(np.float32), y=LABELS))
    assert np.array_equal(fractions.stored, IMAGES) and "fractions from 0 to 1" in fractions.notes[0]
    planes = surveyed(npz_with(tmp_path / "b.npz", x=IMAGES.transpose(0, 3, 1, 2), y=LABELS.astype(float)))
    assert np.array_equal(planes.stored, IMAGES) and "channels stood first" in planes.notes[0]
    assert set(planes.truth) == {"0", "1"}
    grey = surveyed(npz_with(tmp_path / "c.npz", x=IMAGES[..., 0].astype(np.int64), y=LABELS))
    assert np.array_equal(grey.stored, IMAGES[..., :1])


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"x": IMAGES.astype(int) * 9, "y": LABELS}, "holds values from 0 to 2295"),
        ({"x": np.full((4, 2, 2), np.nan), "y": LABELS[:4]}, "holds values from nan"),
        ({"x": IMAGES, "y": LABELS[:7]}, "holds 7 labels for 10 images"),
        ({"x": IMAGES, "y": np.eye(10)}, "one-hot"),
        ({"x": np.zeros((4, 5, 5, 2)), "y": LABELS[:4]}, "not that of images"),
        ({"pixels": IMAGES, "y": LABELS}, r"holds pixels \(10 x 12 x 12 x 3\), y \(10\), but no images with"),
        ({"x": IMAGES, "y": LABELS, "split": np.array(["where"] * 10)}, "'split' holds where"),
        ({"x": IMAGES, "y": LABELS, "x_test": IMAGES, "y_test": LABELS}, "both with and without a split"),
    ],
)
def test_npz_that_holds_no_labelled_images_is_refused(
    arrays: dict[str, np.ndarray], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=reason):
        surveyed(npz_with(tmp_path / "a.npz", **arrays))


def test_npz_with_pickled_objects_is_refused_unread(tmp_path: Path) -> None:
    path = npz_with(tmp_path / "a.npz", x=IMAGES, y=np.array([object()] * 10, dtype=object))
    with pytest.raises(DataError, match="holds pickled Python objects"):
        surveyed(path)


def test_npz_that_declares_too_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, archive.open("x.npy", "w") as file:
        facts = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 100, 100)}
        np.lib.format.write_array_header_1_0(file, facts)
    with pytest.raises(DataError, match=r"declares 10,000,000,000,\d+ bytes, more than"):
        surveyed(tmp_path / "a.npz")
