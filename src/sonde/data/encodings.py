"""Turns the bytes of a text file into text: UTF-8 unless the file or its reader says otherwise, and never in silence.

text, note = decode(raw, "reviews.txt")
"""

import codecs
from pathlib import Path

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
        name: the file, for messages.
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
        path: the file.
        limit: most bytes that it may have.
        encoding: as for `decode`.

    Returns:
        As `decode`.

    Raises:
        DataError: it is too large, cannot be read, or cannot be decoded.
    """
    try:
        size = path.stat().st_size
        if size > limit:
            raise DataError(f"{path.name} has {size:,} bytes, more than the {limit:,} that a text is read of.")
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror}); check its permissions") from None
    return decode(raw, path.name, encoding)


def _as_said(raw: bytes, name: str, encoding: str) -> str:
    try:
        # bytes.decode refuses the codecs that are no encodings of text, such as zip.
        return raw.decode(encoding)
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
