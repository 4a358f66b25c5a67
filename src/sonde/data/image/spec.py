"""Images: their options, and how a stored image becomes what a model reads.

See what the model sees:  sonde show DATA
"""

# B batch, H height, W width, C channels

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sonde.config import Options as OptionSet
from sonde.data.image.decode import LARGEST_PIXELS, PILLOW_LIMIT, read_image, read_windows
from sonde.data.listing import Listing
from sonde.data.ragged import Ragged, Stored
from sonde.data.spec import Spec

LARGEST_SIDE = 2048
"""Pixels; a model's input is never larger."""

BLOCK = 32768
"""Numbers that are prepared at a time; with what they are scaled by they stay in a core's own cache, twice as fast."""

Side = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]


class Options(OptionSet):
    """The size and the colours of what the model reads."""

    size: tuple[Side, Side] = (64, 64)
    """Height and width of what the model reads, in pixels; the largest centred part of that shape is cut out."""

    channels: Literal[1, 3] = 3
    """1 reads the images as grey, 3 as colour."""

    largest_pixels: Annotated[int, Field(ge=1, le=PILLOW_LIMIT)] = LARGEST_PIXELS
    """An image with more pixels is refused before it is decoded."""


Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Positive = Annotated[float, Field(allow_inf_nan=False, ge=1e-6, le=1e6)]


class ImageSpec(Spec):
    """How an image becomes an array of `height x width x channels`; part of every saved model."""

    kind: Literal["image"] = "image"
    height: Side
    width: Side
    channels: Literal[1, 3]
    mean: tuple[Number, ...]
    std: tuple[Positive, ...]
    largest_pixels: Annotated[int, Field(ge=1, le=PILLOW_LIMIT)] = LARGEST_PIXELS

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of one prepared image."""
        return (self.height, self.width, self.channels)

    @property
    def fault(self) -> str:
        """What contradicts itself, or an empty text."""
        if not len(self.mean) == len(self.std) == self.channels:
            return f"{self.channels} channels but {len(self.mean)} means and {len(self.std)} deviations"
        return ""

    def encode(self, raw: Stored) -> Stored:
        """Return the pixels as they are.

        Args:
            raw: uint8, N x height x width x channels.
        """
        return raw

    def prepare(self, inputs: Stored, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Scale a batch of pixels to mean 0 and deviation 1 of the training split.

        Args:
            inputs: uint8, B x height x width x channels.
            out: where the result is written; a new array when left out. C order, of the same shape.

        Returns:
            float32 of the same shape; `out` where it was given.
        """
        assert not isinstance(inputs, Ragged) and inputs.shape[-1] == self.channels
        prepared_BHWC = np.empty(inputs.shape, dtype=np.float32) if out is None else out
        assert prepared_BHWC.shape == inputs.shape and prepared_BHWC.flags.c_contiguous
        scales, offsets = _repeated(self.mean, self.std)
        pixels, numbers = np.ascontiguousarray(inputs).reshape(-1), prepared_BHWC.reshape(-1)
        for start in range(0, len(pixels), len(scales)):
            block = numbers[start : start + len(scales)]
            block[:] = pixels[start : start + len(scales)]
            block *= scales[: len(block)]
            block += offsets[: len(block)]
        return prepared_BHWC

    def restore(self, prepared: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Turn what the model reads back into pixels, to be shown to people.

        Args:
            prepared: float32, B x height x width x channels.
        """
        pixels = (prepared * np.asarray(self.std) + np.asarray(self.mean)) * 255
        return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)

    def read(self, path: str) -> tuple[list[str], NDArray[np.uint8]]:
        """Read one image file as stored pixels.

        Args:
            path: JPEG, PNG, WebP, BMP, GIF (first frame) or TIFF.

        Returns:
            Its name, and uint8 of 1 x height x width x channels.

        Raises:
            DataError: the file cannot be read; the text is name and reason.
        """
        image = read_image(Path(path), (self.height, self.width), self.channels, largest_pixels=self.largest_pixels)
        return [path], image[None]

    def read_whole(self, path: str) -> tuple[list[str], NDArray[np.uint8]]:
        """Read one image file as windows that cover it, also beside the centred part; see `read`.

        Returns:
            Its name, once for each window, and uint8 of K x height x width x channels.
        """
        size, most = (self.height, self.width), self.largest_pixels
        parts = read_windows(Path(path), size, self.channels, largest_pixels=most)
        return [path] * len(parts), parts


@lru_cache(maxsize=8)
def _repeated(mean: tuple[float, ...], std: tuple[float, ...]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return factor and summand of each number of a block: one call of numpy then does them all."""
    deviations = np.asarray(std, dtype=np.float32)
    pixels = BLOCK // len(std)
    scales = np.tile(np.float32(1 / 255) / deviations, pixels)
    offsets = np.tile(-np.asarray(mean, dtype=np.float32) / deviations, pixels)
    return scales, offsets


def learn(raw: Stored, listing: Listing, options: Options) -> ImageSpec:
    """Measure mean and deviation of each channel, on the training split alone.

    Args:
        raw: uint8 training images, N x height x width x channels; read in blocks, so they may be memory-mapped.
        listing: not read.
        options: the bound on pixels goes into the spec.
    """
    assert not isinstance(raw, Ragged)
    return learn_spec(raw, largest_pixels=options.largest_pixels)


def learn_spec(images_NHWC: NDArray[np.uint8], *, largest_pixels: int = LARGEST_PIXELS) -> ImageSpec:
    """Measure mean and deviation of each channel.

    Args:
        images_NHWC: uint8 images.
    """
    _, height, width, channels = images_NHWC.shape
    counts = np.zeros((channels, 256), dtype=np.int64)
    for start in range(0, len(images_NHWC), 2048):
        block = images_NHWC[start : start + 2048]
        for channel in range(channels):
            # A histogram holds whole numbers: the result depends on no order of summation.
            counts[channel] += np.bincount(block[..., channel].ravel(), minlength=256)
    levels = np.arange(256) / 255
    total = np.maximum(counts.sum(axis=1), 1)
    mean = counts @ levels / total
    std = np.sqrt(np.maximum(counts @ levels**2 / total - mean**2, 0))
    std[std < 1e-3] = 1.0
    return ImageSpec(
        height=height,
        width=width,
        channels=channels,
        mean=tuple(round(float(value), 6) for value in mean),
        std=tuple(round(float(value), 6) for value in std),
        largest_pixels=largest_pixels,
    )
