"""The contact sheet shows each image with its label, whatever the label holds."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import makers
import recordings
from asking import CLASSES
from sonde import data
from sonde.data.series.looks import series_tiles
from sonde.data.sheet import contact_sheet, text_sheet
from sonde.data.table.looks import row_pieces


def opened(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("channels", [1, 3])
def test_every_image_is_on_it(channels: int) -> None:
    images = np.stack([np.full((8, 8, channels), 10 * number + 5, dtype=np.uint8) for number in range(20)])
    sheet = opened(contact_sheet(images, [str(number) for number in range(20)], columns=6))
    colours = {tuple(pixel) for pixel in sheet.reshape(-1, 3).tolist()}
    assert {(10 * number + 5,) * 3 for number in range(20)} <= colours


def test_strange_labels_are_drawn_or_cut() -> None:
    images = np.stack([makers.picture(0, 0)] * 4)
    labels = ["x" * 500, "\x1b[31mred\n", "", "日本語"]
    assert opened(contact_sheet(images, labels)).shape[1] < 1000


def test_series_of_any_length_and_number_of_channels_are_drawn() -> None:
    rng = np.random.default_rng(0)
    ragged = data.Ragged.of([rng.normal(size=(length, 9)).astype(np.float32) for length in (1, 2, 300)])
    tiles = series_tiles(ragged)
    assert tiles.shape[0] == 3 and tiles.dtype == np.uint8 and all((tile < 100).any() for tile in tiles)
    flat = series_tiles(np.zeros((2, 5, 1), dtype=np.float32))
    assert (flat[0] < 100).sum() > 100, "a series that stands still is a straight line"
    opened(contact_sheet(tiles, ["a", "b", "c"]))


def test_rows_are_written_with_the_name_of_each_number() -> None:
    sheet = text_sheet(row_pieces(("age", "city\n"), np.array([[0.5, 3.0]])), ["yes"])
    assert sheet == "yes\tage=0.5|city?=3\n"


@pytest.mark.parametrize("modality", list(data.MODALITIES))
def test_every_modality_has_a_sheet(modality: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "set"
    if modality == "image":
        makers.class_folders(path)
    elif modality == "audio":
        pytest.importorskip("soundfile", reason="soundfile is not installed")
        recordings.class_folders(path)
    elif modality == "series":
        np.savez(tmp_path / "set.npz", series=rng.normal(size=(20, 30, 2)), labels=np.arange(20) % 2)
        path = tmp_path / "set.npz"
    else:
        rows = [{"text": f"a text of number {n}", "x": f"{n}.5", "label": "ab"[n % 2]} for n in range(20)]
        kept = [{k: v for k, v in row.items() if k != ("text" if modality == "table" else "x")} for row in rows]
        path = makers.write_table(tmp_path / "set.csv", kept)
    row = data.MODALITIES[modality]
    listing = data.survey(str(path), data.Options(), modality)
    dataset = data.load(listing, data.Options(), row.options(), CLASSES)
    suffix, content = row.sheet(dataset.spec, dataset.train.inputs[:4], ["a", "b", "c", "d"])
    assert (suffix == ".png") == content.startswith(b"\x89PNG") and len(content) > 20
    assert suffix == ".png" or [line[:2] for line in content.decode().splitlines()] == ["a\t", "b\t", "c\t", "d\t"]
