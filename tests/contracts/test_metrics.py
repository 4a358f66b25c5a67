"""Every row of every table of metrics: what its oracle says, for any counts; parts that equal the whole."""

# N examples, C classes, R resamples

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as oracle

from contracts.metric_families import FAMILIES, Family
from sonde.metrics import (
    ALL_TABLES,
    METRICS,
    AnyMetric,
    Metric,
    Sample,
    Totals,
    applicable,
    prepare,
    value,
    value_of,
    values_of,
)
from sonde.metrics.classification import OF_POSITIVE
from sonde.metrics.intervals import Bootstrap, score_each, score_sample, score_totals

Floats = NDArray[np.float64]
SAME = 1e-10
"""Sums of some hundred numbers in another order."""
SEEDS = range(24)
EVERY_ROW = [(table, name) for table, rows in ALL_TABLES.items() for name in rows]


def _family(table: str) -> Family:
    return FAMILIES[table]


def _row(table: str, name: str) -> AnyMetric:
    return ALL_TABLES[table][name]


def _counts(seed: int, examples: int) -> Floats:
    """Return two rows of counts, zeros among them, and something in each."""
    counts_RN = np.random.default_rng([seed, 1]).integers(0, 4, (2, examples)).astype(float)
    counts_RN[:, -1] = np.maximum(counts_RN[:, -1], 1)
    return counts_RN


