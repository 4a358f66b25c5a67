"""What the scoring of a run will take, and what a budget of time leaves of it.

Two parts grow without regard to the model: the drawings of the bootstrap, and the fit of the linear baseline. Both
are timed on a small share and reckoned up; where they would take more than their share of a budget, there are fewer
drawings, and the baseline learns from fewer examples. Both then stand in the run file, with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sonde.answers import task_of
from sonde.answers.answer import Contest
from sonde.config import Settings, fill, guessed
from sonde.data import Dataset
from sonde.evaluation.explanations.in_report import SECONDS
from sonde.evaluation.options import Options
from sonde.evaluation.trained_model import answer_options
from sonde.metrics.intervals import Bootstrap, score_sample
from sonde.models.views import VIEWS

DRAWING_SHARE, BASELINE_SHARE, EXPLAINING_SHARE = 0.12, 0.05, 0.07
"""Shares of a budget that the bootstrap, the baselines and the explanations may take."""
TRIED_EXAMPLES, TRIED_DRAWINGS, TRIED_FIT = 2000, 100, 1000
"""How much of each is timed."""
BESIDE_DRAWINGS = 60
"""Drawings that scoring takes as long as without any: sorting, counting, curves."""
BESIDE_THE_SCORES = 1.7
"""Scores of each class, calibration and verdict, in times of one scoring; measured on 10,000 examples of 10 classes."""
FEWEST_DRAWINGS, FEWEST_EXAMPLES = 100, 1000
WRITING = 0.8
"""Seconds for opening the model, the plots, the predictions, the report, and the end of the process."""
WRITING_EACH = 5e-5
"""Seconds more for each test example."""


@dataclass(frozen=True)
class Scoring:
    """What scoring takes."""

    settings: Settings
    """What the budget made of the options: guesses with their reasons; empty where all of it fits."""
    seconds: float
    """All but the model's own predictions."""
    predictions: int
    """Examples that the model predicts, each view counted."""


def scoring(dataset: Dataset, settings: Settings, *, minutes: float, clock: Callable[[], float]) -> Scoring:
    """Estimate what scoring a run takes, and bound it where a budget asks for that.

    Args:
        dataset: the run's data.
        settings: every option of the run; what a person said of scoring is left as it is.
        clock: reading in seconds.
    """
    options = fill(Options, "evaluation", settings)
    tests, train = len(dataset.test), len(dataset.train)
    fit, baselines = _seconds_of_a_fit(dataset, settings, clock)
    each = _seconds_of_a_drawing(dataset, settings, clock) * (baselines + 1 + BESIDE_THE_SCORES)
    affordable = int(60 * minutes * DRAWING_SHARE / each) - BESIDE_DRAWINGS
    bounded = Settings()
    drawings = options.resamples
    if _is_open(settings, "evaluation.resamples") and affordable < drawings:
        drawings = min(drawings, max(FEWEST_DRAWINGS, affordable // 100 * 100))
        reason = f"{minutes_in_words(minutes)} no time for more drawings"
        bounded = bounded.over(guessed("evaluation.resamples", drawings, reason))
    most = min(options.baseline_examples, train)
    affordable = int(60 * minutes * BASELINE_SHARE / fit)
    if _is_open(settings, "evaluation.baseline_examples") and affordable < most:
        most = min(most, max(FEWEST_EXAMPLES, affordable // 1000 * 1000))
        reason = f"{minutes_in_words(minutes)} no time for a fit to more of the {train:,}"
        bounded = bounded.over(guessed("evaluation.baseline_examples", most, reason))
    explaining = SECONDS if options.explain else 0.0
    if explaining > 60 * minutes * EXPLAINING_SHARE and _is_open(settings, "evaluation.explain"):
        explaining, reason = 0.0, f"{minutes_in_words(minutes)} no time for explanations"
        bounded = bounded.over(guessed("evaluation.explain", 0, reason))
    seconds = each * (drawings + BESIDE_DRAWINGS) + fit * most + explaining + WRITING + WRITING_EACH * tests
    return Scoring(bounded, seconds, tests * len(VIEWS[options.views].views))


def minutes_in_words(minutes: float) -> str:
    """Return what a budget does, to begin a reason with: "1 minute leaves", "2 minutes leave"."""
    return f"{minutes:g} minute leaves" if minutes == 1 else f"{minutes:g} minutes leave"


def _is_open(settings: Settings, key: str) -> bool:
    return key not in settings or settings[key].origin in ("guessed", "default")


def _seconds_of_a_drawing(dataset: Dataset, settings: Settings, clock: Callable[[], float]) -> float:
    """Time a bootstrap over predictions like those to come; returns what one drawing over the test split takes."""
    tests = len(dataset.test)
    tried = min(tests, TRIED_EXAMPLES)
    row, own = task_of(settings).row, answer_options(settings)
    target = row.learn(dataset.train.truth, own)
    sample = row.sample(row.rehearse(target, tried), own)
    bootstrap = Bootstrap(0, TRIED_DRAWINGS)
    begun = clock()
    score_sample(sample, row.metrics(target, own), bootstrap=bootstrap)
    return max(1e-9, (clock() - begun) / (TRIED_DRAWINGS + BESIDE_DRAWINGS) * tests / tried)


def _seconds_of_a_fit(dataset: Dataset, settings: Settings, clock: Callable[[], float]) -> tuple[float, int]:
    """Time the baselines on a few examples; return what they take for each example, and how many there are."""
    row, own = task_of(settings).row, answer_options(settings)
    target = row.learn(dataset.train.truth, own)
    tried, tests = min(TRIED_FIT, len(dataset.train)), np.arange(min(TRIED_FIT, len(dataset.test)))
    contest = Contest(
        modality=dataset.modality,
        target=target,
        fitted=None,
        own=own,
        train=dataset.train.raw,
        truth=target.encode(dataset.train.truth),
        test=dataset.test.raw[tests],
        names=dataset.test.names[tests].tolist(),
        test_truth=target.encode(dataset.test.truth[tests]),
        most=tried,
    )
    begun = clock()
    baselines = len(row.guesses(contest))
    return max(1e-9, (clock() - begun) / tried), baselines
