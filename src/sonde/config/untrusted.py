"""Reads JSON and TOML that anybody may have written: bounded in bytes, depth and digits, from regular files alone.

Python's own parsers end in a `RecursionError` on lists inside of lists, in a `ValueError` of another kind on a number
of 5,000 digits, wait for ever on a pipe, and take gigabytes for a key of 50,000 dots. What breaks a rule here is one
`Unsound`, whose text says which; whoever reads the file adds its name and the cure.
"""

import json
import re
import tomllib
from math import isinf
from pathlib import Path
from typing import Any

from sonde.config.disk import read_regular

LARGEST_JSON = 100_000_000
"""Bytes of a JSON file; the scores of 5,000 classes, with their confusion matrix, stay below."""
DEEPEST = 64
"""Lists and tables inside of one another; what sonde writes has some 8."""
MOST_CONTAINERS = 3_000_000
"""Lists and tables in one text: an empty one takes 3 bytes in a file and 64 in memory."""
MOST_DIGITS = 300
"""Characters of a number; a whole number of 300 digits is still below the largest float."""
MOST_DOTS = 8
"""Parts of a TOML key; `tomllib` takes time and memory as the square of their number."""

# Each takes a string to its end, or to the end of the text where it has none, so that no text is gone through twice.
_JSON_STRING = re.compile(r'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?', re.DOTALL)
_TOML_STRING = re.compile(
    r'"""(?:[^\\]|\\.?)*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"[^"\\\n]*+(?:\\.?[^"\\\n]*+)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
# They begin where a word does, and never give back what they took: so these, too, go through a text once.
_LONG_NUMBER = re.compile(rf"(?<![\w.])[0-9][0-9A-Za-z_.]{{{MOST_DIGITS},}}+")
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]++[ \t]*+\.[ \t]*+){{{MOST_DOTS},}}+")
_BRACKET = re.compile(r"[\[\]{}]")


class Unsound(ValueError):
    """A text that breaks a rule of this module; the words follow a file's name, as in "FILE is damaged: ..."."""


def read_json(path: Path, *, largest: int = LARGEST_JSON) -> Any:
    """Read a JSON file.

    Args:
        path: file to read; a link is followed.
        largest: bytes that it may have at most.

    Raises:
        FileNotFoundError: there is none.
        Unsound: it cannot be read, is no regular file, is too large, or is not JSON within the bounds.
    """
    return parse_json(read_text(path, largest=largest))


def read_text(path: Path, *, largest: int) -> str:
    """Read a file of UTF-8 text; a byte order mark is left out.

    Args:
        path: file to read; a link is followed.
        largest: bytes that it may have at most.

    Raises:
        FileNotFoundError: there is none.
        Unsound: it cannot be read, is no regular file, is too large or not UTF-8.
    """
    try:
        return read_regular(path, largest=largest).decode("utf-8-sig")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unsound(error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise Unsound(f"it is not UTF-8 text ({error})") from None
    except ValueError as error:  # A name with a null byte, or with half a letter.
        raise Unsound(str(error)) from None


def parse_json(text: str | bytes, *, finite: bool = True) -> Any:
    """Return the value of a JSON text.

    Args:
        text: bytes are UTF-8.
        finite: refuse NaN, Infinity and numbers too large for a float, as JSON itself does.

    Raises:
        Unsound: it is not JSON, nested too deep, or holds a number that is too long or not finite.
    """
    try:
        whole = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        if whole.count("[") + whole.count("{") > DEEPEST:
            _check_nesting(_JSON_STRING.sub('""', whole), DEEPEST)
        return json.loads(whole, **(_STRICT if finite else _LENIENT))
    except Unsound:
        raise
    except UnicodeDecodeError as error:
        raise Unsound(f"it is not UTF-8 text ({error})") from None
    except ValueError as error:
        raise Unsound(f"it is not JSON: {error}") from None


def parse_toml(text: str) -> dict[str, Any]:
    """Return the tables of a TOML text.

    Args:
        text: a whole file's; whoever reads it bounds its size.

    Raises:
        Unsound: it is not TOML, nested too deep, or holds a number or a key that is too long; the words name the line.
    """
    # Strings and comments may hold anything. Each leaves its line breaks behind, for the number of the line.
    bare = _TOML_STRING.sub(lambda each: "s" * (each[0][0] != "#") + "\n" * each[0].count("\n"), text)
    _check_nesting(bare, DEEPEST)
    for pattern, words in (
        (_LONG_NUMBER, f"a number of more than {MOST_DIGITS} digits"),
        (_LONG_KEY, f"a key of more than {MOST_DOTS} parts"),
    ):
        if found := pattern.search(bare):
            raise Unsound(f"line {bare.count(chr(10), 0, found.start()) + 1} holds {words}")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unsound(f"it is not valid TOML: {error}") from None


def parse_word(raw: str) -> Any:
    """Return the value that a word on the command line has as TOML; a word that is none is text.

    Args:
        raw: "0.1", "[28, 28]", "true", '"quoted"' or a bare word.

    Raises:
        Unsound: it is nested too deep, or a number that is too long.
    """
    bare = _TOML_STRING.sub("s", raw)
    _check_nesting(bare, DEEPEST)
    if _LONG_NUMBER.search(bare):
        raise Unsound(f"it is a number of more than {MOST_DIGITS} digits")
    # No option is a table, and no value of one line holds a key.
    if "{" in bare or "\n" in raw:
        return raw
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return raw


def _check_nesting(bare: str, deepest: int) -> None:
    """Refuse a text without its strings whose brackets are too many or too deep."""
    if bare.count("[") + bare.count("{") > MOST_CONTAINERS:
        raise Unsound(f"it holds more than {MOST_CONTAINERS:,} lists and tables")
    depth = 0
    for bracket in _BRACKET.finditer(bare):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > deepest:
            line = bare.count("\n", 0, bracket.start()) + 1
            where = f"line {line}" if "\n" in bare else "it"
            raise Unsound(f"{where} holds lists inside of lists, more than {deepest} deep")


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise Unsound(f"it holds a number of {len(digits):,} digits, and at most {MOST_DIGITS} are read")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise Unsound(f"it holds {digits[:20]}, which is larger than any number")
    return number


def _no_number(name: str) -> Any:
    raise Unsound(f"it holds {name}, which is no number")


_STRICT: dict[str, Any] = {"parse_int": _integer, "parse_float": _finite, "parse_constant": _no_number}
_LENIENT: dict[str, Any] = {"parse_int": _integer}
