"""A text to write, as tokens: characters or words of the training targets, and bytes for all else.

Tokens are numbers: 0 padding, 1 before the first token, 2 the end; then the 256 bytes, then the vocabulary. Every text
can be written so and comes back to the letter. A truth is encoded whole; only what the loss reads of it has a bound.
"""

# B batch, N examples, T tokens

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers.generation.options import Options
from sonde.data import Dataset, Listing
from sonde.data.ragged import Ragged, as_texts, round_up, text_of, texts
from sonde.data.target import Batch, Column, Moment
from sonde.drawing.numbers_in_words import count as counted
from sonde.errors import DataError, ModelError

PADDING, BEGIN, END = 0, 1, 2
"""Numbers that stand for no text, as in `models.decoder`."""
BYTES = 3
"""Number of the byte 0."""
FIRST = BYTES + 256
"""Number of the first token of the vocabulary."""
LONGEST = 512
"""Tokens of a text that is written, at most, where nobody chose: memory grows with their square."""
MOST_PIECES, LONGEST_PIECE, LONGEST_SAID = 20_000, 64, 2048
"""Bounds of a vocabulary, of the letters of its tokens, and of a length."""
FEWEST = 6
"""Examples in all below which nothing can be said."""
KIND = "generation"

CUTS: dict[str, Callable[[str], Iterable[str]]] = {
    "characters": list,
    # A word has the blank before it, so that the tokens of a text, joined, are the text.
    "words": re.compile(r"\s?\w+|\s?[^\w\s]|\s").findall,
}
"""What a target is cut into, by `Options.tokens`."""


@dataclass(frozen=True)
class TextTarget:
    """The tokens that a text is written in, learned from the training targets."""

    tokens: str
    """A row of `CUTS`."""
    pieces: tuple[str, ...]
    """The vocabulary, in the order of its numbers."""
    length: int
    """Tokens of a text at most, its end not counted."""
    most_words: int
    """Words of the longest training target."""
    longer: int = 0
    """Training targets of more tokens, whose rest is not learned."""

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {piece: number for number, piece in enumerate(self.pieces, FIRST)}

    @cached_property
    def _spelled(self) -> list[bytes]:
        special = [b""] * BYTES
        return [*special, *(bytes([each]) for each in range(256)), *(piece.encode() for piece in self.pieces)]

    def encode(self, raw: Column) -> Column:
        """Turn texts into the numbers of their tokens, int32, N texts of any length."""
        held = as_texts(raw)
        rows = [self.numbers(text_of(held[row])) for row in range(len(held))]
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)]).astype(np.int64)
        return Ragged(np.array([number for row in rows for number in row], dtype=np.int32), offsets)

    def numbers(self, text: str) -> list[int]:
        """Return the numbers of a text's tokens; one that the vocabulary lacks becomes those of its bytes."""
        found: list[int] = []
        for piece in CUTS[self.tokens](text):
            number = self._numbers.get(piece)
            found += [BYTES + byte for byte in piece.encode("utf-8", "replace")] if number is None else [number]
        return found

    def text(self, numbers: Iterable[int]) -> str:
        """Return the text of tokens; bytes that are no UTF-8 become U+FFFD."""
        return b"".join(self._spelled[number] for number in numbers).decode("utf-8", "replace")

    def ended(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """Return the tokens of a text with its end, where there is a place for it."""
        return (*numbers, END) if len(numbers) <= self.length else tuple(numbers)

    def texts(self, tokens: Column) -> tuple[str, ...]:
        """Return the texts of many."""
        return tuple(self.text(tokens[row].tolist()) for row in range(len(tokens)))

    def collate(self, truth: Column, moment: Moment) -> Batch:
        """Return the tokens with their ends, B x T, the same one place late as "teacher", and equal weights.

        What stands behind the end of a text, or behind the length, weighs nothing.
        """
        assert isinstance(truth, Ragged)
        lengths_B = np.minimum(truth.lengths, self.length)
        # As many as the decoder has places for, and few different widths.
        width = round_up(int(lengths_B.max(initial=0)) + 1)
        tokens_BT = truth.cut(self.length).padded(width)
        ended_B = np.flatnonzero(truth.lengths <= self.length)
        tokens_BT[ended_B, lengths_B[ended_B]] = END
        teacher_BT = np.concatenate([np.full((len(truth), 1), BEGIN, np.int32), tokens_BT[:, :-1]], axis=1)
        real_BT = tokens_BT != PADDING
        weights_BT = real_BT.astype(np.float32) / np.float32(max(1, int(real_BT.sum())))
        return {"teacher": teacher_BT, "truth": tokens_BT, "weights": weights_BT}

    def move(self, truth: Column, motion: Any) -> Column:
        """Return the truth as it is: a text does not move with its image."""
        return truth

    def decode(self, outputs: Batch, inputs: Batch) -> Column:
        """Return the written texts."""
        return texts(self.text(row) for row in outputs["tokens"].tolist())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "kind": KIND,
            "tokens": self.tokens,
            "pieces": list(self.pieces),
            "length": self.length,
            "most_words": self.most_words,
            "longer": self.longer,
        }


