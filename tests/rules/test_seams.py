"""What is said once stays said once: who knows the minutes, and what a file's name means."""

import ast

import pytest

from rules.source import Module, house, imports, names_of
from sonde.answers import ANSWERS
from sonde.data import MODALITIES

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


PARTS = {
    *("target", "options", "guesses", "training", "fit", "fitted", "predictions", "rows", "scores", "report"),
    *("pictures", "baselines", "row"),
}
"""Files of each answer's folder; the file of that name elsewhere is what the answers' are of, as data/target.py is."""
FORMS = {"spec", "files", "guesses", "augment", "looks", "options"}
"""Files of each modality's folder."""
MEANT_ALIKE = {
    "kernel_shares": "a layer, and how torch runs it",
    "pretrained": "encoders that others have pretrained: what they are, and the model that has their weights",
}
"""Further names that stand for one thing in several rooms, and which."""


def ambiguous(modules: tuple[Module, ...] | list[Module]) -> list[str]:
    """Return the names that files of several rooms have for different things."""
    alike = PARTS | FORMS | set(ANSWERS) | set(MODALITIES) | set(MEANT_ALIKE)
    places: dict[str, list[str]] = {}
    for module in modules:
        if not module.is_package:
            places.setdefault(module.name.split(".")[-1], []).append(module.name)
    return [" and ".join(names) for leaf, names in places.items() if len(names) > 1 and leaf not in alike]


def test_no_file_s_name_means_two_things() -> None:
    assert ambiguous(house()) == []


def test_a_name_that_means_two_things_is_found_and_a_part_of_each_answer_is_none() -> None:
    modules = [Module(f"sonde.{name}", "") for name in ("models.folder", "config.folder", "models.cnn")]
    assert ambiguous(modules) == ["sonde.models.folder and sonde.config.folder"]
    assert ambiguous([Module("sonde.answers.a.target", ""), Module("sonde.data.target", "")]) == []


def test_the_list_of_shared_names_holds_nothing_that_is_not_shared() -> None:
    leaves = [module.name.split(".")[-1] for module in house() if not module.is_package]
    assert [name for name in sorted({*PARTS, *FORMS, *MEANT_ALIKE}) if leaves.count(name) < 2] == []
