"""What pages say can be done: commands and flags exist, links lead somewhere."""

import inspect
import re
import shlex
import tomllib
from pathlib import Path
from typing import get_args

import pytest

import sonde
from rules.source import ROOT
from sonde import api

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted(path for path in (ROOT / ".github").rglob("*") if path.suffix in {".md", ".yml"}),
]
"""All that people read before they type something: README and its neighbours, docs, and the forms for issues."""

SHELL_FLAGS = {"json", "help", "version"}
PROGRAMS = r"(?:\.venv/bin/)?(?:sonde|make|pytest|python)"


def commands(text: str) -> list[list[str]]:
    """Return the words of each command of ours in a text: in indented or fenced code, and between backticks."""
    lines = re.findall(rf"^(?: {{4}}|\t|\$ |> )? *\$? ?({PROGRAMS} [^\n]*)", text, re.M)
    inline = re.findall(rf"`({PROGRAMS} [^`\n]+)`", text)
    return [_words(line) for line in [*_only_code(text, lines), *inline]]


def _only_code(text: str, lines: list[str]) -> list[str]:
    fenced = "\n".join(re.findall(r"^```[^\n]*\n(.*?)^```", text, re.M | re.S))
    indented = "\n".join(re.findall(r"^(?: {4}|\t).*$", text, re.M))
    return [line for line in lines if line in fenced or line in indented]


def _words(line: str) -> list[str]:
    plain = re.sub(r"[\[\]]|\.\.\.", " ", re.split(r"\s#", line, maxsplit=1)[0])
    return shlex.split(re.split(r" {3,}|[|;&>]", plain)[0].replace("'", ""))


def wrong(words: list[str], targets: set[str]) -> str:
    """Return what is wrong with a command, or nothing.

    Args:
        words: the command, such as ["sonde", "train", "digits"].
        targets: what make knows.
    """
    program, *rest = words
    match program.rpartition("/")[2]:
        case "make":
            unknown = [word for word in rest if "=" not in word and not word.startswith("-") and word not in targets]
            return f"make knows no {unknown[0]}" if unknown else ""
        case "pytest":
            return _wrong_with_pytest(rest)
        case "python":
            absent = [word for word in rest[:1] if word.endswith(".py") and not (ROOT / word).exists()]
            return f"there is no {absent[0]}" if absent else ""
        case _:
            return _wrong_with_sonde(rest)


def _wrong_with_pytest(rest: list[str]) -> str:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    # hypothesis marks its tests itself.
    marks = {line.partition(":")[0] for line in options["markers"]} | {"hypothesis", "not", "and", "or"}
    for before, word in zip(["", *rest], rest, strict=False):
        if before == "-m" and (unknown := [mark for mark in re.findall(r"\w+", word) if mark not in marks]):
            return f"there is no mark {unknown[0]}"
        if not before.startswith("-") and not word.startswith("-") and not (ROOT / word.partition("::")[0]).exists():
            return f"there is no {word}"
    return ""


def _wrong_with_sonde(rest: list[str]) -> str:
    if rest and rest[0].startswith("-"):
        return "" if rest[0].lstrip("-") in SHELL_FLAGS else f"sonde knows no {rest[0]}"
    if not rest or rest[0] == "VERB":
        return ""
    if rest[0] not in api.VERBS:
        return f"there is no verb {rest[0]}"
    known = set(inspect.signature(api.VERBS[rest[0]]).parameters) | SHELL_FLAGS
    flags = [word[2:].partition("=")[0] for word in rest[1:] if word.startswith("--") and word != "--"]
    unknown = [flag for flag in flags if flag not in known]
    if unknown:
        return f"sonde {rest[0]} knows no --{unknown[0]}"
    kinds = get_args(api.Kind)
    if rest[0] == "list" and len(rest) > 1 and rest[1] not in {*kinds, "KIND"}:
        return f"sonde list knows no {rest[1]}"
    return ""


def calls(text: str) -> list[str]:
    """Return the names that Python code in a text takes from the front door."""
    return re.findall(r"\bsonde\.([a-z_]+)\(", text)


def dead_links(text: str, folder: Path) -> list[str]:
    """Return the relative links of a page that lead nowhere; a part after # must be a heading of the page it is in."""
    found = []
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)[^)]*\)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = folder / name if name else None
        if path is not None and not path.exists():
            found.append(target)
        elif anchor and (path is None or path.suffix == ".md"):
            page = text if path is None else path.read_text(encoding="utf-8")
            found += [] if anchor in _anchors(page) else [target]
    return found


def _anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ +(.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def make_targets(text: str) -> set[str]:
    """Return what a Makefile can make."""
    return set(re.findall(r"^([a-z][\w-]*):", text, re.M))


def test_there_is_a_readme() -> None:
    assert ROOT / "README.md" in PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_on_a_page_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = make_targets((ROOT / "Makefile").read_text(encoding="utf-8"))
    assert [problem for words in commands(text) if (problem := wrong(words, targets))] == []
    assert [name for name in calls(text) if name not in dir(sonde)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_relative_link_on_a_page_leads_somewhere(page: Path) -> None:
    assert dead_links(page.read_text(encoding="utf-8"), page.parent) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("    sonde trian digits", "there is no verb trian"),
        ("```\nsonde train digits --epoch 3\n```", "sonde train knows no --epoch"),
        ("```sh\n$ sonde list model\n```", "sonde list knows no model"),
        ("See `sonde server RUN`.", "there is no verb server"),
        ("    sonde --quiet", "sonde knows no --quiet"),
        ("    make everything", "make knows no everything"),
        ("    pytest tests/nowhere", "there is no tests/nowhere"),
        ('    pytest -m "not slwo"', "there is no mark slwo"),
        ("Write it anew: `python docs/nothing.py`.", "there is no docs/nothing.py"),
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str, problem: str) -> None:
    assert [wrong(words, {"demo", "test"}) for words in commands(text)] == [problem]


@pytest.mark.parametrize(
    "text",
    [
        "    sonde train flowers/                     # guesses the task",
        "    sonde predict runs/flowers-1 rose.jpg",
        "`sonde train DATA [--backend torch|jax] [--set part.option=value ...]`",
        "```\nmake demo\nsonde --help\nsonde predict RUN FILE... --json\n```",
        '    pytest -x -m "jax and not slow" tests/rules    # some of them',
        "    .venv/bin/python -m pip install -e '.[torch]'",
        "sonde shows a sentence that is no command.",
    ],
)
def test_a_command_that_exists_is_fine(text: str) -> None:
    assert [problem for words in commands(text) if (problem := wrong(words, {"demo", "test"}))] == []


def test_a_function_that_does_not_exist_is_seen() -> None:
    assert calls("run = sonde.train('digits'); sonde.fit(run)") == ["train", "fit"]


def test_dead_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# Two words")
    text = (
        "# Here\n[a](there.md) [b](gone.md) [c](there.md#two-words) [d](there.md#three) [e](https://x.org) [f](#here)"
    )
    assert dead_links(text, tmp_path) == ["gone.md", "there.md#three"]
