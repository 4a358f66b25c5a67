"""What every picture promises: whole, harmless, described, the same again, for any classes and any history."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from evaluation_makers import PLOTS, Evidence, draw
from sonde.answers.class_bars import MOST_CLASSES, weakest_first
from sonde.answers.classification.confusion_picture import confused_pairs, confusion_matrix
from sonde.answers.facts import Shown
from sonde.drawing.marks import STYLES
from sonde.drawing.matrix import MOST_WITH_NUMBERS
from sonde.metrics.curves import Curve

SVG = "{http://www.w3.org/2000/svg}"
HARMLESS = {"svg", "title", "desc", "g", "rect", "line", "polyline", "path", "circle", "text", "image"}
"""The elements that pictures are made of; none of them can run, load or link anything but an image's data."""

MakeEvidence = Callable[..., Evidence]

every_plot = pytest.mark.parametrize("kind", PLOTS)


def parse(picture: str | None) -> ElementTree.Element:
    """Read a picture as XML; it must be whole."""
    assert picture is not None
    return ElementTree.fromstring(picture)


def words(root: ElementTree.Element) -> str:
    """Return all text of a picture."""
    return " ".join(root.itertext())


@every_plot
@pytest.mark.parametrize("count", [1, 2, 3, MOST_WITH_NUMBERS + 1, 40])
def test_every_picture_is_whole_described_and_harmless_for_any_number_of_classes(
    kind: str, count: int, evidence: MakeEvidence
) -> None:
    picture = PLOTS[kind].function(evidence(count))
    root = parse(picture)

    assert root.tag == f"{SVG}svg" and root[0].tag == f"{SVG}title" and root[1].tag == f"{SVG}desc"
    assert root[0].text and len(root[1].text or "") > 20
    assert root.get("aria-labelledby", "").split() == [root[0].get("id"), root[1].get("id")]
    assert not re.search(r"\b(nan|inf|None)\b", re.sub(r'href="[^"]*"', "", str(picture)))
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in HARMLESS
        for attribute, value in element.attrib.items():
            assert not attribute.startswith("on") and attribute != "style"
            assert attribute != "href" or value.startswith("data:image/png;base64,")


@every_plot
def test_every_picture_is_read_the_same_way_inside_of_html(kind: str, evidence: MakeEvidence) -> None:
    class Tags(HTMLParser):
        seen: set[str]

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.seen.add(tag)

    parser = Tags()
    parser.seen = set()
    picture = PLOTS[kind].function(evidence(40))
    parser.feed(str(picture))
    assert parser.seen == {element.tag.removeprefix(SVG) for element in parse(picture).iter()}


@every_plot
def test_the_same_evidence_gives_the_same_bytes(kind: str, evidence: MakeEvidence) -> None:
    assert PLOTS[kind].function(evidence(3)) == PLOTS[kind].function(evidence(3))


@every_plot
def test_one_epoch_is_enough(kind: str, evidence: MakeEvidence) -> None:
    parse(PLOTS[kind].function(evidence(3, epochs=1)))


@every_plot
def test_every_picture_says_what_to_look_for_in_one_sentence(kind: str) -> None:
    assert PLOTS[kind].title and PLOTS[kind].look_for.endswith(".")


@every_plot
def test_every_picture_carries_its_colours_so_that_it_stands_alone_on_white(kind: str, evidence: MakeEvidence) -> None:
    for element in parse(PLOTS[kind].function(evidence(3))).iter():
        style = element.get("class")
        if style and style != "plot":
            assert {"fill", "stroke"} & set(element.attrib) and style in STYLES


def test_nothing_to_draw_draws_nothing() -> None:
    assert draw(Evidence()) == {}


def test_pictures_of_a_hundred_classes_stay_small(evidence: MakeEvidence) -> None:
    drawn = draw(evidence(100))
    assert all(len(picture) < 100_000 for kind, picture in drawn.items() if kind != "worst")


@pytest.mark.parametrize("kind", ["roc", "precision-recall"])
def test_of_very_many_classes_the_weakest_are_drawn_and_the_mean_is_that_of_all(
    kind: str, evidence: MakeEvidence
) -> None:
    root = parse(PLOTS[kind].function(evidence(150)))
    faint = [line for line in root.iter() if line.get("class") == "p-third"]
    assert len(faint) == 16 + 1  # 4 of the 20 are named; one line is the legend's.
    areas = [row[{"roc": "roc_auc"}.get(kind, "average_precision")]["value"] for row in all_classes(evidence(150))]
    assert "16 weakest of 146 others" in words(root) and f"{np.mean(areas):.3f}" in words(root)


def all_classes(evidence: Evidence) -> list[Any]:
    """Return the scores of every class."""
    return list(evidence.scores["per_class"].values())


