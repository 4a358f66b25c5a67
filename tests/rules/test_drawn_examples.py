"""A test that draws its examples leaves chance to the profile, and takes a share of the examples that it asks for."""

import ast

import pytest

from rules.source import ROOT, Module

PROFILES = ROOT / "tests" / "conftest.py"
OF_THE_PROFILE = {"database", "deadline", "derandomize", "print_blob"}


def settled(module: Module) -> list[str]:
    """Return each setting of hypothesis that a test keeps to whatever the profile is, `make nightly` too."""
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "settings":
            for word in node.keywords:
                own = word.arg == "max_examples" and "settings.default.max_examples" not in ast.unparse(word.value)
                if own or word.arg in OF_THE_PROFILE:
                    found.append(f"{module.name}:{node.lineno} {word.arg}={ast.unparse(word.value)}")
    return found


def test_no_test_settles_what_is_the_profiles() -> None:
    paths = [path for path in sorted((ROOT / "tests").rglob("*.py")) if path != PROFILES]
    modules = [Module(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in paths]
    # A share is written as settings(max_examples=settings.default.max_examples // 10), see tests/conftest.py.
    assert [fault for module in modules for fault in settled(module)] == []


@pytest.mark.parametrize(
    "text",
    [
        "@settings(max_examples=30)\ndef test(): ...",
        "calm = settings(derandomize=True)",
        "@hypothesis.settings(deadline=None)\ndef test(): ...",
    ],
)
def test_a_setting_of_ones_own_is_found(text: str) -> None:
    assert len(settled(Module("tests.x", text))) == 1


def test_a_share_and_other_settings_are_fine() -> None:
    text = "@settings(max_examples=settings.default.max_examples // 3, phases=[])\ndef test(): ..."
    assert settled(Module("tests.x", text)) == []
    assert settled(Module("tests.x", "small_runs.settings({'training.deadline': 1})")) == []
