"""Pictures with captions: recognised by the captions, found where they lie, and never in two splits."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sonde import data
from sonde.answers import inferred_task
from sonde.data.options import Options
from sonde.data.ragged import Ragged, text_of
from sonde.data.sources import survey

THINGS = ("a dog runs", "a boy jumps", "two birds fly", "one cat sleeps")


def write(root: Path, *, column: str = "caption", folder: str = "images", ending: str = ".png", each: int = 3) -> Path:
    (root / folder).mkdir(parents=True)
    rows = [f"image,{column}"]
    for number in range(20):
        Image.fromarray(np.full((6, 6), 10 * number, np.uint8)).save(root / folder / f"p{number}.png")
        rows += [f'p{number}{ending},"{THINGS[turn]}, in scene {number}"' for turn in range(each)]
    (root / "captions.csv").write_text("\n".join(rows))
    return root


@pytest.mark.parametrize("column", ["caption", "description", "words_on_it"])
def test_sentences_beside_files_are_captions_and_a_picture_stays_in_one_split(tmp_path: Path, column: str) -> None:
    listing = survey(str(write(tmp_path / "set", column=column)), Options())
    assert inferred_task(listing)[0] == "captioning" and listing.modality == "image"
    assert isinstance(listing.truth, Ragged) and text_of(listing.truth[0]) == "a dog runs, in scene 0"
    assert len(listing) == 60 and not listing.bad
    notes = " ".join(listing.notes)
    assert "60 files that captions.csv names were found in images/" in notes
    assert "20 files have several captions each, and all of a file stay in one split" in notes
    groups = np.asarray(listing.groups)
    assert len(set(groups)) == 20 and (groups[0::3] == groups[1::3]).all()


def test_files_are_found_without_their_ending_where_one_alone_is_called_so(tmp_path: Path) -> None:
    root = write(tmp_path / "set", ending="")
    listing = survey(str(root), Options())
    assert len(listing) == 60 and "60 files that captions.csv names without their endings were found" in listing.notes
    Image.fromarray(np.zeros((6, 6), np.uint8)).save(root / "images/p3.jpg")
    listing = survey(str(root), Options(path_column="image"))
    assert len(listing) == 57 and [name for name, _ in listing.bad] == ["p3"] * 3


def test_few_captions_are_classes_unless_they_are_asked_for(tmp_path: Path) -> None:
    root = tmp_path / "set"
    root.mkdir()
    for number in range(20):
        Image.fromarray(np.full((6, 6), 10 * number, np.uint8)).save(root / f"p{number}.png")
    rows = [
        "image,label",
        *(f"p{number}.png,a big dog" if number % 2 else f"p{number}.png,one cat" for number in range(20)),
    ]
    (root / "set.csv").write_text("\n".join(rows))
    assert inferred_task(survey(str(root), Options()))[0] == "image-classification"
    listing = survey(str(root), Options(target_column="label"))
    assert inferred_task(listing)[0] == "captioning"


def test_a_row_without_a_caption_is_named(tmp_path: Path) -> None:
    root = write(tmp_path / "set", each=1)
    with (root / "captions.csv").open("a") as file:
        file.write("\np3.png,")
    listing = survey(str(root), Options())
    assert listing.bad == (("p3.png", "has no caption"),)
    assert len(listing) == 20 and data.Listing is type(listing)
