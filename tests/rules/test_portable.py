"""No file of the project names this machine: no absolute path of somebody's disk, no host to fetch packages from."""

import re

import pytest

from rules.source import ROOT, tracked_files

# Written in pieces, so that this file does not name what it forbids.
PLACES = {
    "a path of somebody's disk": re.compile(
        r"(?<![\w.~}])/(?:home|Users|root|work|opt|mnt|srv|media)/" + r"[\w.]|\b[A-Z]:\\(?:Users|home)\\"
    ),
    "a file address": re.compile(r"file:" + r"///"),
    "a place to fetch packages from": re.compile(
        r"--(?:extra-)?index" + r"-url|--find" + r"-links|--trusted" + r"-host|artifactory|\bnexus\.|//pypi\.(?!org/)",
        re.I,
    ),
    "an address in a private network": re.compile(r"https?://(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+"),
}
BINARY = b"\0"


def local_places(text: str) -> list[str]:
    """Return what in a text holds on one machine only, with its line."""
    return [
        f"line {number}: {what}: {match[0]}"
        for number, line in enumerate(text.splitlines(), 1)
        for what, pattern in PLACES.items()
        if (match := pattern.search(line))
    ]


def test_no_file_names_this_machine() -> None:
    found = {}
    for path in tracked_files():
        raw = path.read_bytes()
        if BINARY not in raw and path != ROOT / "tests" / "rules" / "test_portable.py":
            found[str(path.relative_to(ROOT))] = local_places(raw.decode("utf-8", errors="replace"))
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize(
    "text",
    [
        "DATA = '/home/ann/data'",
        "see /Users/ann/x",
        "cp /root/x y",
        "open('/opt/wheels')",
        r"C:\Users\ann",
        "pip install --index-url https://example.org",
        "pip install --extra-index-url x",
        "pip install --find-links wheels",
        "file:///srv",
        "https://artifactory.example.org/x",
        "http://10.0.0.7/simple",
        "https://pypi.example.org/simple",
    ],
)
def test_a_local_place_is_found(text: str) -> None:
    assert local_places(text)


@pytest.mark.parametrize(
    "text", ["https://pypi.org/simple", "tests/work/x", "$HOME/x", "~/work/x", "../shared/data", "a/home/b"]
)
def test_what_holds_on_every_machine_is_fine(text: str) -> None:
    assert local_places(text) == []
