"""Augmentations of recordings: each takes spectrograms in decibels, B x T x M, its strength and random numbers.

They work on what is stored, so that the front end runs once: moved in time is moved by frames, louder is a sum, another
sound beside it is a sum of powers. Moves in time have matrices (see `motion`), so that truths can follow; moves along
the bands count as changes of values, since no truth lies there. The spectrograms are their own: they may be changed in
place and given back.

See what they do:  sonde show DATA
"""

# B batch, T frames, M mel bands, K random numbers

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from sonde.data.augment.augmentation import Augmentation
from sonde.data.augment.motion import Matrices

Floats = NDArray[np.float32]
Draws = NDArray[np.float64]
Frames = NDArray[np.int64]
"""Frames of each recording, B."""

PER_DECIBEL = np.float32(np.log(10) / 10)
NOISE = 1 << 16
"""Numbers of noise that are drawn once; each example begins somewhere else in them."""
QUIETEST, LOUDEST = -50.0, -10.0
"""Decibels below a recording's loudest band between which the level of added noise is drawn."""
TILT = 20.0
"""Decibels by which added noise may fall or rise from the lowest band to the highest."""
BEHIND = (-25.0, -5.0)
"""Decibels between which the level of another recording beside this one is drawn."""
MASKS = 2
"""Masks along each axis, as in SpecAugment."""


@dataclass(frozen=True)
class Look:
    """What a default is guessed from."""

    seconds: float
    classes: tuple[str, ...]


def shift(decibels_BTM: Floats, share: float, draws_BK: Draws) -> Floats:
    """Move each recording in time by up to this share of the window; silence follows it.

    Args:
        draws_BK: 1 number each.
    """
    examples, count = decibels_BTM.shape[:2]
    moves = shift_matrices(np.full(examples, count), share, draws_BK)[:, 1].astype(np.int64)
    for spectrogram_TM, move in zip(decibels_BTM, moves.tolist(), strict=True):
        if move == 0:
            continue
        silence = spectrogram_TM.min()
        kept = spectrogram_TM[max(0, -move) : count - max(0, move)].copy()
        spectrogram_TM[:] = silence
        spectrogram_TM[max(0, move) : max(0, move) + len(kept)] = kept
    return decibels_BTM


def shift_matrices(frames_B: Frames, share: float, draws_BK: Draws) -> Matrices:
    """Return the matrices of `shift`, by whole frames, B x 2."""
    most_B = np.rint(share * frames_B)
    moves_B = np.floor(draws_BK[:, 0] * (2 * most_B + 1)) - most_B
    return np.stack([np.ones(len(moves_B)), np.clip(moves_B, 1 - frames_B, frames_B - 1)], axis=1)


def stretch(decibels_BTM: Floats, share: float, draws_BK: Draws) -> Floats:
    """Make each recording slower or faster by up to this share, around its middle, at the same pitch.

    Args:
        share: the largest change of speed.
        draws_BK: 1 number each.
    """
    examples, count = decibels_BTM.shape[:2]
    matrices_B2 = stretch_matrices(np.full(examples, count), share, draws_BK)
    for spectrogram_TM, (scale, offset) in zip(decibels_BTM, matrices_B2.tolist(), strict=True):
        _moved(spectrogram_TM, (1.0, 0.0), (scale, offset))
    return decibels_BTM


def stretch_matrices(frames_B: Frames, share: float, draws_BK: Draws) -> Matrices:
    """Return the matrices of `stretch`, B x 2."""
    scales_B, middles_B = 1 + share * (2 * draws_BK[:, 0] - 1), (frames_B - 1) / 2
    return np.stack([scales_B, middles_B - scales_B * middles_B], axis=1)


