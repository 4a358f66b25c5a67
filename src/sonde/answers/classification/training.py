"""What a classifier's training is given, what is kept of its outputs, and the figures of a validation."""

# N examples, C classes

from collections.abc import Sequence

import numpy as np

from sonde.answers import balancing
from sonde.answers.answer import Kept, Plan
from sonde.answers.classification.options import Options
from sonde.answers.classification.target import ClassTarget
from sonde.config import Options as BaseOptions
from sonde.data.target import Batch, Column
from sonde.errors import ConfigError
from sonde.metrics import METRICS, prepare, value_of

SHOWN = "accuracy"
"""Name of what a training step scores."""
MONITORS = ("accuracy", "balanced_accuracy", "f1_macro", "average_precision")
"""Validation figures that an epoch can be chosen by, beside the loss; all of them are better when higher."""
TRAINED = ("class_weights", "sampling", "logit_adjustment", "loss")
"""Options that a head which is solved for at once cannot follow."""


def plan(target: ClassTarget, truth: Column, own: Options, solved: bool) -> Plan:
    """Return what the head is built of and what its loss is told.

    Raises:
        ConfigError: the head is solved for, and cannot be told to balance the classes.
    """
    refuse_where_solved(own, solved, TRAINED, "classification")
    truth_N = np.asarray(truth)
    counts_C = np.bincount(truth_N, minlength=len(target.classes))
    balance = balancing.balance_classes(
        counts_C,
        weights="none" if solved else own.class_weights,
        sampling="natural" if solved else own.sampling,
        adjustment=0.0 if solved else own.logit_adjustment,
    )
    return Plan(
        outputs=len(target.classes),
        loss=balancing.loss_options(own, balance),
        # What is recorded can stand beside the validation loss.
        recorded={"label_smoothing": 0.0},
        balance_N=truth_N.astype(np.int64) if own.sampling == "balanced" else None,
        correction=balance.correction,
    )


def refuse_where_solved(own: BaseOptions, solved: bool, names: Sequence[str], table: str) -> None:
    """Raise where a head that is solved for is told what only a training in steps can follow."""
    usual = {name: type(own).model_fields[name].default for name in names}
    changed = next((name for name in names if getattr(own, name) != usual[name]), None)
    if solved and changed is not None:
        raise ConfigError(
            f"{table}.{changed} = {getattr(own, changed)!r} is not possible here: this model's head is solved for, not "
            f"trained. Tune how it decides instead: --set {table}.tune_for=f1 (or balanced_accuracy)."
        )


def keep(target: ClassTarget, outputs: Batch, truth: Column | None) -> Kept:
    """Keep the logits, N x C."""
    return {"logits": outputs["logits"]}


def figures(target: ClassTarget, kept: Kept, truth: Column, wanted: Sequence[str] = (SHOWN,)) -> dict[str, float]:
    """Return the loss and some figures of a validation.

    Args:
        truth: class numbers, N.
        wanted: names in `MONITORS`.
    """
    logits, truth_N = np.asarray(kept["logits"]), np.asarray(truth)
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    found = {"loss": float(-log_probabilities[np.arange(len(logits)), truth_N].mean())}
    for name in wanted:
        if name == SHOWN:
            found[name] = float((logits.argmax(axis=1) == truth_N).mean())
        elif np.isfinite(logits).all():
            found[name] = float(np.nan_to_num(value_of(METRICS[name], prepare(truth_N, np.exp(log_probabilities)))))
    return found