def learn(truth: Column, options: Options) -> TextTarget:
    """Return the target of the tokens in the training part, the most frequent first."""
    held = as_texts(truth)
    read = [text_of(held[row]) for row in range(len(held))]
    times = Counter(piece for text in read for piece in CUTS[options.tokens](text) if len(piece) <= LONGEST_PIECE)
    often = [piece for piece, count in times.items() if count >= options.least_count]
    often.sort(key=lambda piece: (-times[piece], piece))
    most_words = max((len(text.split()) for text in read), default=0)
    plain = TextTarget(options.tokens, tuple(often[: options.vocabulary]), LONGEST, most_words)
    lengths = [len(plain.numbers(text)) for text in read]
    length = options.length or min(LONGEST, max(lengths, default=1))
    longer = sum(each > length for each in lengths)
    return TextTarget(plain.tokens, plain.pieces, max(1, length), most_words, longer)


def target_from(values: Mapping[str, Any]) -> TextTarget:
    """Rebuild a target from a model folder, which may be anybody's; raises ModelError."""
    pieces, numbers = values.get("pieces"), [values.get(name) for name in ("length", "most_words", "longer")]
    if (
        values.get("tokens") not in CUTS
        or not isinstance(pieces, list | tuple)
        or len(pieces) > MOST_PIECES
        or not all(isinstance(piece, str) and 0 < len(piece) <= LONGEST_PIECE for piece in pieces)
        or len(set(pieces)) < len(pieces)
    ):
        raise ModelError(f"Its target names no vocabulary: up to {MOST_PIECES:,} different tokens belong there.")
    if any(type(number) is not int or number < 0 for number in numbers) or not 1 <= values["length"] <= LONGEST_SAID:
        raise ModelError(f"Its target has no length: a whole number from 1 to {LONGEST_SAID:,} belongs there.")
    try:
        "".join(pieces).encode()
    except UnicodeEncodeError:
        raise ModelError("Its target has a token that is no text.") from None
    length, most_words, longer = (int(number) for number in numbers if number is not None)
    return TextTarget(str(values["tokens"]), tuple(pieces), length, most_words, longer)


def outputs(target: TextTarget) -> int:
    """Return how many different tokens there are."""
    return FIRST + len(target.pieces)


def recognise(listing: Listing) -> str:
    """Say that each example has a text of its own to be written."""
    if not isinstance(listing.truth, Ragged):
        return ""
    return "a text to write for each"


def strata(truth: Column) -> NDArray[np.str_]:
    """Return the same for all: texts to write have no classes."""
    return np.full(len(truth), "", dtype=np.str_)


def count(truth: Column) -> Mapping[str, int]:
    """Return nothing: there are no classes to count."""
    return {}


def in_words(target: TextTarget) -> dict[str, str]:
    """Return the vocabulary and the length for the terminal."""
    said = {
        "target": f"{len(target.pieces):,} {target.tokens} of the training targets, and bytes for all others",
        "target length": f"up to {counted(target.length, 'token')}",
    }
    if target.longer:
        said["target length"] += (
            f"; {counted(target.longer, 'training target is', 'training targets are')} longer, and what stands behind "
            "that is not learned (--set generation.length=N)"
        )
    return said


def check(dataset: Dataset) -> tuple[str, ...]:
    """Refuse data that cannot carry the task (DataError), and say what it carries badly."""
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    total = sum(len(examples) for examples in splits.values())
    if total < FEWEST:
        raise DataError(
            f"The data set '{dataset.name}' has only {counted(total, 'pair')} in all. Training, choosing and testing "
            "need at least a few each, and some 1,000 in all to mean anything."
        )
    for name, examples in splits.items():
        if not len(examples):
            raise DataError(f"The {name} split is empty. Add examples to it, or remove it and it is made.")
    notes = []
    longest = {name: int(np.max(_lengths(examples.truth))) for name, examples in splits.items()}
    if max(longest["validation"], longest["test"]) > longest["train"]:
        notes.append(
            f"targets of test and validation have up to {max(longest['validation'], longest['test']):,} bytes, those "
            f"of training up to {longest['train']:,}; longer texts than it has seen are seldom written right"
        )
    return tuple(notes)


def _lengths(truth: Column) -> NDArray[np.int64]:
    return as_texts(truth).lengths
