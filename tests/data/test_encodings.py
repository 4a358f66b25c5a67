"""Bytes become text in the encoding that they are in, and what was decided is said."""

import pytest

from sonde.data.encodings import decode
from sonde.errors import DataError

WESTERN = "plain words " * 20 + "café"


def test_utf_8_is_read_without_a_word() -> None:
    assert decode("naïve £5".encode(), "a.txt") == ("naïve £5", "")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_at_the_beginning_says_the_encoding_and_is_no_letter(encoding: str) -> None:
    text, _ = decode("café".encode(encoding), "a.txt")
    assert text == "café"


def test_a_few_western_letters_are_read_as_windows_and_the_byte_is_named() -> None:
    text, note = decode(("first\n" + WESTERN).encode("windows-1252"), "old.txt")
    assert text.endswith("café")
    assert "old.txt is not UTF-8 at byte 249 (0xe9, line 2); it was read as windows-1252" in note
    assert "--set data.encoding=NAME" in note


def test_bytes_that_windows_does_not_have_are_still_read() -> None:
    text, note = decode(WESTERN.encode() + b"\x81", "a.txt")
    assert text.endswith("\x81") and "iso-8859-1" in note


def test_what_is_mostly_foreign_is_refused_with_the_byte_and_the_cure() -> None:
    with pytest.raises(
        DataError, match=r"a\.txt is not UTF-8: byte 0 \(0x93, line 1\).*data\.encoding=NAME.*shift_jis"
    ):
        decode("日本語のテキスト".encode("shift_jis"), "a.txt")


def test_what_is_said_is_believed_and_checked() -> None:
    assert decode("日本語".encode("shift_jis"), "a.txt", "shift_jis") == ("日本語", "")
    with pytest.raises(DataError, match=r"a\.txt is not utf-8 text: byte 3 \(0xe9\).*save it as UTF-8"):
        decode("café".encode("latin-1"), "a.txt", "utf-8")


def test_an_unknown_encoding_is_refused_with_a_likely_one() -> None:
    with pytest.raises(DataError, match=r"data\.encoding = 'windows-1253x'.*Did you mean 'windows-125[12]'"):
        decode(b"a", "a.txt", "windows-1253x")


def test_a_codec_that_is_no_encoding_of_text_is_refused() -> None:
    with pytest.raises(DataError, match="no encoding of text"):
        decode(b"a", "a.txt", "zip")


def test_binary_files_are_no_text() -> None:
    with pytest.raises(DataError, match=r"a\.bin is no text file: byte 3 is zero"):
        decode(b"abc\0def", "a.bin")
