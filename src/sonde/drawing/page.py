"""The parts of a page: sections, tables, figures, definitions."""

from collections.abc import Sequence

from sonde.drawing.markup import Attributes, Child, Markup, join, tag
from sonde.drawing.safe_text import one_line


def element(name: str, style: str, *children: Child) -> Markup:
    """Return an element with a class of the style sheet; an empty class is left out."""
    return tag(name, *children, attributes={"class": style or None})


def section(anchor: str, heading: str, *children: Child) -> Markup:
    """Return a section with its heading."""
    title = tag("h2", heading, attributes={"id": f"{anchor}-heading"})
    attributes: Attributes = {"id": anchor, "aria-labelledby": f"{anchor}-heading"}
    return tag("section", title, *children, attributes=attributes)


def table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[Child]], *, numbers: Sequence[int] = (), style: str = ""
) -> Markup:
    """Return a table in a box that scrolls by itself; the first cell of each row is its heading.

    Args:
        caption: what it holds.
        heads: heading of each column.
        numbers: the columns that hold numbers, to be set flush right.
    """
    kinds = ["number" if column in numbers else None for column in range(len(heads))]
    top = [tag("th", head, attributes={"scope": "col", "class": kind}) for head, kind in zip(heads, kinds, strict=True)]
    lines = [
        tag(
            "tr",
            tag("th", row[0], attributes={"scope": "row"}),
            *(tag("td", cell, attributes={"class": kind}) for cell, kind in zip(row[1:], kinds[1:], strict=True)),
        )
        for row in rows
    ]
    whole = element("table", style, tag("caption", caption), tag("thead", tag("tr", *top)), tag("tbody", *lines))
    # A box that scrolls must be reachable by keyboard.
    return tag("div", whole, attributes={"class": "scroll", "tabindex": "0", "role": "region", "aria-label": caption})


def figure(picture: str | None, caption: Child, *, style: str = "") -> Markup | None:
    """Return a picture with its caption, or None where there is no picture.

    Args:
        picture: SVG text made by `sonde.drawing.picture`.
    """
    if picture is None:
        return None
    return element("figure", style, element("div", "sheet", Markup(picture)), tag("figcaption", caption))


def definitions(entries: Sequence[tuple[str, Child]], *, style: str = "") -> Markup:
    """Return a list of words and what they stand for; entries without content are left out."""
    rows = [element("div", "", tag("dt", word), tag("dd", content)) for word, content in entries if content]
    return element("dl", style, *rows)


def command(text: str, purpose: str) -> Markup:
    """Return a command of the shell with what it is for."""
    return element("div", "command", element("p", "", purpose), tag("pre", tag("code", text)))


def sentences(*children: Child) -> Markup:
    """Return a paragraph."""
    return tag("p", join(children))


def name(words: str) -> Child:
    """Return a name from the data, marked so that it cannot reorder the sentence around it."""
    return tag("bdi", one_line(words, longest=48), attributes={"class": "name", "title": one_line(words)})
