"""What the report promises: one file, nothing from elsewhere, every section, the plain truth on the first screen."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import pytest

from evaluation_makers import Evidence, draw
from sonde.answers.classification.row import ROW as CLASSIFICATION
from sonde.config import RunFolder
from sonde.drawing.marks import STYLES
from sonde.drawing.numbers_in_words import duration, percent
from sonde.errors import RunError
from sonde.evaluation.report import write_report
from sonde.evaluation.report.pointers import OF_THE_DATA, OF_THE_SCORE
from sonde.evaluation.report.run_facts import read_facts, read_options
from sonde.evaluation.report.write import AFTER, BEFORE
from sonde.metrics.words import amount, interval

MakeEvidence = Callable[..., Evidence]
MakeRun = Callable[..., RunFolder]

VOID = frozenset(("meta", "img", "br"))


class Page(HTMLParser):
    """A page as a browser reads it: its elements with attributes, its text by section, and whether tags match."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.sections: list[str] = []
        self.text: dict[str, str] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            if tag in ("section", "header"):
                self.sections.append(dict(attrs).get("id") or ("" if tag == "section" else "header"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in ("section", "header"):
            self.sections.pop()

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            for place in [name for name in self.sections if name] or ["outside"]:
                self.text[place] = self.text.get(place, "") + data + " "

    def all(self, name: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of a name."""
        return [attributes for tag, attributes in self.elements if tag == name]


def write(folder: RunFolder, evidence: Evidence) -> tuple[Page, str]:
    """Write a report and read it again."""
    text = write_report(folder, draw(evidence), worst=evidence.worst).read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    return page, text


def change(folder: RunFolder, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit the scores of a run."""
    scores = json.loads(folder.scores_file.read_text())
    edit(scores)
    folder.scores_file.write_text(json.dumps(scores))


def test_every_promised_section_is_there_in_order_and_linked(run_folder: MakeRun, evidence: MakeEvidence) -> None:
    page, _ = write(run_folder(), evidence(3))
    anchors = [attributes["id"] for attributes in page.all("section") if attributes.get("id")]
    links = [attributes["href"] for attributes in page.all("a")]
    # Folds, members, a tuned decision and explanations are not in every run.
    usual = ["scores", "classes", "confusion", "training", "calibration", "selective", "ranking", "worst", "data"]
    assert anchors == [anchor for anchor in (*BEFORE, *CLASSIFICATION.sections, *AFTER) if anchor in anchors] and {
        *usual,
        "how",
        "again",
    } <= set(anchors)
    assert {f"#{anchor}" for anchor in anchors} <= set(links)
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids)) and {str(link)[1:] for link in links} <= set(ids)


@pytest.mark.parametrize("count", [2, 3, 40])
def test_the_file_asks_nothing_of_any_other_place(count: int, run_folder: MakeRun, evidence: MakeEvidence) -> None:
    page, text = write(run_folder(count), evidence(count))
    for tag, attributes in page.elements:
        assert tag not in {"script", "link", "iframe", "object", "embed", "form", "base", "foreignobject"}
        for attribute, value in attributes.items():
            assert not attribute.startswith("on") and attribute != "style"
            if attribute in {"src", "href", "xlink:href", "srcset", "action", "poster", "data"}:
                assert str(value).startswith(("data:image/png;base64,", "#"))
            assert "url(" not in str(value) or attribute in {"title", "alt"}
    style = re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL)
    assert len(style) == 1 and "url(" not in style[0] and "@import" not in style[0]


def test_a_strict_policy_allows_the_one_style_sheet_and_no_script(run_folder: MakeRun, evidence: MakeEvidence) -> None:
    page, text = write(run_folder(), evidence(3))
    policy = next(str(meta["content"]) for meta in page.all("meta") if meta.get("http-equiv"))
    style = re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'") and f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy and "script-src" not in policy


def test_names_from_data_stay_text(run_folder: MakeRun, evidence: MakeEvidence, nasty: tuple[str, ...]) -> None:
    page, text = write(run_folder(40), evidence(40))
    assert "<script" not in text and "<svg onload" not in text and "broken <1>" not in text
    assert "<script>alert(1)</script>" in page.text["classes"] and "broken <1>.jpg" in page.text["data"]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


def test_the_first_screen_says_what_was_asked_the_answer_and_how_sure(
    run_folder: MakeRun, evidence: MakeEvidence
) -> None:
    page, _ = write(run_folder(), evidence(3))
    first = " ".join(page.text["header"].split())
    for said in ("Which of 3 classes", "flowers", "folder of classes", "321 training",
                 "Test given by the data; validation held out",
                 "daisy", "93.6%", "91.6 – 95.2%", "95% interval", "n = 141", "How sure",
                 "off by 2.1 points", "beats the best baseline", "What to look at next"):  # fmt: skip
        assert said in first, said


