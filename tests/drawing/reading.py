"""Reads pictures back: their elements, and where each mark lies on the sheet."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

from sonde.drawing import Block, picture
from sonde.drawing.safe_text import width

SVG = "{http://www.w3.org/2000/svg}"

Place = tuple[float, float]


def parsed(block: Block) -> ElementTree.Element:
    """Return the picture of a block as XML; it must be whole."""
    return ElementTree.fromstring(picture(block, "key", "A title"))


def texts(root: ElementTree.Element) -> list[str]:
    """Return each line of text that is seen."""
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def named(root: ElementTree.Element, style: str) -> list[ElementTree.Element]:
    """Return the elements in a style."""
    return [element for element in root.iter() if element.get("class") == style]


def places(root: ElementTree.Element) -> Iterator[tuple[str, Place]]:
    """Yield where each element begins and ends on the sheet, with a word on what it is."""
    yield from _places(root, lambda place: place)


def _places(element: ElementTree.Element, onto) -> Iterator[tuple[str, Place]]:  # type: ignore[no-untyped-def]
    moved = re.findall(r"translate\(([-\d.]+) ([-\d.]+)\)( rotate\(-90\))?", element.get("transform", ""))
    if moved:
        x, y, turned = float(moved[0][0]), float(moved[0][1]), bool(moved[0][2])
        outer = onto
        onto = lambda place: outer((x + place[1], y - place[0]) if turned else (x + place[0], y + place[1]))  # noqa: E731
    for place in _ends(element):
        yield f"{element.tag.removeprefix(SVG)} {element.get('class')} {(element.text or '')[:20]}", onto(place)
    for child in element:
        yield from _places(child, onto)


def _ends(element: ElementTree.Element) -> list[Place]:
    number = {key: float(value) for key, value in element.attrib.items() if re.fullmatch(r"-?[\d.]+", value)}
    tag = element.tag.removeprefix(SVG)
    if tag in ("rect", "image"):
        return [(number["x"], number["y"]), (number["x"] + number["width"], number["y"] + number["height"])]
    if tag == "line":
        return [(number["x1"], number["y1"]), (number["x2"], number["y2"])]
    if tag == "circle":
        return [(number["cx"], number["cy"])]
    if tag == "polyline":
        return [tuple(map(float, each.split(","))) for each in element.get("points", "").split()]  # type: ignore[misc]
    if tag == "path":
        return _along(element.get("d", ""))
    if tag == "text":
        wide = width(element.text or "") * number.get("font-size", 12.5)
        start = number["x"] - {"middle": wide / 2, "end": wide}.get(element.get("text-anchor", ""), 0.0)
        return [(start, number["y"]), (start + wide, number["y"])]
    return []


def _along(path: str) -> list[Place]:
    """Return the corners of a path."""
    x = y = 0.0
    found = []
    for command, written in re.findall(r"([MLHVhvlz])([^MLHVhvlz]*)", path):
        values = [float(value) for value in re.findall(r"-?[\d.]+", written)]
        if command in "ML":
            x, y = values
        elif command == "l":
            x, y = x + values[0], y + values[1]
        elif command in "Hh":
            x = values[0] + (x if command == "h" else 0)
        elif command in "Vv":
            y = values[0] + (y if command == "v" else 0)
        found.append((x, y))
    return found
