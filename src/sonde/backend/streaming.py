"""Predictions batch by batch: examples of like length together, and no more in memory than a batch.

for rows, outputs in predictions(engine, batches_of(inputs, prepare)):
    ...                                       # rows: which examples; outputs: named arrays of just these
logits = joined(predictions(engine, batches_of(inputs, prepare)))["logits"]        # all of them, in their own order
"""

# N examples, B of a batch

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.backend.engine import Batch, Predicts

Rows = NDArray[np.int64]
"""Places of a batch's examples."""


MOST_NUMBERS = 1 << 22
"""Numbers that a model gives at a time, where it gives many for each example: 16 MB of logits of pixels."""


def at_once(batch_size: int, numbers: int) -> int:
    """Return how many examples are predicted at a time.

    Args:
        batch_size: at most.
        numbers: that the model gives for each; 0 where they are few.
    """
    return max(1, min(batch_size, MOST_NUMBERS // numbers)) if numbers else batch_size


def batches_of(
    inputs: Any, prepare: Callable[[Any], NDArray[Any]], *, batch_size: int = 256
) -> Iterator[tuple[Rows, Batch]]:
    """Yield stored inputs in batches, with the rows of each.

    Args:
        inputs: stored examples, N first: an array, or what has `lengths` and gives some of its examples by their rows.
            Those of like length then come together.
        prepare: turns a batch of them into what the model reads.
        batch_size: examples at a time; changes the time, not the answer.
    """
    lengths = getattr(inputs, "lengths", None)
    order = np.arange(len(inputs)) if lengths is None else np.argsort(lengths, kind="stable")
    for first in range(0, len(inputs), batch_size):
        rows = order[first : first + batch_size]
        # A slice of an array is no copy, and reads a file forwards.
        some = inputs[first : first + batch_size] if lengths is None else inputs[rows]
        yield rows, {"inputs": prepare(some)}


def predictions(engine: Predicts, batches: Iterable[tuple[Rows, Batch]]) -> Iterator[tuple[Rows, Batch]]:
    """Yield the model's outputs batch by batch, with the rows of each.

    Args:
        batches: what `batches_of` gives, or the like.
    """
    for rows, batch in batches:
        yield rows, engine.predict(batch)


def joined(found: Iterable[tuple[Rows, Batch]]) -> dict[str, NDArray[Any]]:
    """Return the outputs of all batches in the examples' own order; for those that fit into memory together.

    Args:
        found: what `predictions` yields; each row comes once, and the outputs are of one shape in all batches.
    """
    rows_of, outputs_of = zip(*found, strict=True)
    rows = np.concatenate(rows_of)
    joined_of: dict[str, NDArray[Any]] = {}
    for name in outputs_of[0]:
        parts = np.concatenate([outputs[name] for outputs in outputs_of])
        joined_of[name] = np.empty_like(parts)
        joined_of[name][rows] = parts
    return joined_of


def gathered(
    found: Iterable[tuple[Rows, Batch]],
    keep: Callable[[Rows, Batch], Mapping[str, Any]],
    join: Callable[[Sequence[Any]], Any],
) -> dict[str, Any]:
    """Reduce the outputs of each batch to what is kept of them, and return that in the examples' own order.

    Args:
        found: what `predictions` yields; each row comes once.
        keep: from the rows and outputs of a batch to what is kept, by name, B first.
        join: puts what is kept of several batches together, N first; it can be indexed by rows.
    """
    rows_of, kept_of = [], []
    for rows, outputs in found:
        rows_of.append(rows)
        kept_of.append(keep(rows, outputs))
    rows = np.concatenate(rows_of)
    order = np.argsort(rows, kind="stable")
    whole = {name: join([kept[name] for kept in kept_of]) for name in kept_of[0]}
    return (
        whole if np.array_equal(order, np.arange(len(order))) else {name: each[order] for name, each in whole.items()}
    )
