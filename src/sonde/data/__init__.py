"""Data: files in, numpy arrays out; no framework.

listing = survey("flowers/", Options())      recognise the format, list the examples
settings = guess(listing)                    how it is read and augmented, each guess with its reason
dataset = load(listing, options, own)        decode once, divide, look for damage, copies and leaks
batch, motion = augment(images, strengths, modality="image", seed=0, epoch=1, indices_B=rows)
"""

from sonde.data.audio.spec import AudioSpec
from sonde.data.augment import AUGMENTATIONS, Augmentation, Motion, augment, fill_augment, mix_others
from sonde.data.cache import let_go
from sonde.data.dataset import Dataset, Examples, Findings, InputSpec
from sonde.data.decoded import marks
from sonde.data.folds import GROUPS, fold_count
from sonde.data.image.spec import ImageSpec
from sonde.data.listing import Listing
from sonde.data.loading import WHOLE, Unsplit, load, load_unsplit
from sonde.data.modalities import MODALITIES, Modality, guess, spec_from
from sonde.data.options import Options
from sonde.data.ragged import Ragged, Stored, join
from sonde.data.sources import BUILTIN, SOURCES, Source, survey
from sonde.data.target import Asked, Batch, Column, Moment, Target
from sonde.data.text.pretrained import brought, guess_from_checkpoint, read_checkpoint
from sonde.data.text.spec import TextSpec
from sonde.data.text.vectors import starting_vectors

__all__ = [
    "AUGMENTATIONS",
    "BUILTIN",
    "GROUPS",
    "MODALITIES",
    "SOURCES",
    "WHOLE",
    "Asked",
    "AudioSpec",
    "Augmentation",
    "Batch",
    "Column",
    "Dataset",
    "Examples",
    "Findings",
    "ImageSpec",
    "InputSpec",
    "Listing",
    "Modality",
    "Moment",
    "Motion",
    "Options",
    "Ragged",
    "Source",
    "Stored",
    "Target",
    "TextSpec",
    "Unsplit",
    "augment",
    "brought",
    "fill_augment",
    "fold_count",
    "guess",
    "guess_from_checkpoint",
    "join",
    "let_go",
    "load",
    "load_unsplit",
    "marks",
    "mix_others",
    "read_checkpoint",
    "spec_from",
    "starting_vectors",
    "survey",
]
