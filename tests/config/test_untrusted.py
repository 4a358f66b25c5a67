"""JSON and TOML that anybody may have written end in a value or in one message, in a moment, whatever they hold."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonde.config.untrusted import Unsound, parse_json, parse_toml, parse_word, read_json

SECONDS = 20.0
"""What each of these may take on a busy machine; most took minutes, gigabytes or for ever in Python's own parsers."""

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**200), 10**200) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=30,
)  # fmt: skip


@given(plain)
def test_what_json_writes_is_read_as_it_was(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1, ensure_ascii=False)):
        assert parse_json(text) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 10_000, "it holds lists inside of lists, more than 64 deep"),
        ('{"a":' * 65 + "1" + "}" * 65, "more than 64 deep"),
        ("[[]" + ",[]" * 3_000_000 + "]", "more than 3,000,000 lists and tables"),
        ('{"headline": ' + "9" * 5000 + "}", "a number of 5,000 digits, and at most 300 are read"),
        ("[-" + "9" * 301 + "]", "a number of 302 digits"),
        ("[1e999]", "1e999, which is larger than any number"),
        ("NaN", "NaN, which is no number"),
        ("[1, -Infinity]", "-Infinity, which is no number"),
        ("{", "it is not JSON: Expecting property name"),
        ("", "it is not JSON"),
        ('"' + '\\"' * 500_000, "it is not JSON: Unterminated string"),
        ('["' + "[" * 100 + '"' + "\\" * 500_001, "it is not JSON"),
        (b"\xff\xfe", "it is not UTF-8 text"),
    ],
    ids=lambda words: ascii(words)[:20],
)  # fmt: skip
def test_json_that_breaks_a_rule_is_refused_by_it(text: str | bytes, says: str) -> None:
    began = time.monotonic()
    with pytest.raises(Unsound) as caught:
        parse_json(text)
    assert says in str(caught.value) and len(str(caught.value)) < 300
    assert time.monotonic() - began < SECONDS


def test_brackets_in_strings_are_no_lists_and_many_lists_beside_one_another_are_not_deep() -> None:
    assert parse_json(json.dumps({"a": "[{" * 500 + '"\\'})) == {"a": "[{" * 500 + '"\\'}
    assert parse_json("[" + "[[]], " * 500 + "[]]") == [*([[[]]] * 500), []]
    assert parse_json("[" * 64 + "]" * 64) is not None
    assert parse_json("9" * 300) == 10**300 - 1
    assert parse_json(b"\xef\xbb\xbf{}") == {}


def test_data_may_hold_what_is_no_number_where_that_was_said() -> None:
    assert str(parse_json("[NaN, 1e999, -Infinity]", finite=False)) == "[nan, inf, -inf]"
    with pytest.raises(Unsound, match="5,000 digits"):
        parse_json("9" * 5000, finite=False)


def test_only_a_regular_file_of_a_bounded_size_is_read(tmp_path: Path) -> None:
    file = tmp_path / "scores.json"
    with pytest.raises(FileNotFoundError):
        read_json(file)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for name in ("pipe", "endless", "."):
        with pytest.raises(Unsound, match="it is not a regular file"):
            read_json(tmp_path / name)
    file.write_text("{}")
    os.truncate(file, 3 << 30)
    with pytest.raises(Unsound, match="it has 3,221,225,472 bytes where at most 100,000,000 can be right"):
        read_json(file)
    for name in ("a" * 10_000, "a\0b", "\ud800"):
        with pytest.raises(Unsound):
            read_json(Path(name))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[run]\nx = " + "[" * 10_000, "line 2 holds lists inside of lists, more than 64 deep"),
        ("x = " + "{a = " * 70 + "1" + "}" * 70, "more than 64 deep"),
        ("[run]\n\nepochs = 1" + "0" * 5000, "line 3 holds a number of more than 300 digits"),
        ("seed = 0x" + "f" * 900_000, "a number of more than 300 digits"),
        ("seed = 1" + "_000" * 200, "a number of more than 300 digits"),
        ("a = '''\n1\n'''\nb = 1." + "0" * 400, "line 4 holds a number"),
        ("[run]\n" + ".".join(["a"] * 50_000) + " = 1", "line 2 holds a key of more than 8 parts"),
        ("[" + " . ".join(["a"] * 50_000) + "]\nx = 1", "line 1 holds a key of more than 8 parts"),
        (".".join(['"a.b"'] * 50_000) + " = 1", "a key of more than 8 parts"),
        ("x" * 900_000, "not valid TOML"),
        ("'''" * 300_000, "not valid TOML"),
        ('"""\\' * 200_000, "not valid TOML"),
        ('"' * 900_000, "not valid TOML"),
        ("x " * 400_000, "not valid TOML"),
    ],
    ids=lambda words: ascii(words)[:20],
)  # fmt: skip
def test_toml_that_breaks_a_rule_is_refused_with_its_line(text: str, says: str) -> None:
    began = time.monotonic()
    with pytest.raises(Unsound) as caught:
        parse_toml(text)
    assert says in str(caught.value) and len(str(caught.value)) < 300
    assert time.monotonic() - began < SECONDS


def test_what_stands_in_strings_and_comments_of_toml_breaks_no_rule() -> None:
    hard = "[" * 100 + "a." * 20 + "9" * 500
    text = f'a = \'{hard}\' # {hard}\nb = "{hard}\\"{hard}"\nc = \'\'\'\n{hard}\'\'\'\nd = """{hard}"""\ne = [1, 2]\n'
    assert parse_toml(text) == {"a": hard, "b": f'{hard}"{hard}', "c": hard, "d": hard, "e": [1, 2]}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("0.1", 0.1),
        ("[28, 28]", [28, 28]),
        ('"[[[["', "[[[["),
        ("my.model.of.many.parts.v1.2.3.4.5/best", "my.model.of.many.parts.v1.2.3.4.5/best"),
        ("{a = 1}", "{a = 1}"),
        ("1\nb = 2", "1\nb = 2"),
        ("1e999", float("inf")),
    ],
)
def test_a_word_is_a_value_or_text(word: str, value: Any) -> None:
    assert parse_word(word) == value


@pytest.mark.parametrize("read", [parse_json, parse_toml, parse_word])
@given(st.text("[]{}\"'\\#.\n 0a=,_", max_size=40))
def test_no_text_ends_in_another_error(read: Callable[[str], Any], text: str) -> None:
    try:
        read(text)
    except Unsound as error:
        assert str(error)
