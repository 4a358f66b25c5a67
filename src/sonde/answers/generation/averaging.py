"""The consensus of several models that write texts: of each example the text that differs least from all others'.

Means of token numbers are nothing, and means of next-token probabilities need members that
write in step. What is taken is the text of least expected error under the members' weights, the error being the edit
distance in tokens (minimum Bayes risk; Kumar and Byrne, 2004). Of equals, the likelier one is taken.
"""

# M models, B batch, T tokens

from collections.abc import Sequence
from typing import Any

import numpy as np

from sonde.answers.generation.training import written
from sonde.data.target import Batch
from sonde.metrics.text import edit_distance


def average(members: Sequence[tuple[Any, Batch]], weights: Sequence[float]) -> Batch:
    """Return one of the members' texts for each example, and how likely the members together hold it.

    Args:
        members: fitted values, which say nothing here, and outputs of each model: "tokens", B x T, and
            "log_likelihood", B; T may differ.
        weights: of the members; they add up to 1.

    Returns:
        "tokens", B x T, and "log_likelihood", B: of the weighted share of the members' probability that is known to be
        on that text, which each member tells of its own text only.
    """
    texts_MB = [written(outputs["tokens"]) for _, outputs in members]
    likely_MB = np.stack([np.asarray(outputs["log_likelihood"], np.float64) for _, outputs in members])
    rows = [
        _consensus(["".join(map(chr, each[row].tolist())) for each in texts_MB], likely_MB[:, row], weights)
        for row in range(likely_MB.shape[1])
    ]
    width = max((outputs["tokens"].shape[1] for _, outputs in members), default=0)
    tokens_BT = np.zeros((len(rows), width), np.int32)
    for row, (member, _) in enumerate(rows):
        numbers = texts_MB[member][row]
        tokens_BT[row, : len(numbers)] = numbers
    return {"tokens": tokens_BT, "log_likelihood": np.array([log for _, log in rows], np.float32)}


def _consensus(texts_M: Sequence[str], likely_M: Any, weights: Sequence[float]) -> tuple[int, float]:
    """Return the member whose text is taken, and the logarithm of its probability; a token is one character here."""
    with np.errstate(divide="ignore"):
        logs_M = np.log(np.asarray(weights, np.float64)) + likely_M
    on = {text: np.logaddexp.reduce(logs_M[[each == text for each in texts_M]]) for text in texts_M}
    far = {text: sum(w * edit_distance(text, other) for w, other in zip(weights, texts_M, strict=True)) for text in on}
    chosen = min(on, key=lambda text: (round(far[text], 9), -on[text]))
    return texts_M.index(chosen), float(on[chosen])
