"""Frameworks are named in backend/ alone, and keras in backend/ and models/ alone."""

import ast
import re

import pytest

from rules.source import Module, house, imports, names_of

FRAMEWORKS = ("torch", "tensorflow", "jax", "jaxlib", "flax", "optax", "torchvision", "torchaudio")
ROOMS = {**{name: {"backend"} for name in FRAMEWORKS}, "keras": {"backend", "models"}}
"""Where each may be imported."""

BY_NAME = {"import_module", "__import__", "run_module", "lazy_import"}
"""Calls that import what a string names."""


def strangers(modules: tuple[Module, ...] | list[Module]) -> list[str]:
    """Return each place that imports or spells out a framework where it must not."""
    known = names_of(modules)
    found = []
    for module in modules:
        named = [(each.target, each.line) for each in imports(module, known)]
        named += _imported_by_name(module.tree) + _spelled_in_strings(module.tree)
        for name, line in named:
            package = name.split(".")[0]
            if package in ROOMS and module.room not in ROOMS[package]:
                found.append(f"{module.name}:{line} names {name}")
    return found


def _imported_by_name(tree: ast.Module) -> list[tuple[str, int]]:
    return [
        (str(node.args[0].value), node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in BY_NAME
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]


def _spelled_in_strings(tree: ast.Module) -> list[tuple[str, int]]:
    """Find code in strings: "torch.nn" or "import torch". The bare name is the backend's name, and free."""
    code = re.compile(rf"^(?:import |from )?((?:{'|'.join(ROOMS)})\.[a-z_]\w*)|^(?:import|from) ({'|'.join(ROOMS)})\b")
    return [
        (match[1] or match[2], node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and (match := code.search(node.value))
    ]


def test_frameworks_are_named_in_backend_alone() -> None:
    assert strangers(house()) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sonde.data.spec", "import torch"),
        ("sonde.models.cnn", "import torch.nn.functional as F"),
        ("sonde.training.loop", "def late():\n    from tensorflow import function"),
        ("sonde.metrics.intervals", "import jax.numpy as jnp"),
        ("sonde.training.loop", "import keras"),
        ("sonde.tasks.label", "from keras.losses import CategoricalCrossentropy"),
        ("sonde.api", "import importlib\nimportlib.import_module('torch')"),
        ("sonde.api", "__import__('keras')"),
        ("sonde.api", "TABLE = {'torch': 'torch.nn'}"),
        ("sonde.api", "run('import tensorflow as tf')"),
        ("sonde.api", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch"),
    ],
)
def test_a_framework_out_of_its_room_is_found(name: str, text: str) -> None:
    assert len(strangers([Module(name, text)])) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sonde.backend.torch", "import torch\nimport keras"),
        ("sonde.models.cnn", "import keras"),
        ("sonde.config.run", "BACKENDS = ('torch', 'tensorflow', 'jax')"),
    ],
)
def test_a_framework_in_its_room_and_a_backends_name_are_fine(name: str, text: str) -> None:
    assert strangers([Module(name, text)]) == []
