"""No module has a name that says nothing, and nothing registers itself by being decorated."""

import ast

import pytest

from rules.source import Module, house

EMPTY = {"util", "utils", "common", "core", "base", "helper", "helpers", "misc", "tools", "stuff", "lib"}


def nameless(modules: tuple[Module, ...] | list[Module]) -> list[str]:
    """Return the modules with a name that fits everything."""
    return [module.name for module in modules if {part.strip("_") for part in module.name.split(".")} & EMPTY]


def registrations(module: Module) -> list[str]:
    """Return the decorators that enter something into a table out of sight."""
    return [
        f"{module.name}:{node.lineno} @{ast.unparse(mark)}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        for mark in node.decorator_list
        if "register" in ast.unparse(mark).lower()
    ]


def test_every_module_has_a_name_that_says_something() -> None:
    assert nameless(house()) == []


def test_tables_are_visible_and_nothing_registers_itself() -> None:
    assert [fault for module in house() for fault in registrations(module)] == []


@pytest.mark.parametrize("name", ["sonde.utils", "sonde.data.common", "sonde.core.image", "sonde.models._base"])
def test_an_empty_name_is_found(name: str) -> None:
    assert nameless([Module(name, "")]) == [name]


def test_a_name_that_only_contains_an_empty_one_is_fine() -> None:
    assert nameless([Module("sonde.evaluation.baselines", ""), Module("sonde.data.score", "")]) == []


@pytest.mark.parametrize("mark", ["@register", "@register_model('x')", "@models.register", "@Registry.register()"])
def test_a_registry_decorator_is_found(mark: str) -> None:
    assert len(registrations(Module("sonde.x", f"{mark}\ndef f(): ..."))) == 1
