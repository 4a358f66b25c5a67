"""A public function has at most six parameters, and none that swallows any keyword."""

import pytest

from rules.source import Module, house, parameters, public_functions

MOST = 6

ALLOWED = {
    "sonde.api.train": "the shell's flags of the issues that asked for them, the recipe and the minutes among them; "
    "everything else goes through --set",
}
"""Functions with more parameters, each with its reason."""


def crowded(module: Module) -> list[str]:
    """Return the public functions with too many parameters or with **kwargs."""
    found = []
    for name, function, is_method in public_functions(module):
        count = len(parameters(function, is_method=is_method))
        if count > MOST and name not in ALLOWED:
            found.append(f"{name} has {count} parameters")
        if function.args.kwarg is not None:
            found.append(f"{name} takes **{function.args.kwarg.arg}")
    return found


def test_public_functions_are_few_and_plain_in_their_parameters() -> None:
    assert [fault for module in house() for fault in crowded(module)] == []


def test_every_exception_is_still_needed() -> None:
    counts = {
        name: len(parameters(function, is_method=is_method))
        for module in house()
        for name, function, is_method in public_functions(module)
    }
    assert {name: counts.get(name, 0) for name in ALLOWED if counts.get(name, 0) <= MOST} == {}


@pytest.mark.parametrize(
    "text",
    [
        "def f(a, b, c, d, e, f, g): ...",
        "def f(a, /, b, c, *, d, e, f, g): ...",
        "def f(**options): ...",
        "class C:\n    def __init__(self, a, b, c, d, e, f, g): ...",
        "class C:\n    def m(self, **options): ...",
        "class C:\n    @staticmethod\n    def m(a, b, c, d, e, f, g): ...",
    ],
)
def test_a_crowded_signature_is_found(text: str) -> None:
    assert len(crowded(Module("sonde.x", text))) == 1


def test_six_parameters_beside_self_are_fine() -> None:
    text = "def f(a, b, c, *, d, e, f): ...\nclass C:\n    def m(self, a, b, c, d, e, f): ...\ndef _f(**options): ..."
    assert crowded(Module("sonde.x", text)) == []
