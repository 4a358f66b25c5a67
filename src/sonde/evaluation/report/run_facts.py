"""Reads what a run left in its folder; the report is made from this alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sonde.answers.facts import Facts, Option, Shown
from sonde.config import RUNS, RunFolder


def read_facts(
    folder: RunFolder, pictures: Mapping[str, str], worst: Sequence[Shown], typical: Sequence[Shown] = ()
) -> Facts:
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
        options=read_options(folder),
        environment=_optional(folder, folder.environment_file),
        findings=_optional(folder, folder.findings_file),
        pictures=pictures,
        worst=worst,
        typical=typical,
    )


def read_options(folder: RunFolder) -> list[Option]:
    """Read a run's options with who chose each, and why.

    Args:
        folder: of any run; one without a run file has no options.
    """
    if not folder.settings_file.is_file():
        return []
    return [Option(key, each.value, each.origin, each.reason) for key, each in folder.settings().items()]


def _optional(folder: RunFolder, path: Path) -> dict[str, Any]:
    return folder.read_json(path) if path.exists() else {}