def pitch(decibels_BTM: Floats, share: float, draws_BK: Draws) -> Floats:
    """Move each recording up or down by up to this share of its bands, and spread or narrow it by as much.

    A longer or shorter vocal tract does about that to speech (Jaitly and Hinton, 2013).

    Args:
        share: the largest move and change of width.
        draws_BK: 2 numbers each: move, width.
    """
    bands = decibels_BTM.shape[2]
    moves = share * bands * (2 * draws_BK[:, 0] - 1)
    scales = 1 + share * (2 * draws_BK[:, 1] - 1)
    for spectrogram_TM, scale, move in zip(decibels_BTM, scales, moves, strict=True):
        _moved(spectrogram_TM, (scale, move), (1.0, 0.0))
    return decibels_BTM


def gain(decibels_BTM: Floats, most: float, draws_BK: Draws) -> Floats:
    """Make each recording louder or quieter by up to so many decibels; what was silence stays it.

    Args:
        most: decibels.
        draws_BK: 1 number each.
    """
    silence_B11 = decibels_BTM.min(axis=(1, 2), keepdims=True)
    change_B11 = (most * (2 * draws_BK[:, 0] - 1)).astype(np.float32)[:, None, None]
    decibels_BTM += change_B11
    return np.maximum(decibels_BTM, silence_B11, out=decibels_BTM)


def noise(decibels_BTM: Floats, probability: float, draws_BK: Draws) -> Floats:
    """Add steady noise 10 to 50 decibels below the loudest, falling or rising with the pitch.

    Args:
        probability: of each to get noise.
        draws_BK: 4 numbers each: whether, level, tilt, where in the noise it begins.
    """
    _, frames, bands = decibels_BTM.shape
    table = _noise()
    slope = np.linspace(-0.5, 0.5, bands)
    for place in np.flatnonzero(draws_BK[:, 0] < probability).tolist():
        _, level, tilt, start = draws_BK[place]
        loudest = decibels_BTM[place].max() + QUIETEST + level * (LOUDEST - QUIETEST)
        steady_M = (loudest + TILT * (2 * tilt - 1) * slope).astype(np.float32)
        first = int(start * NOISE)
        # Numbers that come round again after 65,536 places are no pattern that a model could learn.
        ripple_TM = np.take(table, np.arange(first, first + frames * bands), mode="wrap").reshape(frames, bands)
        decibels_BTM[place] = _together(decibels_BTM[place], ripple_TM + steady_M)
    return decibels_BTM


def mask_time(decibels_BTM: Floats, share: float, draws_BK: Draws) -> Floats:
    """Cover two stretches of time, each up to this share of the window, with the mean (SpecAugment, Park et al., 2019).

    Args:
        draws_BK: 4 numbers each: length and place of each mask.
    """
    means_B = decibels_BTM.mean(axis=(1, 2))
    for place, spans in enumerate(_spans(decibels_BTM.shape[1], share, draws_BK)):
        for start, end in spans:
            decibels_BTM[place, start:end] = means_B[place]
    return decibels_BTM


def mask_bands(decibels_BTM: Floats, share: float, draws_BK: Draws) -> Floats:
    """Cover two ranges of bands, each up to this share of them, with the mean (SpecAugment, Park et al., 2019).

    Args:
        draws_BK: 4 numbers each: width and place of each mask.
    """
    means_B = decibels_BTM.mean(axis=(1, 2))
    for place, spans in enumerate(_spans(decibels_BTM.shape[2], share, draws_BK)):
        for start, end in spans:
            decibels_BTM[place, :, start:end] = means_B[place]
    return decibels_BTM


def mix(both: tuple[Floats, Floats], probability: float, draws_BK: Draws) -> Floats:
    """Let another recording be heard behind this one, 5 to 25 decibels below; the answer stays this one's.

    Args:
        both: spectrograms, B x T x M, and as many others.
        probability: of each to get another behind it.
        draws_BK: 3 numbers each: whether, level, and the one that chose the other.
    """
    decibels_BTM, others_BTM = both
    low, high = BEHIND
    for place in np.flatnonzero(draws_BK[:, 0] < probability).tolist():
        own, other = decibels_BTM[place], others_BTM[place]
        level = np.float32(own.max() - other.max() + low + draws_BK[place, 1] * (high - low))
        decibels_BTM[place] = _together(own, other + level)
    return decibels_BTM


