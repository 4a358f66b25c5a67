"""Batches in an order that is a pure function of (seed, epoch), made one ahead of the step."""

import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sonde import data
from sonde.data.cache import read_ahead
from sonde.data.dataset import Examples, InputSpec
from sonde.data.ragged import Ragged, Stored, lengths_of

PIECE = 1 << 20
"""Bytes of stored examples that go through all of the work at a time: they stay in a core's own cache."""

POOL = 50
"""Batches whose examples are sorted by length together; more leaves less padding, and less chance in who meets whom."""

KEPT = 3
"""Arrays that are used in turn: the step's, the next, and the one begun while the step's is still held."""


@dataclass(frozen=True)
class Batch:
    """What one step reads."""

    inputs: NDArray[Any]
    truth: NDArray[Any]
    busy: float = 0.0
    """Processor seconds that making it took."""


class Spares:
    """Arrays for prepared batches, taken again once nobody holds them: fresh memory costs as much as filling it."""

    def __init__(self) -> None:
        """Begin with none."""
        self._arrays: list[NDArray[Any]] = []
        self._lock = Lock()

    def take(self, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        """Return an array that nobody else has.

        Args:
            shape: its shape; arrays of other shapes are let go.
            dtype: type of its numbers.
        """
        with self._lock:
            self._arrays = [array for array in self._arrays if array.shape == shape]
            for place in range(len(self._arrays)):
                # Who keeps a batch, a view of it or a tensor on its memory holds a reference, and keeps it for good.
                if sys.getrefcount(self._arrays[place]) == _UNHELD:
                    return self._arrays[place]
            fresh = np.empty(shape, dtype=dtype)
            self._arrays = [*self._arrays, fresh][-KEPT:]
            return fresh


_lonely = [np.empty(0)]
_UNHELD = sys.getrefcount(_lonely[0])
"""References to what lies in one list only, as this version of Python counts them."""


@dataclass(frozen=True)
class TrainingSet:
    """The training examples with all that turns them into batches."""

    examples: Examples
    truth: NDArray[Any]
    """As the task encodes it: class numbers, N, or N x labels."""
    spec: InputSpec
    modality: str
    augment: Mapping[str, float]
    """Strength of each augmentation."""
    seed: int
    batch_size: int
    sampling: Literal["natural", "balanced"] = "natural"
    """Whether an epoch shows each example once, or each class equally often."""
    spares: Spares = field(default_factory=Spares, init=False, repr=False, compare=False)
    """Memory for the batches that are made ahead."""

    @property
    def steps(self) -> int:
        """Steps of an epoch; what does not fill a batch waits for another epoch's order."""
        return len(self.truth) // self.batch_size

    def rows(self, epoch: int, step: int) -> NDArray[np.int64]:
        """Return the places of a batch's examples in the training split.

        Args:
            epoch: from 1.
            step: of the epoch, from 0.
        """
        return self._turns(epoch, step) % len(self.truth)

    @property
    def _shape(self) -> tuple[int, ...] | None:
        """Shape of one prepared example; None where its length varies."""
        known = tuple(size for size in self.spec.shape if size is not None)
        return known if len(known) == len(self.spec.shape) else None

    def _turns(self, epoch: int, step: int) -> NDArray[np.int64]:
        """Return the places, each plus the number of examples for every time that the epoch showed it before."""
        lengths = lengths_of(self.examples.inputs)
        rows = order(len(self.truth), self.seed, epoch)
        if self.sampling == "balanced":
            rows = balanced(self.truth, self.seed, epoch)
        if lengths is not None:
            rows = bucketed(rows, lengths, self.batch_size, self.seed, epoch)
        return rows[step * self.batch_size : (step + 1) * self.batch_size]

    def batch(self, epoch: int, step: int, out: NDArray[Any] | None = None) -> Batch:
        """Make one batch: a gather, the augmentation, the preparation.

        Args:
            epoch: from 1.
            step: of the epoch, from 0.
            out: where the inputs are written; a new array when left out.
        """
        begin = time.thread_time()
        # A sorted gather reads a memory-mapped file forwards; the order within a batch means nothing to the step.
        turns = self._turns(epoch, step)
        turns = turns[np.argsort(turns % len(self.truth), kind="stable")]
        rows = turns % len(self.truth)
        stored = self.examples.inputs
        shape = self._shape
        if isinstance(stored, Ragged) or shape is None:
            # How long the batch is depends on all of its examples, and on what augmentation makes of them.
            return Batch(self.spec.prepare(self._augmented(turns, epoch)), self.truth[rows], time.thread_time() - begin)
        read_ahead(stored, rows)
        prepared = np.empty((len(rows), *shape), dtype=self.spec.dtype) if out is None else out
        at_once = max(1, PIECE // max(1, stored.nbytes // len(stored)))
        for start in range(0, len(rows), at_once):
            some = turns[start : start + at_once]
            self.spec.prepare(self._augmented(some, epoch), prepared[start : start + at_once])
        return Batch(prepared, self.truth[rows], time.thread_time() - begin)

    def _augmented(self, turns: NDArray[np.int64], epoch: int) -> Stored:
        inputs = self.examples.inputs[turns % len(self.truth)]
        # What an epoch shows twice is drawn for twice.
        inputs = data.mix_others(
            inputs,
            self.examples.inputs,
            self.augment,
            modality=self.modality,
            moment=(self.seed, epoch),
            indices_B=turns,
        )
        changed, _ = data.augment(
            inputs, self.augment, modality=self.modality, seed=self.seed, epoch=epoch, indices_B=turns
        )
        return changed

    def batches(self, epoch: int, first: int) -> Iterator[Batch]:
        """Yield an epoch's batches from one on, each made in a thread while the step before it runs.

        Args:
            epoch: from 1.
            first: the step to begin at, from 0.
        """
        shape = None if self._shape is None else (self.batch_size, *self._shape)
        with ThreadPoolExecutor(1, thread_name_prefix="loader") as pool:

            def make(step: int) -> Future[Batch]:
                if shape is None:
                    return pool.submit(lambda: self.batch(epoch, step))
                return pool.submit(lambda: self.batch(epoch, step, self.spares.take(shape, self.spec.dtype)))

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


_last_balanced: list[tuple[tuple[int, int], NDArray[Any], NDArray[np.int64]]] = []


def balanced(truth_N: NDArray[Any], seed: int, epoch: int) -> NDArray[np.int64]:
    """Return an order of an epoch that shows each class equally often; the last one asked for is kept.

    An example of a rare class comes several times, and of a frequent one some examples wait for another epoch. Before
    any comes once more, all of its class have come.

    Args:
        truth_N: class numbers.
        seed: the run's seed.
        epoch: from 1.

    Returns:
        As many places as there are examples, each plus N for every time that it came before.
    """
    key = (seed, epoch)
    for kept, of, found in _last_balanced:
        if kept == key and of is truth_N:
            return found
    rng, count = np.random.default_rng([seed, epoch, 2]), len(truth_N)
    kinds, kind_N = np.unique(truth_N, return_inverse=True)
    share, rest = divmod(count, len(kinds))
    wanted = np.full(len(kinds), share)
    wanted[rng.permutation(len(kinds))[:rest]] += 1
    turns = []
    for kind, times in enumerate(wanted.tolist()):
        own = np.flatnonzero(kind_N == kind)
        whole, more = divmod(times, len(own))
        again = (own + count * np.arange(whole)[:, None]).reshape(-1)
        turns += [again, rng.permutation(own)[:more] + count * whole]
    found = rng.permutation(np.concatenate(turns))
    _last_balanced[:] = [(key, truth_N, found)]
    return found


_last_buckets: list[tuple[tuple[int, int, int], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []


def bucketed(
    rows: NDArray[np.int64], lengths: NDArray[np.int64], batch_size: int, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Bring examples of like length into one batch, so that little of it is padding; the last order is kept.

    Some fifty batches at a time are sorted by length and cut; the batches then come in random order. Ties are broken by
    the order that is given, so that an epoch's batches differ from those of another.

    Args:
        rows: the order of the epoch.
        lengths: steps of each example, by its place.
        batch_size: examples in a batch.
        seed: the run's seed.
        epoch: from 1.
    """
    key = (batch_size, seed, epoch)
    for kept, of, before, found in _last_buckets:
        if kept == key and of is lengths and before is rows:
            return found
    whole = len(rows) // batch_size * batch_size
    # What is left over stays at the end and waits for another epoch's order, as without buckets.
    pools = np.array_split(rows[:whole], max(1, round(whole / (POOL * batch_size)))) if whole else []
    # Balanced orders count on beyond the number of examples where one comes again.
    sizes = [lengths[pool % len(lengths)] for pool in pools]
    sorted_pools = [pool[np.argsort(size, kind="stable")] for pool, size in zip(pools, sizes, strict=True)]
    batches = np.concatenate(sorted_pools or [rows[:0]])
    turns = np.random.default_rng([seed, epoch, 1]).permutation(whole // batch_size)
    found = np.concatenate([batches.reshape(-1, batch_size)[turns].reshape(-1), rows[whole:]])
    _last_buckets[:] = [(key, lengths, rows, found)]
    return found


def first_rows(count: int, seed: int, size: int) -> NDArray[np.int64]:
    """Return the rows of the first epoch's first batch.

    Args:
        count: number of examples.
        seed: the run's seed.
        size: examples in the batch.
    """
    return np.sort(order(count, seed, 1)[:size])
