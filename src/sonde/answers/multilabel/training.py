"""What a multilabel training is given, what is kept of its outputs, and the figures of a validation."""

# N examples, K labels

from collections.abc import Sequence

import numpy as np

from sonde.answers import balancing
from sonde.answers.answer import Kept, Plan
from sonde.answers.classification.training import refuse_where_solved
from sonde.answers.multilabel.options import Options
from sonde.answers.multilabel.target import LabelsTarget
from sonde.data.target import Batch, Column
from sonde.metrics import LABEL_METRICS, prepare_labels, temperature, value_of

SHOWN = "f1_micro"
"""Name of what a training step scores."""
MONITORS = ("f1_micro", "f1_macro", "subset_accuracy", "average_precision")
"""Validation figures that an epoch can be chosen by, beside the loss; all of them are better when higher."""
TRAINED = ("class_weights", "logit_adjustment", "loss")
"""Options that a head which is solved for at once cannot follow."""


def plan(target: LabelsTarget, truth: Column, own: Options, solved: bool) -> Plan:
    """Return what the head is built of and what its loss is told.

    Raises:
        ConfigError: the head is solved for, and cannot be told to balance the labels.
    """
    refuse_where_solved(own, solved, TRAINED, "multilabel")
    truth_NK = np.asarray(truth)
    balance = balancing.balance_labels(
        truth_NK.sum(axis=0, dtype=np.int64),
        len(truth_NK),
        weights="none" if solved else own.class_weights,
        adjustment=0.0 if solved else own.logit_adjustment,
    )
    return Plan(
        outputs=len(target.classes),
        loss=balancing.loss_options(own, balance),
        recorded={"label_smoothing": 0.0},
        correction=balance.correction,
    )


def keep(target: LabelsTarget, outputs: Batch, truth: Column | None) -> Kept:
    """Keep the logits, N x K."""
    return {"logits": outputs["logits"]}


def figures(target: LabelsTarget, kept: Kept, truth: Column, wanted: Sequence[str] = (SHOWN,)) -> dict[str, float]:
    """Return the loss and some figures of a validation, with every label given from one half on.

    Args:
        truth: 1 where an example has a label, N x K.
        wanted: names in `MONITORS`.
    """
    logits, truth_NK = np.asarray(kept["logits"]), np.asarray(truth)
    if not np.isfinite(logits).all():
        return {"loss": float("nan")}
    signed = np.where(truth_NK > 0, 1.0, -1.0) * logits.astype(np.float64)
    sample = prepare_labels(truth_NK, temperature.apply_labels(logits, 1.0))
    # What cannot be computed for want of a label is no better than nothing.
    found = {name: float(np.nan_to_num(value_of(LABEL_METRICS[name], sample))) for name in wanted}
    return {"loss": float(np.logaddexp(0.0, -signed).mean()), **found}
