"""Names from data, on one line, visible and cut to their room; blocks that hold them."""

import pytest

from drawing.reading import SVG, parsed
from sonde.drawing import Block, grid, paragraph, stack
from sonde.drawing.marks import name
from sonde.drawing.markup import Markup
from sonde.drawing.safe_text import cut, one_line, visible, width, wrapped

LONG = "a name that goes on and on, much longer than the room it has"


def test_what_cannot_be_seen_is_spelled_out_and_words_that_need_joiners_keep_them() -> None:
    assert visible("a\u202eb\x07") == "a\\u202eb\\x07"
    assert visible("می\u200cخواهم") == "می\u200cخواهم"
    assert one_line("two\nlines\t ") == "two lines" and one_line(" \n") == "(empty)"
    assert len(one_line("x" * 5000)) == 400


@pytest.mark.parametrize("ems", [2, 5, 12])
@pytest.mark.parametrize("label", [LONG, "MMMMMMMMMM@@@@", "中文类别名称中文类别名称", "z̷̧̢̛a̶̡̢̛l̵̨̛g̶̛o̷̧", "🌼" * 30, ""])
def test_a_cut_name_fits_its_room(ems: int, label: str) -> None:
    assert width(cut(label, ems)) <= max(ems, width("(empty)") if not label else 0) + 0.05


def test_a_long_name_is_cut_and_a_tooltip_holds_the_whole() -> None:
    (shown,) = parsed(Block(100, 20, name((0, 12), LONG, 100))).iter(f"{SVG}text")
    assert (shown.text or "").endswith("…") and shown.findtext(f"{SVG}title") == LONG


def test_sentences_are_broken_between_words() -> None:
    lines = wrapped("one two three four five six seven", 80)
    assert len(lines) > 1 and " ".join(lines) == "one two three four five six seven"
    assert wrapped("", 80) == []


def test_a_paragraph_ends_in_an_ellipsis_where_lines_are_left_out() -> None:
    assert "…" in paragraph(LONG, 80, most=2).marks and paragraph(LONG, 80, most=2).high < paragraph(LONG, 80).high


def test_blocks_stand_below_and_beside_one_another_and_say_what_each_says() -> None:
    small, tall = Block(10, 10, Markup("<g/>"), "One."), Block(20, 30, Markup("<g/>"), "Two.")
    assert stack([small, tall], gap=5) == Block(
        20, 45, Markup('<g/><g transform="translate(0 15)"><g/></g>'), "One. Two."
    )
    beside = grid([small, tall, small], columns=2, gap=5)
    assert (beside.wide, beside.high) == (45, 45) and "translate(25 0)" in beside.marks
    assert stack([]) == Block(0, 0, Markup(""))
