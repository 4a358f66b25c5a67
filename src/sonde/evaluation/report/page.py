"""The house template: the whole page, its sections, tables and figures."""

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources

from sonde.drawing.markup import Attributes, Child, Markup, join, tag


def page(title: str, body: Sequence[Child]) -> str:
    """Return a whole HTML document that asks nothing of any other place.

    Args:
        title: of the document.
        body: its content.
    """
    style = resources.files("sonde.evaluation.report").joinpath("report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    # Nothing may be loaded, run, sent or framed; the one style sheet is allowed by its digest.
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    head = tag(
        "head",
        tag("meta", attributes={"charset": "utf-8"}),
        tag("meta", attributes={"http-equiv": "Content-Security-Policy", "content": policy}),
        tag("meta", attributes={"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        tag("meta", attributes={"name": "color-scheme", "content": "light dark"}),
        tag("meta", attributes={"name": "referrer", "content": "no-referrer"}),
        tag("title", title),
        tag("style", Markup(style)),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", *body), attributes={"lang": "en"}) + "\n"


def element(name: str, style: str, *children: Child) -> Markup:
    """Return an element with a class of the style sheet; an empty class is left out."""
    return tag(name, *children, attributes={"class": style or None})


def section(anchor: str, heading: str, *children: Child) -> Markup:
    """Return a section with its heading.

    Args:
        anchor: its id, for links.
        heading: its title.
        children: its content.
    """
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
        rows: cells.
        numbers: the columns that hold numbers, to be set flush right.
        style: a further class.
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
        caption: what to look for.
        style: a further class.
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
