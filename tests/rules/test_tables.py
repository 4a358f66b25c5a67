"""Every row of every table says in a sentence what it is, and docs/tables.md shows them all."""

import runpy
from typing import get_args

import pytest

import sonde
from rules.source import ROOT
from sonde.api import Kind


def speechless(rows: list[dict[str, str]]) -> list[str]:
    """Return the rows without a name or a sentence, and the names that occur twice."""
    # An augmentation of images and one of sounds may have one name.
    names = [" of ".join(filter(None, (row.get("name", ""), row.get("of", "")))) for row in rows]
    found = [f"{name} occurs twice" for name in sorted(set(names)) if names.count(name) > 1]
    for row in rows:
        says = [text for key, text in row.items() if key != "name"]
        if not row.get("name"):
            found.append(f"{row} has no name")
        elif not any(text.strip().endswith(".") and len(text.split()) > 2 for text in says):
            found.append(f"{row['name']} has no sentence")
    return found


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_row_says_what_it_is(kind: Kind) -> None:
    rows = [dict(row) for row in sonde.list(kind)]
    assert rows
    assert speechless(rows) == []


def test_the_page_of_tables_is_current() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "tables.py"))["page"]
    written = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert written == page(), "docs/tables.md is behind the tables; write it anew: python docs/tables.py"


@pytest.mark.parametrize(
    "rows",
    [
        [{"name": "cnn"}],
        [{"name": "cnn", "what": ""}],
        [{"name": "cnn", "what": "a convolutional network"}],
        [{"what": "A network without a name."}],
        [{"name": "cnn", "what": "One of two."}, {"name": "cnn", "what": "Two of two."}],
    ],
)
def test_a_row_that_says_nothing_is_found(rows: list[dict[str, str]]) -> None:
    assert len(speechless(rows)) == 1
