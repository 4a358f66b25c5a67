"""Scores several labels for each example: all together, each label with its threshold, calibration, baselines."""

# N examples, K labels

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import tasks
from sonde.evaluation.answers.given import Answers, Frame, Guess, heads, picture, plain
from sonde.evaluation.goals import HEADLINES, chosen_headline
from sonde.evaluation.label_predictions import label_predictions, write_label_predictions
from sonde.evaluation.plots import Evidence, Mistake
from sonde.evaluation.verdict import judge_samples
from sonde.metrics import LABEL_METRICS, PER_LABEL, LabelSample, curves, prepare_labels
from sonde.metrics.intervals import score_each, score_sample
from sonde.models.restraint import FITTED_ON

CALIBRATION = ("label_calibration_error", "label_log_loss", "label_brier")
"""Metrics that temperature scaling is meant to improve; shown before and after it."""
GOALS = {"f1": "f1_macro", "balanced_accuracy": "recall_macro", "accuracy": "hamming_loss"}
"""The metric that shows what the thresholds were tuned for."""
OTHERS = 3
"""Labels that are not given, of which `predict` says how near they came."""


def sample(answers: Answers, probabilities_NK: NDArray[np.float64]) -> LabelSample:
    """Return what the metrics read: truth, probabilities and thresholds.

    Args:
        answers: with the truth, and the model's thresholds.
        probabilities_NK: of the test examples.
    """
    return prepare_labels(answers.truth, probabilities_NK, _thresholds(answers.description))


def _thresholds(said: Any) -> NDArray[np.float64]:
    return np.asarray(said.decision) if said.decision else np.full(len(said.classes), 0.5)


def judge(answers: Answers, guesses: Mapping[str, Guess], frame: Frame) -> dict[str, Any]:
    """Return the content of scores.json.

    Args:
        answers: of the model.
        guesses: of the baselines, on the same examples, by name.
        frame: how they are scored.

    Raises:
        ConfigError: an option names a metric that there is not.
    """
    bootstrap, headline = frame.bootstrap, chosen_headline(frame.options, "labels", answers.classes)
    own = sample(answers, answers.probabilities_NC)
    others = {
        name: prepare_labels(answers.truth, guess.probabilities, guess.decision or 0.5)
        for name, guess in guesses.items()
    }
    test = score_sample(own, LABEL_METRICS, bootstrap=bootstrap)
    calibrating = {name: LABEL_METRICS[name] for name in CALIBRATION}
    before = score_sample(prepare_labels(answers.truth, answers.raw_NC), calibrating, bootstrap=bootstrap)
    each = score_each(own, PER_LABEL, bootstrap=bootstrap)
    verdict = judge_samples(LABEL_METRICS[headline], own, others, bootstrap=bootstrap).to_dict() if others else None
    scored = {name: plain(score_sample(guess, LABEL_METRICS, bootstrap=bootstrap)) for name, guess in others.items()}
    return {
        **heads(answers, frame, headline),
        "test": plain(test),
        "decision": _decision(answers, frame, test),
        "per_class": {
            name: {
                "n": int(own.truth_NK[:, index].sum()),
                "given": int(own.answered[:, index].sum()),
                "threshold": float(own.thresholds_K[index]),
                **plain(each[index]),
            }
            for index, name in enumerate(answers.classes)
        },
        "labels_each": {"mean": float(own.truth_NK.sum(axis=1).mean()), "none": int((~own.truth_NK.any(axis=1)).sum())},
        "calibration": {
            "temperature": answers.description.temperature,
            "before": plain(before),
            "after": {name: test[name].to_dict() for name in CALIBRATION},
        },
        "baselines": scored,
        "verdict": verdict,
    }


def _decision(answers: Answers, frame: Frame, test: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the thresholds, and the score with one half for all; None where nothing was tuned."""
    said = answers.description
    if not said.decision:
        return None
    goal = GOALS.get(said.tuned_for, HEADLINES["labels"])
    halves = prepare_labels(answers.truth, answers.probabilities_NC)
    without = score_sample(halves, {goal: LABEL_METRICS[goal]}, bootstrap=frame.bootstrap)
    how = (
        f"tuned for the {said.tuned_for.replace('_', ' ')} of each label on {FITTED_ON[said.fitted_on]}"
        if said.tuned_for != "none"
        else "as the training was told to even out the labels"
    )
    return {
        "tuned_for": said.tuned_for,
        "metric": goal,
        "values": dict(zip(answers.classes, said.decision, strict=True)),
        "with": test[goal].to_dict(),
        "without": without[goal].to_dict(),
        "sentence": f"Each label is given from a probability of its own on ({how}); the probabilities are not changed.",
    }


def draw_from(answers: Answers, scores: Mapping[str, Any], frame: Frame) -> Evidence:
    """Return what the pictures are drawn from.

    Args:
        answers: of the model.
        scores: what `judge` returned.
        frame: with the history and the number of mistakes.
    """
    own = sample(answers, answers.probabilities_NC)
    return Evidence(
        history=frame.history,
        scores=scores,
        roc={name: curves.roc(own, index) for index, name in enumerate(answers.classes)},
        precision_recall={name: curves.precision_recall(own, index) for index, name in enumerate(answers.classes)},
        before=curves.label_reliability(prepare_labels(answers.truth, answers.raw_NC)),
        after=curves.label_reliability(own),
        mistakes=_mistakes(answers, own, frame.options.mistakes),
    )


def _mistakes(answers: Answers, own: LabelSample, most: int) -> tuple[Mistake, ...]:
    """Pick the examples with the label of which the model was surest and wrong."""
    sure_NK = np.where(own.answered, own.probabilities_NK, 1 - own.probabilities_NK)
    sure_NK = np.where(own.answered != own.truth_NK, sure_NK, -1.0)
    worst_N = sure_NK.max(axis=1)
    rows = np.flatnonzero(own.correct_N == 0)
    chosen = rows[np.argsort(-worst_N[rows], kind="stable")][:most]
    return tuple(
        Mistake(
            name=str(answers.examples.names[row]),
            truth=_named(answers, own.truth_NK[row]),
            guess=_named(answers, own.answered[row]),
            confidence=float(worst_N[row]),
            picture=picture(answers, int(row)),
        )
        for row in chosen
    )


def _named(answers: Answers, has_K: NDArray[np.bool_]) -> str:
    return ", ".join(answers.classes[index] for index in np.flatnonzero(has_K)) or "no label"


def write(path: Path, answers: Answers) -> None:
    """Write the predictions of the test examples.

    Args:
        path: the run's `predictions_file`.
        answers: of the model.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    names, thresholds = answers.examples.names.tolist(), _thresholds(answers.description)
    made = label_predictions(names, answers.classes, answers.truth, answers.probabilities_NC, thresholds)
    write_label_predictions(path, made)


def rows(said: Any, probabilities_NK: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return what is answered for each example: its labels with their chances, and the nearest of the others.

    Args:
        said: the model's `Description`.
        probabilities_NK: of the examples.
    """
    thresholds_K = _thresholds(said)
    answered = tasks.labels.decode(probabilities_NK, said.classes, decision=thresholds_K.tolist())
    made = []
    for given, row in zip(answered, probabilities_NK, strict=True):
        names = {name for name, _ in given}
        order = [index for index in np.argsort(-(row - thresholds_K)) if said.classes[index] not in names][:OTHERS]
        made.append(
            {
                "answer": tasks.labels.join([name for name in said.classes if name in names]),
                "labels": [{"answer": name, "confidence": share} for name, share in given],
                "others": [{"answer": said.classes[index], "confidence": float(row[index])} for index in order],
            }
        )
    return made
