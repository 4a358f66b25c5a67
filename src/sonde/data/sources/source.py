"""What a data format has to offer: recognise itself, say why, and list what it holds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sonde.data.listing import Listing
from sonde.data.options import Options


@dataclass(frozen=True)
class Source:
    """One data format."""

    doc: str
    """One sentence: what a data set in this format looks like."""
    sniff: Callable[[Path], str | None]
    """Says why a path is of this format, or None when it is not; reads names and first bytes only."""
    read: Callable[[Path, Options], Listing]
    """Lists the examples; raises DataError where they are damaged."""
    modalities: tuple[str, ...] = ("image",)
    """What its examples may be; the others are not tried where a person says what the data is."""
