"""Turns a listing into stored texts, and guesses what nobody said of them."""

from sonde.config import Setting, Settings
from sonde.data.bounded import LARGEST_TEXT
from sonde.data.decoded import Decoded, as_listed, marks, without_bad
from sonde.data.encodings import read_text
from sonde.data.listing import Listing
from sonde.data.ragged import Ragged, text_of, texts
from sonde.data.text.augment import TABLE, Look
from sonde.data.text.options import Options
from sonde.errors import DataError

SAMPLE = 1000
"""Texts that are looked at; evenly spread."""

LONG_WORD = 20
"""Mean letters between blanks above which a language is taken for one that writes without them."""


def store(listing: Listing, options: Options, contents: str) -> Decoded:
    """Read the texts of a listing; those in files are decoded now, and files that cannot be are named.

    Args:
        listing: texts, or files of one text each.
        options: not read; cleaning and cutting come later.
    """
    if not isinstance(listing.content, tuple):
        return as_listed(listing, contents)
    bad: dict[int, str] = {}
    words: list[str] = []
    others: list[str] = []
    for row, path in enumerate(listing.content):
        try:
            text, note = read_text(path, LARGEST_TEXT, listing.encoding)
        except DataError as error:
            bad[row] = str(error).removeprefix(f"{path.name} ")
            continue
        if not text.strip():
            bad[row] = "holds no text"
            continue
        words.append(text.strip())
        others += [note] if note else []
    raw = texts(words)
    more = f" (and {len(others) - 1:,} more files are not UTF-8)" if len(others) > 1 else ""
    notes = (others[0].replace(" (change: --set data.encoding=NAME)", "") + more,) if others else ()
    return without_bad(listing, raw, marks(raw), bad, notes, contents)


def guess(listing: Listing) -> Settings:
    """Guess how texts are cut, and which augmentations suit, from a look at some of them.

    Args:
        listing: what `survey` found.

    Returns:
        Settings for text.tokens, text.lower and every augmentation, each with its reason.
    """
    guesses: dict[str, Setting] = {}
    # Where texts are to be written, every token of those that are read may count.
    writes = isinstance(listing.truth, Ragged)
    if writes and _is_one_word(_sample(listing)):
        reason = "most texts are one word, and what is written depends on its letters"
        guesses["text.tokens"] = Setting("characters", "guessed", reason=reason)
    elif _is_without_blanks(_sample(listing)):
        reason = f"more than {LONG_WORD} letters stand between blanks: words cannot be told apart by them"
        guesses["text.tokens"] = Setting("characters", "guessed", reason=reason)
    reason = "a word at the start of a sentence is the same as elsewhere; capitals matter: --set text.lower=false"
    guesses["text.lower"] = Setting(True, "guessed", reason=reason)
    if writes:
        guesses["text.lower"] = Setting(False, "guessed", reason="what is written has capitals too")
        guesses["text.least_count"] = Setting(1, "guessed", reason="a rare name may have to be written too")
    look = Look(texts=len(listing), writes=writes)
    for name, row in TABLE.items():
        strength, why = row.guess(look)
        guesses[f"augment.{name}"] = Setting(strength, "guessed", reason=why)
    return Settings(guesses)


def _sample(listing: Listing) -> list[str]:
    rows = listing.spread(SAMPLE)
    content = listing.content
    if isinstance(content, Ragged):
        return [text_of(content[row]) for row in rows]
    assert isinstance(content, tuple)
    found = []
    for row in rows[:: max(1, len(rows) // 100)]:
        try:
            found.append(read_text(content[row], LARGEST_TEXT, listing.encoding)[0])
        except DataError:
            continue  # Loading names it.
    return found


def _is_without_blanks(sample: list[str]) -> bool:
    words = sum(len(text.split()) for text in sample)
    return words > 0 and sum(map(len, sample)) / words > LONG_WORD


def _is_one_word(sample: list[str]) -> bool:
    return sum(len(text.split()) for text in sample) < 1.5 * len(sample)
