"""What every form promises: whole, harmless, described, inside of its sheet, small, for any number of things."""

import re
from functools import cache

import pytest

from drawing.forms import FORMS
from drawing.reading import SVG, parsed, places, texts
from sonde.drawing import Block, picture
from sonde.drawing.marks import STYLES

HARMLESS = {"svg", "title", "desc", "g", "rect", "line", "polyline", "path", "circle", "text", "image"}
"""The elements that pictures are made of; none of them can run, load or link anything but an image's data."""
NASTY = (
    "<script>alert(1)</script>",
    "a\u202eb",
    "]]>--><svg onload=alert(1)>",
    "",
    "w" * 500,
    "two\nlines",
    "\ud800",
    "שלום",
)

every_form = pytest.mark.parametrize("kind", FORMS)
any_number = pytest.mark.parametrize("count", [0, 1, 2, 13, 1000])
with_gaps = pytest.mark.parametrize("gaps", [False, True])


@cache
def drawn(kind: str, count: int, gaps: bool = False) -> Block:
    """Return a form made of so many things."""
    return FORMS[kind]([f"kind {at}" for at in range(count)], gaps)


@every_form
@any_number
@with_gaps
def test_every_picture_is_whole_described_and_harmless(kind: str, count: int, gaps: bool) -> None:
    root = parsed(drawn(kind, count, gaps))

    assert root[0].tag == f"{SVG}title" and root[1].tag == f"{SVG}desc" and root[1].text
    assert root.get("aria-labelledby", "").split() == [root[0].get("id"), root[1].get("id")]
    assert not re.search(
        r"\b(nan|inf|None)\b", re.sub(r'href="[^"]*"', "", picture(drawn(kind, count, gaps), "key", kind))
    )
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in HARMLESS
        for attribute, value in element.attrib.items():
            assert not attribute.startswith("on") and attribute != "style"
            assert attribute != "href" or value.startswith("data:image/png;base64,")


@every_form
@any_number
@with_gaps
def test_everything_lies_on_the_sheet(kind: str, count: int, gaps: bool) -> None:
    block = drawn(kind, count, gaps)
    # Widths of letters are estimates, on the wide side.
    outside = [
        (what, place)
        for what, place in places(parsed(block))
        if not (-12 <= place[0] <= block.wide + 12 and -1 <= place[1] <= block.high + 1)
    ]
    assert block.wide <= 440 and outside == []


@every_form
@with_gaps
def test_the_same_numbers_give_the_same_bytes(kind: str, gaps: bool) -> None:
    assert drawn.__wrapped__(kind, 13, gaps) == drawn(kind, 13, gaps)


@every_form
@any_number
def test_every_mark_has_a_style_and_no_colour_of_its_own_so_that_it_follows_light_and_dark(
    kind: str, count: int
) -> None:
    for element in parsed(drawn(kind, count)).iter():
        style = element.get("class", "plot")
        told = {key: element.get(key) for key in ("fill", "stroke") if element.get(key)}
        assert told == {key: STYLES.get(style, {}).get(key) for key in told}
        assert element.tag.removeprefix(SVG) in {"svg", "title", "desc", "g", "image"} or style in STYLES


@every_form
def test_a_thousand_things_stay_small(kind: str) -> None:
    assert len(picture(drawn(kind, 1000), "key", kind)) < 160_000


@every_form
def test_names_are_shown_as_text_and_cannot_hide_or_reorder_anything(kind: str) -> None:
    block = FORMS[kind](NASTY, False)
    written = picture(block, "key", NASTY[0])
    assert "<script" not in written and "<svg onload" not in written
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", written)
    assert parsed(block) is not None


@every_form
def test_nothing_to_show_is_said(kind: str) -> None:
    block = drawn(kind, 0)
    assert block.marks == "" or any("nothing to show" in each for each in texts(parsed(block)))
