"""Turns a listing of images into pixels: decoded once, by several threads, and kept in the cache."""

# N images, H height, W width, C channels

import json
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import PIL
from numpy.typing import NDArray

from sonde.data import cache
from sonde.data.decoded import Decoded
from sonde.data.from_files import Shape, decode_files
from sonde.data.image.decode import fit, read_image
from sonde.data.image.spec import Options
from sonde.data.listing import Listing
from sonde.data.ragged import Ragged

Images = NDArray[np.uint8]


def store(listing: Listing, options: Options, contents: str) -> Decoded:
    """Decode the images of a listing, or take them from the cache.

    Args:
        listing: files, or an array of images.
        options: size, channels and bounds.
    """
    array = listing.stored
    if array is not None:
        assert not isinstance(array, Ragged)
        images = _fit_all(array, options)
        return Decoded(images, cache.marks(images), np.arange(len(images)), listing.bad, (), contents)
    wanted = [*options.size, options.channels, options.largest_pixels]
    # Another version of a decoder may round otherwise.
    key = sha256(json.dumps([contents, wanted, PIL.__version__, cv2.__version__]).encode()).hexdigest()[:40]

    def read(path: Path) -> tuple[Images, tuple[str, ...]]:
        return read_image(path, options.size, options.channels, largest_pixels=options.largest_pixels), ()

    return decode_files(listing, key, Shape((*options.size, options.channels), "uint8", "images"), read)[0]


def _fit_all(array: Images, options: Options) -> Images:
    if array.shape[1:] == (*options.size, options.channels):
        return array
    fitted = np.empty((len(array), *options.size, options.channels), dtype=np.uint8)
    for row, image in enumerate(array):
        fitted[row] = fit(image, options.size, options.channels)
    return fitted
