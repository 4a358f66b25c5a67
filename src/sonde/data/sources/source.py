"""What a data format has to offer: recognise itself, say why, and list what it holds."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sonde.data.image import Options
from sonde.data.listing import Listing


@dataclass(frozen=True)
class Source:
    """One data format."""

    doc: str
    """One sentence: what a data set in this format looks like."""
    sniff: Callable[[Path], str | None]
    """Says why a path is of this format, or None when it is not; reads names and first bytes only."""
    read: Callable[[Path, Options], Listing]
    """Lists the examples; raises DataError where they are damaged."""
