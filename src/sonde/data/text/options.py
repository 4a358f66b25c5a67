"""Options of texts: the `[text]` table."""

from typing import Annotated

from pydantic import Field

from sonde.config import Options as OptionSet
from sonde.data.text import tokens as cutting

LARGEST_LENGTH = 8192
"""Tokens; a model never reads more of a text."""

LARGEST_VOCABULARY = 60_000
"""Tokens; with their descriptions a model folder stays small."""


class Options(OptionSet):
    """How texts are cleaned, cut into tokens and numbered."""

    tokens: cutting.Kind = "words"
    """What a text is cut into; byte-pair needs the extra [text], and word-pieces come with model.weights."""

    vocabulary: Annotated[int, Field(ge=8, le=LARGEST_VOCABULARY)] = 20_000
    """Most tokens that are told apart, the most frequent of the training texts; all others are one unknown token."""

    least_count: Annotated[int, Field(ge=1, le=1000)] = 2
    """How often a token must occur in the training texts to be told apart."""

    length: Annotated[int, Field(ge=0, le=LARGEST_LENGTH)] = 0
    """Most tokens of a text that are read, from its beginning; 0 keeps 99 % of the training texts whole, within what
    is usual (512 words or pieces of them, 1,024 characters)."""

    lower: bool = False
    """Read capital letters as small ones."""

    strip_markup: bool = False
    """Leave out tags of HTML, and read its entities such as &amp; as what they mean."""

    strip_links: bool = False
    """Read every address of the web or of mail as the one word "link"."""

    strip_accents: bool = False
    """Read letters without their marks, é as e."""

    digits: bool = False
    """Read every digit as 0, so that numbers of one length, such as those of telephones, are one word."""

    vectors: str = ""
    """File of word vectors that the model's embeddings begin with: text (GloVe, fastText) or safetensors."""

    vectors_sha256: str = ""
    """Digest that the file of word vectors must have; empty takes any file."""
