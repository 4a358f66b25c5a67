"""Scores one label for each example: the decision that was tuned, confusion, calibration, baselines, doubt."""

# N examples, C classes

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import tasks
from sonde.evaluation import restraint
from sonde.evaluation.answers.given import Answers, Frame, Guess, heads, picture, plain
from sonde.evaluation.goals import chosen_headline, positive_class
from sonde.evaluation.plots import Evidence, Mistake
from sonde.evaluation.predictions import predictions, write_predictions
from sonde.evaluation.verdict import judge_samples
from sonde.metrics import CALIBRATION, METRICS, PER_CLASS, Sample, applicable, curves, prepare, thresholds
from sonde.metrics.confusion import confusion_matrix
from sonde.metrics.intervals import score_each, score_sample
from sonde.models.restraint import FITTED_ON

GOALS = {"f1": "f1_macro", "balanced_accuracy": "balanced_accuracy", "accuracy": "accuracy"}
"""The metric that shows what a decision was tuned for; with a positive class its own F1."""


def sample(answers: Answers, probabilities_NC: NDArray[np.float64], positive: int = -1) -> Sample:
    """Return what the metrics read: truth, probabilities, and what is decided from them.

    Args:
        answers: with the truth, and the model's decision.
        probabilities_NC: of the test examples.
        positive: the class that is searched for.
    """
    decision = answers.description.decision
    decided = tasks.label.decide(probabilities_NC, decision) if decision else None
    return prepare(answers.truth, probabilities_NC, decided_N=decided, positive=positive)


def judge(answers: Answers, guesses: Mapping[str, Guess], frame: Frame) -> dict[str, Any]:
    """Return the content of scores.json.

    Args:
        answers: of the model.
        guesses: of the baselines, on the same examples, by name.
        frame: how they are scored.

    Raises:
        ConfigError: an option names a metric or a class that there is not.
    """
    options, bootstrap = frame.options, frame.bootstrap
    positive = positive_class(options, answers.classes)
    table = applicable(len(answers.classes), has_positive=positive is not None)
    headline = chosen_headline(options, "label", answers.classes)
    probabilities = answers.probabilities_NC
    place = -1 if positive is None else positive
    own = sample(answers, probabilities, place)
    others = {name: _of_baseline(answers, guess, place) for name, guess in guesses.items()}
    test = score_sample(own, table, bootstrap=bootstrap)
    calibrating = {name: METRICS[name] for name in METRICS if name in CALIBRATION}
    before = score_sample(prepare(answers.truth, answers.raw_NC), calibrating, bootstrap=bootstrap)
    per_class = score_each(own, PER_CLASS, bootstrap=bootstrap)
    verdict = judge_samples(METRICS[headline], own, others, bootstrap=bootstrap).to_dict() if others else None
    return {
        **heads(answers, frame, headline),
        "positive": None if positive is None else answers.classes[positive],
        "test": plain(test),
        "decision": _decision(answers, frame, positive, test),
        "per_class": {
            name: {"n": int((answers.truth == index).sum()), **plain(per_class[index])}
            for index, name in enumerate(answers.classes)
        },
        "confusion": confusion_matrix(own).tolist(),
        "calibration": {
            "temperature": answers.description.temperature,
            "before": plain(before),
            "after": {name: test[name].to_dict() for name in CALIBRATION},
        },
        "baselines": {name: plain(score_sample(each, table, bootstrap=bootstrap)) for name, each in others.items()},
        "verdict": verdict,
        **restraint.judge(answers.description, probabilities, answers.truth),
    }


def _of_baseline(answers: Answers, guess: Guess, positive: int) -> Sample:
    decided = tasks.label.decide(guess.probabilities, guess.decision) if guess.decision else None
    return prepare(answers.truth, guess.probabilities, decided_N=decided, positive=positive)


