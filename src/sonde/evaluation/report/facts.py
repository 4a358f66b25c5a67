"""Reads what a run left in its folder; the report is made from this alone."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sonde.answers.facts import Facts, Option, Shown
from sonde.config import RUNS, RunFolder


def read_facts(folder: RunFolder, pictures: Mapping[str, str], worst: Sequence[Shown]) -> Facts:
    """Read a run's files; only the scores have to be there.

    Args:
        folder: the run's folder.
        pictures: SVG text by the name of the plot.
        worst: the worst predictions, worst first.

    Raises:
        RunError: the scores are missing, or a file is damaged.
    """
    # Scores on other data lie in a folder inside the run's.
    home = folder.path.parent if RunFolder(folder.path.parent).settings_file.is_file() else folder.path
    return Facts(
        name=folder.name if home is folder.path else f"{home.name} {folder.name}",
        run=f"{RUNS.name}/{home.name}",
        scores=folder.read_json(folder.scores_file),
        history=folder.history(),
        options=read_options(folder.settings_file),
        environment=_optional(folder, folder.environment_file),
        findings=_optional(folder, folder.findings_file),
        pictures=pictures,
        worst=worst,
    )


def read_options(path: Path) -> list[Option]:
    """Read a run file with the notes behind its values: who chose each, and why.

    Args:
        path: a `run.toml` as `config.write_settings` writes it; a missing file has no options.
    """
    if not path.is_file():
        return []
    part, options = "", []
    for line in path.read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"\s*\[\s*([\w-]+)\s*\]\s*(?:#.*)?", line):
            part = header[1]
        elif unset := re.fullmatch(r"# ([\w-]+) is not set  # (.*)", line):
            options.append(_option(f"{part}.{unset[1]}", None, unset[2]))
        elif not line.lstrip().startswith("#") and "=" in line:
            options += [_option(f"{part}.{name}", value, note) for name, value, note in _assignment(line)]
    return options


def _assignment(line: str) -> list[tuple[str, Any, str]]:
    # The value may hold a '#' itself: the note begins at the first one before which the line is whole TOML.
    cuts = [match.start() for match in re.finditer("#", line)] + [len(line)]
    for cut in cuts:
        try:
            values = tomllib.loads(line[:cut])
        except tomllib.TOMLDecodeError:
            continue
        return [(name, value, line[cut + 1 :].strip()) for name, value in values.items()]
    return []


def _option(key: str, value: Any, note: str) -> Option:
    origin, _, reason = note.partition(":")
    return Option(key, value, origin.strip() or "file", reason.strip())


def _optional(folder: RunFolder, path: Path) -> dict[str, Any]:
    return folder.read_json(path) if path.exists() else {}
