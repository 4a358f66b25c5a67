"""Reads the project's sources as syntax trees: what the rules of the house look at."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "sonde"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of Python."""

    name: str
    """Dotted, such as "sonde.data.spec"; a package has the name of its folder."""
    text: str
    is_package: bool = False

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text)

    @property
    def room(self) -> str:
        """The part of the house that the module is in: "data" for sonde.data.spec, "" for sonde itself."""
        return room_of(self.name)


@dataclass(frozen=True)
class Import:
    """One name that a module imports."""

    target: str
    """The module it comes from, or the module itself where the name is one."""
    name: str
    """The imported name; empty for a plain `import`."""
    line: int
    is_lazy: bool
    """Stands in a function, so that it runs late."""
    is_for_types: bool
    """Stands under `if TYPE_CHECKING:`, so that it never runs."""


def room_of(name: str) -> str:
    """Return the part of the house that a dotted name is in."""
    return f"{name}.".split(".")[1]


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def house() -> tuple[Module, ...]:
    """Return every module of the package."""
    return tuple(_module(path) for path in sorted(PACKAGE.rglob("*.py")))


def _module(path: Path) -> Module:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return Module(".".join(parts[:-1] if is_package else parts), path.read_text(encoding="utf-8"), is_package)


def tracked_files() -> list[Path]:
    """Return the files that git knows or would add, or all files where there is no git."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if answer.returncode:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if ".venv" not in path.parts]
    else:
        names = answer.stdout.decode().split("\0")
    return [ROOT / name for name in sorted(filter(None, names)) if (ROOT / name).is_file()]


def imports(module: Module, known: frozenset[str] | set[str]) -> list[Import]:
    """Return what a module imports, at its top, in its functions and for types alone.

    Args:
        module: the file.
        known: names of all modules; `from sonde.data import spec` is then an import of sonde.data.spec.
    """
    return [
        found
        for node, lazy, types in _walk(module.tree, False, False)
        for found in _names(node, module, known, lazy, types)
    ]


def _walk(node: ast.AST, lazy: bool, types: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node, lazy, types
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for child in node.body:
            yield from _walk(child, lazy, True)
        for child in node.orelse:
            yield from _walk(child, lazy, types)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _walk(child, lazy or isinstance(node, Function | ast.Lambda), types)


def _names(
    node: ast.Import | ast.ImportFrom, module: Module, known: frozenset[str] | set[str], lazy: bool, types: bool
) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, "", node.lineno, lazy, types)
        return
    source = _absolute(node, module)
    for alias in node.names:
        inner = f"{source}.{alias.name}"
        yield Import(inner if inner in known else source, alias.name, node.lineno, lazy, types)


def _absolute(node: ast.ImportFrom, module: Module) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    above = parts[: len(parts) - node.level + (1 if module.is_package else 0)]
    return ".".join([*above, *filter(None, [node.module])])


def names_of(modules: tuple[Module, ...] | list[Module]) -> frozenset[str]:
    """Return the dotted names of modules."""
    return frozenset(module.name for module in modules)


def functions(module: Module) -> Iterator[tuple[str, Function]]:
    """Yield each function and method of a module with its dotted name, also those inside of functions."""
    yield from _functions(module.tree, module.name)


def _functions(node: ast.AST, name: str) -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        inner = f"{name}.{child.name}" if isinstance(child, Function | ast.ClassDef) else name
        if isinstance(child, Function):
            yield inner, child
        yield from _functions(child, inner)


def public_functions(module: Module) -> Iterator[tuple[str, Function, bool]]:
    """Yield the functions that other modules may call: dotted name, function, whether it is a method.

    Public is what has no underscore in front, at the top of a module or in a public class; and a public class's
    `__init__`, as its call is the class's own signature.
    """
    for node in module.tree.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield f"{module.name}.{node.name}", node, False
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for inner in node.body:
                if isinstance(inner, Function) and (not inner.name.startswith("_") or inner.name == "__init__"):
                    yield f"{module.name}.{node.name}.{inner.name}", inner, True


def parameters(function: Function, *, is_method: bool) -> list[ast.arg]:
    """Return a function's parameters without self or cls, and without *args and **kwargs."""
    given = function.args
    found = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    is_static = any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in function.decorator_list)
    return found[1:] if is_method and not is_static else found
