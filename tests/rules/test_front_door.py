"""The front door is small and light: `import sonde` and `sonde --help` load nothing that is heavy."""

import os
import subprocess
import sys

import pytest

import sonde
from rules.source import ROOT
from sonde import api
from sonde.errors import SondeError

FRAMEWORKS = {"torch", "tensorflow", "jax", "keras"}
HEAVY = FRAMEWORKS | {"numpy", "pydantic", "scipy", "sklearn", "cv2", "PIL", "matplotlib", "pyarrow", "safetensors"}


def loaded_by(code: str) -> set[str]:
    """Return the packages that a fresh Python has loaded after some code."""
    report = "import sys; print('loaded:', *{name.partition('.')[0] for name in sys.modules})"
    answer = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    return set(answer.stdout.rpartition("loaded:")[2].split())


def test_the_front_door_shows_the_verbs_the_error_and_the_version() -> None:
    assert dir(sonde) == sorted([*api.VERBS, "SondeError", "__version__"])


@pytest.mark.parametrize("verb", api.VERBS)
def test_a_verb_at_the_front_door_is_the_verb(verb: str) -> None:
    assert getattr(sonde, verb) is api.VERBS[verb]


def test_the_error_at_the_front_door_is_the_family_of_all_errors() -> None:
    assert sonde.SondeError is SondeError


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'sonde' has no attribute 'trian'"):
        _ = sonde.trian


def test_importing_sonde_loads_nothing_heavy() -> None:
    assert loaded_by("import sonde") & (HEAVY | {"rich", "cyclopts"}) == set()


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["--version"], ["trian"]])
def test_help_and_usage_errors_load_nothing_heavy(words: list[str]) -> None:
    assert loaded_by(f"from sonde.cli import main; main({words!r})") & HEAVY == set()


def test_a_heavy_import_would_be_seen() -> None:
    assert "numpy" in loaded_by("import sonde; import numpy.linalg") & HEAVY
