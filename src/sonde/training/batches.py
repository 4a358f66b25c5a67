"""Batches in an order that is a pure function of (seed, epoch), made one ahead of the step."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonde import data
from sonde.data.dataset import Examples, InputSpec


@dataclass(frozen=True)
class Batch:
    """What one step reads."""

    inputs: NDArray[np.float32]
    truth: NDArray[np.int32]


@dataclass(frozen=True)
class TrainingSet:
    """The training examples with all that turns them into batches."""

    examples: Examples
    truth: NDArray[np.int32]
    """Class numbers, N."""
    spec: InputSpec
    augment: Mapping[str, float]
    """Strength of each augmentation."""
    seed: int
    batch_size: int

    @property
    def steps(self) -> int:
        """Steps of an epoch; what does not fill a batch waits for another epoch's order."""
        return len(self.truth) // self.batch_size

    def batch(self, epoch: int, step: int) -> Batch:
        """Make one batch: a gather, the augmentation, the preparation."""
        rows = order(len(self.truth), self.seed, epoch)[step * self.batch_size : (step + 1) * self.batch_size]
        # A sorted gather reads a memory-mapped file forwards; the order within a batch means nothing to the step.
        rows = np.sort(rows)
        inputs = data.augment(self.examples.inputs[rows], self.augment, seed=self.seed, epoch=epoch, indices_B=rows)
        return Batch(self.spec.prepare(inputs), self.truth[rows])

    def batches(self, epoch: int, first: int) -> Iterator[Batch]:
        """Yield an epoch's batches from one on, each made in a thread while the step before it runs."""
        with ThreadPoolExecutor(1, thread_name_prefix="loader") as pool:
            ahead: Future[Batch] | None = None
            for step in range(first, self.steps):
                ready = ahead or pool.submit(self.batch, epoch, step)
                ahead = pool.submit(self.batch, epoch, step + 1) if step + 1 < self.steps else None
                yield ready.result()


_last_order: list[tuple[tuple[int, int, int], NDArray[np.int64]]] = []


def order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of an epoch; the last one asked for is kept.

    Args:
        count: number of examples.
        seed: the run's seed.
        epoch: from 1.
    """
    key = (count, seed, epoch)
    # Key and rows are one object, so that two threads never mix theirs.
    kept, rows = _last_order[0] if _last_order else (None, None)
    if kept != key or rows is None:
        rows = np.random.default_rng([seed, epoch]).permutation(count)
        _last_order[:] = [(key, rows)]
    return rows


def first_rows(count: int, seed: int, size: int) -> NDArray[np.int64]:
    """Return the rows of the first epoch's first batch.

    Args:
        count: number of examples.
        seed: the run's seed.
        size: examples in the batch.
    """
    return np.sort(order(count, seed, 1)[:size])
