"""Adds up the sums of metrics over examples: under counts of how often each occurs, and over batches.

    totals = Totals(SEGMENTATION_METRICS)
    for batch in batches:
        totals.add(batch)          # a prepared sample; nothing of it is held
    totals.values()

With `keep=True` the N x K sums are held, not the predictions they come from, and `intervals.score_totals` draws from
them.
"""

# N examples, K sums of each, C classes, R resamples

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from sonde.metrics.metric import AnyMetric, Floats, Metric, Ranking, Sums

Adds = Callable[[Any], Sums]
"""What gives the sums of a sample's examples."""


def scattered(column_NJ: NDArray[np.intp], columns: int, amounts_NJ: ArrayLike = 1.0) -> Sums:
    """Return sums where each example adds to a few of the columns alone, N x columns, sparse.

    Args:
        column_NJ: which ones, J different ones for each example.
        columns: how many there are.
        amounts_NJ: what each example adds to each of its columns, or to all.
    """
    few = column_NJ.shape[1]
    # Numbers of 16 bits are sorted by digits, five times as fast as longer ones.
    flat = column_NJ.ravel().astype(np.uint16 if columns <= 2**16 else np.intp)
    order = np.argsort(flat, kind="stable")
    amounts = np.broadcast_to(np.asarray(amounts_NJ, np.float64), column_NJ.shape).ravel()[order]
    ends = np.cumsum(np.bincount(flat, minlength=columns))
    shape = (len(column_NJ), columns)
    return sparse.csc_array((amounts, order // few, np.concatenate([[0], ends])), shape=shape)


def with_ones(amounts_N: ArrayLike) -> Sums:
    """Return an amount of each example beside a one, N x 2, so that their `mean` can be told from the sums.

    Args:
        amounts_N: what each example costs, or whether it is a hit.
    """
    amounts = np.asarray(amounts_N, np.float64)
    return np.stack([amounts, np.ones_like(amounts)], axis=1)


def mean(totals_R2: Floats) -> Floats:
    """Return the mean amount of an example, from the sums of `with_ones`."""
    return totals_R2[:, 0] / totals_R2[:, 1]


def mean_over_known(values_RC: Floats) -> Floats:
    """Return the mean over the classes or targets whose value is known; NaN where none is.

    Args:
        values_RC: a value for each resample and class, NaN where it is not known.
    """
    known_RC = ~np.isnan(values_RC)
    sum_R, known_R = np.where(known_RC, values_RC, 0.0).sum(axis=1), known_RC.sum(axis=1)
    return np.divide(sum_R, known_R, out=np.full_like(sum_R, np.nan), where=known_R > 0)


class Columns:
    """The sums of N examples, made ready to be added up under many counts."""

    def __init__(self, sums: Sums) -> None:
        self._shape: tuple[int, int] = sums.shape
        self._is_sparse = not isinstance(sums, np.ndarray)
        if isinstance(sums, np.ndarray):
            self._constant = (sums == sums[0]).all(axis=0) & (sums[0] != 0)
            self._constants = sums[0, self._constant]
            self._rest = np.ascontiguousarray(sums[:, ~self._constant])
        else:
            self._order, self._amounts = sums.indices, sums.data
            self._filled = np.flatnonzero(np.diff(sums.indptr))
            self._starts = sums.indptr[self._filled]

    def __len__(self) -> int:
        return self._shape[0]

    def times(self, counts_RN: Floats) -> Floats:
        """Return counts @ sums, R x K.

        Args:
            counts_RN: how often each example occurs in each resample.
        """
        totals_RK = np.zeros((len(counts_RN), self._shape[1]))
        if self._is_sparse:
            if len(self._filled):
                taken = counts_RN.take(self._order, axis=1)
                taken *= self._amounts
                totals_RK[:, self._filled] = np.add.reduceat(taken, self._starts, axis=1)
            return totals_RK
        # How a product rounds depends on how many columns it has; those that only count examples are no part of it.
        totals_RK[:, self._constant] = counts_RN.sum(axis=1, keepdims=True) * self._constants
        rest = self._rest
        totals_RK[:, ~self._constant] = (counts_RN @ rest[:, 0])[:, None] if rest.shape[1] == 1 else counts_RN @ rest
        return totals_RK


class Examples:
    """Examples as a table of metrics sees them: the sums of each function, added up once for all its metrics."""

    def __init__(self, table: Mapping[str, AnyMetric], sums: Mapping[Adds, Sums], sample: Any = None) -> None:
        self._table, self._sample = table, sample
        self._columns = {function: Columns(each) for function, each in sums.items()}
        self._orders = dict.fromkeys(row.function for row in table.values() if isinstance(row, Ranking))
        self._length = len(sample) if sample is not None else len(next(iter(self._columns.values())))

    def __len__(self) -> int:
        return self._length

    def values(self, counts_RN: Floats) -> dict[str, Floats]:
        """Return R values, or R x C, by metric.

        Args:
            counts_RN: how often each example occurs in each resample.
        """
        asked = dict.fromkeys(row.sums for row in self._table.values() if isinstance(row, Metric))
        totals = {function: self._columns[function].times(counts_RN) for function in asked}
        passed = {function: function(self._sample, counts_RN) for function in self._orders}
        return {
            name: row.value(totals[row.sums]) if isinstance(row, Metric) else row.value(passed[row.function])
            for name, row in self._table.items()
        }

    def once(self) -> dict[str, Floats]:
        """Return the value of each metric, or its C values, with every example counted once."""
        return {name: values[0] for name, values in self.values(np.ones((1, len(self)))).items()}

    def added_up(self, function: Adds) -> Floats:
        """Return the sums of all examples by one function, 1 x K.

        Args:
            function: `sums` of a row or of its worth.
        """
        return self._columns[function].times(np.ones((1, len(self))))


def values_of(metric: AnyMetric, sample: Any, counts_RN: Floats) -> Floats:
    """Return a metric's R values, or R x C, of a sample under some counts.

    Args:
        metric: a row of the table that the sample is for.
        sample: the prepared examples.
        counts_RN: how often each example occurs in each resample.
    """
    if isinstance(metric, Ranking):
        return metric.value(metric.function(sample, counts_RN))
    return metric.value(Columns(metric.sums(sample)).times(counts_RN))


def seen_by(table: Mapping[str, AnyMetric], sample: Any) -> Examples:
    """Return examples as a table sees them, with what its intervals need.

    Args:
        table: metrics by name.
        sample: prepared examples of the kind that the table is for.
    """
    return Examples(table, {function: function(sample) for function in functions_of(table)}, sample)


def functions_of(table: Mapping[str, AnyMetric]) -> list[Adds]:
    """Return the different functions that give sums, of the rows and of their worth.

    Args:
        table: metrics by name.
    """
    own = [row.sums for row in table.values() if isinstance(row, Metric)]
    return list(dict.fromkeys([*own, *(row.worth.sums for row in table.values())]))


class Totals:
    """The sums of a table's metrics over batches of examples: their values without holding what was predicted."""

    def __init__(self, table: Mapping[str, Metric], *, keep: bool = False) -> None:
        self.table = table
        self.examples = 0
        """How many were added."""
        self._functions = functions_of(table)
        self._totals: dict[Adds, Floats] = {}
        self._kept: dict[Adds, list[Sums]] | None = {function: [] for function in self._functions} if keep else None

    def add(self, sample: Any) -> None:
        """Add the sums of a batch.

        Args:
            sample: prepared examples of the kind that the table is for.
        """
        for function in self._functions:
            sums = function(sample)
            added = Columns(sums).times(np.ones((1, len(sample))))
            self._totals[function] = self._totals.get(function, 0.0) + added
            if self._kept is not None:
                self._kept[function].append(sums)
        self.examples += len(sample)

    def values(self) -> dict[str, Floats]:
        """Return the value of each metric, or its C values, over all that was added; nothing before that."""
        if not self._totals:
            return {}
        return {name: row.value(self._totals[row.sums])[0] for name, row in self.table.items()}

    def kept(self) -> Examples:
        """Return all examples as the table sees them; they must have been kept."""
        assert self._kept is not None and self.examples, "Totals(table, keep=True), and a batch at least"
        return Examples(self.table, {function: _joined(parts) for function, parts in self._kept.items()})


def _joined(parts: Sequence[Sums]) -> Sums:
    if any(sparse.issparse(part) for part in parts):
        return sparse.vstack(parts, format="csc")
    return np.concatenate(parts)
