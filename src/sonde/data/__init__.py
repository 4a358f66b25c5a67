"""Data: files in, numpy arrays out; no framework.

listing = survey("flowers/", Options())      recognise the format, list the examples
settings = guess(listing)                    image size, channels, augmentations, each with its reason
dataset = load(listing, options)             decode once, divide, look for damage, copies and leaks
batch = augment(images, strengths, seed=0, epoch=1, indices_B=rows)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sonde.data.augment import AUGMENTATIONS, Augmentation, augment, fill_augment
from sonde.data.cache import marks
from sonde.data.dataset import Dataset, Examples, Findings, InputSpec
from sonde.data.guesses import guess
from sonde.data.image import ImageSpec, Options
from sonde.data.listing import Listing
from sonde.data.loading import WHOLE, Unsplit, load, load_unsplit
from sonde.data.sheet import contact_sheet
from sonde.data.sources import BUILTIN, SOURCES, Source, survey
from sonde.errors import ModelError

__all__ = [
    "AUGMENTATIONS",
    "BUILTIN",
    "MODALITIES",
    "SOURCES",
    "WHOLE",
    "Augmentation",
    "Dataset",
    "Examples",
    "Findings",
    "ImageSpec",
    "InputSpec",
    "Listing",
    "Modality",
    "Options",
    "Source",
    "Unsplit",
    "augment",
    "contact_sheet",
    "fill_augment",
    "guess",
    "load",
    "load_unsplit",
    "marks",
    "spec_from",
    "survey",
]


@dataclass(frozen=True)
class Modality:
    """One kind of thing that is read: its options and its input spec."""

    doc: str
    options: type[Options]
    spec: type[ImageSpec]


MODALITIES: dict[str, Modality] = {
    "image": Modality("Pictures of any usual file format, grey or colour.", Options, ImageSpec),
}
"""What can be read, in the order shown to users."""


def spec_from(values: Mapping[str, Any]) -> InputSpec:
    """Rebuild an input spec from a model folder, which may be anybody's.

    Args:
        values: what the spec's `to_dict` gave.

    Raises:
        ModelError: the kind is unknown, or a value is missing or out of range.
    """
    kind = values.get("kind") if isinstance(values, Mapping) else None
    if not isinstance(kind, str) or kind not in MODALITIES:
        raise ModelError(f"The model reads '{kind}', which sonde does not know; it reads {', '.join(MODALITIES)}.")
    return MODALITIES[kind].spec.from_dict(values)