@pytest.mark.parametrize(
    ("wins", "said"), [("model", "The model wins"), ("baseline", "A baseline wins"), ("neither", "Within noise")]
)
def test_the_first_screen_says_plainly_who_wins(
    wins: str, said: str, run_folder: MakeRun, evidence: MakeEvidence
) -> None:
    page, _ = write(run_folder(wins=wins), evidence(3, wins=wins))
    first = page.text["header"]
    assert said in first
    assert ("A simpler method" in first) == (wins != "model")


@pytest.mark.parametrize("count", [2, 3, 40])
@pytest.mark.parametrize("epochs", [1, 5])
def test_two_to_four_pointers_tell_what_to_look_at(
    count: int, epochs: int, run_folder: MakeRun, evidence: MakeEvidence
) -> None:
    page, _ = write(run_folder(count, epochs=epochs), evidence(count, epochs=epochs))
    assert 2 <= sum(span.get("class") == "why" for span in page.all("span")) <= 4


def test_leaks_come_before_what_could_be_improved(run_folder: MakeRun, evidence: MakeEvidence) -> None:
    page, _ = write(run_folder(), evidence(3))
    first = page.text["header"]
    assert first.index("may be flattered") < first.index("Most confused pair")


def test_a_perfect_score_does_not_claim_to_be_certain(run_folder: MakeRun, evidence: MakeEvidence) -> None:
    folder = run_folder()
    change(folder, lambda scores: scores["test"].update(accuracy={"value": 1.0, "low": 1.0, "high": 1.0, "n": 30}))
    page, _ = write(folder, evidence(3))
    assert "No mistake in 30 examples still allows a true error rate of up to 10.0%" in " ".join(
        page.text["header"].split()
    )


def test_a_small_test_split_and_a_training_that_was_cut_short_are_named(
    run_folder: MakeRun, evidence: MakeEvidence
) -> None:
    folder = run_folder(epochs=3)
    change(folder, lambda scores: scores["test"].update(accuracy={"value": 0.8, "low": 0.7, "high": 0.9, "n": 60}))
    records = folder.history()
    folder.write_history([*records[:-1], {**records[-1], "best": True, "learning_rate": 0.001}])
    first = write(folder, evidence(3))[0].text["header"]
    assert "The test split is small" in first and "about 1,500 would bring it to 4" in first and "Train longer" in first


@pytest.mark.parametrize(
    ("rate", "loss", "advised"), [(0.001, 0.5, True), (0.001, 0.595, False), (0.00001, 0.5, False)]
)
def test_longer_training_is_advised_only_where_the_loss_still_falls_at_a_learning_rate_that_was_not_brought_down(
    rate: float, loss: float, advised: bool, run_folder: MakeRun, evidence: MakeEvidence
) -> None:
    folder = run_folder(epochs=8)
    records = [{**record, "best": False, "learning_rate": 0.001} for record in folder.history()]
    for record in records:
        record["validation"] = {"loss": 0.6, "accuracy": 0.9}
    records[-1] |= {"best": True, "learning_rate": rate, "validation": {"loss": loss, "accuracy": 0.91}}
    folder.write_history(records)
    facts = read_facts(folder, {}, [])
    assert (
        "Train longer" in [found.what for look in (*OF_THE_SCORE, *OF_THE_DATA) for found in look(facts)]
    ) == advised


@pytest.mark.parametrize("count", [100, 101])
def test_the_report_says_where_only_the_weakest_classes_have_a_curve(
    count: int, run_folder: MakeRun, evidence: MakeEvidence
) -> None:
    said = " ".join(write(run_folder(count), evidence(count))[0].text["ranking"].split())
    assert ("Only the 20 classes with the smallest area are drawn" in said) == (count > 100)


def test_options_say_who_chose_them_and_why_they_were_guessed(run_folder: MakeRun, evidence: MakeEvidence) -> None:
    page, _ = write(run_folder(), evidence(3))
    how = " ".join(page.text["how"].split())
    assert "run.model" in how and "guessed because: images of 64x64 and smaller" in how
    assert 'guessed because: the median image is "32 # 32" & <small>' in how
    assert "bf16: the CPU does it natively" in how and "0123456789ab with changes" in how


def test_options_of_a_run_file_without_its_origins_are_all_from_the_file(run_folder: MakeRun) -> None:
    folder = run_folder()
    options = {option.key: option for option in read_options(folder)}
    assert options["image.root"].value == "a  # b" and options["image.root"].origin == "command line"
    assert options["run.task"].reason == "class folders hold images: 3 classes"
    folder.origins_file.unlink()
    assert {(option.origin, option.reason) for option in read_options(folder)} == {("file", "")}


def test_bad_files_leaks_and_counts_are_listed(run_folder: MakeRun, evidence: MakeEvidence) -> None:
    said = " ".join(write(run_folder(), evidence(3))[0].text["data"].split())
    for words in ("2 files left out", "truncated JPEG", "test: daisy/<b>9.png", "4 exact copies", "3 files are CMYK"):
        assert words in said


