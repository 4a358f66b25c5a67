"""What is asked is one row: no answer is named outside of answers/ and the heads, and each kind has one table."""

import ast
import re

import pytest

from rules.source import Module, house
from sonde.answers import ANSWERS, TASKS
from sonde.models.architectures import MODELS

HOMES = ("sonde.answers", "sonde.models.heads")
"""Where answers may be named."""
KINDS = {
    "answers": (set(ANSWERS), ("sonde.answers", "sonde.models.heads")),
    "tasks": (set(TASKS), ("sonde.answers",)),
    "models": (set(MODELS), ("sonde.models.architectures",)),
}
"""The names of a kind, and the modules that may hold a table of them."""
COLUMNS = ("translation",)
"""Tasks that a column may be called like too, in a list of such names."""


def named(module: Module) -> list[str]:
    """Return where a module names an answer or a task: in a text, as a part of options, or by import."""
    found = []
    listed = {id(each) for node in ast.walk(module.tree) if isinstance(node, ast.Tuple) for each in node.elts}
    for node in ast.walk(module.tree):
        if id(node) in listed and isinstance(node, ast.Constant) and node.value in COLUMNS:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not _is_docstring(node, module):
            word = node.value
            if word in ANSWERS or word in TASKS or any(word.startswith(f"{name}.") for name in ANSWERS):
                found.append(f"{module.name}:{node.lineno} names '{word}'")
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[:2] == ["sonde", "answers"] and len(parts) > 2 and parts[2] in ANSWERS:
                found.append(f"{module.name}:{node.lineno} imports {node.module}")
    return found


def _is_docstring(node: ast.Constant, module: Module) -> bool:
    return any(isinstance(parent, ast.Expr) and parent.value is node for parent in ast.walk(module.tree))


def tables(module: Module) -> list[str]:
    """Return the dictionaries of a module that are keyed by the names of a kind which has its table elsewhere."""
    found = []
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Dict):
            continue
        keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
        for kind, (names, homes) in KINDS.items():
            if len(keys & names) >= 2 and keys <= names and not module.name.startswith(homes):
                found.append(f"{module.name}:{node.lineno} is a second table of {kind}")
    return found


def hints(module: Module) -> list[str]:
    """Return the options of answers that a module speaks of and that its own answer does not have."""
    parts = module.name.split(".")
    own = parts[2] if len(parts) > 2 else ""
    known = {f"{own}.{name}" for name in ANSWERS[own].options.model_fields} if own in ANSWERS else set()
    option = re.compile(rf"\b(?:{'|'.join(ANSWERS)})\.[a-z_]+(?==)")
    return [
        f"{module.name}:{node.lineno} speaks of {found}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for found in option.findall(node.value)
        if found not in known and not _is_docstring(node, module)
    ]


def test_an_answer_speaks_of_its_own_options_alone() -> None:
    modules = [module for module in house() if module.name.startswith("sonde.answers.")]
    assert [place for module in modules for place in hints(module)] == []


def test_a_hint_at_the_option_of_another_answer_is_found() -> None:
    text = 'x = "what helps: --set classification.sampling=balanced"'
    assert len(hints(Module("sonde.answers.multilabel.x", text))) == len(hints(Module("sonde.answers.x", text))) == 1
    assert hints(Module("sonde.answers.classification.x", text)) == []
    assert len(hints(Module("sonde.answers.classification.x", 'x = "classification.evenness=1"'))) == 1


def test_no_answer_is_named_outside_of_its_room() -> None:
    modules = [module for module in house() if not module.name.startswith(HOMES)]
    assert [place for module in modules for place in named(module)] == []


def test_each_kind_has_one_table() -> None:
    assert [place for module in house() for place in tables(module)] == []


@pytest.mark.parametrize(
    "text",
    [
        'x = "classification"',
        'x = settings.value("multilabel.tune_for")',
        'if task == "image-classification": pass',
        "from sonde.answers.classification.target import ClassTarget",
    ],
)
def test_an_answer_that_is_named_elsewhere_is_found(text: str) -> None:
    assert len(named(Module("sonde.evaluation.x", text))) == 1


def test_a_second_table_is_found() -> None:
    assert len(tables(Module("sonde.evaluation.x", 'X = {"classification": 1, "multilabel": 2}'))) == 1
    assert len(tables(Module("sonde.terminal.x", 'X = {"cnn": 1, "mlp": 2}'))) == 1
    assert tables(Module("sonde.evaluation.x", 'X = {"classification": 1, "other": 2}')) == []
