"""The augmentations: small changes that leave the answer the same, drawn anew for each example and epoch.

Every random number is a function of (seed, epoch, place of the example, name of the augmentation), so that batch size,
order and resuming change nothing.
"""

# B batch, H height, W width, C channels, K random numbers

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonde.config import Settings
from sonde.config.fill import unknown_option
from sonde.data.augment import image
from sonde.data.augment.draws import uniform
from sonde.errors import ConfigError

__all__ = ["AUGMENTATIONS", "Augmentation", "Look", "augment", "fill_augment"]

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Look:
    """What a default is guessed from."""

    height: int
    width: int
    channels: int
    classes: tuple[str, ...]

    @property
    def of_signs(self) -> bool:
        """Whether the classes are called like digits or single letters, whose mirror image is another sign."""
        return all(name.isdecimal() or len(name) == 1 for name in self.classes)


@dataclass(frozen=True)
class Augmentation:
    """One augmentation: its function, how many random numbers it needs, its range, and its default."""

    function: Callable[[Images, float, NDArray[np.float64]], Images]
    """Images B x H x W x C, which it may change, strength, random numbers B x K, to images."""
    draws: int
    """How many random numbers each image needs."""
    doc: str
    """One sentence, with what the strength means."""
    low: float
    high: float
    guess: Callable[[Look], tuple[float, str]]
    """The default strength for a data set, and the reason."""
    mirrored: bool = False
    """Whether the second of two epochs takes the complements of the first one's numbers, so that an image mirrored with
    probability one half is so in exactly one of them (alternating flips; Jordan, 2024)."""
    neutral: float = 0.0
    """The strength that changes nothing."""


def _off(look: Look) -> tuple[float, str]:
    return 0.0, "off unless asked for"


def _small_shift(look: Look) -> tuple[float, str]:
    return 0.08, "a small move changes no image's meaning"


def _flip_photos(look: Look) -> tuple[float, str]:
    if look.channels == 1:
        return 0.0, "grey images may be signs, whose mirror image means something else"
    if look.of_signs:
        return 0.0, "the classes are called like digits or letters"
    if min(look.height, look.width) < 24:
        return 0.0, "tiny images are seldom photographs"
    return 0.5, "colour photographs keep their meaning in a mirror"


AUGMENTATIONS: dict[str, Augmentation] = {
    "rotate": Augmentation(
        image.rotate, 1, "Turns by up to this many degrees either way.", low=0.0, high=45.0, guess=_off
    ),
    "crop": Augmentation(
        image.crop, 3, "Cuts away up to this share of the sides and enlarges the rest.", low=0.0, high=0.9, guess=_off
    ),
    "shift": Augmentation(
        image.shift, 2, "Moves by up to this share of the sides.", low=0.0, high=0.5, guess=_small_shift
    ),
    "flip": Augmentation(
        image.flip,
        1,
        "Mirrors left and right with this probability.",
        low=0.0,
        high=1.0,
        guess=_flip_photos,
        mirrored=True,
    ),
    "erase": Augmentation(
        image.erase, 8, "Covers a random rectangle with this probability.", low=0.0, high=1.0, guess=_off
    ),
}
"""Every augmentation, in the order in which they are applied and shown."""


def augment(
    images_BHWC: Images,
    strengths: Mapping[str, float],
    *,
    seed: int,
    epoch: int,
    indices_B: NDArray[np.int64],
    in_place: bool = False,
) -> Images:
    """Change a batch of images at random, each as its own place, the epoch and the seed say.

    Args:
        images_BHWC: uint8 images.
        strengths: by name of the augmentation, as `fill_augment` gives them; the neutral value leaves it out.
        seed: the run's seed.
        epoch: the epoch, from 1.
        indices_B: each image's place in the training split.
        in_place: allow the input to be changed, which saves a copy.

    Returns:
        uint8 images of the same shape; with `in_place` perhaps those that were given, else others.
    """
    assert images_BHWC.dtype == np.uint8 and len(images_BHWC) == len(indices_B)
    assert strengths.keys() <= AUGMENTATIONS.keys()
    result = images_BHWC if in_place else images_BHWC.copy()
    for name, row in AUGMENTATIONS.items():
        strength = strengths.get(name, row.neutral)
        if strength != row.neutral and len(result):
            drawn = (epoch - 1) // 2 if row.mirrored else epoch
            draws_BK = uniform(name, row.draws, seed=seed, epoch=drawn, indices_B=indices_B)
            if row.mirrored and epoch % 2 == 0:
                draws_BK = 1.0 - draws_BK
            result = row.function(result, strength, draws_BK)
    return result


def fill_augment(settings: Settings) -> dict[str, float]:
    """Return the strength of every augmentation; one that nobody set is off.

    Args:
        settings: the run's settings, with the table [augment].

    Raises:
        ConfigError: an unknown augmentation, a wrong type, or a strength out of range.
    """
    given = settings.part("augment")
    for name, setting in given.items():
        place = f"{setting.place}: " if setting.place else ""
        if name not in AUGMENTATIONS:
            raise ConfigError(unknown_option(name, "augment", setting, AUGMENTATIONS))
        row = AUGMENTATIONS[name]
        number = isinstance(setting.value, int | float) and not isinstance(setting.value, bool)
        if not number or not row.low <= setting.value <= row.high:
            raise ConfigError(
                f"{place}augment.{name} = {setting.value!r} is not possible: expected a number, at least {row.low:g}, "
                f"at most {row.high:g}. ({row.doc} {row.neutral:g} is off.)"
            )
    return {name: float(given[name].value if name in given else row.neutral) for name, row in AUGMENTATIONS.items()}