def test_ids_are_unique_on_a_page_that_holds_all_pictures(evidence: MakeEvidence) -> None:
    ids = re.findall(r' id="([^"]+)"', "".join(draw(evidence(3)).values()))
    assert len(ids) == len(set(ids))


def test_names_from_data_are_shown_as_text_and_cannot_hide_or_reorder_anything(
    evidence: MakeEvidence, nasty: tuple[str, ...]
) -> None:
    for picture in draw(evidence(len(nasty) + 3)).values():
        assert "<script" not in picture and "onload=alert(1)>" not in picture.replace("&gt;", "")
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", picture
        )
        picture.encode("utf-8")


def test_many_classes_name_the_most_confused_pairs_instead_of_counts() -> None:
    counts = np.eye(50, dtype=int) * 20
    counts[3, 7], counts[9, 2] = 6, 11
    drawn = words(parse(confusion_matrix(counts, [f"kind {index}" for index in range(50)])))
    assert drawn.index("kind 9 → kind 2") < drawn.index("kind 3 → kind 7") and "35.5%" in drawn and "23.1%" in drawn


def test_confused_pairs_are_ordered_by_examples_and_leave_out_the_right_ones() -> None:
    assert confused_pairs([[5, 3, 0], [0, 9, 1], [7, 0, 3]]) == [(2, 0, 7, 0.7), (0, 1, 3, 0.375), (1, 2, 1, 0.1)]
    assert confused_pairs([[5, 0], [0, 9]]) == []


def test_a_class_without_examples_does_not_divide_by_zero() -> None:
    parse(confusion_matrix([[0, 0], [0, 4]], ("never seen", "seen")))


def test_the_best_epoch_is_marked_and_named(evidence: MakeEvidence) -> None:
    picture = PLOTS["loss"].function(evidence(3, epochs=10))
    assert "best: epoch 7" in words(parse(picture)) and str(picture).count('class="p-ring"') == 1


def test_a_gap_in_the_history_leaves_a_gap_and_no_number_that_is_none(evidence: MakeEvidence) -> None:
    history = [
        {"epoch": 1, "train": {"loss": 2.0}, "validation": {"loss": None}, "learning_rate": None},
        {"epoch": 2, "train": {"loss": float("inf")}, "validation": {"loss": 1.0}},
        {"epoch": 3, "train": {"loss": 1.0}},
    ]
    for kind in ("loss", "metric"):
        picture = PLOTS[kind].function(replace(evidence(3), history=history))
        assert picture is None if kind == "metric" else "inf" not in str(picture)


def test_a_score_that_does_not_exist_is_said_not_to(evidence: MakeEvidence) -> None:
    known = evidence(3)
    nothing = {"value": None, "low": None, "high": None, "n": 0}
    scores = dict(known.scores, per_class={"a": {"f1": nothing, "precision": nothing, "recall": nothing}})
    root = parse(PLOTS["classes"].function(replace(known, scores=scores)))
    assert [each.text for each in root.iter(f"{SVG}text")].count("none") == 3


def test_classes_are_shown_from_the_weakest_and_the_rest_is_counted(evidence: MakeEvidence) -> None:
    many = evidence(40)
    order = weakest_first(many.scores["per_class"], "f1")
    values = [many.scores["per_class"][label]["f1"]["value"] for label in order]
    assert values == sorted(values)
    assert f"the weakest {MOST_CLASSES} of 40 classes" in words(parse(PLOTS["classes"].function(many)))


def test_classes_without_a_curve_are_left_out(evidence: MakeEvidence) -> None:
    line = Curve(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    root = parse(PLOTS["roc"].function(replace(evidence(3), roc={"daisy": line, "rose": None})))
    assert "daisy" in words(root) and "rose" not in words(root)
    assert PLOTS["roc"].function(replace(evidence(3), roc={"daisy": None})) is None


def test_the_legend_names_the_classes_with_the_smallest_areas_and_their_mean(evidence: MakeEvidence) -> None:
    said = words(parse(PLOTS["roc"].function(evidence(40))))
    assert "mean area" in said and "36 other classes" in said and "species 23" in said


def test_a_baseline_far_off_is_pointed_at_so_that_the_near_one_can_be_told_apart(evidence: MakeEvidence) -> None:
    root = parse(PLOTS["baselines"].function(evidence(12)))
    assert len(list(root.iter(f"{SVG}path"))) == 1 and len(list(root.iter(f"{SVG}circle"))) == 2
    assert "8.3%" in words(root)


def test_a_mistake_without_a_picture_says_so(evidence: MakeEvidence) -> None:
    only = [Shown(name="a.wav", truth="yes", predicted="no", confidence=0.9)]
    said = words(parse(PLOTS["worst"].function(replace(evidence(2), worst=only))))
    assert "no picture" in said and "a.wav" in said and "90.0%" in said
