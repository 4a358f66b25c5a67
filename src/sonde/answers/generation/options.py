"""How a text is written: the `[generation]` table."""

from typing import Annotated, Literal

from pydantic import Field

from sonde.config import Options as _Options


class Options(_Options):
    """The target's tokens, the decoder that writes them, and its loss."""

    tokens: Literal["characters", "words"] = "words"
    """What a target text is written in; what the vocabulary lacks is written in bytes, so that nothing is unknown."""

    vocabulary: Annotated[int, Field(ge=1, le=20_000)] = 8_000
    """Most tokens of the training targets that are written as one, the most frequent ones."""

    least_count: Annotated[int, Field(ge=1, le=1000)] = 2
    """How often a token must occur in the training targets to be written as one."""

    length: Annotated[int, Field(ge=0, le=2048)] = 0
    """Most tokens of a text that is written; 0 takes those of the longest training target, within 512."""

    depth: Annotated[int, Field(ge=1, le=12)] = 2
    """Blocks of the decoder; time grows in step with them."""

    heads: Annotated[int, Field(ge=1, le=64)] = 4
    """Attentions side by side in each block of the decoder."""

    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Share of numbers silenced behind each part of a decoder block while training."""

    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.05
    """Share of the truth that is spread over all tokens."""
