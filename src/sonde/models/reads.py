"""What an architecture is told of its input."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Reads:
    """The input of a model, without the batch."""

    shape: tuple[int | None, ...]
    """Of one prepared example; None for a length that varies from batch to batch."""
    dtype: Literal["float32", "int32"] = "float32"
    """int32 for the tokens of texts, with 0 for padding and 1 for what is unknown."""
    cardinalities: tuple[int, ...] = ()
    """Of a text, how many tokens there are; of a table, how many values each category column has, the unknown
    included."""
    presence: bool = False
    """Whether the last channel is 1 for what is real and 0 for padding; padding is 0 in every channel."""

    @property
    def modality(self) -> Literal["text", "image", "sequence", "flat"]:
        """What it looks like to a model: tokens, an image, steps of numbers (series, spectrograms), or just numbers."""
        if self.dtype == "int32":
            return "text"
        kinds: dict[int, Literal["image", "sequence", "flat"]] = {3: "image", 2: "sequence"}
        return kinds.get(len(self.shape), "flat")


def reads_of(spec: Any) -> Reads:
    """Return what a model is told of inputs that a spec prepares."""
    return Reads(spec.shape, spec.dtype, spec.cardinalities, spec.presence)
