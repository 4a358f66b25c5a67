"""Cuts texts into tokens and numbers them: words, characters, or byte pairs.

words("Don't panic, 42!")       ["Don't", "panic", ",", "42", "!"]

0 is padding and 1 stands for what the vocabulary does not hold; the tokens follow, the most frequent first.
"""

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from sonde.errors import DataError

PADDING, UNKNOWN, FIRST = 0, 1, 2
"""Numbers of padding, of what is not in the vocabulary, and of its first token."""
UNKNOWN_PIECE = "[UNK]"
"""The token among word pieces that stands for what they cannot spell."""

Kind = Literal["words", "characters", "byte-pair", "word-pieces"]

WORD = re.compile(r"\w+(?:['’]\w+)*|['’](?:s|re|ve|ll|d|m|t)\b|[^\w\s]", re.IGNORECASE)
"""Letters and digits, with apostrophes inside; the ends of English contractions that were cut off; single signs."""

MARKUP = re.compile(r"<[!/?A-Za-z][^<>]{0,2000}>")
"""A tag or a comment of HTML or XML."""

DIGIT = re.compile(r"\d")
LINK = re.compile(r"(?:https?://|www\.)\S+|\b[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+", re.IGNORECASE)
"""An address of the web or of mail."""

LINK_WORD = "link"
"""What an address becomes."""

ALPHABET = 256
"""Tokens that byte pairs start from: the bytes."""


def words(text: str) -> list[str]:
    """Cut a text into words and signs.

    Args:
        text: any text; composed and decomposed letters (é in one or two code points) are one here.
    """
    return WORD.findall(unicodedata.normalize("NFC", text))


def characters(text: str) -> list[str]:
    """Cut a text into its characters, runs of white space as one blank."""
    return list(" ".join(unicodedata.normalize("NFC", text).split()))


CUTS: dict[str, Callable[[str], list[str]]] = {"words": words, "characters": characters}
"""The ways to cut that need nothing learned."""


def clean(text: str, *, markup: bool, links: bool, accents: bool, digits: bool, lower: bool) -> str:
    """Clean a text as far as it is asked for.

    Args:
        markup: tags go, and entities such as &amp; become what they mean.
        links: addresses of the web and of mail become the word "link".
        accents: marks on letters go, é becomes e.
        digits: every digit becomes 0, so that all numbers of one length are one word.
    """
    if markup:
        text = html.unescape(MARKUP.sub(" ", text))
    if links:
        text = LINK.sub(LINK_WORD, text)
    if accents:
        decomposed = unicodedata.normalize("NFD", text)
        text = unicodedata.normalize("NFC", "".join(each for each in decomposed if not unicodedata.combining(each)))
    if digits:
        text = DIGIT.sub("0", text)
    return text.lower() if lower else text


def most_frequent(cut: Iterable[Sequence[str]], *, most: int, least_count: int) -> tuple[str, ...]:
    """Return the tokens that occur most often, the most frequent first, equal ones by the alphabet.

    Args:
        cut: the tokens of each training text.
        most: how many are kept.
        least_count: how often one must occur.
    """
    counts: Counter[str] = Counter()
    for tokens in cut:
        counts.update(tokens)
    kept = sorted(
        (token for token, count in counts.items() if count >= least_count), key=lambda each: (-counts[each], each)
    )
    return tuple(kept[:most])


def learn_byte_pairs(
    texts: Iterable[str], *, most: int, least_count: int
) -> tuple[tuple[str, ...], list[tuple[str, str]]]:
    """Learn which neighbouring bytes to join (Sennrich et al., 2016, on bytes as in GPT-2).

    Args:
        most: tokens of the vocabulary, the 256 bytes among them.
        least_count: how often a pair must occur to be joined.

    Returns:
        The tokens, and the pairs in the order in which they are joined.

    Raises:
        DataError: the library is not installed.
    """
    library = _tokenizers()
    tokenizer = library.Tokenizer(library.models.BPE())
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=True)
    trainer = library.trainers.BpeTrainer(
        vocab_size=max(most, ALPHABET),
        min_frequency=least_count,
        initial_alphabet=sorted(library.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    numbers = tokenizer.get_vocab()
    joined = {token: (first, second) for first, second, token in _joins(tokenizer)}
    tokens = tuple(sorted(numbers, key=numbers.__getitem__))
    return tokens, [joined[token] for token in tokens if token in joined]


def byte_pair_cut(
    tokens: Sequence[str], joins: Sequence[tuple[str, str]], *, blank_before: bool = True
) -> Callable[[list[str]], list[list[int]]]:
    """Return what cuts texts into the numbers of byte pairs, from 0.

    Args:
        joins: likewise; both parts and the whole of each must be tokens.
        blank_before: read a text's first word as if a blank stood before it, as before all others.

    Raises:
        DataError: the library is not installed.
    """
    library = _tokenizers()
    numbers = {token: number for number, token in enumerate(tokens)}
    tokenizer = library.Tokenizer(library.models.BPE(vocab=numbers, merges=list(joins)))
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=blank_before)
    return lambda texts: [each.ids for each in tokenizer.encode_batch(texts, add_special_tokens=False)]


def word_piece_cut(tokens: Sequence[str], *, lower: bool, accents: bool) -> Callable[[list[str]], list[list[int]]]:
    """Return what cuts texts into the numbers of word pieces, from 0 (Wu et al., 2016; as BERT does).

    Args:
        tokens: among them `UNKNOWN_PIECE`; those that begin with ## go on with a word.
        accents: leave out marks on letters.

    Raises:
        DataError: the library is not installed.
    """
    library = _tokenizers()
    numbers = {token: number for number, token in enumerate(tokens)}
    tokenizer = library.Tokenizer(library.models.WordPiece(vocab=numbers, unk_token=UNKNOWN_PIECE))
    tokenizer.normalizer = library.normalizers.BertNormalizer(lowercase=lower, strip_accents=accents)
    tokenizer.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()
    return lambda texts: [each.ids for each in tokenizer.encode_batch(texts, add_special_tokens=False)]


def shown(token: str) -> str:
    """Return a byte-pair token as people read it; half a letter is shown as the sign for one that is missing.

    Args:
        token: one of the vocabulary, with a sign for each byte.
    """
    return bytes(_BYTES[sign] for sign in token if sign in _BYTES).decode("utf-8", "replace")


# The library writes bytes as letters: those that can be seen as themselves, the others as those from 256 on (GPT-2).
_SEEN = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_HIDDEN = [byte for byte in range(256) if byte not in _SEEN]
_BYTES = {**{chr(byte): byte for byte in _SEEN}, **{chr(256 + place): byte for place, byte in enumerate(_HIDDEN)}}


def _joins(tokenizer: Any) -> list[tuple[str, str, str]]:
    from sonde.config.untrusted import parse_json

    merges = parse_json(tokenizer.to_str())["model"]["merges"]
    pairs = [each.split(" ", 1) if isinstance(each, str) else each for each in merges]
    return [(first, second, first + second) for first, second in pairs]


def _tokenizers() -> Any:
    try:
        import tokenizers
    except ImportError:
        raise DataError(
            "Byte pairs and word pieces need the library 'tokenizers': pip install 'sonde[text]'. Without it there are "
            "--set text.tokens=words and --set text.tokens=characters."
        ) from None
    return tokenizers
