"""Batches in an order that is a pure function of (seed, epoch), made one ahead of the step."""

import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from sonde import data
from sonde.data.cache import read_ahead
from sonde.data.dataset import Examples, InputSpec

PIECE = 1 << 20
"""Bytes of stored examples that go through all of the work at a time: they stay in a core's own cache."""

KEPT = 3
"""Arrays that are used in turn: the step's, the next, and the one begun while the step's is still held."""


@dataclass(frozen=True)
class Batch:
    """What one step reads."""

    inputs: NDArray[np.float32]
    truth: NDArray[np.int32]
    busy: float = 0.0
    """Processor seconds that making it took."""


class Spares:
    """Arrays for prepared batches, taken again once nobody holds them: fresh memory costs as much as filling it."""

    def __init__(self) -> None:
        """Begin with none."""
        self._arrays: list[NDArray[np.float32]] = []
        self._lock = Lock()

    def take(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return an array that nobody else has.

        Args:
            shape: its shape; arrays of other shapes are let go.
        """
        with self._lock:
            self._arrays = [array for array in self._arrays if array.shape == shape]
            for place in range(len(self._arrays)):
                # Who keeps a batch, a view of it or a tensor on its memory holds a reference, and keeps it for good.
                if sys.getrefcount(self._arrays[place]) == _UNHELD:
                    return self._arrays[place]
            fresh = np.empty(shape, dtype=np.float32)
            self._arrays = [*self._arrays, fresh][-KEPT:]
            return fresh


_lonely = [np.empty(0)]
_UNHELD = sys.getrefcount(_lonely[0])
"""References to what lies in one list only, as this version of Python counts them."""


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
    spares: Spares = field(default_factory=Spares, init=False, repr=False, compare=False)
    """Memory for the batches that are made ahead."""

    @property
    def steps(self) -> int:
        """Steps of an epoch; what does not fill a batch waits for another epoch's order."""
        return len(self.truth) // self.batch_size

    def batch(self, epoch: int, step: int, out: NDArray[np.float32] | None = None) -> Batch:
        """Make one batch: a gather, the augmentation, the preparation.

        Args:
            epoch: from 1.
            step: of the epoch, from 0.
            out: where the inputs are written; a new array when left out.
        """
        begin = time.thread_time()
        rows = order(len(self.truth), self.seed, epoch)[step * self.batch_size : (step + 1) * self.batch_size]
        # A sorted gather reads a memory-mapped file forwards; the order within a batch means nothing to the step.
        rows = np.sort(rows)
        stored = self.examples.inputs
        read_ahead(stored, rows)
        prepared = np.empty((len(rows), *self.spec.shape), dtype=np.float32) if out is None else out
        at_once = max(1, PIECE // max(1, stored.nbytes // len(stored)))
        for start in range(0, len(rows), at_once):
            some = rows[start : start + at_once]
            inputs = data.augment(
                stored[some], self.augment, seed=self.seed, epoch=epoch, indices_B=some, in_place=True
            )
            self.spec.prepare(inputs, prepared[start : start + at_once])
        return Batch(prepared, self.truth[rows], time.thread_time() - begin)

    def batches(self, epoch: int, first: int) -> Iterator[Batch]:
        """Yield an epoch's batches from one on, each made in a thread while the step before it runs.

        Args:
            epoch: from 1.
            first: the step to begin at, from 0.
        """
        shape = (self.batch_size, *self.spec.shape)
        with ThreadPoolExecutor(1, thread_name_prefix="loader") as pool:

            def make(step: int) -> Future[Batch]:
                return pool.submit(lambda: self.batch(epoch, step, self.spares.take(shape)))

            ahead: Future[Batch] | None = None
            for step in range(first, self.steps):
                ready = ahead or make(step)
                ahead = make(step + 1) if step + 1 < self.steps else None
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
