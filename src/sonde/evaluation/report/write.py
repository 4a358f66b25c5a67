"""Writes the report of a run: reads its folder, sets the page, replaces `report.html` in one step.

See it alone:  open runs/<name>/report.html
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sonde.answers import answer_of
from sonde.answers.facts import Facts, Shown
from sonde.config import RunFolder
from sonde.config.disk import write_atomically
from sonde.drawing.markup import Child, Markup, tag
from sonde.drawing.page import element
from sonde.drawing.safe_text import one_line
from sonde.evaluation.report import background, explanation_section, runs_section, sections, worst_section
from sonde.evaluation.report.run_facts import read_facts
from sonde.evaluation.report.summary import summary
from sonde.evaluation.report.template import page

Section = tuple[str, Callable[[Facts], Markup | None]]
"""A word for the list of contents, and what writes it."""

BEFORE: dict[str, Section] = {
    "scores": ("Scores", sections.scores),
    "folds": ("Folds", runs_section.folds),
    "seeds": ("Seeds", runs_section.seeds),
    "members": ("Made of", runs_section.members),
}
AFTER: dict[str, Section] = {
    "training": ("Training", sections.training),
    "worst": ("Worst predictions", worst_section.worst),
    "typical": ("Typical predictions", worst_section.typical),
    "explanations": ("Explanations", explanation_section.explanations),
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
