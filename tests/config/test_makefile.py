"""What `make` leaves where making the environment fails."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"


def test_a_half_made_environment_is_removed_with_the_cure_said(tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("this system has no make")
    shutil.copy(MAKEFILE, tmp_path)
    # What Debian's Python does without its package for venv: it leaves an interpreter, and ends with 1.
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nmkdir -p .venv/bin && touch .venv/bin/python && exit 1\n")
    python.chmod(0o755)
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    words = ["make", "-C", str(tmp_path), ".venv/bin/python", f"PYTHON={python}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=clean)
    assert done.returncode and "apt-get install python3-venv" in done.stderr
    assert not (tmp_path / ".venv").exists()
