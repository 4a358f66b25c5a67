"""One row for each thing that can be asked: all that differs between a class, several labels, a number or a mask.

`ANSWERS` in `answers/__init__.py` is the table. Everybody else (planning, training, evaluation, comparison, ensembles,
reports) asks the row of the run's task and names no answer.

What a model gives for a batch is reduced at once to what is kept of each example (`keep`): logits for a class, counts
of pixels for a mask. So a test set of any size is scored in the memory of what is kept.
"""

# N examples, B examples of a batch

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sonde.answers.facts import Facts, Pointer
from sonde.config import Options, Settings
from sonde.data import Dataset, Listing, Stored
from sonde.data.decoded import Decoded
from sonde.data.modalities import Pace
from sonde.data.target import Batch, Column, Target
from sonde.drawing.examples import Overlay
from sonde.drawing.markup import Markup
from sonde.metrics import AnyMetric
from sonde.metrics.intervals import Bootstrap, Score

CONFIDENCE = 0.95
"""How often the intervals of a report hold the truth."""

Kept = Mapping[str, Column]
"""What is kept of each example of what the model gives for it, by name; N first."""


class Predictions(Protocol):
    """What a model says of some examples, beside the truth; each answer has its own, which its file holds."""

    @property
    def names(self) -> tuple[str, ...]:
        """A name that a person can find each example by, N."""

    def __len__(self) -> int: ...

    def part(self, rows: Sequence[int]) -> "Predictions":
        """Return some of them."""


@dataclass(frozen=True)
class Plan:
    """What the head of a model is built of, and what its training is given beside the batches."""

    outputs: int
    """Size of the head's last axis: classes, quantiles, a vocabulary."""
    head: Mapping[str, Any] = field(default_factory=dict)
    """Options of the head that are saved with the model."""
    loss: Mapping[str, Any] = field(default_factory=dict)
    """What the loss is told."""
    recorded: Mapping[str, Any] = field(default_factory=dict)
    """What the loss that is shown is told, where that is another one."""
    balance_N: NDArray[np.int64] | None = None
    """Group of each training example where an epoch is to show all groups equally often."""
    correction: tuple[float, ...] = ()
    """Added to the bias of the head after training, so that what it says holds in the data as it is."""


@dataclass(frozen=True)
class Scored:
    """What is scored: the predictions of a model, what it was fitted with, and how they are judged."""

    target: Any
    """The model's `data.target.Target`."""
    fitted: Any
    """What `Answer.fit` found, as `Answer.fitted_from` reads it."""
    predictions: Any
    own: Any
    """The answer's own options."""
    bootstrap: Bootstrap
    headline: str
    """The metric that stands first."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Training examples of each class; of the scored ones where those are not known."""
    mistakes: int = 24
    """How many of the worst predictions are shown."""
    raw: Stored | None = None
    """The raw examples that were predicted, where they are at hand."""


@dataclass(frozen=True)
class Worst:
    """One of the worst predictions, as the gallery of a report shows it."""

    row: int
    """Its place among the examples."""
    name: str
    predicted: str
    truth: str
    confidence: float | None = None
    """Probability that the model gave its prediction, where it gives any."""
    truth_confidence: float | None = None
    """Probability that it gave the truth."""
    note: str = ""
    """How far off, in few words."""
    panels: Mapping[str, Sequence[Overlay]] = field(default_factory=dict)
    """Where the example is shown several times beside one another: a title, and what lies over it."""


@dataclass(frozen=True)
class Plot:
    """One of an answer's own pictures."""

    function: Callable[[Scored, Mapping[str, Any]], str | None]
    """From what is scored and the content of scores.json to SVG, or None where there is nothing to draw."""
    title: str
    look_for: str
    """One sentence: what to look for in it."""


@dataclass(frozen=True)
class Checked:
    """Validation examples that baselines are tuned on, where the model is."""

    raw: Stored
    truth: Column
    """Encoded."""


@dataclass(frozen=True)
class Contest:
    """What baselines learn from, and what they predict."""

    modality: str
    target: Any
    fitted: Any
    own: Any
    """The answer's own options."""
    train: Stored
    """Raw training examples."""
    truth: Column
    """Theirs, encoded."""
    test: Stored
    """Raw examples to predict."""
    names: Sequence[str]
    """Theirs."""
    test_truth: Column
    """Theirs, encoded."""
    most: int
    """Training examples that a fit reads at most."""
    checked: Checked | None = None
    """None where nothing of the model was tuned on validation."""
    models: Mapping[str, Callable[[NDArray[np.int64], Stored], Kept]] = field(default_factory=dict)
    """Models that are solved at once, by name: from the places of the training examples that it may read, and raw
    examples, to what is kept of its outputs for these."""


