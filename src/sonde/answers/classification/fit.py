"""What a trained classifier learns from validation of its own doubt: temperature, decision, sets, abstention.

The temperature and the thresholds are chosen on validation examples. A threshold is sound where its examples had no
part in anything that came before it. So of 1,000 validation examples and more, one half fits the temperature and the
other half chooses the thresholds. Of fewer, all do both: the temperature is one number, and what it takes from the
promise is far less than what half of a few examples would. That the validation split also chose the epoch cannot be
undone; both are said in the report, and the test split is the check.
"""

# N examples, C classes

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.answers.answer import Fitting, Kept
from sonde.answers.classification.fitted import Abstention, Sets
from sonde.answers.classification.options import Options
from sonde.answers.classification.target import ClassTarget
from sonde.data.target import Column
from sonde.metrics import conformal, selective, thresholds
from sonde.metrics import temperature as temperature_scaling
from sonde.metrics.thresholds import decide as decided

APART = 1000
"""Validation examples from which on the temperature and the thresholds get a half each."""


@dataclass(frozen=True)
class Calibration:
    """What is known of a model's doubt."""

    temperature: float
    sets: Sets
    abstention: Abstention


def fit(target: ClassTarget, kept: Kept, truth: Column, fitting: Fitting) -> dict[str, Any]:
    """Return what validation tells of a classifier, as its folder holds it.

    Args:
        kept: logits of the validation examples, with the corrected bias.
        truth: class numbers.
        fitting: the options, and what came before.
    """
    own, logits_NC = fitting.own, np.asarray(kept["logits"])
    untuned = _untuned(fitting)
    if fitting.seen:
        # Validation would flatter it; a confidence that a person named needs no examples.
        named = _abstain(logits_NC[:0], np.asarray(truth)[:0], own, temperature=1.0, decision=untuned(1.0))
        return {"decision": untuned(1.0), "fitted_on": fitting.fitted_on, "abstention": named.model_dump(mode="json")}
    found = calibrate(logits_NC, np.asarray(truth), own)
    warmth = found.temperature
    goal, decision = own.tune_for, tuple(untuned(warmth))
    if goal != "none":
        positive = (
            target.classes.index(own.positive) if own.positive in target.classes and len(target.classes) == 2 else None
        )
        decision = thresholds.best_offsets(np.asarray(truth), _rounded(logits_NC, warmth), goal, positive=positive)
    abstention = found.abstention
    if decision:
        abstention = _abstain(logits_NC, np.asarray(truth), own, temperature=warmth, decision=decision)
    return {
        "temperature": warmth,
        "decision": decision,
        "tuned_for": goal,
        "fitted_on": fitting.fitted_on,
        "sets": found.sets.model_dump(mode="json"),
        "abstention": abstention.model_dump(mode="json"),
    }


def _untuned(fitting: Fitting) -> Callable[[float], tuple[float, ...]]:
    """Return the decision where nothing is tuned, from the temperature: what the training asked for."""
    if fitting.plan is not None:
        correction = fitting.plan.correction
        # As the logits did before the correction was added to them.
        return lambda warmth: tuple(-each / warmth for each in correction)
    # What the members' trainings asked for where they balanced the classes, on average.
    decisions = [each.decision for each in fitting.members if each.decision]
    mean = tuple(np.mean(decisions, axis=0).tolist()) if decisions and len(decisions) == len(fitting.members) else ()
    return lambda warmth: mean


def calibrate(logits_NC: ArrayLike, truth_N: ArrayLike, ask: Options) -> Calibration:
    """Fit the temperature and choose the thresholds on validation examples.

    Args:
        logits_NC: outputs of the trained model before the softmax.
        truth_N: index of the true class of each example.

    Returns:
        Values for the model's description.
    """
    logits, truth = np.asarray(logits_NC, np.float64), np.asarray(truth_N, np.intp)
    first, second = _halves(truth, ask, classes=logits.shape[1])
    warmth = temperature_scaling.fit(logits[first], truth[first])
    probabilities = _rounded(logits[second], warmth)
    chosen = truth[second]
    limits = {
        method: conformal.thresholds(
            method, probabilities, chosen, coverage=ask.coverage, by_class=ask.sets_by_class
        ).tolist()
        for method in conformal.METHODS
    }
    sets = Sets.model_validate(
        {
            "coverage": ask.coverage,
            "method": ask.sets,
            "thresholds": {name: tuple(_finite(limit) for limit in each) for name, each in limits.items()},
            "examples": len(chosen),
            "is_apart": len(chosen) < len(truth),
        }
    )
    return Calibration(warmth, sets, _abstention(probabilities, chosen, ask, probabilities.argmax(axis=1)))


