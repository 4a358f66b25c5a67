"""The paired test is McNemar's for right and wrong, exact where it can be, and rarely alarmed without a reason."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binom, binomtest, permutation_test

from sonde.metrics.permutation import FEWEST_DRAWN, FLIPS, holm, paired


def _figures(examples: int, *, apart: float = 0.5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=examples)
    return a, a + rng.normal(apart, 1.0, examples)


def test_for_right_and_wrong_it_is_mcnemars_exact_test_however_many_there_are() -> None:
    rng = np.random.default_rng(0)
    for examples in (3, 40, 3000):
        a, b = rng.random(examples) < 0.7, rng.random(examples) < 0.65
        only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
        exact = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
        assert paired(a, b, seed=0) == pytest.approx(exact, rel=1e-12)


def test_its_unit_does_not_matter() -> None:
    a, b = _figures(200)
    assert paired(a, b, seed=1) == paired(1e6 * a, 1e6 * b, seed=1)


@pytest.mark.parametrize("differing", [2, 5, FEWEST_DRAWN - 1])
def test_where_few_differ_it_is_exact(differing: int) -> None:
    a, b = _figures(differing)
    same = np.arange(30.0)  # Examples on which both are alike say nothing.
    expected = permutation_test((a, b), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf)
    assert paired(np.append(a, same), np.append(b, same), seed=0) == pytest.approx(expected.pvalue, abs=1e-12)


def test_where_many_differ_it_is_drawn_and_near_the_exact_share() -> None:
    # 17 differences of which 16 are of one size: all flips can be counted by hand.
    a, b = np.append(np.full(16, 1.0), 3.0), np.zeros(17)
    b[:4] = 2.0
    far = abs((a - b).sum())
    ones = np.arange(17)
    share = sum(binom.pmf(ones, 16, 0.5)[up] / 2 for up in ones for big in (3, -3) if abs(2 * up - 16 + big) >= far)
    # Four standard errors of a share of 20,000 drawings.
    assert paired(a, b, seed=0) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / FLIPS))


def test_the_same_seed_gives_the_same_bits_and_no_p_value_is_zero() -> None:
    a, b = _figures(500, apart=2.0)
    assert paired(a, b, seed=7) == paired(a, b, seed=7) == 1 / (FLIPS + 1)
    assert paired(a, b, seed=7, flips=99) == 1 / 100


def test_it_is_two_sided() -> None:
    a, b = _figures(14)
    assert paired(a, b, seed=0) == paired(b, a, seed=0)


@pytest.mark.parametrize("spread", [lambda rng: rng.normal(0, 1, 30), lambda rng: rng.exponential(1, 30) - 1])
def test_models_that_are_alike_are_told_apart_as_rarely_as_promised(
    spread: Callable[[np.random.Generator], np.ndarray],
) -> None:
    rng = np.random.default_rng(0)
    signs = rng.choice([-1, 1], (300, 30))
    alarms = sum(paired(row * spread(rng), np.zeros(30), seed=0, flips=499) <= 0.05 for row in signs)
    # Of 300 tests at 5 %, 5 to 27 are alarms in 999 of 1,000 such series.
    assert 4 <= alarms <= 28


def test_models_that_never_differ_have_p_one() -> None:
    assert paired([1.0, 2.0], [1.0, 2.0], seed=0) == 1.0


def test_holm_multiplies_by_the_tests_left_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_only_examples_that_one_alone_gets_right_count() -> None:
    a = np.array([True] * 8 + [False] * 1 + [True] * 50)
    b = np.array([False] * 8 + [True] * 1 + [True] * 50)
    assert paired(a, b, seed=0) == pytest.approx(2 * (1 + 9) / 2**9)
    assert paired(a, a, seed=0) == 1.0
