"""Writes HTML and SVG with every text escaped: what is not `Markup` is text, wherever it comes from."""

import html
from collections.abc import Iterable, Mapping

from sonde.drawing.safe_text import visible


class Markup(str):
    """Text that is markup already, made by `tag`, `join` or written in this package."""

    __slots__ = ()


Child = str | None
"""What goes inside an element: `Markup` as it is, other text escaped, None not at all."""

Attributes = Mapping[str, str | float | None]
"""Attributes by name; those that are None are left out."""

_EMPTY = frozenset(("meta", "img", "br", "rect", "line", "circle", "path", "polyline", "image"))


def tag(name: str, *children: Child, attributes: Attributes | None = None) -> Markup:
    """Return one element; numbers among its attributes are written with at most two decimals."""
    written = "".join(f' {key}="{_value(value)}"' for key, value in (attributes or {}).items() if value is not None)
    inside = join(children)
    if not inside and name in _EMPTY:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{inside}</{name}>")


def join(children: Iterable[Child], between: str = "") -> Markup:
    """Return the children as one piece of markup, those that are plain text escaped."""
    return Markup(between.join(escaped(child) for child in children if child is not None))


def escaped(text: str) -> Markup:
    """Return text as markup: escaped unless it is markup already, and with nothing invisible in it."""
    return text if isinstance(text, Markup) else Markup(html.escape(visible(text), quote=True))


def number(value: float) -> str:
    """Write a coordinate with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _value(value: str | float) -> str:
    return escaped(value) if isinstance(value, str) else number(value)
