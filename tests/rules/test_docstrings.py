"""Every module opens with a docstring, and what is public has one, and its annotations."""

import ast

import pytest

from rules.source import Function, Module, house, parameters, public_functions

TRIVIAL = ("property", "cached_property", "overload")
"""Decorators: a property of one line reads as an attribute, an overload repeats its function."""


def undocumented(module: Module) -> list[str]:
    """Return the module, classes and functions without a docstring, or whose first line is no sentence."""
    found = [f"{module.name}: {fault}" for fault in _faults(module.tree)]
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found += [f"{module.name}.{node.name}: {fault}" for fault in _faults(node)]
    for name, function, _ in public_functions(module):
        if function.name != "__init__" and not _is_trivial(function):
            found += [f"{name}: {fault}" for fault in _faults(function)]
    return found


def _faults(node: ast.Module | ast.ClassDef | Function) -> list[str]:
    text = ast.get_docstring(node)
    if not text:
        return ["has no docstring"]
    # A sentence may run on to the next lines; a drawing or a command may follow it without an empty line.
    opening = text.split("\n\n")[0]
    return [] if opening.endswith((".", ":", "?", "!", ")")) or "\n" in opening else ["opens with no sentence"]


def _is_trivial(function: Function) -> bool:
    marks = {ast.unparse(mark).rpartition(".")[2] for mark in function.decorator_list}
    return "overload" in marks or (bool(marks & set(TRIVIAL)) and len(function.body) == 1)


def unannotated(module: Module) -> list[str]:
    """Return the public functions with a parameter or a return value without a type."""
    found = []
    for name, function, is_method in public_functions(module):
        bare = [each.arg for each in parameters(function, is_method=is_method) if each.annotation is None]
        bare += [each.arg for each in (function.args.vararg, function.args.kwarg) if each and each.annotation is None]
        bare += ["return"] if function.returns is None and function.name != "__init__" else []
        found += [f"{name}: {each}" for each in bare]
    return found


def test_what_is_public_says_what_it_is() -> None:
    assert [fault for module in house() for fault in undocumented(module)] == []


def test_what_is_public_is_annotated() -> None:
    assert [fault for module in house() for fault in unannotated(module)] == []


@pytest.mark.parametrize(
    "text",
    [
        "x = 1",
        '"""no sentence"""',
        '"""Module."""\ndef f(): pass',
        '"""Module."""\nasync def f(): pass',
        '"""Module."""\nclass C: pass',
        '"""Module."""\nclass C:\n    """Class."""\n    def method(self): pass',
        '"""Module."""\ndef f():\n    """do it"""',
        '"""Module."""\nclass C:\n    """Class."""\n    @property\n    def p(self):\n        x = 1\n        return x',
    ],
)
def test_a_missing_docstring_is_found(text: str) -> None:
    assert len(undocumented(Module("sonde.x", text))) == 1


def test_private_names_and_short_properties_need_no_docstring() -> None:
    members = "    def _m(self): pass\n    @property\n    def p(self): return 1"
    text = f'"""M."""\ndef _f(): pass\nclass C:\n    """C."""\n{members}'
    assert undocumented(Module("sonde.x", text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "def f(x) -> int: ...",
        "def f(*, x) -> int: ...",
        "def f(*x) -> int: ...",
        "def f(x: int): ...",
        "class C:\n    def m(self, x) -> int: ...",
        "class C:\n    def __init__(self, x): ...",
        "class C:\n    @staticmethod\n    def m(x) -> int: ...",
    ],
)
def test_a_missing_annotation_is_found(text: str) -> None:
    assert len(unannotated(Module("sonde.x", text))) == 1


def test_self_and_private_functions_need_no_annotation() -> None:
    assert unannotated(Module("sonde.x", "def _f(x): ...\nclass C:\n    def m(self, x: int) -> None: ...")) == []
