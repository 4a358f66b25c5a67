"""Texts: how a stored text becomes the numbers that a model reads.

See what the model sees:  sonde show DATA
"""

# N texts, B batch, T tokens

import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sonde.data.bounded import LARGEST_TEXT
from sonde.data.encodings import read_text
from sonde.data.listing import Listing
from sonde.data.ragged import Ragged, Stored, round_up, text_of, texts
from sonde.data.spec import Spec
from sonde.data.text import tokens as cutting
from sonde.data.text.options import LARGEST_LENGTH, LARGEST_VOCABULARY, Options
from sonde.data.text.pretrained import read_checkpoint
from sonde.data.text.tokens import FIRST, UNKNOWN
from sonde.errors import DataError

LONGEST_TOKEN = 64
"""Letters; what is longer is no word of a language and counts as unknown."""

LONGEST_COLUMN = 1000
"""Letters of a column's name that a model keeps; what is longer is guessed anew."""

LARGEST_WORDS = 3_000_000
"""Bytes of JSON that the vocabulary and the joins may take in a model's description."""

TABLES = (".csv", ".tsv", ".parquet", ".pq", ".jsonl", ".ndjson")
"""Endings, in small letters, of files with a text in each row."""

USUAL_LENGTH = {"words": 512, "characters": 1024, "byte-pair": 512, "word-pieces": 512}
"""Most tokens of a text where nobody says: time grows with them."""

SHORTEST_AROUND = 3
"""Tokens of a text with one before and one behind it."""

COVERED = 99.0
"""Percentile of the training texts' lengths that is kept whole where nobody says."""


