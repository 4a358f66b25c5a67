"""What the small files of a run folder hold, as far as it is read: anybody may have written or changed them.

A file is held against its shape when it is read, so that a text where a number belongs is said there, with the file's
name, and not by whatever meets it later. More than is named here may stand in each.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from sonde.errors import shortened


def _possible(number: float) -> float:
    if not abs(number) <= LARGEST:
        raise ValueError(f"{number:g} cannot be right")
    return number


LARGEST = 1e100
"""What pictures and sums can take; losses are 32-bit floats, far below."""
Number = Annotated[float, AfterValidator(_possible)]
Count = Annotated[int, Field(ge=0, le=10**15)]
Pair = Annotated[list[str], Field(min_length=2, max_length=2)]


class Shape(BaseModel):
    """A table of a file; what is not named is let through."""

    model_config = ConfigDict(strict=True, extra="ignore")


class Epoch(Shape):
    """A line of history.jsonl."""

    epoch: Annotated[int, Field(ge=0, le=10**9)]
    step: Annotated[int, Field(ge=0, le=10**12)] = 0
    train: dict[str, Number | None] | None = None
    validation: dict[str, Number | None] | None = None
    learning_rate: Number | None = None
    best: bool | None = None
    clock: dict[str, Number | None] | None = None


class Origin(Shape):
    """An entry of origins.json."""

    value: Any
    origin: Literal["command line", "file", "guessed", "default"]
    reason: str = ""


class Precision(Shape):
    """Of the environment."""

    value: str
    reason: str = ""


class Revision(Shape):
    """Of the environment: the state of a git checkout."""

    revision: str
    dirty: bool = False


class Data(Shape):
    """Of the environment: the data set."""

    name: str | None = None
    format: str | None = None
    fingerprint: str | None = None
    sizes: dict[str, Count] | None = None
    split_origin: dict[str, str] | None = None


class Model(Shape):
    """Of the environment."""

    name: str
    parameters: Count | None = None


class Budget(Shape):
    """Of the environment: a budget of time, and how the training kept to it."""

    minutes: Number
    steps: Count
    seconds_used: Number
    seconds_kept: Number
    stopped: bool = False


class Environment(Shape):
    """environment.json."""

    sonde: str | None = None
    python: str | None = None
    platform: str | None = None
    processor: str | None = None
    cores: Count | None = None
    threads: Count | None = None
    backend: str | None = None
    packages: dict[str, str] | None = None
    precision: Precision | None = None
    git: Revision | None = None
    dataset: Data | None = None
    model: Model | None = None
    command: list[str] | None = None
    started: str | None = None
    fallbacks: list[str] | None = None
    budget: Budget | None = None


class Findings(Shape):
    """findings.json."""

    bad_files: list[Pair] | None = None
    duplicates: Count | None = None
    leaks: list[Pair] | None = None
    leak_count: Count | None = None
    notes: list[str] | None = None
    classes: dict[str, dict[str, Count]] | None = None


class Score(Shape):
    """A score with its interval."""

    value: Number | None = None
    low: Number | None = None
    high: Number | None = None
    n: Count | None = None


class Verdict(Shape):
    """Of the scores; without words where there is none."""

    sentence: str | None = None


Scored = dict[str, Score]


class Sizes(Shape):
    """Examples of two splits."""

    train: Count
    test: Count


class Row(Shape):
    """One of several runs, in folds.json and seeds.json."""

    name: str
    label: str
    sizes: Sizes
    scores: Scored
    baselines: dict[str, Scored]


class Spread(Shape):
    """A score over several runs."""

    value: Number | None = None
    low: Number | None = None
    high: Number | None = None
    deviation: Number | None = None
    corrected_low: Number | None = None
    corrected_high: Number | None = None


class Several(Shape):
    """folds.json and seeds.json."""

    headline: str
    runs: list[Row]
    spread: dict[str, Spread]
    baselines: dict[str, dict[str, Spread]]

    @model_validator(mode="after")
    def _has_its_headline(self) -> Self:
        if self.headline not in self.spread:
            raise ValueError(f"'{shortened(self.headline)}' is not among the spread")
        return self


class Member(Shape):
    """One of the averaged runs, in ensemble.json."""

    name: str
    model: str
    backend: str
    weight: Annotated[float, Field(ge=0, le=1)]
    scores: Scored


class Judged(Shape):
    """Of an ensemble: how it stands beside the best of its members."""

    sentence: str


class Members(Shape):
    """ensemble.json."""

    metrics: list[str]
    scores: Scored
    members: list[Member]
    against_the_best: Judged


class Scores(Shape):
    """scores.json."""

    headline: str
    test: Scored
    splits: str
    answer: str | None = None
    classes: list[str] | None = None
    baselines: dict[str, Scored] = {}
    verdict: Verdict | None = None
    folds: Several | None = None
    seeds: Several | None = None
    ensemble: Members | None = None

    @model_validator(mode="after")
    def _has_its_headline(self) -> Self:
        if self.headline not in self.test:
            raise ValueError(f"'{shortened(self.headline)}' is not among the scores on the test")
        return self


SHAPES: Mapping[str, TypeAdapter[Any]] = {
    "ensemble.json": TypeAdapter(Members),
    "environment.json": TypeAdapter(Environment),
    "findings.json": TypeAdapter(Findings),
    "folds.json": TypeAdapter(Several),
    "origins.json": TypeAdapter(dict[str, Origin]),
    "scores.json": TypeAdapter(Scores),
    "seeds.json": TypeAdapter(Several),
}
"""By name of the file."""

EPOCH: TypeAdapter[Any] = TypeAdapter(Epoch)


def fault(shape: TypeAdapter[Any], content: Any) -> str:
    """Return in words where content does not have its shape, such as "cores: ...", or an empty text.

    Args:
        shape: of `SHAPES`, or `EPOCH`.
        content: plain values, as JSON gives them.
    """
    try:
        shape.validate_python(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = shortened(".".join(str(part) for part in first["loc"]))
        what = first["msg"].removeprefix("Value error, ")
        what = what[:1].lower() + what[1:]
        return f"{where}: {what}" if where else what
    return ""