def test_the_commands_name_the_run(run_folder: MakeRun, evidence: MakeEvidence) -> None:
    said = write(run_folder(), evidence(3))[0].text["again"]
    for verb in (
        "train runs/flowers-1/run.toml",
        "predict runs/flowers-1",
        "resume runs/flowers-1",
        "compare",
        "evaluate",
    ):
        assert f"sonde {verb}" in said


@pytest.mark.parametrize("missing", ["environment_file", "findings_file", "history_file", "settings_file", "all"])
def test_what_is_missing_leaves_its_part_out(missing: str, run_folder: MakeRun, evidence: MakeEvidence) -> None:
    folder = run_folder()
    files = ["environment_file", "findings_file", "history_file", "settings_file"]
    for file in files if missing == "all" else [missing]:
        getattr(folder, file).unlink()
    known = Evidence(scores=evidence(3).scores) if missing == "all" else evidence(3)
    page, text = write(folder, known)
    assert "93.6%" in page.text["header"]
    assert ">None<" not in text and "None " not in page.text["header"]


def test_the_report_needs_scores_and_says_which_verb_writes_them(run_folder: MakeRun) -> None:
    folder = run_folder()
    folder.scores_file.unlink()
    with pytest.raises(RunError, match="sonde evaluate"):
        write_report(folder, {})


def test_scores_that_could_not_be_computed_are_shown_as_missing(run_folder: MakeRun, evidence: MakeEvidence) -> None:
    nothing = {"value": None, "low": None, "high": None, "n": 0}

    def forget(scores: dict[str, Any]) -> None:
        scores["test"] = dict.fromkeys(scores["test"], nothing)
        scores["per_class"] = {label: {"n": 0, "f1": nothing} for label in scores["classes"]}
        scores["calibration"] = {"temperature": None}
        scores["verdict"] = {}
        scores["baselines"] = {}

    folder = run_folder()
    change(folder, forget)
    page, _ = write(folder, Evidence())
    assert "could not be computed" in page.text["header"] and "No baseline was scored" in page.text["header"]


def test_every_table_has_a_caption_and_its_headings_have_a_scope(run_folder: MakeRun, evidence: MakeEvidence) -> None:
    page, _ = write(run_folder(), evidence(3))
    assert len(page.all("caption")) == len(page.all("table")) >= 6
    assert all(attributes.get("scope") in ("row", "col") for attributes in page.all("th"))
    assert all(image.get("alt") for image in page.all("img"))
    assert [tag for tag, _ in page.elements].count("h1") == 1


def test_the_style_sheet_has_a_colour_for_every_mark_in_light_dark_and_print() -> None:
    style = resources.files("sonde.evaluation.report").joinpath("report.css").read_text(encoding="utf-8")
    assert all(f".{mark} {{" in style for mark in STYLES)
    light, dark, paper = (
        set(re.findall(r"(--[\w-]+):", block)) for block in re.findall(r":root \{(.*?)\}", style, re.S)
    )
    assert dark <= light and paper <= light and {"--paper", "--ink", "--quiet", "--accent"} <= dark & paper


@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_text_stands_out_from_its_ground_as_wcag_asks(scheme: int) -> None:
    style = resources.files("sonde.evaluation.report").joinpath("report.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", re.findall(r":root \{(.*?)\}", style, re.S)[scheme]))
    on_paper = [(text, "paper") for text in ("ink", "quiet", "accent")]
    for text, ground in (*on_paper, ("ink", "raised"), ("quiet", "raised"), ("on-accent", "accent"), ("paper", "ink")):
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.1, 1.4.3)."""
    dark, light = sorted(luminance(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return a colour's relative luminance (WCAG 2.1)."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.5, "50.0%"), (1.0, "100%"), (0.0, "0%"), (0.99996, "> 99.99%"), (0.9996, "99.96%"), (0.00001, "< 0.01%")],
)
def test_a_share_that_is_not_whole_never_looks_it(share: float, said: str) -> None:
    assert percent(share) == said


def test_numbers_are_written_the_way_their_metric_is_read() -> None:
    score: Mapping[str, Any] = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}
    assert interval("accuracy", score) == "40.0 – 60.0%" and interval("brier", score) == "0.400 – 0.600"
    assert amount("log_loss", 0.1234) == "0.123" and amount("log_loss", None) == "–"
    assert [duration(seconds) for seconds in (1.94, 59, 125, 7260)] == ["1.9 s", "59 s", "2 min 5 s", "2 h 1 min"]


def test_scores_on_other_data_say_so_and_name_the_run_whose_model_it_is(
    run_folder: MakeRun, evidence: MakeEvidence
) -> None:
    home = run_folder()
    folder = RunFolder(home.path / "on-garden")
    folder.path.mkdir()
    for file in (home.settings_file, home.scores_file):
        (folder.path / file.name).write_bytes(file.read_bytes())
    change(folder, lambda scores: scores.update(splits="all 141 examples of garden"))
    page, _ = write(folder, evidence(3))
    assert "Accuracy on all 141 examples of garden" in page.text["header"]
    assert "predict runs/flowers-1 FILE" in page.text["again"]
