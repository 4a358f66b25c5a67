"""A test that runs on a backend by name carries the backend's mark, so that it can be left out, and its process too."""

import ast

import pytest

from rules.source import ROOT, Module
from sonde.backend import BACKENDS


def unmarked(module: Module) -> list[str]:
    """Return the parametrizations over names of backends that are not made by `each_backend.marked`."""
    assigned = {
        name: value
        for node in module.tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        for name, value in _assigned(target, node.value)
    }
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.parametrize") and len(node.args) > 1:
            values = node.args[1]
            values = assigned.get(values.id, values) if isinstance(values, ast.Name) else values
            if _is_of_backends(values):
                found.append(f"{module.name}:{node.lineno} {ast.unparse(node.args[1])}")
    return found


def _assigned(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr]]:
    pairs = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = [*zip(target.elts, value.elts, strict=False)]
    return [(name.id, each) for name, each in pairs if isinstance(name, ast.Name)]


def _is_of_backends(values: ast.expr) -> bool:
    """Say whether an expression lists backends: the table itself, the others beside torch, or their names alone."""
    if isinstance(values, ast.List | ast.Tuple):
        names = [each.value for each in values.elts if isinstance(each, ast.Constant)]
        return bool(names) and len(names) == len(values.elts) and set(names) <= set(BACKENDS)
    if isinstance(values, ast.Call) and ast.unparse(values.func) in {"list", "tuple", "sorted"}:
        return any(_is_of_backends(each) for each in values.args)
    return ast.unparse(values).rpartition(".")[2] in {"BACKENDS", "OTHERS"}


def test_tests_of_each_backend_are_marked() -> None:
    paths = sorted((ROOT / "tests").rglob("test_*.py"))
    modules = [Module(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in paths]
    # Write pytest.mark.parametrize("name", each_backend.marked()); see tests/each_backend.py.
    assert [fault for module in modules for fault in unmarked(module)] == []


@pytest.mark.parametrize(
    "text",
    [
        '@pytest.mark.parametrize("name", backend.BACKENDS)\ndef test(): ...',
        '@pytest.mark.parametrize("name", list(BACKENDS))\ndef test(): ...',
        'NAMES = ("tensorflow", "jax")\n@pytest.mark.parametrize("name", NAMES)\ndef test(): ...',
        'A, NAMES = 1, ["jax"]\n@pytest.mark.parametrize("name", NAMES)\ndef test(): ...',
        'BACKENDS = list(backend.BACKENDS)\n@pytest.mark.parametrize("name", BACKENDS)\ndef test(): ...',
    ],
)
def test_names_of_backends_without_marks_are_found(text: str) -> None:
    assert len(unmarked(Module("tests.x", text))) == 1


def test_marked_names_and_other_lists_are_fine() -> None:
    text = "NAMES = each_backend.marked()\n" + "".join(
        f'@pytest.mark.parametrize("name", {values})\ndef test(): ...\n'
        for values in ("NAMES", "each_backend.marked(parity.OTHERS)", '["jax", "nonsense"]', '[("torch", 1)]')
    )
    assert unmarked(Module("tests.x", text)) == []
