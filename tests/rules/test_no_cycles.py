"""No module imports itself by a detour, neither when it is loaded nor later from inside of a function."""

from graphlib import CycleError, TopologicalSorter

import pytest

from rules.source import Module, house, imports, names_of


def cycle(modules: tuple[Module, ...] | list[Module]) -> list[str]:
    """Return the names along one cycle of imports, or nothing. What is imported for types alone never runs."""
    known = names_of(modules)
    graph = {
        module.name: {
            each.target
            for each in imports(module, known)
            # `from sonde import __version__` reads a constant that stands there before anything is imported.
            if each.target in known and not each.is_for_types and (each.target, each.name) != ("sonde", "__version__")
        }
        for module in modules
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_import_goes_in_a_circle() -> None:
    assert cycle(house()) == []


@pytest.mark.parametrize(
    "back",
    [
        "import sonde.a",
        "from sonde.a import x",
        "from sonde import a",
        "from .a import x",
        "def late():\n    from sonde.a import x",
        "def late():\n    return lambda: __name__\nclass C:\n    def late(self):\n        import sonde.a",
    ],
)
def test_a_circle_is_found(back: str) -> None:
    modules = [Module("sonde.a", "import sonde.b"), Module("sonde.b", "import sonde.c"), Module("sonde.c", back)]
    assert set(cycle(modules)) == {"sonde.a", "sonde.b", "sonde.c"}


def test_an_import_for_types_makes_no_circle() -> None:
    back = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sonde.a"
    assert cycle([Module("sonde.a", "import sonde.b"), Module("sonde.b", back)]) == []
