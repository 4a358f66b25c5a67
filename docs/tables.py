"""Writes docs/tables.md: every row of every table, as `sonde list` shows it.

Run it after adding a row:  python docs/tables.py
"""

from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import sonde
from sonde.api import Kind

PAGE = Path(__file__).with_name("tables.md")

OF_THIS_MACHINE = ("installed",)
"""Columns that are not the same everywhere."""

HEAD = """# What there is to choose from

*Written by `python docs/tables.py` from the tables themselves; `sonde list KIND` shows the same.*
"""


def page() -> str:
    """Return the page's text."""
    return "\n".join([HEAD, *(_section(kind) for kind in get_args(Kind))])


def _section(kind: str) -> str:
    rows = sonde.list(kind)
    columns = [*dict.fromkeys(name for row in rows for name in row if name not in OF_THIS_MACHINE)]
    lines = [
        f"## {kind.capitalize()}",
        "",
        _line(columns),
        _line("---" for _ in columns),
        *(_line(_cell(row.get(name, ""), is_name=name == columns[0]) for name in columns) for row in rows),
        "",
    ]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str, *, is_name: bool) -> str:
    clean = " ".join(str(text).split()).replace("|", "\\|")
    return f"`{clean}`" if is_name else clean


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}")
