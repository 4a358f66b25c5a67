"""Guesses what the user did not say of images: size, colours and augmentations, each with its reason."""

import numpy as np

from sonde.config import Setting, Settings
from sonde.data.image.augment import TABLE, Look
from sonde.data.image.decode import LARGEST_PIXELS, read_image, upright_size
from sonde.data.listing import Listing
from sonde.data.ragged import Ragged
from sonde.errors import DataError

SAMPLE = 100
"""Files that are looked at; evenly spread, so that every class has its turn."""

LARGER = 256
"""The same where something has a place in each image, such as masks: what is small must not vanish."""
SMALL = 64
"""Pixels; images up to this side are taken as they are, larger ones are reduced to it."""


def guess(listing: Listing) -> Settings:
    """Guess the options of an image data set from a look at some of its files.

    Args:
        listing: what `survey` found.

    Returns:
        Settings for image.size, image.channels and every augmentation, each with its reason.
    """
    sizes, grey = _look(listing)
    size, why_size = _size(sizes, LARGER if listing.truth_files else SMALL)
    channels = 1 if grey else 3
    why_channels = "no colour in the images that were looked at" if grey else "there are colours"
    guesses = {
        "image.size": Setting(size, "guessed", reason=why_size),
        "image.channels": Setting(channels, "guessed", reason=why_channels),
    }
    look = Look(
        height=size[0],
        width=size[1],
        channels=channels,
        classes=listing.kinds,
        in_places=bool(listing.truth_files),
        in_words=isinstance(listing.truth, Ragged),
    )
    for name, row in TABLE.items():
        strength, reason = row.guess(look)
        guesses[f"augment.{name}"] = Setting(strength, "guessed", reason=reason)
    return Settings(guesses)


def _look(listing: Listing) -> tuple[list[tuple[int, int]], bool]:
    """Return the sizes in a sample, and whether it is all grey."""
    if isinstance(listing.content, tuple):
        return _look_at_files(listing)
    assert isinstance(listing.content, np.ndarray)
    images = listing.content[listing.spread(SAMPLE)]
    grey = images.shape[3] == 1 or bool(np.all(images == images[..., :1]))
    return [images.shape[1:3]], grey


def _look_at_files(listing: Listing) -> tuple[list[tuple[int, int]], bool]:
    assert isinstance(listing.content, tuple)
    sizes, grey = [], True
    for row in listing.spread(SAMPLE):
        file = listing.content[row]
        try:
            size = upright_size(file, largest_pixels=LARGEST_PIXELS)
            pixels = read_image(file, (32, 32), 3, largest_pixels=LARGEST_PIXELS)
        except DataError:
            continue  # Loading names it.
        sizes.append(size)
        grey = grey and bool(np.all(pixels == pixels[..., :1]))
    if not sizes:
        return [(SMALL, SMALL)], False
    return sizes, grey


def _size(sizes: list[tuple[int, int]], most: int) -> tuple[list[int], str]:
    kinds = set(sizes)
    height, width = sizes[0]
    if len(kinds) == 1 and max(height, width) <= most:
        return [height, width], f"all images are {height} x {width}"
    shortest = int(np.median([min(size) for size in sizes]))
    side = max(1, min(most, shortest))
    seen = (
        f"images are {height} x {width}" if len(kinds) == 1 else f"images differ, half of them above {shortest} pixels"
    )
    return [side, side], f"{seen}; larger is slower and often better: --set image.size=[96,96]"
