"""The kinds of things that are read: one row each, with all that differs between them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sonde.config import Options as OptionSet
from sonde.config import Settings
from sonde.data.audio import files as audio_files
from sonde.data.audio import guesses as audio_guesses
from sonde.data.audio import looks as audio_looks
from sonde.data.audio import spec as audio
from sonde.data.augment import AUGMENTATIONS, Augmentation
from sonde.data.dataset import InputSpec
from sonde.data.decoded import Decoded
from sonde.data.image import files as image_files
from sonde.data.image import guesses as image_guesses
from sonde.data.image import looks as image_looks
from sonde.data.image import spec as image
from sonde.data.listing import Listing
from sonde.data.ragged import Stored
from sonde.data.series import looks as series_looks
from sonde.data.series import spec as series
from sonde.data.table import guesses as table_guesses
from sonde.data.table import looks as table_looks
from sonde.data.table import spec as table
from sonde.data.text import files as text_files
from sonde.data.text import looks as text_looks
from sonde.data.text import options as text_options
from sonde.data.text import spec as text
from sonde.drawing import Sketch
from sonde.errors import ModelError


@dataclass(frozen=True)
class Pace:
    """How long training takes where nobody gave the epochs."""

    enough_steps: int = 1_500
    """Steps that a small network needs to settle; 1,500 for small images."""
    least_batch: int = 1
    """Examples of a batch at least, as far as there are twice as many."""
    few_examples: int = 0
    """Training examples below which there may be more epochs than usual."""
    most_epochs_of_few: int = 40


@dataclass(frozen=True)
class Modality:
    """One kind of thing that is read."""

    doc: str
    things: str
    """What examples are called in messages, such as "images"."""
    thing: str
    """One of them with its article, such as "an image"."""
    options: type[OptionSet]
    """Its table in a run file, which has the modality's name."""
    store: Callable[[Listing, Any, str], Decoded]
    """From a listing, its own options and the checksum of the contents to raw examples; decodes and caches."""
    learn: Callable[[Stored, Listing, Any], InputSpec]
    """From the raw training examples, the listing and its own options to the spec; sees no other split."""
    guess: Callable[[Listing], Settings]
    """Guesses for its own options and augmentations, each with its reason."""
    spec_from: Callable[[Mapping[str, Any]], InputSpec]
    """Rebuilds a spec from a model folder, which may be anybody's; raises ModelError."""
    augmentations: Mapping[str, Augmentation]
    sheet: Callable[[Any, Stored, Sequence[str]], tuple[str, bytes]]
    """From the spec, a batch of encoded examples and their labels to a contact sheet: a file's suffix and content."""
    sketch: Callable[[Any], Sketch | None]
    """From one raw example to what people are shown of it; None where it cannot be shown."""
    explained: Callable[[Any, Any], Sketch | None] | None = None
    """The same for an explanation, from the spec too: places that weights stand at, where those of `sketch` are not."""
    has_views: bool = False
    """Whether it can be seen turned and moved, over which predictions may be averaged."""
    columns: Callable[[Any], tuple[str, ...]] = lambda spec: ()
    """Names of the columns that a spec reads of an example, where it has any: they can be shuffled one by one."""
    adopt: Callable[[Stored, Listing, Any, str], InputSpec] | None = None
    """The same as `learn` where weights that others have trained, which are named last, say how an example is read."""
    pace: Pace = Pace()
    remarks: Callable[[Any, Any], tuple[str, ...]] = lambda spec, raw: ()
    """From the spec and the raw training examples to sentences on what the model does not see of them."""


MODALITIES: dict[str, Modality] = {
    "image": Modality(
        doc="Pictures of any usual file format, grey or colour.",
        things="images",
        thing="an image",
        options=image.Options,
        store=image_files.store,
        learn=image.learn,
        guess=image_guesses.guess,
        spec_from=image.ImageSpec.from_dict,
        augmentations=AUGMENTATIONS["image"],
        sheet=image_looks.sheet,
        sketch=image_looks.sketch,
        has_views=True,
    ),
    "text": Modality(
        doc="Texts in words, characters or byte pairs.",
        things="texts",
        thing="a text",
        options=text_options.Options,
        store=text_files.store,
        learn=text.learn,
        adopt=text.adopt,
        guess=text_files.guess,
        spec_from=text.TextSpec.from_dict,
        augmentations=AUGMENTATIONS["text"],
        # Words are learned by heart in few epochs, and what comes after overfits.
        pace=Pace(enough_steps=600),
        sheet=text_looks.sheet,
        sketch=text_looks.sketch,
        explained=text_looks.explained,
        remarks=text.remarks,
    ),
    "audio": Modality(
        doc="Recordings: WAV, FLAC, OGG or MP3.",
        things="recordings",
        thing="a recording",
        options=audio.Options,
        store=audio_files.store,
        learn=audio.learn,
        guess=audio_guesses.guess,
        spec_from=audio.AudioSpec.from_dict,
        augmentations=AUGMENTATIONS["audio"],
        sheet=audio_looks.sheet,
        sketch=audio_looks.sketch,
    ),
    "series": Modality(
        doc="Time series of one or several channels, of equal or unequal lengths.",
        things="series",
        thing="a series",
        options=series.Options,
        store=series.store,
        learn=series.learn,
        guess=series.guess,
        spec_from=series.SeriesSpec.from_dict,
        augmentations=AUGMENTATIONS["series"],
        # The archives hold sets of some dozen examples, whose epochs are a few steps each; batch norm needs a few.
        pace=Pace(least_batch=16, few_examples=1_000, most_epochs_of_few=400),
        sheet=series_looks.sheet,
        sketch=series_looks.sketch,
    ),
    "table": Modality(
        doc="Rows of a table: numbers, dates and categories.",
        things="rows",
        thing="a row of a table",
        options=table.Options,
        store=table.store,
        learn=table.learn,
        guess=table_guesses.guess,
        spec_from=table.TableSpec.from_dict,
        augmentations=AUGMENTATIONS["table"],
        sheet=table_looks.sheet,
        sketch=table_looks.sketch,
        explained=table_looks.explained,
        columns=table_looks.columns,
    ),
}
"""What can be read, in the order shown to users."""


def spec_from(values: Mapping[str, Any]) -> InputSpec:
    """Rebuild an input spec from a model folder, which may be anybody's.

    Raises:
        ModelError: the kind is unknown, or a value is missing or out of range.
    """
    kind = values.get("kind") if isinstance(values, Mapping) else None
    if not isinstance(kind, str) or kind not in MODALITIES:
        raise ModelError(f"The model reads '{kind}', which sonde does not know; it reads {', '.join(MODALITIES)}.")
    return MODALITIES[kind].spec_from(values)


def guess(listing: Listing) -> Settings:
    """Guess from a look at the data what nobody said of how it is read and augmented.

    Args:
        listing: what `survey` found.
    """
    return MODALITIES[listing.modality].guess(listing)
