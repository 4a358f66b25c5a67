"""What differs between the things that are read is one row: nobody asks which modality it is, outside of data/."""

import ast

import pytest

from rules.source import Module, house
from sonde.data import MODALITIES

HOMES = ("sonde.data", "sonde.models")
"""Where modalities are named; a model's `Reads.modality` is the kind of its shape."""
SPECS = {type_of.__self__.__name__ for row in MODALITIES.values() if (type_of := row.spec_from)}  # type: ignore[attr-defined]


def asked(module: Module) -> list[str]:
    """Return where a module asks what kind of thing is read: by the class of a spec, or by the modality's name."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            kinds = {each.id for each in ast.walk(node.args[1]) if isinstance(each, ast.Name)}
            kinds |= {each.attr for each in ast.walk(node.args[1]) if isinstance(each, ast.Attribute)}
            found += [f"{module.name}:{node.lineno} asks for {name}" for name in sorted(kinds & SPECS)]
        if isinstance(node, ast.Compare):
            texts = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            found += [
                f"{module.name}:{node.lineno} asks for '{name}'" for name in sorted(texts & set(MODALITIES), key=str)
            ]
    return found


def test_nobody_asks_what_kind_of_thing_is_read() -> None:
    modules = [module for module in house() if not module.name.startswith(HOMES)]
    assert [place for module in modules for place in asked(module)] == []


@pytest.mark.parametrize(
    "text",
    [
        "isinstance(spec, TextSpec)",
        "isinstance(spec, image.ImageSpec | Other)",
        'if modality == "table": pass',
        'if modality in ("text", "audio"): pass',
    ],
)
def test_a_question_for_the_kind_is_found(text: str) -> None:
    assert asked(Module("sonde.evaluation.x", text))


def test_a_spec_of_each_modality_is_known_to_the_rule() -> None:
    assert len(SPECS) == len(MODALITIES)
