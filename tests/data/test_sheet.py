"""The contact sheet shows each image with its label, whatever the label holds."""

import io

import numpy as np
import pytest
from PIL import Image

import makers
from sonde import data


def opened(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("channels", [1, 3])
def test_every_image_is_on_it(channels: int) -> None:
    images = np.stack([np.full((8, 8, channels), 10 * number + 5, dtype=np.uint8) for number in range(20)])
    sheet = opened(data.contact_sheet(images, [str(number) for number in range(20)], columns=6))
    colours = {tuple(pixel) for pixel in sheet.reshape(-1, 3).tolist()}
    assert {(10 * number + 5,) * 3 for number in range(20)} <= colours


def test_strange_labels_are_drawn_or_cut() -> None:
    images = np.stack([makers.picture(0, 0)] * 4)
    labels = ["x" * 500, "\x1b[31mred\n", "", "日本語"]
    assert opened(data.contact_sheet(images, labels)).shape[1] < 1000
