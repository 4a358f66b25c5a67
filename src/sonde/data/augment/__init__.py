"""The augmentations: small changes that leave the answer the same, drawn anew for each example and epoch.

Every random number is a function of (seed, epoch, place of the example, name of the augmentation), so that batch size,
order and resuming change nothing.
"""

# B batch, K random numbers

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sonde.config import Settings
from sonde.config.fill import unknown_option
from sonde.data.audio import augment as audio
from sonde.data.augment.augmentation import Augmentation
from sonde.data.augment.draws import uniform, uniforms
from sonde.data.augment.motion import Motion, Size, warp
from sonde.data.image import augment as image
from sonde.data.ragged import Ragged, Stored
from sonde.data.series import augment as series
from sonde.data.table import augment as table
from sonde.data.text import augment as text
from sonde.errors import ConfigError

__all__ = ["AUGMENTATIONS", "Augmentation", "Motion", "augment", "fill_augment", "mix_others"]

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
) -> tuple[Stored, Motion | None]:
    """Change a batch at random, each example as its own place, the epoch and the seed say.

    Args:
        batch: stored inputs, such as uint8 images; the caller's own, since they may be changed in place.
        strengths: by name of the augmentation, as `fill_augment` gives them; the neutral value leaves it out.
        seed: the run's seed.
        epoch: the epoch, from 1.
        indices_B: each example's place in the training split.

    Returns:
        Inputs of the same kind, perhaps the same object, changed; and the motion of their content, which truths with
        a place in the inputs must follow. It is None where nothing moves.
    """
    rows = AUGMENTATIONS[modality]
    assert len(batch) == len(indices_B) and strengths.keys() <= rows.keys()
    active = {
        name: row
        for name, row in rows.items()
        if len(batch) and not row.mixes and strengths.get(name, row.neutral) != row.neutral
    }
    wanted = {name: (row.draws, (epoch - 1) // 2 if row.mirrored else epoch) for name, row in active.items()}
    drawn = uniforms(wanted, seed=seed, indices_B=indices_B)
    at_once = any(row.kind == "geometric" and row.apply is None for row in active.values())
    result = batch
    motion: Motion | None = None
    pending: Motion | None = None
    for name, row in active.items():
        draws_BK = 1.0 - drawn[name] if row.mirrored and epoch % 2 == 0 else drawn[name]
        if row.kind == "geometric":
            size = _size(batch, modality) if motion is None else motion.after
            step = Motion(partial(row.function, size, strengths[name], draws_BK), size, size)
            motion = step if motion is None else motion.then(step)
            if at_once:
                pending = step if pending is None else pending.then(step)
                continue
        if pending is not None:
            result, pending = warp(_images(result), pending), None
        result = (row.apply or row.function)(result, strengths[name], draws_BK)
    return (result if pending is None else warp(_images(result), pending)), motion


def _images(batch: Stored) -> NDArray[np.uint8]:
    assert not isinstance(batch, Ragged)
    return batch


def _size(batch: Stored, modality: str) -> Size:
    """Return height and width of images, otherwise the steps of each example."""
    if isinstance(batch, Ragged):
        return batch.lengths
    return batch.shape[1:3] if modality == "image" else np.full(len(batch), batch.shape[1])


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
