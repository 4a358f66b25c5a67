"""What a report is made of: a run as its files tell it, and what may deserve a look next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sonde.drawing import Sketch
from sonde.drawing.markup import Child, Markup, tag
from sonde.drawing.page import element, figure

SPLITS = ("train", "validation", "test")

Score = Mapping[str, Any]
"""A score as `scores.json` holds it: value, low, high, n."""


@dataclass(frozen=True)
class Option:
    """One option of a run, as `run.toml` holds it."""

    key: str
    value: Any
    origin: str
    """Who chose it: "command line", "file", "guessed" or "default"."""
    reason: str
    """Why it was guessed; empty otherwise."""


@dataclass(frozen=True)
class Shown:
    """One of the worst predictions, with what is shown of its example."""

    name: str
    predicted: str
    truth: str
    confidence: float | None = None
    truth_confidence: float | None = None
    note: str = ""
    picture: Sketch | None = None
    """None where nothing can be shown."""
    panels: Mapping[str, Sketch] = field(default_factory=dict)
    """By title what is shown instead, beside one another."""


@dataclass(frozen=True)
class Facts:
    """A run, as its files tell it: all that a report is made of."""

    name: str
    run: str
    """How commands name the run whose model was scored, such as "runs/flowers-1"."""
    scores: Mapping[str, Any]
    history: Sequence[Mapping[str, Any]] = ()
    options: Sequence[Option] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    findings: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    worst: Sequence[Shown] = ()
    """The worst predictions."""
    typical: Sequence[Shown] = ()
    """Usual ones, where the answer shows any."""

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
        return next((record for record in reversed(self.history) if record.get("best")), None)

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


@dataclass(frozen=True)
class Pointer:
    """One thing to look at: what, why and where."""

    what: str
    """A few words, as a heading."""
    why: tuple[Child, ...]
    """Text and markup; names from the data stand in `drawing.page.name`."""
    where: str
    """Anchor of the section that shows it."""


def captioned(facts: Facts, key: str, title: str, look_for: str, *, style: str = "") -> Markup | None:
    """Return a picture of a run with its title and what to look for, or None where it was not drawn."""
    words = element("span", "", tag("b", f"{title}. "), look_for)
    return figure(facts.pictures.get(key), words, style=style)


def level(scores: Mapping[str, Any]) -> str:
    """Write how much an interval covers, such as "95%"."""
    return f"{100 * float(scores.get('confidence') or 0.95):g}%"
