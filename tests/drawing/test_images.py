"""Pixels inside of pictures: exact, small, tinted and outlined as they are."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from drawing.forms import photo
from drawing.reading import named, parsed
from sonde.drawing import Pixels, Spectrogram, boxes, contour, regions
from sonde.drawing.images import THUMBNAIL, TONES, coloured, outline, thumbnail, tinted


def opened(address: str) -> Image.Image:
    """Read an image out of its address."""
    head, _, content = address.partition(",")
    image = Image.open(io.BytesIO(base64.b64decode(content)))
    assert head == "data:image/png;base64" and image.format == "PNG"
    return image


@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 8), (5, 7, 4), (1, 1, 3), (128, 100, 3), (128, 3)])
def test_a_small_image_is_kept_to_the_pixel(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    np.testing.assert_array_equal(
        np.asarray(opened(thumbnail(pixels))), pixels.squeeze(2) if shape[2:] == (1,) else pixels
    )


def test_a_large_image_is_made_small_and_keeps_its_look() -> None:
    small = np.asarray(opened(thumbnail(photo(333, 250))))
    assert small.shape == (96, THUMBNAIL, 3)
    oracle = Image.fromarray(photo(333, 250)).resize((THUMBNAIL, 96), Image.Resampling.BOX)
    # PIL divides the pixels at the edges of blocks of unequal sizes; on a smooth image that is a few levels: 6.
    assert np.abs(small.astype(int) - np.asarray(oracle)).max() <= 8


def test_where_blocks_are_whole_their_means_are_exact() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (256, 512, 3)).astype(np.uint8)
    oracle = pixels.reshape(64, 4, 128, 4, 3).mean(axis=(1, 3))
    assert np.abs(np.asarray(opened(thumbnail(pixels))) - oracle).max() <= 0.5


def test_a_photo_is_written_nearly_as_small_as_by_a_library_that_tries_hard() -> None:
    buffer = io.BytesIO()
    Image.fromarray(photo(128, 96)).save(buffer, format="PNG", optimize=True)
    # The library has one prediction of a row more (Paeth), and tries several ways to compress.
    assert len(base64.b64decode(thumbnail(photo(128, 96)).partition(",")[2])) < 1.15 * len(buffer.getvalue())


def test_what_speaks_for_it_is_blue_what_against_it_orange_and_nothing_stays_grey() -> None:
    grey = np.full((1, 4, 1), 100, dtype=np.uint8)
    ((left, middle, right, missing),) = tinted(grey, np.array([[1.0, 0.0, -1.0, np.nan]])).astype(int)
    assert left[2] > left[0] + 50 and right[0] > right[2] + 50
    assert middle[0] == middle[1] == middle[2] == missing[0]


def test_regions_have_a_colour_each_and_what_is_none_stays_clear() -> None:
    ((clear, first, last),) = coloured(np.array([[-1, 0, len(TONES) + 1]]), 0.5).tolist()
    assert clear == [0, 0, 0, 0] and first == [*TONES[0], 128] and last == [*TONES[1], 128]


def test_an_outline_goes_around_the_mask_and_its_holes() -> None:
    mask = np.ones((4, 4), dtype=bool)
    mask[1:3, 1:3] = False
    edges = outline(mask, (40.0, 80.0))
    assert edges.count("h") == 4 and edges.count("v") == 4
    assert "M0 0h40" in edges and "M10 20h20" in edges and "M30 20v40" in edges
    assert outline(np.zeros((4, 4)), (10, 10)) == ""


def test_overlays_lie_on_the_image_where_it_is_and_not_on_its_cell() -> None:
    wide = Pixels(np.zeros((50, 100, 3), dtype=np.uint8), (contour(np.ones((50, 100)), "all"),))
    block = wide.block(100, high=100)
    assert "translate(0 25)" in block.marks and "M0 0h100" in block.marks and "M0 50h100" in block.marks


def test_boxes_are_scaled_cut_at_the_edges_and_say_what_they_hold() -> None:
    overlay = boxes([[10, 10, 30, 40], [90, 0, 300, 10]], ("a cat", "a dog"))
    root = parsed(Pixels(np.zeros((100, 100, 3), dtype=np.uint8), (overlay,)).block(200))
    first, second = named(root, "p-main")
    assert [first.get(key) for key in ("x", "y", "width", "height")] == ["20", "20", "40", "60"]
    assert [second.get(key) for key in ("x", "width")] == ["180", "20"]
    assert "".join(root.itertext()).count("a cat") == 1


def test_only_regions_that_occur_are_in_the_legend() -> None:
    assert [sign.name for sign in regions(np.array([[0, 2, -1]]), ("sky", "sea", "sand")).signs] == ["sky", "sand"]


def test_a_recording_has_time_to_the_right_and_low_bands_below() -> None:
    values = np.full((4, 3), -80.0)
    values[3, 0] = 0.0
    pixels = Spectrogram(values).pixels
    assert pixels.shape == (3, 4, 1) and np.unravel_index(pixels.argmin(), pixels.shape) == (2, 3, 0)
