"""The augmentations: small changes that leave the answer the same, drawn anew for each example and epoch.

Every random number is a function of (seed, epoch, place of the example, name of the augmentation), so that batch size,
order and resuming change nothing.
"""

# B batch, K random numbers

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sonde.config import Settings
from sonde.config.fill import unknown_option
from sonde.data.audio import augment as audio
from sonde.data.augment.augmentation import Augmentation
from sonde.data.augment.draws import uniform
from sonde.data.image import augment as image
from sonde.data.ragged import Stored
from sonde.data.series import augment as series
from sonde.data.table import augment as table
from sonde.data.text import augment as text
from sonde.errors import ConfigError

__all__ = ["AUGMENTATIONS", "Augmentation", "augment", "fill_augment", "mix_others"]

AUGMENTATIONS: dict[str, Mapping[str, Augmentation]] = {
    "image": image.TABLE,
    "text": text.TABLE,
    "audio": audio.TABLE,
    "series": series.TABLE,
    "table": table.TABLE,
}
"""The augmentations of each modality."""


def augment(
    batch: Stored,
    strengths: Mapping[str, float],
    *,
    modality: str,
    seed: int,
    epoch: int,
    indices_B: NDArray[np.int64],
) -> Stored:
    """Change a batch at random, each example as its own place, the epoch and the seed say.

    Args:
        batch: stored inputs, such as uint8 images; the caller's own, since they may be changed in place.
        strengths: by name of the augmentation, as `fill_augment` gives them; the neutral value leaves it out.
        modality: whose augmentations these are.
        seed: the run's seed.
        epoch: the epoch, from 1.
        indices_B: each example's place in the training split.

    Returns:
        Inputs of the same kind; perhaps those that were given, changed.
    """
    rows = AUGMENTATIONS[modality]
    assert len(batch) == len(indices_B) and strengths.keys() <= rows.keys()
    result = batch
    for name, row in rows.items():
        strength = strengths.get(name, row.neutral)
        if strength != row.neutral and len(result) and not row.mixes:
            drawn = (epoch - 1) // 2 if row.mirrored else epoch
            draws_BK = uniform(name, row.draws, seed=seed, epoch=drawn, indices_B=indices_B)
            if row.mirrored and epoch % 2 == 0:
                draws_BK = 1.0 - draws_BK
            result = row.function(result, strength, draws_BK)
    return result


def mix_others(
    batch: Stored,
    pool: Stored,
    strengths: Mapping[str, float],
    *,
    modality: str,
    moment: tuple[int, int],
    indices_B: NDArray[np.int64],
) -> Stored:
    """Apply the augmentations that take other training examples beside each one; it goes before `augment`.

    Args:
        batch: stored inputs; the caller's own, since they may be changed in place.
        pool: the training examples that the others are chosen from.
        strengths: by name of the augmentation.
        modality: whose augmentations these are.
        moment: the run's seed, and the epoch from 1.
        indices_B: each example's place in the training split.
    """
    result = batch
    for name, row in AUGMENTATIONS[modality].items():
        strength = strengths.get(name, row.neutral)
        if row.mixes and strength != row.neutral and len(result):
            draws_BK = uniform(name, row.draws, seed=moment[0], epoch=moment[1], indices_B=indices_B)
            others = (draws_BK[:, -1] * len(pool)).astype(np.int64)
            result = row.function((result, pool[others]), strength, draws_BK)
    return result


def fill_augment(settings: Settings, modality: str) -> dict[str, float]:
    """Return the strength of every augmentation; one that nobody set is off.

    Args:
        settings: the run's settings, with the table [augment].
        modality: what is read.

    Raises:
        ConfigError: an unknown augmentation, a wrong type, or a strength out of range.
    """
    rows = AUGMENTATIONS[modality]
    given = settings.part("augment")
    for name, setting in given.items():
        place = f"{setting.place}: " if setting.place else ""
        if name not in rows:
            raise ConfigError(unknown_option(name, "augment", setting, rows))
        row = rows[name]
        number = isinstance(setting.value, int | float) and not isinstance(setting.value, bool)
        if not number or not row.low <= setting.value <= row.high:
            raise ConfigError(
                f"{place}augment.{name} = {setting.value!r} is not possible: expected a number, at least {row.low:g}, "
                f"at most {row.high:g}. ({row.doc} {row.neutral:g} is off.)"
            )
    return {name: float(given[name].value if name in given else row.neutral) for name, row in rows.items()}
