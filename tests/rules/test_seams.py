"""What is said once stays said once: who knows the minutes, and what a file's name means."""

import ast

import pytest

from rules.source import Module, house, imports, names_of

LOOP = ("sonde.training.session", "sonde.training.checkpoints", "sonde.training.schedules", "sonde.training.records")
BUDGET = ("sonde.training.budget", "sonde.training.deadline")


def minutes_in_the_loop(modules: tuple[Module, ...] | list[Module]) -> list[str]:
    """Return where the loop asks for a budget of time, which wraps it from outside."""
    known = names_of(modules) | set(BUDGET)
    inside = [module for module in modules if module.name in LOOP]
    found = [
        f"{module.name}:{each.line} imports {each.target}"
        for module in inside
        for each in imports(module, known)
        if each.target in BUDGET
    ]
    return found + [
        f"{module.name}:{node.lineno} asks for minutes"
        for module in inside
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "minutes"
    ]


def test_the_loop_knows_no_minutes() -> None:
    assert minutes_in_the_loop(house()) == []


@pytest.mark.parametrize("text", ["from sonde.training.budget import Budget", "def f(run): return 60 * run.minutes"])
def test_a_loop_that_knows_minutes_is_found(text: str) -> None:
    assert len(minutes_in_the_loop([Module("sonde.training.session", text)])) == 1
    assert minutes_in_the_loop([Module("sonde.training.opening", text)]) == []
