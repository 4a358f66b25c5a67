"""Makes text from data safe to show: class names, file names and notes are whatever somebody wrote.

Control characters, line breaks and marks that turn the reading direction around are made visible or flat; escaping
for HTML is `markup.tag`'s work, so that no name can skip it.
"""

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 400
"""Characters of a name that are ever shown, also in a tooltip."""

# Marks that join letters and emoji into one glyph; without them Persian words and families of emoji fall apart.
_JOINERS = "\u200c\u200d"

_WIDE = {"W", "F"}
_NARROW = frozenset("fijlrtI.,:;'|!()[] /")
_BROAD = frozenset("mwMW%@—…<>=+~#&")


def visible(text: str) -> str:
    """Spell out what a reader cannot see: a bell becomes "\\x07", a right-to-left override "\\u202e".

    Line breaks and tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(character if _is_harmless(character) else _spelled(character) for character in text)


def one_line(text: str, *, longest: int = LONGEST) -> str:
    """Return text on one line, visible throughout; what is longer than `longest` characters ends in an ellipsis."""
    flat = visible(" ".join(str(text)[: 4 * longest].split()))
    flat = re.sub(r"(?:(?!\n)[\u0300-\u036f\u0489\u1ab0-\u1aff\u20d0-\u20ff]){4,}", lambda run: run[0][:3], flat)
    return (flat if len(flat) <= longest else flat[: longest - 1] + "…") or "(empty)"


def cut(text: str, ems: float) -> str:
    """Cut a text, brought on one line, to a width in units of the font's size; an ellipsis stands for what is gone."""
    flat = one_line(text)
    if width(flat) <= ems + 0.01:
        return flat
    while flat and width(flat) + 0.9 > ems:
        flat = flat[:-1]
    return flat.rstrip() + "…"


def width(text: str) -> float:
    """Estimate a text's width in units of the font's size, on the wide side for most sans-serif fonts."""
    return sum(_width(character) for character in text)


def widest(texts: Iterable[str], *, size: float = 12.5, most: float = 1e9) -> float:
    """Return the room that the widest of some texts takes, at most `most`."""
    return min(most, max((width(one_line(text)) for text in texts), default=0.0) * size)


def wrapped(text: str, room: float, *, size: float = 11.5) -> list[str]:
    """Break a text into lines no wider than its room; line breaks in it are blanks."""
    lines: list[str] = []
    for word in one_line(text, longest=2000).split(" ") if text else ():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer) * size <= room:
            lines[-1] = longer
        else:
            lines.append(cut(word, room / size))
    return lines


def _width(character: str) -> float:
    if unicodedata.east_asian_width(character) in _WIDE:
        return 1.05
    if unicodedata.combining(character) or character in _JOINERS:
        return 0.0
    if character in _NARROW:
        return 0.36
    return 0.84 if character in _BROAD else (0.7 if character.isupper() else 0.6)


def _is_harmless(character: str) -> bool:
    if character in "\n\t" or character in _JOINERS:
        return True
    # Cc control, Cf format (direction marks, tags), Cs surrogates, Co private, Cn unassigned and the non-characters.
    return character.isprintable() or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