class TextSpec(Spec):
    """How a text becomes numbers; part of every saved model."""

    kind: Literal["text"] = "text"
    tokens: cutting.Kind
    vocabulary: Annotated[str, Field(max_length=LARGEST_WORDS)]
    """The tokens, each on a line, from number 2 on."""
    joins: Annotated[str, Field(max_length=LARGEST_WORDS)] = ""
    """Byte pairs: what is joined, in this order; two tokens on each line, with a blank between."""
    length: Annotated[int, Field(ge=1, le=LARGEST_LENGTH)]
    lower: bool = False
    strip_markup: bool = False
    strip_links: bool = False
    strip_accents: bool = False
    digits: bool = False
    around: tuple[()] | tuple[str, str] = ()
    """Tokens before and behind each text, of a checkpoint; they count towards the length."""
    blank_before: bool = True
    """Byte pairs: whether a text's first word is read as if a blank stood before it."""
    columns: tuple[Annotated[str, Field(max_length=LONGEST_COLUMN)], ...] = ()
    """Columns that the training texts stood in, where they stood in a table."""
    encoding: Annotated[str, Field(max_length=40)] = ""
    """That the training texts were said to be in; new files are read as such."""

    @cached_property
    def known(self) -> tuple[str, ...]:
        """The tokens of the vocabulary; the first one has the number 2."""
        return tuple(self.vocabulary.split("\n")) if self.vocabulary else ()

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Texts have different lengths."""
        return (None,)

    @property
    def dtype(self) -> Literal["float32", "int32"]:
        """Tokens are numbers of a vocabulary."""
        return "int32"

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """How many numbers there are, padding and the unknown token among them."""
        return (FIRST + len(self.known),)

    @property
    def fault(self) -> str:
        """What contradicts itself, or an empty text."""
        known = set(self.known)
        if len(known) < len(self.known) or len(known) > LARGEST_VOCABULARY:
            return f"{len(self.known):,} tokens in its vocabulary, {len(known):,} different ones"
        if self.around and self.length < SHORTEST_AROUND:
            return f"{self.length} tokens leave no room between the two around a text"
        if "" in known:
            return "a token of its vocabulary is empty"
        if any(not {*pair, "".join(pair)} <= known for pair in self._joins):
            return "its joins name what is no token"
        if self.joins and self.tokens != "byte-pair":
            return f"its joins are for byte pairs, and it has {self.tokens}"
        missing = [token for token in self._needed if token not in known]
        return f"its vocabulary lacks {' and '.join(missing)}" if missing else ""

    def encode(self, raw: Stored) -> Stored:
        """Turn texts into the numbers of their tokens; a text without any is one unknown token.

        Args:
            raw: UTF-8 bytes of N texts.

        Returns:
            int32, N texts of at most `length` numbers.
        """
        assert isinstance(raw, Ragged)
        rows = [self._bounded(row) for row in self._numbered(raw)]
        lengths = np.array([max(1, len(row)) for row in rows], dtype=np.int64)
        values = np.array([number for row in rows for number in (row or [UNKNOWN])], dtype=np.int32)
        return Ragged(values, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))

    def prepare(self, inputs: Stored, out: NDArray[np.int32] | None = None) -> NDArray[np.int32]:
        """Fill a batch up to the length of its longest text.

        Args:
            inputs: int32 numbers of B texts.
            out: where the result is written; a new array when left out.

        Returns:
            int32, B x T, 0 behind the end of a text; `out` where it was given.
        """
        assert isinstance(inputs, Ragged)
        length = round_up(int(inputs.lengths.max(initial=1))) if out is None else out.shape[1]
        padded_BT = inputs.padded(length)
        if out is None:
            return padded_BT
        out[:] = padded_BT
        return out

    def read(self, path: str) -> tuple[list[str], Ragged]:
        """Read one text, that of a file or what stands in the place of a path and is none, or the texts of a table.

        Args:
            path: a text file, a table or JSON lines with a text in each row, or a text itself.

        Returns:
            A name and the UTF-8 bytes of each.

        Raises:
            DataError: the file is not there, too large or no text; the text is name and reason.
        """
        if not path.strip():
            raise DataError("The text is empty. Give a text, or a file that holds one")
        if not _is_path(path):
            text = path
        else:
            file = Path(path)
            if not file.is_file():
                what = "is a folder; name the text files in it" if file.is_dir() else (
                    f"is not there (looked in {file.parent}); check the path. A text itself has two words or more"
                )  # fmt: skip
                raise DataError(f"{path} {what}")
            if file.suffix.lower() in TABLES:
                from sonde.data.sources.texts import read_unlabelled

                return read_unlabelled(file, self.columns, self.encoding)
            text, _ = read_text(file, LARGEST_TEXT, self.encoding)
        if not text.strip():
            raise DataError(f"{path.strip() or 'The text'} holds no text")
        return [path], texts([text])

    def pieces(self, raw: Ragged) -> list[list[str]]:
        """Return the tokens of texts as the model tells them apart, to be shown to people.

        Args:
            raw: UTF-8 bytes of N texts.

        Returns:
            For each text as many tokens as `encode` gives numbers; what the vocabulary does not hold is "?".
        """
        encoded = self.encode(raw)
        assert isinstance(encoded, Ragged)
        return self.named(encoded)

    def named(self, encoded: Ragged) -> list[list[str]]:
        """Return the tokens that numbers stand for.

        Args:
            encoded: as `encode` gave them, N texts.
        """
        name = cutting.shown if self.tokens == "byte-pair" else str
        known = ["", "?", *(name(token) for token in self.known)]
        return [[known[number] for number in encoded[row]] for row in range(len(encoded))]

    def _cleaned(self, raw: Ragged) -> list[str]:
        return [
            cutting.clean(
                text_of(raw[row]),
                markup=self.strip_markup,
                links=self.strip_links,
                accents=self.strip_accents,
                digits=self.digits,
                lower=self.lower,
            )
            for row in range(len(raw))
        ]

    @cached_property
    def unknown(self) -> int:
        """The number of what the vocabulary does not hold; a checkpoint has its own."""
        return FIRST + self.known.index(cutting.UNKNOWN_PIECE) if self.tokens == "word-pieces" else UNKNOWN

    @property
    def _needed(self) -> tuple[str, ...]:
        return (*self.around, cutting.UNKNOWN_PIECE) if self.tokens == "word-pieces" else self.around

    def _bounded(self, row: list[int]) -> list[int]:
        """Cut the numbers of a text to the length, and put around it what a checkpoint expects there."""
        if not self.around:
            return row[: self.length]
        first, last = self._ends
        return [first, *row[: self.length - 2], last]

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        return tuple(FIRST + self.known.index(token) for token in self.around)

    def _numbered(self, raw: Ragged) -> list[list[int]]:
        cleaned = self._cleaned(raw)
        if self.tokens in ("byte-pair", "word-pieces"):
            cut = (
                cutting.byte_pair_cut(self.known, self._joins, blank_before=self.blank_before)
                if self.tokens == "byte-pair"
                else cutting.word_piece_cut(self.known, lower=self.lower, accents=self.strip_accents)
            )
            return [[FIRST + number for number in row] for row in cut(cleaned)]
        numbers = {token: number for number, token in enumerate(self.known, FIRST)}
        split = cutting.CUTS[self.tokens]
        return [[numbers.get(token, UNKNOWN) for token in split(text)] for text in cleaned]

    @property
    def _joins(self) -> list[tuple[str, str]]:
        pairs = [line.partition(" ") for line in self.joins.split("\n")] if self.joins else []
        return [(first, second) for first, _, second in pairs]


def learn(raw: Stored, listing: Listing, options: Options) -> TextSpec:
    """Learn the vocabulary and the length, from the training texts alone.

    Args:
        raw: UTF-8 bytes of the training texts.
        listing: names the columns that they stand in.
        options: how they are cleaned, cut and counted.
    """
    assert isinstance(raw, Ragged)
    plain = _plain(listing, options)
    if options.tokens == "word-pieces":
        raise DataError("Word pieces come with weights: --set model.weights=FOLDER. See text.tokens for others.")
    cleaned = plain._cleaned(raw)
    joins: list[tuple[str, str]] = []
    if options.tokens == "byte-pair":
        known, joins = cutting.learn_byte_pairs(cleaned, most=options.vocabulary, least_count=options.least_count)
        known, joins = _bounded_pairs(known, joins)
    else:
        split = cutting.CUTS[options.tokens]
        cut = ([token for token in split(text) if len(token) <= LONGEST_TOKEN] for text in cleaned)
        known = _bounded(cutting.most_frequent(cut, most=options.vocabulary - FIRST, least_count=options.least_count))
    spec = plain.model_copy(
        update={"vocabulary": "\n".join(known), "joins": "\n".join(" ".join(pair) for pair in joins)}
    )
    lengths = [len(row) for row in spec._numbered(raw)]
    return spec.model_copy(update={"length": options.length or usual_length(lengths, options.tokens)})


def _plain(listing: Listing, options: Options) -> TextSpec:
    """Return what no text is needed for."""
    return TextSpec(
        tokens=options.tokens,
        vocabulary="",
        length=LARGEST_LENGTH,
        lower=options.lower,
        strip_markup=options.strip_markup,
        strip_links=options.strip_links,
        strip_accents=options.strip_accents,
        digits=options.digits,
        columns=() if max(map(len, listing.text_columns), default=0) > LONGEST_COLUMN else listing.text_columns,
        encoding=listing.encoding,
    )


def adopt(raw: Stored, listing: Listing, options: Options, weights: str) -> TextSpec:
    """Take everything but the length from an encoder that others have pretrained; see `learn`.

    Args:
        raw: UTF-8 bytes of the training texts.
        listing: names the columns that they stand in.
        options: how they are cleaned; what the encoder says otherwise is refused (DataError).
        weights: name of the encoder, as `read_checkpoint` takes it.
    """
    assert isinstance(raw, Ragged)
    plain = _plain(listing, options)
    checkpoint = read_checkpoint(weights)
    tokens = checkpoint.tokens
    own = {"tokens": tokens.kind, "lower": tokens.lower, "strip_accents": tokens.strip_accents}
    for name, value in own.items():
        if getattr(options, name) != value:
            raise DataError(f"model.weights brings text.{name} = {json.dumps(value)}; leave out text.{name}.")
    if options.vectors:
        raise DataError("model.weights brings the vectors of its tokens; leave out text.vectors.")
    known = tokens.known
    if len(known) > LARGEST_VOCABULARY:
        raise DataError(f"{weights} has {len(tokens.known):,} tokens, more than a model keeps.")
    most = checkpoint.sizes.positions
    if options.length > most:
        raise DataError(f"text.length = {options.length:,} is more than the encoder reads: {most:,} tokens.")
    if 0 < options.length < SHORTEST_AROUND:
        raise DataError(f"text.length = {options.length} leaves no room between the two tokens around a text.")
    joins = "\n".join(" ".join(pair) for pair in tokens.joins)
    if len(json.dumps("\n".join(known))) + len(json.dumps(joins)) > LARGEST_WORDS:
        raise DataError(f"{weights} has more tokens and joins than a model's description holds.")
    spec = plain.model_copy(
        update={
            "vocabulary": "\n".join(known),
            "joins": joins,
            "around": tokens.around,
            "blank_before": tokens.blank_before,
        }
    )
    lengths = [len(spec._bounded(row)) for row in spec._numbered(raw)]
    return spec.model_copy(update={"length": options.length or min(most, usual_length(lengths, options.tokens))})


def usual_length(lengths: list[int], kind: str) -> int:
    """Return the length that leaves 99 % of texts whole, within what is usual.

    Args:
        lengths: tokens of each training text.
        kind: what a token is.
    """
    most = int(np.ceil(np.percentile(lengths, COVERED))) if lengths else 1
    return max(1, min(round_up(most), USUAL_LENGTH[kind]))


def remarks(spec: TextSpec, raw: Ragged) -> tuple[str, ...]:
    """Say how much of the training texts the model does not see.

    Args:
        spec: what was learned from them.
        raw: UTF-8 bytes of the training texts.
    """
    rows = spec._numbered(raw)
    cut = sum(len(row) > spec.length - len(spec.around) for row in rows)
    total = sum(map(len, rows))
    unknown = sum(number == spec.unknown for row in rows for number in row)
    said = [
        f"{len(spec.known):,} {spec.tokens.replace('-', ' ')} are told apart; "
        f"{unknown / max(total, 1):.1%} of the training texts' are unknown"
    ]
    if cut:
        said.append(
            f"{cut:,} of {len(rows):,} training texts ({cut / len(rows):.1%}) are longer than text.length = "
            f"{spec.length:,} and lose their end (the longest has "
            f"{max(map(len, rows)) + len(spec.around):,})"
        )
    return tuple(said)


def _bounded(known: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the rarest tokens that would make a model's description too large."""
    sizes = np.cumsum([len(json.dumps(token)) for token in known])
    return known[: int(np.searchsorted(sizes, LARGEST_WORDS, side="right"))]


def _bounded_pairs(
    known: tuple[str, ...], joins: list[tuple[str, str]]
) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """Leave out the last byte pairs, likewise; letters beyond ASCII take six bytes for each of theirs."""
    # Each token may stand once more among the joins, in two parts.
    sizes = np.cumsum([2 * len(json.dumps(token)) for token in known])
    kept = known[: int(np.searchsorted(sizes, LARGEST_WORDS, side="right"))]
    tokens = set(kept)
    return kept, [pair for pair in joins if "".join(pair) in tokens]


def _is_path(words: str) -> bool:
    """Tell a path from a text: what is there is a path, and so is one word with a dot or a slash in it."""
    try:
        if len(words) < 4096 and "\0" not in words and Path(words).exists():
            return True
    except OSError:  # A name longer than the system allows.
        return False
    return len(words.split()) <= 1 and any(sign in words.strip()[:-1] for sign in "./\\")
