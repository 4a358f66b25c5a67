"""Batches in an order that is a pure function of (seed, epoch), made one ahead of the step."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sonde import data
from sonde.data.cache import read_ahead
from sonde.data.dataset import Examples, InputSpec
from sonde.data.ragged import Ragged, Stored, lengths_of
from sonde.data.target import Batch, Column, Moment, Target

PIECE = 1 << 20
"""Bytes of stored examples that go through all of the work at a time: they stay in a core's own cache."""

POOL = 50
"""Batches whose examples are sorted by length together; more leaves less padding, and less chance in who meets whom."""

KEPT = 3
"""Arrays that are used in turn: the step's, the next, and the one begun while the step's is still held."""


class Made(NamedTuple):
    """A batch, and what it cost."""

    batch: Batch
    busy: float
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


class Orders:
    """Makes the order of an epoch, and keeps the one that was asked for last."""

    def __init__(self) -> None:
        """Begin with none."""
        self._last: tuple[int, NDArray[np.int64]] | None = None

    def of(self, epoch: int, make: Callable[[], NDArray[np.int64]]) -> NDArray[np.int64]:
        """Return the order of an epoch.

        Args:
            epoch: from 1.
        """
        # Epoch and order are one object, so that two threads never mix theirs.
        last = self._last
        if last is None or last[0] != epoch:
            last = self._last = (epoch, make())
        return last[1]


