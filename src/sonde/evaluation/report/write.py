"""Writes the report of a run: reads its folder, sets the page, replaces `report.html` in one step.

See it alone:  open runs/<name>/report.html
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sonde.answers import answer_of
from sonde.answers.facts import Facts, Shown
from sonde.config import RunFolder
from sonde.config.files import write_atomically
from sonde.drawing.markup import Child, Markup, tag
from sonde.drawing.names import one_line
from sonde.drawing.page import element
from sonde.evaluation.report import background, explained, gallery, sections, several
from sonde.evaluation.report.facts import read_facts
from sonde.evaluation.report.page import page
from sonde.evaluation.report.summary import summary

Section = tuple[str, Callable[[Facts], Markup | None]]
"""A word for the list of contents, and what writes it."""

BEFORE: dict[str, Section] = {
    "scores": ("Scores", sections.scores),
    "folds": ("Folds", several.folds),
    "seeds": ("Seeds", several.seeds),
    "members": ("Made of", several.members),
}
AFTER: dict[str, Section] = {
    "training": ("Training", sections.training),
    "worst": ("Worst predictions", gallery.worst),
    "typical": ("Typical predictions", gallery.typical),
    "explanations": ("Explanations", explained.explanations),
    "data": ("Data", background.data),
    "how": ("How it was run", background.how),
    "again": ("Commands", background.again),
}
"""The sections below the first screen, before and after those of the answer."""


def write_report(
    folder: RunFolder, pictures: Mapping[str, str], *, worst: Sequence[Shown] = (), typical: Sequence[Shown] = ()
) -> Path:
    """Write the report of a run as one self-contained HTML file.

    Args:
        folder: the run's folder; it must hold scores.json, everything else is told where it is there.
        pictures: SVG text by name.
        worst: the worst predictions, worst first.
        typical: usual ones.

    Returns:
        The file that was written.

    Raises:
        RunError: the scores are missing, or one of the run's files is damaged.
        StorageError: the file cannot be written.
    """
    write_atomically(folder.report_file, compose(read_facts(folder, pictures, worst, typical)))
    return folder.report_file


def compose(facts: Facts) -> str:
    """Return the report's HTML."""
    row = answer_of(str(facts.scores["task"]))
    table: dict[str, Section] = {**BEFORE, **row.sections, **AFTER}
    found = {anchor: section for anchor, (_, write) in table.items() if (section := write(facts)) is not None}
    first = [anchor for anchor in row.first(facts) if anchor in found]
    written = {anchor: found[anchor] for anchor in dict.fromkeys([*first, *found])}
    links = [tag("li", tag("a", table[anchor][0], attributes={"href": f"#{anchor}"})) for anchor in written]
    contents = tag("nav", tag("ol", *links), attributes={"id": "contents", "aria-label": "Contents"})
    body: list[Child] = [
        tag("a", "Skip to the sections", attributes={"class": "skip", "href": "#contents"}),
        tag("main", summary(facts), contents, *written.values()),
        element("footer", "", "Written by sonde from the run's folder; this file asks nothing of any other place."),
    ]
    return page(f"{one_line(facts.name)} – sonde report", body)
