"""What a run ran on: versions, hardware, threads, revision, data. Written once, when the run starts."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from sonde.backend.machine import processor
from sonde.config import Settings
from sonde.data import Dataset

PACKAGES = (
    "keras",
    "torch",
    "tensorflow",
    "jax",
    "numpy",
    "pillow",
    "opencv-python-headless",
    "scikit-learn",
    "safetensors",
)
"""Packages whose version can change a number."""


def describe_environment(settings: Settings, dataset: Dataset, parameters: int) -> dict[str, Any]:
    """Return the content of environment.json.

    Args:
        settings: the run's options.
        dataset: what it trains on.
        parameters: numbers in the model's weights.
    """
    precision = settings["training.precision"]
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {
        "sonde": metadata.version("sonde"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "threads": settings.value("training.threads"),
        "backend": settings.value("run.backend"),
        "packages": installed(PACKAGES),
        "precision": {"value": precision.value, "reason": precision.reason or precision.origin},
        "git": _revision(),
        "dataset": {
            "name": dataset.name,
            "format": dataset.format,
            "fingerprint": dataset.fingerprint,
            "sizes": {name: len(examples) for name, examples in splits.items()},
            "split_origin": dict(dataset.split_origin),
        },
        "model": {"name": settings.value("run.model"), "parameters": parameters},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]] if sys.argv and sys.argv[0] else [],
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def installed(packages: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of those packages that are installed, without importing them."""
    found = {}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _revision() -> dict[str, Any] | None:
    """Return the revision of the working folder's git checkout, where it is one."""
    try:
        head = _git("rev-parse", "HEAD")
        return {"revision": head, "dirty": bool(_git("status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, timeout=5, check=True)
    return done.stdout.strip()
