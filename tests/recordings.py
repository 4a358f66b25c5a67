"""Makes tiny sets of recordings, for tests: the class of each is heard in its pitch, its number in its length."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 8000


def tone(kind: int, number: int = 0, *, rate: int = RATE, seconds: float = 0.3) -> NDArray[np.float32]:
    """Return a tone of 400 Hz for the first class and an octave more for each of the next, with a little noise."""
    count = round((seconds + 0.01 * number) * rate)
    rng = np.random.default_rng([kind, number])
    wave = 0.5 * np.sin(2 * np.pi * 400 * 2**kind * np.arange(count) / rate) + 0.01 * rng.normal(size=count)
    return wave.astype(np.float32)


def save(samples: NDArray, path: Path, *, rate: int = RATE, subtype: str | None = None) -> Path:
    """Write samples as a sound file; the ending says how."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), samples, rate, subtype=subtype)
    return path


def class_folders(root: Path, per_class: int = 10, classes: Sequence[str] = ("low", "high")) -> Path:
    """Make a folder of recordings for each class."""
    for kind, name in enumerate(classes):
        for number in range(per_class):
            save(tone(kind, number), root / name / f"{number:03}.wav")
    return root


def named(root: Path, speakers: Sequence[str] = ("ann", "bob", "cy"), takes: int = 8) -> Path:
    """Make recordings called label_speaker_take.wav in one folder."""
    for kind, label in enumerate(("low", "high")):
        for place, speaker in enumerate(speakers):
            for take in range(takes):
                save(tone(kind, 10 * place + take), root / f"{label}_{speaker}_{take}.wav")
    return root
