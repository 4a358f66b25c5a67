"""Turns the bytes of a text file into text: UTF-8 unless the file or its reader says otherwise, and never in silence.

text, note = decode(raw, "reviews.txt")
"""

import codecs
from pathlib import Path

from sonde.data.bounded import read_bytes
from sonde.errors import DataError, did_you_mean

FALLBACK = "windows-1252"
"""What a file of mostly plain letters is read as where it is not UTF-8; the web does the same (WHATWG Encoding)."""

MOST_FOREIGN = 0.1
"""Share of bytes beyond ASCII above which the fallback is no likely reading: western text has some 3 %."""

USUAL = ("utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15", "windows-1251", "koi8-r", "gb18030", "big5",
         "shift_jis", "euc-jp", "euc-kr")  # fmt: skip
"""Names of encodings that are suggested."""

MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
"""What a file may begin with to say its encoding; the longer ones of two that begin alike stand first."""


def decode(raw: bytes, name: str, encoding: str = "") -> tuple[str, str]:
    """Decode the content of a text file.

    Args:
        raw: all of its bytes.
        encoding: what the user says it is; empty takes the file's own mark, else UTF-8, else windows-1252.

    Returns:
        The text, and a sentence on what was decided where it is neither UTF-8 nor said; else an empty one.

    Raises:
        DataError: it cannot be decoded, or is no text; the text names the file, the byte and the cure.
    """
    if encoding:
        return _as_said(raw, name, encoding), ""
    for mark, marked in MARKS:
        if raw.startswith(mark):
            return _as_said(
                raw, name, marked
            ), "" if marked == "utf-8-sig" else f"{name} is {marked} by its first bytes"
    if b"\0" in raw:
        raise DataError(
            f"{name} is no text file: byte {raw.index(0):,} is zero. If it is text in UTF-16, say so with "
            "--set data.encoding=utf-16."
        )
    try:
        return raw.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        return _fallen_back(raw, name, error.start)


def read_text(path: Path, limit: int, encoding: str = "") -> tuple[str, str]:
    """Read a whole text file.

    Args:
        limit: most bytes that it may have.
        encoding: as for `decode`.

    Returns:
        As `decode`.

    Raises:
        DataError: it is too large, cannot be read, or cannot be decoded.
    """
    return decode(read_bytes(path, limit), path.name, encoding)


def read_head(path: Path, most: int) -> tuple[str, bool]:
    """Read the first lines of a text file, to see what it is: in an encoding that serves for that.

    Args:
        most: bytes that are looked at.

    Returns:
        Whole lines, and whether more follow.

    Raises:
        DataError: it is no text.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        raw = file.read(most + 1)
    is_cut = len(raw) > most
    encoding = next((marked for mark, marked in MARKS if raw.startswith(mark)), "") or _likely(raw, path.name)
    # Half a letter at the end is left out.
    text = codecs.getincrementaldecoder(encoding)("replace").decode(raw[:most], final=not is_cut)
    end = max(text.rfind("\n"), text.rfind("\r")) + 1
    return (text[:end] if is_cut and end else text), is_cut


def _likely(raw: bytes, name: str) -> str:
    """Return an encoding in which delimiters and labels are seen; which one it is exactly is for `decode`."""
    if b"\0" in raw:
        # Western text in UTF-16 has a zero in every other byte.
        for encoding, place in (("utf-16-le", 1), ("utf-16-be", 0)):
            if raw[place::2].count(0) > 0.5 * len(raw[place::2]) and b"\0" not in raw[1 - place :: 2]:
                return encoding
        raise DataError(f"{name} is no text file: byte {raw.index(0):,} is zero")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(raw, final=False)
    except UnicodeDecodeError:
        return "iso-8859-1"
    return "utf-8"


def _as_said(raw: bytes, name: str, encoding: str) -> str:
    try:
        # bytes.decode refuses the codecs that are no encodings of text, such as zip. A mark at the beginning is no
        # letter, also where it was said that the text is UTF-8.
        return raw.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise DataError(
            f"data.encoding = '{encoding}' is no encoding of text that Python knows.{did_you_mean(encoding, USUAL)} "
            f"Usual ones: {', '.join(USUAL)}."
        ) from None
    except UnicodeError as error:
        place = (
            f"byte {error.start:,} ({raw[error.start]:#04x})" if isinstance(error, UnicodeDecodeError) else str(error)
        )
        raise DataError(
            f"{name} is not {encoding} text: {place} does not belong there. Say what it is with "
            f"--set data.encoding=NAME ({', '.join(USUAL[:5])}, ...), or save it as UTF-8."
        ) from None


def _fallen_back(raw: bytes, name: str, place: int) -> tuple[str, str]:
    line = raw.count(b"\n", 0, place) + 1
    where = f"byte {place:,} ({raw[place]:#04x}, line {line:,})"
    foreign = sum(byte >= 0x80 for byte in raw[: 1 << 20]) / min(len(raw), 1 << 20)
    cure = "--set data.encoding=NAME"
    if foreign > MOST_FOREIGN:
        raise DataError(
            f"{name} is not UTF-8: {where} does not belong there. Say what it is with {cure} "
            f"({', '.join(USUAL[1:])}), or save it as UTF-8."
        )
    # Five bytes are nothing in windows-1252; ISO-8859-1 has a character for each.
    try:
        text, used = raw.decode(FALLBACK), FALLBACK
    except UnicodeDecodeError:
        text, used = raw.decode("iso-8859-1"), "iso-8859-1"
    return text, f"{name} is not UTF-8 at {where}; it was read as {used} (change: {cure})"