def _decision(answers: Answers, frame: Frame, positive: int | None, test: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what was tuned, in words and numbers, and the score without it; None where nothing was."""
    said = answers.description
    if not said.decision:
        if said.tuned_for == "none":
            return None
        goal = said.tuned_for.replace("_", " ")
        told = f"Tuned for {goal}: on {FITTED_ON[said.fitted_on]} nothing is better than the most probable class."
        return {"tuned_for": said.tuned_for, "values": {}, "sentence": told}
    goal = "f1_positive" if said.tuned_for == "f1" and positive is not None else GOALS.get(said.tuned_for, "accuracy")
    undecided = prepare(answers.truth, answers.probabilities_NC, positive=-1 if positive is None else positive)
    without = score_sample(undecided, {goal: METRICS[goal]}, bootstrap=frame.bootstrap)
    return {
        "tuned_for": said.tuned_for,
        "metric": goal,
        "values": dict(zip(answers.classes, said.decision, strict=True)),
        "with": test[goal].to_dict(),
        "without": without[goal].to_dict(),
        "sentence": decision_in_words(said, positive),
    }


def decision_in_words(said: Any, positive: int | None) -> str:
    """Say how a tuned model decides.

    Args:
        said: a `models.folder.Description` with a decision.
        positive: the class that is searched for.
    """
    how = (
        f"tuned for {said.tuned_for.replace('_', ' ')} on {FITTED_ON[said.fitted_on]}"
        if said.tuned_for != "none"
        else "as the training was told to even out the classes"
    )
    if len(said.classes) == 2:
        index = 1 if positive is None else positive
        threshold = thresholds.threshold_of(said.decision, index)
        return (
            f"'{said.classes[index]}' is answered from a probability of {threshold:.3g} on, not from one half ({how}). "
            "The probabilities themselves are not changed."
        )
    return (
        f"The answer is the class with the largest log probability plus an offset of its own ({how}). "
        "The probabilities themselves are not changed."
    )


def draw_from(answers: Answers, scores: Mapping[str, Any], frame: Frame) -> Evidence:
    """Return what the pictures are drawn from.

    Args:
        answers: of the model.
        scores: what `judge` returned.
        frame: with the history and the number of mistakes.
    """
    probabilities = answers.probabilities_NC
    own = sample(answers, probabilities)
    return Evidence(
        history=frame.history,
        scores=scores,
        roc={name: curves.roc(own, index) for index, name in enumerate(answers.classes)},
        precision_recall={name: curves.precision_recall(own, index) for index, name in enumerate(answers.classes)},
        before=curves.reliability(prepare(answers.truth, answers.raw_NC)),
        after=curves.reliability(own),
        mistakes=_mistakes(answers, own, frame.options.mistakes),
    )


def _mistakes(answers: Answers, own: Sample, most: int) -> tuple[Mistake, ...]:
    """Pick the mistakes that gave the truth the least probability."""
    truth_N, guess_N, probabilities_NC = own.truth_N, own.guess_N, own.probabilities_NC
    rows = np.arange(len(truth_N))
    wrong = rows[guess_N != truth_N]
    worst = wrong[np.argsort(probabilities_NC[wrong, truth_N[wrong]], kind="stable")][:most]
    return tuple(
        Mistake(
            name=str(answers.examples.names[row]),
            truth=answers.classes[truth_N[row]],
            guess=answers.classes[guess_N[row]],
            confidence=float(probabilities_NC[row, guess_N[row]]),
            truth_probability=float(probabilities_NC[row, truth_N[row]]),
            picture=picture(answers, int(row)),
        )
        for row in worst
    )


def write(path: Path, answers: Answers) -> None:
    """Write the predictions of the test examples.

    Args:
        path: the run's `predictions_file`.
        answers: of the model.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    names, said = answers.examples.names.tolist(), answers.description
    made = predictions(names, answers.classes, answers.truth, answers.probabilities_NC, decision=said.decision)
    write_predictions(path, made)


def rows(said: Any, probabilities_NC: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return what is answered for each example: answer, confidence, the next best answers, the set, whether to abstain.

    Args:
        said: the model's `Description`.
        probabilities_NC: of the examples.
    """
    decoded = tasks.label.decode(probabilities_NC, said.classes, decision=said.decision)
    doubt = restraint.restrained(said, probabilities_NC)
    return [
        {
            "answer": best[0],
            "confidence": best[1],
            "others": [{"answer": name, "confidence": share} for name, share in others],
            **unsure,
        }
        for (best, *others), unsure in zip(decoded, doubt, strict=True)
    ]
