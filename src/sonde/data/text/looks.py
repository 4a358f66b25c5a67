"""What texts look like on a contact sheet: a line of tokens each."""

from collections.abc import Sequence

from sonde.data.ragged import Ragged, Stored
from sonde.data.sheet import text_sheet
from sonde.data.text.spec import TextSpec


def sheet(spec: TextSpec, batch: Stored, labels: Sequence[str]) -> tuple[str, bytes]:
    """Return a contact sheet of a batch: the suffix of its file, and its content.

    Args:
        spec: how the batch became numbers.
        batch: numbers of tokens, ragged.
        labels: of each.
    """
    assert isinstance(batch, Ragged)
    return ".txt", text_sheet(spec.named(batch), labels).encode()
