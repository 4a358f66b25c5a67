"""Writes the report of a run: reads its folder, sets the page, replaces `report.html` in one step.

See it alone:  open runs/<name>/report.html
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sonde.config import RunFolder
from sonde.config.files import write_atomically
from sonde.drawing.markup import Child, Markup, tag
from sonde.drawing.names import one_line
from sonde.evaluation.plots import Mistake
from sonde.evaluation.report import background, decisions, explained, gallery, restraint, sections, several
from sonde.evaluation.report.facts import Facts, read_facts
from sonde.evaluation.report.page import element, page
from sonde.evaluation.report.summary import summary

SECTIONS = {
    "scores": ("Scores", sections.scores),
    "folds": ("Folds", several.folds),
    "seeds": ("Seeds", several.seeds),
    "members": ("Made of", several.members),
    "classes": ("Classes", sections.classes),
    "confusion": ("Confusion", sections.confusion),
    "training": ("Training", sections.training),
    "calibration": ("Calibration", sections.calibration),
    "restraint": ("When not to answer", restraint.restraint),
    "decision": ("Decision", decisions.decision),
    "ranking": ("Thresholds", sections.ranking),
    "mistakes": ("Mistakes", gallery.mistakes),
    "explanations": ("Explanations", explained.explanations),
    "data": ("Data", background.data),
    "how": ("How it was run", background.how),
    "again": ("Commands", background.again),
}
"""The sections below the first screen, in order: a word for the list of contents, and what writes each."""


def write_report(folder: RunFolder, pictures: Mapping[str, str], *, mistakes: Sequence[Mistake] = ()) -> Path:
    """Write the report of a run as one self-contained HTML file.

    Args:
        folder: the run's folder; it must hold scores.json, everything else is told where it is there.
        pictures: SVG text by name, as `plots.draw` returns it.
        mistakes: the mistakes made with the most confidence, worst first.

    Returns:
        The file that was written.

    Raises:
        RunError: the scores are missing, or one of the run's files is damaged.
        StorageError: the file cannot be written.
    """
    write_atomically(folder.report_file, compose(read_facts(folder, pictures, mistakes)))
    return folder.report_file


def compose(facts: Facts) -> str:
    """Return the report's HTML."""
    found = {anchor: section for anchor, (_, write) in SECTIONS.items() if (section := write(facts)) is not None}
    written = {anchor: found[anchor] for anchor in decisions.in_order(list(found), facts)}
    body: list[Child] = [
        tag("a", "Skip to the sections", attributes={"class": "skip", "href": "#contents"}),
        tag("main", summary(facts), _contents(written), *written.values()),
        element("footer", "", "Written by sonde from the run's folder; this file asks nothing of any other place."),
    ]
    return page(f"{one_line(facts.name)} – sonde report", body)


def _contents(written: Mapping[str, Markup]) -> Markup:
    links = [tag("li", tag("a", SECTIONS[anchor][0], attributes={"href": f"#{anchor}"})) for anchor in written]
    return tag("nav", tag("ol", *links), attributes={"id": "contents", "aria-label": "Contents"})