def _moved(spectrogram_TM: Floats, across: tuple[float, float], down: tuple[float, float]) -> None:
    """Scale and move one spectrogram in place along bands and time; silence comes in from outside."""
    frames, bands = spectrogram_TM.shape
    (scale_x, move_x), (scale_y, move_y) = across, down
    matrix = np.array([[scale_x, 0.0, move_x], [0.0, scale_y, move_y]])
    silence = float(spectrogram_TM.min())
    spectrogram_TM[:] = cv2.warpAffine(
        spectrogram_TM,
        matrix,
        (bands, frames),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(silence, silence, silence, silence),
    )


def _together(first: Floats, second: Floats) -> Floats:
    """Return the decibels of two sounds at once: their powers add up."""
    louder = np.maximum(first, second)
    added = np.log1p(np.exp((np.minimum(first, second) - louder) * PER_DECIBEL)) / PER_DECIBEL
    return np.asarray(louder + added, dtype=np.float32)


@lru_cache(maxsize=1)
def _noise() -> Floats:
    """Return the decibels of white noise's power around its mean: exponentially distributed powers."""
    powers = np.random.default_rng(0).exponential(size=NOISE)
    return (10 * np.log10(np.maximum(powers, 1e-3))).astype(np.float32)


def _spans(length: int, share: float, draws_BK: Draws) -> list[list[tuple[int, int]]]:
    """Return where the masks of each example begin and end."""
    widths = np.rint(draws_BK[:, 0::2] * share * length).astype(np.int64)
    starts = (draws_BK[:, 1::2] * (length - widths + 1)).astype(np.int64)
    spans = np.stack([starts, starts + widths], axis=2)
    return [[(begin, end) for begin, end in each] for each in spans.tolist()]


def _off(look: Look) -> tuple[float, str]:
    return 0.0, "off unless asked for"


def _some_shift(look: Look) -> tuple[float, str]:
    return 0.1, "when it is said changes nothing of what is said"


def _some_mask(look: Look) -> tuple[float, str]:
    return 0.1, "a model should not hang on one moment or one pitch"


def _some_pitch(look: Look) -> tuple[float, str]:
    return 0.05, "other voices and instruments stand a little higher or lower"


def _some_stretch(look: Look) -> tuple[float, str]:
    return 0.1, "a little faster or slower changes no meaning"


TABLE: dict[str, Augmentation] = {
    "mix": Augmentation(
        mix,
        3,
        "Lets another recording be heard behind with this probability.",
        low=0.0,
        high=1.0,
        guess=_off,
        mixes=True,
    ),
    "stretch": Augmentation(
        stretch_matrices,
        1,
        "Makes slower or faster by up to this share.",
        low=0.0,
        high=0.5,
        guess=_some_stretch,
        kind="geometric",
        apply=stretch,
    ),
    "pitch": Augmentation(pitch, 2, "Moves by up to this share of the bands.", low=0.0, high=0.5, guess=_some_pitch),
    "shift": Augmentation(
        shift_matrices,
        1,
        "Moves in time by up to this share of the window.",
        low=0.0,
        high=0.5,
        guess=_some_shift,
        kind="geometric",
        apply=shift,
    ),
    "gain": Augmentation(gain, 1, "Changes the volume by up to this many decibels.", low=0.0, high=40.0, guess=_off),
    "noise": Augmentation(noise, 4, "Adds steady noise with this probability.", low=0.0, high=1.0, guess=_off),
    "mask_time": Augmentation(
        mask_time,
        2 * MASKS,
        "Covers two stretches of time of up to this share of the window.",
        low=0.0,
        high=0.5,
        guess=_some_mask,
    ),
    "mask_bands": Augmentation(
        mask_bands,
        2 * MASKS,
        "Covers two ranges of bands of up to this share of them.",
        low=0.0,
        high=0.5,
        guess=_some_mask,
    ),
}
"""Those of recordings, in the order in which they are applied and shown."""
