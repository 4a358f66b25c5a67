"""What is asked of an example, as numbers: the twin of `InputSpec`, learned from training and saved with a model.

A truth is a column: one entry for each example, an array or, where entries differ in length, a `Ragged`. A target
encodes it once for each data set and makes the arrays of each batch from it, among them "weights", which add up to one
over the whole batch: a loss is a sum of weights times losses, so that the parts of a batch add up to the whole.
"""

# B batch, N examples

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sonde.data.decoded import Decoded
from sonde.data.listing import Listing
from sonde.data.ragged import Ragged, Stored, text_of

Batch = Mapping[str, NDArray[Any]]
"""Named arrays with the batch on their first axis: "inputs" (or several), "truth" (or "truth/..."), "weights"."""

Column = Stored
"""A truth for each example: text as the data spells it, numbers, or `Ragged`."""


@dataclass(frozen=True)
class Moment:
    """What the random choices of a batch are a pure function of."""

    seed: int
    epoch: int
    """From 1; 0 where nothing is drawn, as in validation."""
    indices_B: NDArray[np.int64]
    """Place of each example in its split."""


class Target(Protocol):
    """How a truth becomes what a loss reads, and how outputs become predictions in the data's own terms."""

    def encode(self, raw: Column) -> Column:
        """Turn truths as the data holds them into numbers, once for each data set; raises DataError."""

    def collate(self, truth: Column, moment: Moment) -> Batch:
        """Return the arrays of a batch that a loss reads, "weights" among them; inputs of a decoder too."""

    def move(self, truth: Column, motion: Any) -> Column:
        """Follow what augmentation did to the inputs; the identity where the truth has no place in them."""

    def decode(self, outputs: Batch, inputs: Batch) -> Column:
        """Return predictions in the data's own terms and sizes."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, from which the answer's `target_from` makes it again."""


def equal_weights(count: int, *shape: int) -> NDArray[np.float32]:
    """Return weights that add up to one over a batch in which every example, and all within it, counts alike.

    Args:
        shape: of what is weighed in each example, such as the labels.

    Returns:
        float32, B x shape.
    """
    size = count * int(np.prod(shape, dtype=np.int64))
    return np.full((count, *shape), np.float32(1) / np.float32(max(1, size)), dtype=np.float32)


@dataclass(frozen=True)
class Asked:
    """What opening a data set needs to know of what is asked of it."""

    strata: Callable[[Column], NDArray[np.str_]]
    """What made splits and folds are stratified by; all the same where they are not."""
    learned: Callable[[str], Sequence[str]] | None = None
    """From one truth to the names in it that training must see; None where nothing has a name."""
    store: Callable[[Listing, Any, str], Decoded] | None = None
    """Decodes truths that stand in files, as a modality's `store` does inputs; None where the listing holds them."""


def words_of(truth: Column) -> list[str]:
    """Return truths as a person reads them; an empty text for each where they are no texts or numbers."""
    if isinstance(truth, Ragged):
        return [text_of(truth[row]) for row in range(len(truth))]
    return [str(each) if truth.ndim == 1 else "" for each in truth]
