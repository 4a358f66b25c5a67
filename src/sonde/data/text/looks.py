"""What texts look like: as they are written, or in tokens."""

from collections.abc import Sequence
from typing import Any

from sonde.data.ragged import Ragged, Stored, text_of
from sonde.data.sheet import text_sheet
from sonde.data.text import tokens
from sonde.data.text.spec import TextSpec
from sonde.drawing import Text

MOST_LETTERS = 2000
"""Letters of a text that are kept for a picture."""


def sheet(spec: TextSpec, batch: Stored, labels: Sequence[str]) -> tuple[str, bytes]:
    """Return a contact sheet of a batch: the suffix of its file, and its content.

    Args:
        spec: how the batch became numbers.
        batch: numbers of tokens, ragged.
        labels: of each.
    """
    assert isinstance(batch, Ragged)
    return ".txt", text_sheet(spec.named(batch), labels).encode()


def sketch(raw: Any) -> Text:
    """Return what is shown of one raw text, its bytes: its beginning, as one piece."""
    return Text((text_of(raw[: 4 * MOST_LETTERS])[:MOST_LETTERS],))


def explained(spec: Any, raw: Any) -> Text:
    """Return the tokens of one text, as many as weights can stand at.

    Args:
        spec: the model's; an ensemble's has no tokens of its own, and then the text is one piece.
        raw: one raw text, N first.
    """
    return Text(_pieces(spec, raw), apart=spec.tokens == "words") if isinstance(spec, TextSpec) else sketch(raw[0])


def _pieces(spec: TextSpec, raw: Ragged) -> tuple[str, ...]:
    """Return the tokens of a text; one that the model does not know stands in brackets, as it was written."""
    pieces = spec.pieces(raw)[0]
    if spec.tokens not in tokens.CUTS:
        return tuple(pieces)
    cleaned = tokens.clean(
        text_of(raw[0]),
        markup=spec.strip_markup,
        links=spec.strip_links,
        accents=spec.strip_accents,
        digits=spec.digits,
        lower=spec.lower,
    )
    written = tokens.CUTS[spec.tokens](cleaned)
    numbers = spec.encode(raw)[0].tolist()
    return tuple(
        f"[{word}]" if number == tokens.UNKNOWN else piece
        for piece, word, number in zip(pieces, written or ["?"], numbers, strict=False)
    )
