"""README's "Add a model", done as it says: the example that stands there as one more row of the table of models."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from sonde.models import MODELS, Architecture

README = Path(__file__).parents[2] / "README.md"
NAME = "readme-example"


def code() -> str:
    """Return the example's code."""
    found = re.search(r"^## Add a model$.*?^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)
    assert found, "README.md shows no Python under 'Add a model'"
    return found[1]


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Add the example as a file and a row; the backend must be chosen, since the file imports Keras.

    Args:
        folder: where the file is written.
        monkeypatch: takes the model away again.

    Returns:
        The model's name.
    """
    module_name = NAME.replace("-", "_")
    file = folder / f"{module_name}.py"
    file.write_text(code(), encoding="utf-8")
    specification = importlib.util.spec_from_file_location(f"sonde.models.{module_name}", file)
    assert specification and specification.loader
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, f"sonde.models.{module_name}", module)
    specification.loader.exec_module(module)
    monkeypatch.setitem(MODELS, NAME, Architecture((module.__doc__ or "").strip(), ("image",)))
    return NAME
