"""What a data set holds, before anything is decoded: names, truths, splits, groups, and where the content is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data.ragged import Ragged, Stored, text_of

SPLITS = ("train", "validation", "test")
"""The three splits, in the order shown to users."""

SPELLINGS = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
    "tst": "test",
    "eval": "test",
    "evaluation": "test",
    "holdout": "test",
    "heldout": "test",
    "t10k": "test",
}
"""How data sets spell the splits, in small letters and without what stands around the word."""

FILLERS = frozenset({"", "set", "data", "dataset", "split", "images", "image", "imgs", "img"})
"""What may stand beside a split's word, as in "training_set" and "train images"."""


@lru_cache(maxsize=1024)
def split_named(word: str) -> str:
    """Return the split that a word means, or an empty string.

    Args:
        word: a folder's name or a cell of a table, such as "Val", "test-set" or "train2017".
    """
    parts = [part for part in re.split(r"[-_\s]+", word.lower()) if part not in FILLERS]
    together = re.sub(r"(?<=[a-z])(?:19|20)\d\d$", "", "".join(parts))
    return SPELLINGS.get(together, "") or SPELLINGS.get(together.removesuffix("set"), "")


@dataclass(frozen=True)
class Listing:
    """What a data set holds; N is the number of its examples."""

    name: str
    format: str
    """The recognised format, in words, such as "folder of classes"."""
    reason: str
    """Why it was recognised as that."""
    names: NDArray[np.str_]
    """A name that a person can find the example by, N."""
    truth: Stored
    """The truth as the data holds it, N: text for labels and numbers, `Ragged` texts where a text is asked."""
    splits: NDArray[np.str_]
    """The data's own split of each example, "" where it has none, N."""
    content: Stored | tuple[Path, ...]
    """The examples themselves, or the file of each. Images are uint8, N x height x width x channels; texts the bytes of
    `ragged.texts`; series float32, N x time x channels, or ragged; rows of a table a structured array with a field for
    each column, float64 (NaN where missing) or text ("" where missing)."""
    groups: NDArray[np.str_] | None = None
    """What must stay on one side of a split, such as a patient; N, "" for an example of its own."""
    bad: tuple[tuple[str, str], ...] = ()
    """Entries that cannot be used, such as a row without a file: name and reason."""
    notes: tuple[str, ...] = ()
    """What the reader should know of how this was read."""
    modality: str = "image"
    several: bool = False
    """Whether a truth may hold several labels, joined by "|", or be empty where none applies."""
    truth_files: tuple[Path, ...] = ()
    """The file of each truth where it stands in one, such as a mask."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """Options of what is asked that the data itself says, such as the names of classes, by name."""
    text_columns: tuple[str, ...] = ()
    """Columns of a table that the texts stand in; empty where they stand in no table."""
    encoding: str = ""
    """That texts were said to be in; empty where nobody said."""

    def __len__(self) -> int:
        return len(self.names)

    def spread(self, most: int) -> list[int]:
        """Return so many rows at most for a look at the data, evenly spread; those of the data's own test are not seen.

        Args:
            most: how many.
        """
        rows = np.flatnonzero(self.splits != "test")
        rows = rows if len(rows) else np.arange(len(self))
        return sorted({int(rows[int(at)]) for at in np.linspace(0, max(len(rows) - 1, 0), min(most, len(rows)))})

    @property
    def kinds(self) -> tuple[str, ...]:
        """The different truths, such as classes; none where each is a text of its own."""
        held = self.truth if isinstance(self.truth, np.ndarray) else np.empty(0, np.str_)
        return tuple(str(name) for name in np.unique(held))

    @property
    def stored(self) -> Stored | None:
        """The examples themselves, or None where they are files."""
        return None if isinstance(self.content, tuple) else self.content


def text_array(words: Sequence[str]) -> NDArray[np.str_]:
    """Return an array of texts that can be printed and written, whatever bytes a file name held.

    Args:
        words: texts; surrogates, which stand for bytes that are not UTF-8, become \\xNN.
    """
    clean = [word if word.isascii() else word.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
             for word in words]  # fmt: skip
    return np.array(clean, dtype=np.str_) if clean else np.empty(0, dtype="<U1")


def as_words(truth: Stored) -> Stored:
    """Return texts as an array of words, as labels are; an array as it is."""
    if not isinstance(truth, Ragged) or truth.dtype != np.uint8:
        return truth
    return text_array([text_of(truth[row]) for row in range(len(truth))])


def numbered(name: str, count: int) -> NDArray[np.str_]:
    """Return "name[0]", "name[1]", ... for the examples of an array.

    Args:
        name: the file or array they come from.
        count: how many.
    """
    return text_array([f"{name}[{index}]" for index in range(count)])
