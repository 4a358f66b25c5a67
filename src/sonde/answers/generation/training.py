"""What a training is given, what is kept of its outputs, and the figures of a validation.

A validation is taught: it gives the true tokens before each place. A text all of whose tokens are the likeliest then is
just the text that is written without a teacher, so that its exact matches are those of predictions; a target that is
longer than the model can write is none.
"""

# B batch, N examples, T tokens, V vocabulary

from collections.abc import Mapping, Sequence

import numpy as np

from sonde.answers.answer import Kept, Plan
from sonde.answers.generation.options import Options
from sonde.answers.generation.target import PADDING, TextTarget, outputs
from sonde.data.ragged import Ragged, round_up
from sonde.data.target import Batch, Column, Moment

SHOWN = "next_token_accuracy"
"""Name of what a training step scores."""
MONITORS = (SHOWN, "exact_match")
"""Validation figures that an epoch can be chosen by, beside the loss; better when higher."""


def plan(target: TextTarget, truth: Column, own: Options, solved: bool) -> Plan:
    """Return what the decoder is built of and what its loss is told."""
    return Plan(
        outputs=outputs(target),
        head={
            "depth": own.depth,
            "heads": own.heads,
            # A place for the end too.
            "length": round_up(target.length + 1),
            "dropout": own.dropout,
        },
        loss={"label_smoothing": own.label_smoothing},
        recorded={"label_smoothing": 0.0},
    )


def keep(target: TextTarget, given: Batch, truth: Column | None) -> Kept:
    """Keep the written tokens and their log-likelihood, or of taught logits the loss and the right tokens of each."""
    if "tokens" in given:
        return {"tokens": written(given["tokens"]), "log_likelihood": given["log_likelihood"]}
    assert isinstance(truth, Ragged), "logits without a truth say nothing"
    batch = target.collate(truth, Moment(0, 0, np.arange(len(truth))))
    tokens_BT, real_BT = batch["truth"], batch["weights"] > 0
    logits_BTV = given["logits"]
    largest_BT1 = logits_BTV.max(axis=-1, keepdims=True)
    truth_BT = np.take_along_axis(logits_BTV, tokens_BT[..., None], axis=-1)[..., 0] - largest_BT1[..., 0]
    loss_BT = np.log(np.exp(logits_BTV - largest_BT1).sum(axis=-1)) - truth_BT
    right_BT = (logits_BTV.argmax(axis=-1) == tokens_BT) & real_BT
    return {
        "loss": np.where(real_BT, loss_BT, 0.0).sum(axis=1, dtype=np.float64),
        "right": right_BT.sum(axis=1),
        "count": real_BT.sum(axis=1),
        "whole": truth.lengths <= target.length,
    }


def written(tokens_BT: np.ndarray) -> Ragged:
    """Return the tokens of each text without what stands behind its end."""
    lengths_B = (tokens_BT != PADDING).sum(axis=1)
    offsets = np.concatenate([[0], np.cumsum(lengths_B)]).astype(np.int64)
    return Ragged(tokens_BT[tokens_BT != PADDING].astype(np.int32), offsets)


def numbers(target: TextTarget, shape: Sequence[int | None]) -> int:
    """Return how many logits a taught validation gives for an example of the longest text."""
    return target.length * outputs(target)


def figures(target: TextTarget, kept: Kept, truth: Column, wanted: Sequence[str] = (SHOWN,)) -> dict[str, float]:
    """Return the loss per token and some figures of a taught validation.

    Args:
        target: not read.
        kept: loss, right tokens and tokens of each example.
        truth: not read; `keep` did.
        wanted: names in `MONITORS`.
    """
    loss_N, right_N, count_N, whole_N = (np.asarray(kept[name]) for name in ("loss", "right", "count", "whole"))
    every: Mapping[str, float] = {
        SHOWN: float(right_N.sum() / count_N.sum()),
        "exact_match": float(((right_N == count_N) & whole_N).mean()),
    }
    return {"loss": float(loss_N.sum() / count_N.sum()), **{name: every[name] for name in wanted}}
