"""Several labels for each example: in one cell, or in columns of 0 and 1; recognised, said, and changeable."""

from pathlib import Path

import numpy as np
import pytest

import makers
from sonde import data
from sonde.answers import answer_of, inferred_task
from sonde.data.options import Options
from sonde.data.sources import multilabel
from sonde.errors import DataError
from sonde.evaluation.trained_model import asked_of


def table(folder: Path, rows: list[dict[str, str]]) -> Path:
    """Write a table of images, with the given columns beside their paths."""
    whole = []
    for number, row in enumerate(rows):
        file = makers.save(makers.picture(number % 3, number), folder / "images" / f"{number:02}.png")
        whole.append({"path": f"images/{file.name}", **row})
    return makers.write_table(folder / "list.csv", whole)


CELLS = ["cat;indoors", "dog", "cat", "dog; indoors", "", "indoors"] * 3


def test_labels_in_one_cell_are_told_apart(tmp_path: Path) -> None:
    listing = data.survey(str(table(tmp_path, [{"labels": cell} for cell in CELLS])), Options())
    assert listing.several and listing.truth.tolist()[:6] == [
        "cat|indoors",
        "dog",
        "cat",
        "dog|indoors",
        "",
        "indoors",
    ]
    assert not listing.bad  # An example without a label is no example whose label is missing.
    assert any("several labels for each example; 3 examples have none" in note for note in listing.notes)
    name, why = inferred_task(listing)
    assert name == "image-multilabel" and why == "18 images with several labels each, 3 different ones"


def test_columns_of_0_and_1_are_labels(tmp_path: Path) -> None:
    rows = [{"cat": "1", "indoors": "yes"}, {"cat": "0", "indoors": "1"}, {"cat": "", "indoors": "no"}] * 4
    listing = data.survey(str(table(tmp_path, rows)), Options(label_column="cat, indoors"))
    assert listing.several and listing.truth.tolist()[:3] == ["cat|indoors", "indoors", ""]


def test_a_cell_that_is_one_label_stays_whole(tmp_path: Path) -> None:
    path = str(table(tmp_path, [{"label": cell} for cell in CELLS]))
    listing = data.survey(path, Options(label_separator="none"))
    assert not listing.several and "cat;indoors" in listing.truth.tolist()
    assert len(listing.bad) == 3 and listing.bad[0][1] == "has no label"
    said = data.survey(path, Options(label_separator=";"))
    assert said.several


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["a|b", "b|c", "a"], "|"),
        (["a;b", "b", "a"], ";"),
        (["a", "a;b", "b"], ";"),
        (["skin; upper", "hair; lower", "nail; upper left"], ""),
        (["cat|dog", "bird|fish"], ""),
        (["a", "b", "a, b"], ""),
        ([], ""),
    ],
)
def test_labels_that_stand_in_several_cells_speak_for_a_separator(cells: list[str], separator: str) -> None:
    assert multilabel.guess_separator(cells) == separator


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (
            "cat,indoor",
            r"names the columns cat, indoor, but .*list.csv has none called 'indoor'.*Did you mean 'indoors'",
        ),
        ("cat,size", r"line 3 of the column 'size' holds '12'.*0 or 1 in every row"),
    ],
)
def test_columns_that_cannot_be_labels_are_named(tmp_path: Path, said: str, answer: str) -> None:
    rows = [{"cat": "1", "indoors": "0", "size": "1"}, {"cat": "0", "indoors": "1", "size": "12"}] * 6
    with pytest.raises(DataError, match=answer):
        data.survey(str(table(tmp_path, rows)), Options(label_column=said))


def test_a_folder_s_name_is_one_label_whatever_is_in_it(tmp_path: Path) -> None:
    folder = makers.class_folders(tmp_path / "set", 4, classes=("a;b", "a", "b"))
    listing = data.survey(str(folder), Options())
    assert not listing.several and set(listing.truth.tolist()) == {"a;b", "a", "b"}


def test_rare_labels_fall_into_every_split_in_proportion() -> None:
    rng = np.random.default_rng(0)
    has = rng.random((1000, 3)) < np.array([0.6, 0.3, 0.05])
    names = np.array(["often", "some", "rare"])
    answers = np.array(["|".join(names[row]) for row in has], dtype=np.str_)
    strata = multilabel.strata(answers)
    assert (strata[has[:, 2]] == "rare").all() and (strata[~has.any(axis=1)] == "").all()
    assert (strata[has[:, 1] & ~has[:, 2]] == "some").all()


def test_a_label_of_a_few_examples_is_no_stratum() -> None:
    answers = np.array(["a"] * 30 + ["a|once"], dtype=np.str_)
    assert set(multilabel.strata(answers).tolist()) == {"a"}


def test_made_splits_hold_each_label_in_its_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(1)
    has = rng.random((240, 3)) < np.array([0.5, 0.3, 0.08])
    # Images that differ, so that none is a copy of another.
    arrays = rng.integers(0, 255, (240, 8, 8, 1)).astype(np.uint8)
    for number, image in enumerate(arrays):
        makers.save(image, tmp_path / "images" / f"{number:03}.png")
    rows = [
        {"path": f"images/{number:03}.png", "labels": ";".join(np.array(["a", "b", "c"])[row])}
        for number, row in enumerate(has)
    ]
    listing = data.survey(str(makers.write_table(tmp_path / "list.csv", rows)), Options())
    asked = asked_of(answer_of("image-multilabel"))
    dataset = data.load(listing, Options(), data.MODALITIES["image"].options(size=(8, 8), channels=1), asked)
    for column, name in enumerate("abc"):
        total = int(has[:, column].sum())
        found = sum(name in answer.split("|") for answer in dataset.test.truth.tolist())
        # The rarest label is drawn for exactly; the others come with it, within their chance.
        assert abs(found - 0.2 * total) <= (1.0 if name == "c" else 0.1 * total + 2), name
