"""The tables that `sonde list` shows, and the check-up of `sonde doctor`."""

import os
import platform
import shutil
from collections.abc import Callable
from importlib import metadata

from sonde import backend, data, models
from sonde.answers import ANSWERS, TASKS
from sonde.backend import install_command
from sonde.config import RECIPES, RUNS
from sonde.errors import ConfigError, did_you_mean

Rows = list[dict[str, str]]

SPARE_BYTES = 2_000_000_000
"""Free space below which the doctor warns; checkpoints and caches need some."""


def rows(kind: str) -> Rows:
    """Return the rows of one table.

    Args:
        kind: a key of `KINDS`.

    Raises:
        ConfigError: there is no such table.
    """
    if not isinstance(kind, str) or kind not in KINDS:
        raise ConfigError(f"There is no table called '{kind}'.{did_you_mean(str(kind), KINDS)} ({', '.join(KINDS)})")
    return KINDS[kind]()


def _models() -> Rows:
    return [
        {"name": name, "reads": ", ".join(row.reads), "what it is": row.sentence} for name, row in models.MODELS.items()
    ]


def _recipes() -> Rows:
    return [{"name": name, "what it is": row.sentence} for name, row in RECIPES.items()]


def _tasks() -> Rows:
    return [{"name": name, "reads": task.modality, "what it is": task.doc} for name, task in TASKS.items()]


def _augmentations() -> Rows:
    return [
        {"name": name, "of": modality, "what it does": row.doc}
        for modality, table in data.AUGMENTATIONS.items()
        for name, row in table.items()
    ]


def _metrics() -> Rows:
    found = {name: metric for row in reversed(ANSWERS.values()) for name, metric in row.table.items()}
    order = dict.fromkeys(name for _, row in sorted(ANSWERS.items()) for name in row.table)
    return [
        {
            "name": name,
            "of": ", ".join(answer for answer, row in sorted(ANSWERS.items()) if name in row.table),
            "better": found[name].better,
            "what it is": found[name].doc,
        }
        for name in order
    ]


def _backends() -> Rows:
    return [
        {
            "name": name,
            "installed": "yes" if backend.is_installed(name) else f"no: {install_command(name)}",
            "what it is": row.sentence,
        }
        for name, row in backend.BACKENDS.items()
    ]


def _data() -> Rows:
    built_in = [{"name": name, "kind": "built in", "what it is": first_line(row)} for name, row in data.BUILTIN.items()]
    formats = [{"name": name, "kind": "format", "what it is": row.doc} for name, row in data.SOURCES.items()]
    return built_in + [row for row in formats if row["name"] != "builtin"]


def first_line(function: Callable[..., object]) -> str:
    """Return the first line of a function's docstring."""
    return (function.__doc__ or "").strip().splitlines()[0]


KINDS: dict[str, Callable[[], Rows]] = {
    "models": _models,
    "recipes": _recipes,
    "tasks": _tasks,
    "augmentations": _augmentations,
    "metrics": _metrics,
    "backends": _backends,
    "data": _data,
}
"""What `sonde list` can show; the keys are `api.Kind`."""


def check_up() -> Rows:
    """Return what is installed, what is missing, and the command that installs it."""
    found: Rows = [
        {"part": "python", "state": platform.python_version(), "cure": ""},
        {"part": "sonde", "state": metadata.version("sonde"), "cure": ""},
    ]
    found += [_package(name) for name in _core_packages()]
    for name in backend.BACKENDS:
        is_there = backend.is_installed(name)
        state = metadata.version(backend.BACKENDS[name].package) if is_there else "not installed"
        found.append({"part": f"backend {name}", "state": state, "cure": "" if is_there else install_command(name)})
    cores = backend.cores()
    found.append({"part": "processor cores", "state": str(cores), "cure": ""})
    place = RUNS if RUNS.is_dir() else RUNS.resolve().parent
    free = shutil.disk_usage(place).free
    cure = "" if free > SPARE_BYTES else "free some space: checkpoints and caches need it"
    found.append({"part": "free disk space", "state": f"{free / 1e9:.1f} GB", "cure": cure})
    writable = os.access(place, os.W_OK)
    cure = "" if writable else "start sonde in a folder that you may write to"
    found.append({"part": "runs folder", "state": "writable" if writable else "not writable", "cure": cure})
    return found


def _core_packages() -> list[str]:
    needed = metadata.requires("sonde") or []
    return [
        text.split(";")[0].split(">")[0].split("<")[0].split("=")[0].strip() for text in needed if "extra" not in text
    ]


def _package(name: str) -> dict[str, str]:
    try:
        return {"part": name, "state": metadata.version(name), "cure": ""}
    except metadata.PackageNotFoundError:
        return {"part": name, "state": "not installed", "cure": f"{backend.python()} -m pip install {name}"}
