"""What loader.py measures: the kinds of batches, and the files that they are made from.

The pictures are flowers out of ../shared/data where that is there, else smooth noise.
"""

# N images, H height, W width, C channels

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

FLOWERS = Path(__file__).resolve().parents[2] / "shared" / "data" / "flowers5"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's channels, as everybody writes them."""
FILES = 48
"""JPEG files of each size."""


@dataclass(frozen=True)
class Case:
    """One kind of batch."""

    title: str
    kind: str
    """What is done: "shift", "window", "resized" or "decode"."""
    side: int
    """Height and width of what a model would read, in pixels."""
    batch: int
    """Images in a batch."""
    stored: str
    """An array for all, or the folder of JPEG files."""
    augment: Mapping[str, float]
    """sonde's strengths."""
    sonde_stored: str = ""
    """The array that sonde reads where that is another one; see the case's title."""
    margin: int = 0
    """Pixels that an image can move either way, or that a cut part can lose of its sides."""


CASES: dict[str, Case] = {
    "small": Case(
        "32-pixel images in memory, moved by up to 4 pixels, and flipped",
        "shift", 32, 128, "small.npy", {"shift": 0.125, "flip": 0.5}, margin=4,
    ),
    "windows": Case(
        "224-pixel crops with flip, cached: out of 256 pixels; in sonde 224 pixels moved by as many",
        "window", 224, 64, "large.npy", {"shift": 16 / 224, "flip": 0.5}, "medium.npy", margin=16,
    ),
    "resized": Case(
        "224-pixel crops with flip, cached: a part whose sides are up to 12.5 % shorter, enlarged",
        "resized", 224, 64, "medium.npy", {"crop": 0.125, "flip": 0.5}, margin=28,
    ),
    "jpeg": Case("224 pixels out of JPEG files of 512 × 384", "decode", 224, 32, "512x384", {}),
    "photographs": Case("224 pixels out of JPEG files of 1600 × 1200", "decode", 224, 32, "1600x1200", {}),
}  # fmt: skip
"""The cases, in the order of the page."""


def make_files(folder: Path) -> None:
    """Write what the cases read.

    Args:
        folder: an empty folder; takes about 260 MB.
    """
    pictures = list(_pictures(3000))
    for name, side, count in (("small.npy", 32, 3000), ("medium.npy", 224, 512), ("large.npy", 256, 512)):
        how = cv2.INTER_AREA if side < 128 else cv2.INTER_CUBIC
        np.save(
            folder / name, np.stack([cv2.resize(each, (side, side), interpolation=how) for each in pictures[:count]])
        )
    for width, height in ((512, 384), (1600, 1200)):
        place = folder / f"{width}x{height}"
        place.mkdir()
        for number in range(FILES):
            # Twelve flowers in one picture: enlarging a single one leaves little to decode.
            tiles = [pictures[(12 * number + tile) % len(pictures)] for tile in range(12)]
            picture = np.vstack([np.hstack(tiles[row : row + 4]) for row in (0, 4, 8)])
            large = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
            Image.fromarray(large).save(place / f"{number:03}.jpg", quality=90)


def _pictures(count: int) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures of 128 x 128 in colour."""
    paths = sorted(FLOWERS.rglob("*.jpg"))[:count]
    for path in paths:
        with Image.open(path) as image:
            yield np.asarray(image.convert("RGB").resize((128, 128)))
    rng = np.random.default_rng(0)
    for _ in range(count - len(paths)):
        coarse = rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)
        yield cv2.resize(coarse, (128, 128), interpolation=cv2.INTER_CUBIC)
