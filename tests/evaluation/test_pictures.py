"""Whatever was read can be shown: in the gallery of mistakes, in the report, whole and harmless."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from sonde.answers.facts import Facts, Shown
from sonde.data import MODALITIES
from sonde.data.ragged import texts
from sonde.data.text.looks import MOST_LETTERS
from sonde.drawing import Lines, Pixels, Row, Sketch, Spectrogram, Text
from sonde.drawing.examples import POINTS
from sonde.evaluation.plots.explanation_pictures import importance_bars
from sonde.evaluation.plots.worst_pictures import worst_gallery
from sonde.evaluation.report.worst_section import worst

EVIL = "<script>alert(1)</script> \u202e x" * 3
RNG = np.random.default_rng(0)
KINDS: dict[str, Sketch] = {
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


def check(markup: str) -> None:
    """Fail where markup is not whole, or where what was read has become markup or a number that is none."""
    ElementTree.fromstring(f"<svg>{markup}</svg>")
    assert "<script" not in markup and "\u202e" not in markup
    assert not re.search(r"\b(nan|inf|None)\b", re.sub(r'(href|src)="[^"]*"', "", markup))


@every_kind
def test_every_kind_is_shown_among_the_mistakes(kind: str) -> None:
    shown = Shown("file", "a", "b", 0.9, picture=KINDS[kind])
    check(str(worst_gallery([shown])).partition(">")[2].removesuffix("</svg>"))
    section = worst(Facts("run", "runs/run", {}, worst=(shown,)))
    check(str(section))


@every_kind
@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_every_kind_is_drawn_with_weights_also_where_they_are_nothing(kind: str, scale: float) -> None:
    shown = KINDS[kind]
    drawn = shown.block(300, weights=RNG.normal(size=shown.places) * scale)
    check(drawn.marks)
    assert drawn.high > 0 and len(drawn.marks) < 60_000


@every_kind
def test_every_kind_is_told_in_words(kind: str) -> None:
    assert KINDS[kind].block(100).says.split()[0].rstrip(":") in ("Image", "Text", "Series", "Spectrogram", "Row")


def test_a_picture_is_made_of_what_each_modality_stores() -> None:
    assert MODALITIES["text"].sketch(texts(["so it is"])[0]) == Text(("so it is",))
    long = MODALITIES["text"].sketch(texts(["ß" * 99_999])[0])
    assert isinstance(long, Text) and len(long.pieces[0]) == MOST_LETTERS
    row = np.array([(2.5, "Rome"), (np.nan, "")], dtype=[("age", "f8"), ("city", "U9")])
    assert [MODALITIES["table"].sketch(each) for each in row] == [
        Row(("age", "city"), ("2.5", "Rome")),
        Row(("age", "city"), ("", "")),
    ]
    assert isinstance(MODALITIES["series"].sketch(np.zeros((4, 2))), Lines)
    assert isinstance(MODALITIES["audio"].sketch(np.zeros((4, 2))), Spectrogram)
    assert isinstance(MODALITIES["image"].sketch(np.zeros((4, 2, 1), dtype=np.uint8)), Pixels)
    assert MODALITIES["image"].sketch(np.zeros((4, 2))) is None


def test_peaks_of_a_long_series_are_drawn() -> None:
    values = np.zeros((5000, 1))
    values[2345] = 9.0
    drawn = Lines(values).block(300, weights=np.zeros(5000)).marks
    heights = [float(y) for y in re.findall(r",([\d.]+)", re.findall(r'points="([^"]*)"', drawn)[0])]
    assert min(heights) < 4 and len(heights) < 2 * POINTS


def test_importance_is_drawn_with_names_that_are_harmless() -> None:
    rows = [
        {"column": EVIL, "mean": 0.1, "low": 0.05, "high": 0.15},
        {"column": "b", "mean": -0.01, "low": -0.02, "high": 0.0},
    ]
    drawn = importance_bars(rows, "Accuracy")
    assert drawn is not None
    check(drawn.partition(">")[2].removesuffix("</svg>"))
    assert importance_bars([], "Accuracy") is None