@dataclass(frozen=True)
class TrainingSet:
    """The training examples with all that turns them into batches."""

    examples: Examples
    target: Target
    truth: Column
    """As the target encodes it, N."""
    spec: InputSpec
    modality: str
    augment: Mapping[str, float]
    """Strength of each augmentation."""
    seed: int
    batch_size: int
    balance_N: NDArray[np.int64] | None = None
    """Group of each example where an epoch shows each group equally often; else it shows each example once."""
    spares: Spares = field(default_factory=Spares, init=False, repr=False, compare=False)
    """Memory for the batches that are made ahead."""
    orders: Orders = field(default_factory=Orders, init=False, repr=False, compare=False)

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
        rows = self.orders.of(epoch, lambda: self._order(epoch))
        return rows[step * self.batch_size : (step + 1) * self.batch_size]

    def _order(self, epoch: int) -> NDArray[np.int64]:
        lengths = lengths_of(self.examples.inputs)
        if self.balance_N is not None:
            rows = balanced(self.balance_N, self.seed, epoch)
        else:
            rows = order(len(self.truth), self.seed, epoch)
        return rows if lengths is None else bucketed(rows, lengths, self.batch_size, self.seed, epoch)

    def batch(self, epoch: int, step: int, out: NDArray[Any] | None = None) -> Made:
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
            inputs, truth = self._augmented(turns, epoch)
            return self._made(self.spec.prepare(inputs), truth, Moment(self.seed, epoch, turns), begin)
        read_ahead(stored, rows)
        prepared = np.empty((len(rows), *shape), dtype=self.spec.dtype) if out is None else out
        at_once = max(1, PIECE // max(1, stored.nbytes // len(stored)))
        truths = []
        for start in range(0, len(rows), at_once):
            inputs, truth = self._augmented(turns[start : start + at_once], epoch)
            self.spec.prepare(inputs, prepared[start : start + at_once])
            truths.append(truth)
        return self._made(prepared, data.join(truths), Moment(self.seed, epoch, turns), begin)

    def _made(self, inputs: NDArray[Any], truth: Column, moment: Moment, begin: float) -> Made:
        return Made({"inputs": inputs, **self.target.collate(truth, moment)}, time.thread_time() - begin)

    def _augmented(self, turns: NDArray[np.int64], epoch: int) -> tuple[Stored, Column]:
        """Return the augmented inputs, and the truths, which followed every motion of theirs."""
        rows = turns % len(self.truth)
        inputs, truth = self.examples.inputs[rows], self.truth[rows]
        # What an epoch shows twice is drawn for twice.
        inputs = data.mix_others(
            inputs,
            self.examples.inputs,
            self.augment,
            modality=self.modality,
            moment=(self.seed, epoch),
            indices_B=turns,
        )
        inputs, motion = data.augment(
            inputs, self.augment, modality=self.modality, seed=self.seed, epoch=epoch, indices_B=turns
        )
        return inputs, truth if motion is None else self.target.move(truth, motion)

    def batches(self, epoch: int, first: int) -> Iterator[Made]:
        """Yield an epoch's batches from one on, each made in a thread while the step before it runs.

        Args:
            epoch: from 1.
            first: the step to begin at, from 0.
        """
        shape = None if self._shape is None else (self.batch_size, *self._shape)
        with ThreadPoolExecutor(1, thread_name_prefix="loader") as pool:

            def make(step: int) -> Future[Made]:
                if shape is None:
                    return pool.submit(lambda: self.batch(epoch, step))
                return pool.submit(lambda: self.batch(epoch, step, self.spares.take(shape, self.spec.dtype)))

            ahead: Future[Made] | None = None
            for step in range(first, self.steps):
                ready = ahead or make(step)
                ahead = make(step + 1) if step + 1 < self.steps else None
                yield ready.result()


def order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of an epoch.

    Args:
        count: number of examples.
        seed: the run's seed.
        epoch: from 1.
    """
    return np.random.default_rng([seed, epoch]).permutation(count)


def balanced(group_N: NDArray[Any], seed: int, epoch: int) -> NDArray[np.int64]:
    """Return an order of an epoch that shows each group, such as a class, equally often.

    An example of a rare group comes several times, and of a frequent one some examples wait for another epoch. Before
    any comes once more, all of its group have come.

    Args:
        group_N: number of each example's group.
        seed: the run's seed.
        epoch: from 1.

    Returns:
        As many places as there are examples, each plus N for every time that it came before.
    """
    rng, count = np.random.default_rng([seed, epoch, 2]), len(group_N)
    kinds, kind_N = np.unique(group_N, return_inverse=True)
    share, rest = divmod(count, len(kinds))
    wanted = np.full(len(kinds), share)
    wanted[rng.permutation(len(kinds))[:rest]] += 1
    turns = []
    for kind, times in enumerate(wanted.tolist()):
        own = np.flatnonzero(kind_N == kind)
        whole, more = divmod(times, len(own))
        again = (own + count * np.arange(whole)[:, None]).reshape(-1)
        turns += [again, rng.permutation(own)[:more] + count * whole]
    return rng.permutation(np.concatenate(turns))


def bucketed(
    rows: NDArray[np.int64], lengths: NDArray[np.int64], batch_size: int, seed: int, epoch: int
) -> NDArray[np.int64]:
    """Bring examples of like length into one batch, so that little of it is padding.

    Some fifty batches at a time are sorted by length and cut; the batches then come in random order. Ties are broken by
    the order that is given, so that an epoch's batches differ from those of another.

    Args:
        lengths: steps of each example, by its place.
        batch_size: examples in a batch.
        seed: the run's seed.
        epoch: from 1.
    """
    whole = len(rows) // batch_size * batch_size
    # What is left over stays at the end and waits for another epoch's order, as without buckets.
    pools = np.array_split(rows[:whole], max(1, round(whole / (POOL * batch_size)))) if whole else []
    # Balanced orders count on beyond the number of examples where one comes again.
    sizes = [lengths[pool % len(lengths)] for pool in pools]
    sorted_pools = [pool[np.argsort(size, kind="stable")] for pool, size in zip(pools, sizes, strict=True)]
    batches = np.concatenate(sorted_pools or [rows[:0]])
    turns = np.random.default_rng([seed, epoch, 1]).permutation(whole // batch_size)
    return np.concatenate([batches.reshape(-1, batch_size)[turns].reshape(-1), rows[whole:]])


def first_rows(count: int, seed: int, size: int) -> NDArray[np.int64]:
    """Return the rows of the first epoch's first batch.

    Args:
        count: number of examples.
        seed: the run's seed.
        size: examples in the batch.
    """
    return np.sort(order(count, seed, 1)[:size])