def _abstain(
    logits_NC: ArrayLike, truth_N: ArrayLike, ask: Options, *, temperature: float, decision: Sequence[float]
) -> Abstention:
    """Choose anew below which confidence the model abstains, where a tuned decision says what is given.

    Args:
        logits_NC: outputs on validation examples, as `calibrate` was given them.
        truth_N: index of the true class of each example.
        temperature: what `calibrate` found.
        decision: an offset for each class.
    """
    logits, truth = np.asarray(logits_NC, np.float64), np.asarray(truth_N, np.intp)
    _, second = _halves(truth, ask, classes=logits.shape[1])
    probabilities = _rounded(logits[second], temperature)
    return _abstention(probabilities, truth[second], ask, decided(probabilities, decision))


def _rounded(logits_NC: NDArray[np.float64], warmth: float) -> NDArray[np.float64]:
    # As the test's are (predictions.parquet), so that the same logits fall on the same side.
    return temperature_scaling.apply(logits_NC, warmth).astype(np.float32).astype(np.float64)


def _halves(truth_N: NDArray[np.intp], ask: Options, *, classes: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the examples for the temperature and those for the thresholds."""
    everything = np.arange(len(truth_N))
    rarest = int(np.bincount(truth_N, minlength=classes).min())
    # Two halves of one class must both be large enough where each class has a threshold.
    if len(truth_N) < APART or (ask.sets_by_class and rarest < 4 * conformal.fewest(ask.coverage)):
        return everything, everything
    drawn = np.random.default_rng(0).permutation(len(truth_N))
    half = len(drawn) // 2
    return np.sort(drawn[:half]), np.sort(drawn[half:])


def _finite(limit: float) -> float | None:
    return min(max(limit, 0.0), 1.0) if np.isfinite(limit) else None


def _abstention(
    probabilities_NC: NDArray[np.float64], truth_N: NDArray[np.intp], ask: Options, guess_N: NDArray[np.intp]
) -> Abstention:
    """Return the strictest of the thresholds that are asked for."""
    found: list[tuple[float, str]] = [(0.0, "")]
    if ask.abstain_below > 0:
        found.append((ask.abstain_below, "as classification.abstain_below says"))
    confidence_N = probabilities_NC[np.arange(len(guess_N)), guess_N]
    correct_N = guess_N == truth_N
    if ask.wanted_accuracy > 0 and len(truth_N):
        choice = selective.at_accuracy(confidence_N, correct_N, wanted=ask.wanted_accuracy)
        found.append((choice.threshold, _for_accuracy(choice, ask.wanted_accuracy, len(truth_N))))
    if ask.wanted_share < 1 and len(truth_N):
        choice = selective.at_share(confidence_N, correct_N, wanted=ask.wanted_share)
        found.append((choice.threshold, f"answers the surest {choice.answered:.0%} of {len(truth_N):,} examples"))
    threshold, reason = max(found, key=lambda pair: pair[0])
    return Abstention(threshold=float(threshold), reason=reason)


def _for_accuracy(choice: selective.Choice, accuracy: float, examples: int) -> str:
    if choice.accuracy is None:
        return f"no {selective.FEWEST} of {examples:,} examples reached an accuracy of {accuracy:g}: all but certainty"
    told = f"right in {choice.accuracy:.1%} of the {choice.answered:.0%} of {examples:,} examples that it answers"
    if choice.is_sure:
        return f"{told}; at least {accuracy:g} is guaranteed for examples drawn alike, with 95 % confidence"
    return f"{told}; too few examples to guarantee {accuracy:g}"
