"""Whatever was read can be shown: in the gallery of mistakes, in the report, whole and harmless."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from sonde.evaluation.plots.shown import POINTS, Box, height_of, tinted, weighed, wrapped

from sonde.data.ragged import texts
from sonde.evaluation.pictures import MOST_LETTERS, Lines, Picture, Pixels, Row, Spectrogram, Text, in_words, picture
from sonde.evaluation.plots import Mistake
from sonde.evaluation.plots.explained import importance_bars
from sonde.evaluation.plots.gallery import mistakes_gallery
from sonde.evaluation.report.facts import Facts
from sonde.evaluation.report.gallery import mistakes

EVIL = "<script>alert(1)</script> \u202e x" * 3
RNG = np.random.default_rng(0)
KINDS: dict[str, Picture] = {
    "image": Pixels(RNG.integers(0, 256, (9, 7, 3)).astype(np.uint8)),
    "text": Text((EVIL, "", "word", "    ", "w" * 500)),
    "no blanks": Text(tuple("日本語 text"), apart=False),
    "series": Lines(RNG.normal(size=(3000, 2))),
    "series with gaps": Lines(np.array([[np.nan], [1.0], [np.nan], [2.0], [3.0]])),
    "nothing but gaps": Lines(np.full((4, 1), np.nan)),
    "one step": Lines(np.ones((1, 9))),
    "spectrogram": Spectrogram(RNG.uniform(-80, 0, (30, 12))),
    "silence": Spectrogram(np.zeros((4, 3))),
    "row": Row((EVIL, "b"), ("", EVIL)),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def weights_of(shown: Picture) -> np.ndarray:
    """Return a weight for each place of a picture."""
    for name, axes in (("values_HWC", 2), ("values_TC", 1), ("values_TF", 2)):
        if hasattr(shown, name):
            return RNG.normal(size=getattr(shown, name).shape[:axes])
    return RNG.normal(size=len(shown.pieces if isinstance(shown, Text) else shown.columns))  # type: ignore[union-attr]


def check(markup: str) -> None:
    """Fail where markup is not whole, or where what was read has become markup or a number that is none."""
    ElementTree.fromstring(f"<svg>{markup}</svg>")
    assert "<script" not in markup and "\u202e" not in markup
    assert not re.search(r"\b(nan|inf|None)\b", re.sub(r'(href|src)="[^"]*"', "", markup))


@every_kind
def test_every_kind_is_shown_among_the_mistakes(kind: str) -> None:
    mistake = Mistake("file", "a", "b", 0.9, picture=KINDS[kind])
    check(str(mistakes_gallery([mistake])).partition(">")[2].removesuffix("</svg>"))
    section = mistakes(Facts("run", "runs/run", {}, mistakes=(mistake,)))
    check(str(section))


@every_kind
@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_every_kind_is_drawn_with_weights_also_where_they_are_nothing(kind: str, scale: float) -> None:
    shown = KINDS[kind]
    high = height_of(shown, 300)
    drawn = str(weighed(shown, weights_of(shown) * scale, Box(5, 5, 300, high)))
    check(drawn)
    assert high > 0 and len(drawn) < 60_000


@every_kind
def test_every_kind_is_told_in_words(kind: str) -> None:
    assert in_words(KINDS[kind]).split()[0].rstrip(":") in ("image", "text", "series", "spectrogram", "row")


def test_a_picture_is_made_of_what_each_modality_stores() -> None:
    assert picture("text", texts(["so it is"])[0]) == Text(("so it is",))
    long = picture("text", texts(["ß" * 99_999])[0])
    assert isinstance(long, Text) and len(long.pieces[0]) == MOST_LETTERS
    row = np.array([(2.5, "Rome"), (np.nan, "")], dtype=[("age", "f8"), ("city", "U9")])
    assert [picture("table", each) for each in row] == [
        Row(("age", "city"), ("2.5", "Rome")),
        Row(("age", "city"), ("", "")),
    ]
    assert isinstance(picture("series", np.zeros((4, 2))), Lines)
    assert isinstance(picture("audio", np.zeros((4, 2))), Spectrogram)
    assert isinstance(picture("image", np.zeros((4, 2, 1), dtype=np.uint8)), Pixels)
    assert picture("image", np.zeros((4, 2))) is None


def test_what_speaks_for_it_is_blue_what_against_it_orange_and_nothing_stays_grey() -> None:
    ((left, middle, right),) = tinted(np.full((1, 3, 1), 100, dtype=np.uint8), np.array([[1.0, 0.0, -1.0]])).astype(int)
    assert left[2] > left[0] + 50 and right[0] > right[2] + 50 and middle[0] == middle[1] == middle[2]


def test_peaks_of_a_long_series_are_drawn() -> None:
    values = np.zeros((5000, 1))
    values[2345] = 9.0
    drawn = str(weighed(Lines(values), np.zeros(5000), Box(0, 0, 300, 88)))
    heights = [float(y) for y in re.findall(r",([\d.]+)", re.findall(r'points="([^"]*)"', drawn)[0])]
    assert min(heights) < 4 and len(heights) < 2 * POINTS


def test_sentences_are_broken_between_words() -> None:
    lines = wrapped("one two three four five six seven", 80)
    assert len(lines) > 1 and " ".join(lines) == "one two three four five six seven"


def test_importance_is_drawn_with_names_that_are_harmless() -> None:
    rows = [
        {"column": EVIL, "mean": 0.1, "low": 0.05, "high": 0.15},
        {"column": "b", "mean": -0.01, "low": -0.02, "high": 0.0},
    ]
    drawn = importance_bars(rows, "Accuracy")
    assert drawn is not None
    check(drawn.partition(">")[2].removesuffix("</svg>"))
    assert importance_bars([], "Accuracy") is None
