"""Reads what a run left in its folder; the report is made from this alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sonde.config import RUNS, RunFolder
from sonde.evaluation.plots import Mistake
from sonde.evaluation.plots.learning import best_epoch

SPLITS = ("train", "validation", "test")

Score = Mapping[str, Any]
"""A score as `scores.json` holds it: value, low, high, n."""


@dataclass(frozen=True)
class Option:
    """One option of a run."""

    key: str
    value: Any
    origin: str
    """Who said it: "command line", "file", "guessed" or "default"."""
    reason: str
    """Why it was guessed; empty otherwise."""


@dataclass(frozen=True)
class Facts:
    """A run, as its files tell it."""

    name: str
    run: str
    """How commands name the run whose model was scored, such as "runs/flowers-1"."""
    scores: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]] = ()
    options: Sequence[Option] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    findings: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    mistakes: Sequence[Mistake] = ()

    @property
    def headline(self) -> str:
        """Name of the metric that is shown first."""
        return str(self.scores.get("headline", "accuracy"))

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes, in the model's order."""
        return self.scores.get("classes") or ()

    @property
    def test(self) -> Mapping[str, Score]:
        """Scores on the test split, by metric."""
        return self.scores.get("test") or {}

    @property
    def score(self) -> Score:
        """The headline's score."""
        return self.test.get(self.headline) or {}

    @property
    def per_class(self) -> Mapping[str, Mapping[str, Any]]:
        """Scores of each class."""
        return self.scores.get("per_class") or {}

    @property
    def verdict(self) -> Mapping[str, Any]:
        """How the model stands beside the best baseline."""
        return self.scores.get("verdict") or {}

    @property
    def dataset(self) -> Mapping[str, Any]:
        """What the environment says of the data."""
        return self.environment.get("dataset") or {}

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The record of the epoch whose weights were kept."""
        return best_epoch(self.history)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Examples in each split, as far as anything says so."""
        given = self.dataset.get("sizes") or {}
        counted = self.findings.get("classes") or {}
        sizes = {split: given.get(split, sum((counted.get(split) or {}).values())) for split in SPLITS}
        if not sizes["test"]:
            sizes["test"] = self.score.get("n") or 0
        return {split: int(size) for split, size in sizes.items() if size}

    def option(self, key: str) -> Any:
        """Return an option's value, or None where the run file does not say."""
        return next((option.value for option in self.options if option.key == key), None)


def read_facts(folder: RunFolder, pictures: Mapping[str, str], mistakes: Sequence[Mistake]) -> Facts:
    """Read a run's files; only the scores have to be there.

    Args:
        folder: the run's folder.
        pictures: SVG text by the name of the plot.
        mistakes: the worst mistakes, worst first.

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
        mistakes=mistakes,
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