def _random_sample(classes: int, *, examples: int = 60, seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    return prepare(rng.integers(0, classes, examples), rng.dirichlet(np.full(classes, 0.5), examples))


def test_every_metric_has_an_oracle() -> None:
    assert {table: [*rows] for table, rows in ALL_TABLES.items()} == {
        table: [*family.oracles] for table, family in FAMILIES.items()
    }


@pytest.mark.parametrize(("table", "name"), EVERY_ROW)
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true:UserWarning")
@pytest.mark.filterwarnings("ignore:A single label was found:UserWarning")
def test_a_metric_of_counted_examples_is_what_its_oracle_says_of_repeated_ones(table: str, name: str) -> None:
    family = _family(table)
    for seed in SEEDS:
        sample = family.draw(seed)
        counts_RN = _counts(seed, len(sample))
        found = values_of(_row(table, name), sample, counts_RN)
        for counts_N, each in zip(counts_RN, found, strict=True):
            repeated = family.take(sample, np.repeat(np.arange(len(sample)), counts_N.astype(int)))
            np.testing.assert_allclose(each, family.oracles[name](repeated), rtol=SAME, atol=SAME)


@pytest.mark.parametrize(("table", "name"), EVERY_ROW)
def test_a_perfect_prediction_has_the_best_value(table: str, name: str) -> None:
    for seed in (0, 5):
        sample = _family(table).perfect(seed)
        found = values_of(_row(table, name), sample, np.ones((1, len(sample))))
        assert found[~np.isnan(found)] == pytest.approx(_row(table, name).best, abs=SAME)


@pytest.mark.parametrize(("table", "name"), EVERY_ROW)
def test_values_stay_in_the_range_that_the_table_states(table: str, name: str) -> None:
    row = _row(table, name)
    for seed in SEEDS:
        sample = _family(table).draw(seed)
        values = values_of(row, sample, _counts(seed, len(sample)))
        known = values[~np.isnan(values)]
        assert len(values) == 2 and (row.low <= known).all() and (known <= row.high + SAME).all()


@pytest.mark.parametrize(("table", "name"), EVERY_ROW)
def test_the_order_of_the_examples_does_not_matter(table: str, name: str) -> None:
    family, row = _family(table), _row(table, name)
    sample = family.draw(11)
    shuffled = family.take(sample, np.random.default_rng(3).permutation(len(sample)))
    once = np.ones((1, len(sample)))
    np.testing.assert_allclose(values_of(row, shuffled, once), values_of(row, sample, once), rtol=SAME, atol=SAME)


@pytest.mark.parametrize(("table", "name"), EVERY_ROW)
def test_a_resample_scores_the_same_alone_and_among_others(table: str, name: str) -> None:
    sample, row = _family(table).draw(11), _row(table, name)
    counts_RN = np.concatenate([_counts(seed, len(sample)) for seed in range(4)])
    together = values_of(row, sample, counts_RN)
    alone = np.concatenate([values_of(row, sample, counts_N[None]) for counts_N in counts_RN])
    np.testing.assert_allclose(together, alone, rtol=SAME, atol=SAME)


def _of_sums(table: str) -> dict[str, Metric]:
    return {name: row for name, row in ALL_TABLES[table].items() if isinstance(row, Metric)}


def _in_batches(table: str, sample: Any, *, keep: bool) -> Totals:
    totals = Totals(_of_sums(table), keep=keep)
    for rows in np.array_split(np.arange(len(sample)), 3):
        if len(rows):
            totals.add(_family(table).take(sample, rows))
    return totals


@pytest.mark.parametrize("table", ALL_TABLES)
def test_the_sums_of_the_parts_have_the_value_of_the_whole(table: str) -> None:
    for seed in SEEDS:
        sample = _family(table).draw(seed)
        totals = _in_batches(table, sample, keep=False)
        assert totals.examples == len(sample)
        for name, row in _of_sums(table).items():
            whole = values_of(row, sample, np.ones((1, len(sample))))[0]
            np.testing.assert_allclose(totals.values()[name], whole, rtol=SAME, atol=SAME)


@pytest.mark.parametrize("table", [table for table, rows in ALL_TABLES.items() if not table.startswith("PER")])
def test_the_kept_sums_of_the_parts_have_the_intervals_of_the_whole_to_the_bit(table: str) -> None:
    sample, bootstrap = _family(table).draw(11), Bootstrap(seed=3, resamples=40)
    in_parts = score_totals(_in_batches(table, sample, keep=True), bootstrap=bootstrap)
    assert in_parts == score_sample(sample, _of_sums(table), bootstrap=bootstrap)


def test_sums_that_were_not_kept_have_no_interval() -> None:
    with pytest.raises(AssertionError, match="keep=True"):
        score_totals(_in_batches("TEXT_METRICS", FAMILIES["TEXT_METRICS"].draw(0), keep=False), bootstrap=Bootstrap(0))


@pytest.mark.parametrize("table", ALL_TABLES)
def test_every_interval_holds_its_value_and_stays_in_range(table: str) -> None:
    family, rows, bootstrap = _family(table), ALL_TABLES[table], Bootstrap(seed=2, resamples=40)
    for sample in (family.draw(4), family.draw(11), family.perfect(1), family.take(family.perfect(1), np.arange(1))):
        by_class = table.startswith("PER")
        scored = (
            score_each(sample, rows, bootstrap=bootstrap)
            if by_class
            else [score_sample(sample, rows, bootstrap=bootstrap)]
        )
        for scores in scored:
            for name, found in scores.items():
                if found.value is not None:
                    assert found.low is not None and found.high is not None
                    assert rows[name].low <= found.low <= found.value <= found.high <= rows[name].high, name


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_counts_weigh_as_sample_weights_do_in_scikit_learn(classes: int) -> None:
    sample = _random_sample(classes)
    counts_N = np.random.default_rng(1).integers(0, 4, len(sample)).astype(float)
    weighed = {"sample_weight": counts_N, "labels": np.arange(classes)}
    given_NC, truth_N = sample.probabilities_NC, sample.truth_N
    expected = {
        "accuracy": oracle.accuracy_score(truth_N, sample.guess_N, sample_weight=counts_N),
        "f1_macro": oracle.f1_score(truth_N, sample.guess_N, average="macro", **weighed),
        "log_loss": oracle.log_loss(truth_N, given_NC, **weighed),
        "roc_auc": np.mean(
            [
                oracle.roc_auc_score(truth_N == index, given_NC[:, index], sample_weight=counts_N)
                for index in range(classes)
            ]
        ),
    }
    actual = {name: values_of(METRICS[name], sample, counts_N[None])[0] for name in expected}
    assert actual == pytest.approx(expected, abs=SAME)


def test_roc_auc_of_all_classes_is_scikit_learns_one_against_rest_mean() -> None:
    sample = _random_sample(4)
    expected = oracle.roc_auc_score(sample.truth_N, sample.probabilities_NC, multi_class="ovr", average="macro")
    assert value("roc_auc", sample.truth_N, sample.probabilities_NC) == pytest.approx(expected, abs=SAME)


@pytest.mark.parametrize("positive", [0, 1, -1])
def test_figures_of_a_rare_class_are_about_the_class_that_is_named(positive: int) -> None:
    drawn = _random_sample(2)
    sample = prepare(drawn.truth_N, drawn.probabilities_NC, positive=positive)
    rare, guess = np.arange(2)[positive], drawn.probabilities_NC.argmax(axis=1)
    for name, function in (("precision_positive", oracle.precision_score), ("f1_positive", oracle.f1_score)):
        assert value_of(METRICS[name], sample) == pytest.approx(
            function(drawn.truth_N, guess, pos_label=rare), abs=SAME
        )
    expected = oracle.average_precision_score(drawn.truth_N == rare, drawn.probabilities_NC[:, rare])
    assert value_of(METRICS["average_precision_positive"], sample) == pytest.approx(expected, abs=SAME)


@pytest.mark.parametrize(("table", "name"), EVERY_ROW)
def test_every_row_is_documented(table: str, name: str) -> None:
    row = _row(table, name)
    functions = (row.sums, row.value) if isinstance(row, Metric) else (row.function,)
    assert row.title and row.doc.endswith(".") and all(function.__doc__ for function in functions)
    assert row.low < row.high and row.best in (row.low, row.high) and np.isfinite(row.best)


def test_figures_of_a_rare_class_need_two_classes_and_a_name() -> None:
    rows = set(OF_POSITIVE)
    assert rows <= applicable(2, has_positive=True).keys()
    assert not rows & applicable(2).keys() and not rows & applicable(3, has_positive=True).keys()


def test_top_k_is_left_out_where_it_would_always_be_one() -> None:
    assert "top_2_accuracy" not in applicable(2) and "top_2_accuracy" in applicable(3)
    assert "top_5_accuracy" not in applicable(5) and "top_5_accuracy" in applicable(6)