@dataclass(frozen=True)
class Chosen:
    """What an explanation differentiates: one of the numbers that the model gives for an example."""

    index: int
    """Place on the last axis of the outputs."""
    name: str
    """What stands there, in the data's own terms."""
    confidence: float | None = None
    """Probability of it, where there is one."""
    written: tuple[int, ...] | None = None
    """Tokens of a text, its end among them; then its log-likelihood is explained, and no number of the outputs."""


@dataclass(frozen=True)
class Answer:
    """One row of the table of answers."""

    doc: str
    """One sentence for users, with {thing} for what is read, such as "an image"."""
    question: str
    """The question of a report, with {thing} and {count}."""
    tasks: Mapping[str, str]
    """By modality the name of the task, such as "image-classification"; one more entry is one more task."""
    options: type[Options]
    """Its own table in a run file, named like the answer."""

    recognise: Callable[[Listing], str]
    """Why a data set is for this answer, or an empty text; the first row that gives a reason is taken."""
    learned: Callable[[str], Sequence[str]] | None
    """From one truth to the names in it that training must see; None where nothing has a name."""
    learn: Callable[[Column, Any], Target]
    """From the training truths and the own options to the target; sees no other split."""
    target_from: Callable[[Mapping[str, Any]], Target]
    """Rebuilds a target from a model folder, which may be anybody's; raises ModelError."""
    outputs: Callable[[Any], int]
    """Size of the head's last axis for a target."""
    strata: Callable[[Column], NDArray[np.str_]]
    """What made splits are stratified by; all the same where they are not."""
    check: Callable[[Dataset], tuple[str, ...]]
    """Refuses data that cannot carry the task (DataError), and says what it carries badly."""
    count: Callable[[Column], Mapping[str, int]]
    """Examples of each class, for the report; empty where there are none."""
    in_words: Callable[[Any], Mapping[str, str]]
    """What was learned of the target, for the terminal: a word and what is said of it."""
    guess: Callable[[Settings, Column], Settings]
    """Guesses for the own options, the headline and the monitor, from the training truths."""
    refuse: Callable[[Settings, Any], None]
    """Refuses options that do not go with the target (ConfigError)."""

    plan: Callable[[Any, Column, Any, bool], Plan]
    """From the target, the encoded training truths, the own options and whether the head is solved for to its plan."""
    monitor: tuple[str, str]
    """The one that is taken where nobody chose, and why."""
    monitors: tuple[str, ...]
    """Validation figures that an epoch can be chosen by, beside the loss; better when higher."""
    shown: str
    """The head's score that is shown while training."""
    keep: Callable[[Any, Batch, Column | None], Kept]
    """From the target, the outputs for a batch and its encoded truths, where known, to what is kept of each example."""
    figures: Callable[[Any, Kept, Column, Sequence[str]], dict[str, float]]
    """The loss and the named figures of a validation."""
    fit: Callable[[Any, Kept, Column, "Fitting"], dict[str, Any]]
    """What validation tells beyond the weights (temperature, thresholds, intervals), as plain values."""
    fitted_from: Callable[[Mapping[str, Any], Any], Any]
    """Reads those plain values, which may be anybody's, against the target; raises ModelError."""

    predictions: Callable[[Any, Any, Kept, Column, Sequence[str]], Any]
    """From target, fitted values, what is kept, encoded truths and names to predictions."""
    write: Callable[[Path, Any], None]
    read: Callable[[Path], Any]
    """Predictions to a file and back; the file may be anybody's (RunError)."""
    align: Callable[[Any, Any], Any]
    """Puts the second predictions in the terms of the first, such as the order of classes; RunError if they differ."""
    truths: Callable[[Any], Column]
    """The truths of predictions, as the data holds them."""
    truth_in_words: Callable[[Any, int], str]
    """The truth of one of the predictions."""
    unequal_truths: Callable[[Any, Any], NDArray[np.bool_]]
    """Which examples of two aligned predictions have another truth, N."""
    table: Mapping[str, AnyMetric]
    """Every metric of the answer, in the order shown to users."""
    metrics: Callable[[Any, Any], Mapping[str, AnyMetric]]
    """From the target and the own options to those of them that say something here."""
    headline: Callable[[Any, Any], str]
    """The metric that stands first where nobody chose another."""
    sample: Callable[[Any, Any], Any]
    """From predictions and own options to what the metrics read."""
    compared: tuple[str, ...]
    """Metrics that a comparison shows beside the headline."""
    figure: Callable[[Any], NDArray[np.float64]]
    """From a sample to one figure for each example, higher being better: what two models' paired test is about."""
    figure_name: str
    """What that figure is of each example, such as "absolute error"."""
    judge: Callable[[Scored, Mapping[str, Score]], dict[str, Any]]
    """What scores.json holds beside the metrics, which it is given: each class, calibration, confusion."""
    worst: Callable[[Scored], list[Worst]]
    pictures: Mapping[str, Plot]
    """The answer's own pictures, in the order they are shown."""
    sections: Mapping[str, tuple[str, Callable[[Facts], Markup | None]]]
    """The report's sections on them: a word for the contents, and what writes each."""
    pointers: Sequence[Callable[[Facts], Iterator[Pointer]]]
    """What may deserve a look next."""
    rows: Callable[[Any, Any, Kept], list[dict[str, Any]]]
    """What `predict` gives for each example, as plain values."""
    columns: Mapping[str, Callable[[Mapping[str, Any]], str]]
    """How the terminal shows such a row: a cell for each head."""
    guesses: Callable[[Contest], Mapping[str, Any]]
    """What a model must beat: predictions of simple methods, by name; the first one reads nothing."""
    rehearse: Callable[[Any, int], Any]
    """Predictions like those to come, for so many examples, by which the time of scoring is reckoned."""
    pool: Callable[[Sequence[tuple[Any, Any]]], tuple[Any, Any]]
    """Puts the fitted values and predictions of several models for different examples together, as folds are."""
    remarks: Callable[[Facts], list[str]] = lambda facts: []
    """Sentences on how sure the result is, for a report's first screen."""
    first: Callable[[Facts], tuple[str, ...]] = lambda facts: ()
    """Sections that come before all others."""
    store: Callable[[Listing, Any, str], Decoded] | None = None
    """Decodes truths that stand in files, such as masks; see `data.Asked`."""
    deliver: Callable[[Any, Kept, Sequence[str], Path], list[dict[str, Any]]] | None = None
    """Writes what is predicted and no row can hold, such as masks: from the target, what is kept, the files and a
    folder to what each row says of it."""
    unite: Callable[[Any, Kept, Sequence[Sequence[int]], Sequence[str]], Kept] | None = None
    """Where a file is predicted whole, in several windows (`read_whole` of the input spec): from the target, what is
    kept of all windows, the places of each file's, and the files to what is kept of each file."""
    numbers: Callable[[Any, Sequence[int | None]], int] = lambda target, shape: 0
    """From the target and the shape of an input to the numbers that a model gives for it, where they are so many that a
    batch must be small for them; else 0."""
    typical: Callable[[Scored], list[Worst]] = lambda scored: []
    """Usual predictions, shown beside the worst where a name and a class do not tell what they are like."""
    may_be: Callable[[Listing], str] = lambda listing: ""
    """In words that a command follows: why a data set that another row takes may be for this answer; or empty."""
    poolable: Callable[[Any, Any], bool] = lambda first, second: bool(first == second)
    """Whether predictions of models with these two targets can be put together, as those of folds are."""
    average: Callable[[Sequence[tuple[Any, Batch]], Sequence[float]], Batch] | None = None
    """From each model's fitted values and outputs for a batch, and the weights, to the outputs of their average."""
    likelihood: Callable[[Any, Kept, Column], NDArray[np.float64]] | None = None
    """Likelihood of the truth of each example, by which the members of an ensemble can be weighed."""
    telling: Callable[[Scored, int], list[int]] = lambda scored, most: list(range(min(most, len(scored.predictions))))
    """Places of so many test examples whose explanation tells most, at most."""
    pace: Pace | None = None
    """How long training takes where nobody gave the epochs; that of what is read where it is None."""
    suits: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    """Options of models and of what is read that go well with it, by "part.option", each with its reason; guesses for
    those that have them, below what goes well with the model."""
    writes: bool = False
    """Whether its truths are texts to be written, which stay as they were read, and no names of anything."""
    classes: Callable[[Any], tuple[str, ...]] = lambda target: ()
    """Names of what stands on the last axis of the outputs, each of which can be explained; none where it has none."""
    choose: Callable[[Any, Any, Kept], list[Chosen]] | None = None
    """What an explanation of each example is about; None where nothing is explained."""


@dataclass(frozen=True)
class Fitting:
    """What a fit on validation examples knows beside them."""

    own: Any
    """The answer's own options."""
    plan: Plan | None = None
    """Of the training; None where several models are averaged."""
    fitted_on: str = "validation"
    """A row of `FITTED_ON`."""
    seen: bool = False
    """Whether the model was trained on these examples too, so that nothing but what a person named may be fitted."""
    members: Sequence[Any] = ()
    """Fitted values of the averaged models, where several are."""


FITTED_ON = {
    "validation": "the validation split",
    "left out": "training and validation examples, each when left out",
}
"""Which predictions temperature, decision and thresholds were fitted on, in words that follow "fitted on"."""
