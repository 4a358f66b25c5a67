"""A file has at most 400 lines, one of tests at most 500, a function at most 80, and nine in ten at most 45."""

import pytest

from rules.source import ROOT, Function, Module, functions, house

LINES_OF_FILE, LINES_OF_TESTS, LINES_OF_FUNCTION = 400, 500, 80
USUAL_LINES = 45
ONE_IN = 10
"""Of so many functions one may be longer than usual."""


def length(function: Function) -> int:
    """Return a function's lines, from `def` to its last."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def oversized(modules: tuple[Module, ...] | list[Module]) -> list[str]:
    """Return the files and functions that are too long, and whether too many functions are long."""
    found = []
    lengths = []
    for module in modules:
        lines = len(module.text.splitlines())
        if lines > LINES_OF_FILE:
            found.append(f"{module.name} has {lines} lines")
        for name, function in functions(module):
            lengths.append(length(function))
            if length(function) > LINES_OF_FUNCTION:
                found.append(f"{name} has {length(function)} lines")
    long = sum(each > USUAL_LINES for each in lengths)
    if long * ONE_IN > len(lengths):
        found.append(f"{long} of {len(lengths)} functions have more than {USUAL_LINES} lines")
    return found


def test_files_and_functions_keep_to_their_budgets() -> None:
    assert oversized(house()) == []


def test_files_of_tests_keep_to_the_budget_too() -> None:
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "tests").rglob("*.py")}
    assert {name: count for name, count in lines.items() if count > LINES_OF_TESTS} == {}


def test_the_rules_see_the_whole_house() -> None:
    assert {"sonde", "sonde.errors", "sonde.config.run", "sonde.cli"} <= {module.name for module in house()}


def body(lines: int, name: str = "f") -> str:
    return f"def {name}():\n" + "    x = 1\n" * (lines - 1)


@pytest.mark.parametrize(
    ("text", "breaches"),
    [
        ("x = 1\n" * 400, 0),
        ("x = 1\n" * 401, 1),
        (body(80) + "".join(body(2, f"f{number}") for number in range(9)), 0),
        (body(81) + "".join(body(2, f"f{number}") for number in range(9)), 1),
        (body(46) + "".join(body(2, f"f{number}") for number in range(8)), 1),
        ("class C:\n    def outer(self):\n        def f():\n" + "            x = 1\n" * 85, 3),
    ],
)
def test_what_is_too_long_is_found(text: str, breaches: int) -> None:
    assert len(oversized([Module("sonde.x", text)])) == breaches
