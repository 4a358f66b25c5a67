"""Decodes masks to the size of the images that a model reads; each is decoded once and kept in the cache."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import PIL
from numpy.typing import NDArray

from sonde.data.decoded import Decoded
from sonde.data.from_files import Shape, decode_files
from sonde.data.image.decode import read_mask
from sonde.data.image.spec import Options
from sonde.data.listing import Listing


def store_masks(listing: Listing, options: Options, contents: str) -> Decoded:
    """Decode the masks of a listing, or take them from the cache.

    Args:
        listing: files of images, and the file of each one's mask.
        options: size and bounds of the images.

    Returns:
        uint8, N x height x width: the numbers of the files.
    """
    assert isinstance(listing.content, tuple) and len(listing.truth_files) == len(listing)
    wanted = ["masks", contents, *options.size, options.largest_pixels, PIL.__version__, cv2.__version__]
    key = sha256(json.dumps(wanted).encode()).hexdigest()[:40]
    image_of = dict(zip(listing.truth_files, listing.content, strict=True))

    def read(path: Path) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
        mask = read_mask(path, options.size, largest_pixels=options.largest_pixels, of=image_of[path])
        return mask, ()

    masks = replace(listing, content=listing.truth_files)
    decoded = decode_files(masks, key, Shape(options.size, "uint8", "masks"), read)[0]
    known = set(listing.bad)
    bad = ((name, reason if (name, reason) in known else f"has a mask that {reason}") for name, reason in decoded.bad)
    return replace(decoded, bad=tuple(bad))
