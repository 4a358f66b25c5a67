"""A learning rate is a pure function of the step and of the validation figures so far."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sonde.training.options import Options
from sonde.training.schedules import SCHEDULES, Length, Moment, learning_rate


def options(**words: Any) -> Options:
    return Options(learning_rate=0.5, weight_decay=0.0, batch_size=8, threads=1, **words)


def factors(name: str, *, steps: int = 100, figures: Sequence[float] = (), **words: Any) -> list[float]:
    """Return a schedule's factor at each step of a training with ten steps in an epoch."""
    chosen = options(schedule=name, **words)
    return [
        SCHEDULES[name](Moment(step, Length(steps), step // 10 + 1, figures[: step // 10]), chosen)
        for step in range(steps)
    ]


@pytest.mark.parametrize("name", SCHEDULES)
@given(data=some.data())
def test_a_factor_is_above_zero_and_at_most_one(name: str, data: some.DataObject) -> None:
    steps = data.draw(some.integers(1, 10**6))
    step = data.draw(some.integers(0, steps - 1))
    epoch = data.draw(some.integers(1, 100))
    figures = data.draw(some.lists(some.floats(0, 1), max_size=30))
    chosen = options(
        schedule=name, warm_up=data.draw(some.floats(0, 0.9)), step_factor=data.draw(some.floats(0.01, 0.99))
    )
    moment = Moment(step, Length(steps), epoch, figures)
    factor = SCHEDULES[name](moment, chosen)
    assert 0 < factor <= 1
    # Asked again it says the same: nothing was counted in between.
    assert SCHEDULES[name](moment, chosen) == factor
    assert learning_rate(moment, chosen) == 0.5 * factor


def test_the_table_holds_what_the_option_allows() -> None:
    allowed = Options.model_fields["schedule"].annotation.__args__  # type: ignore[union-attr]
    assert set(allowed) == set(SCHEDULES)


def test_constant_does_not_move() -> None:
    assert set(factors("constant")) == {1.0}


@pytest.mark.parametrize("name", ["one-cycle", "cosine"])
def test_a_cycle_rises_to_its_peak_and_falls_to_almost_nothing(name: str) -> None:
    found = factors(name, warm_up=0.2)
    peak = found.index(max(found))
    assert peak in (19, 20) and found[peak] > 0.95
    assert found[:19] == sorted(found[:19]) and found[20:] == sorted(found[20:], reverse=True)
    assert found[0] < 0.05 and found[-1] < 0.01
    # A straight line up, in both.
    assert found[9] == pytest.approx(2 * found[4] * 9.5 / 9, rel=1e-9)


def test_one_cycle_falls_in_a_line_and_cosine_in_a_curve() -> None:
    line, curve = factors("one-cycle", warm_up=0.0), factors("cosine", warm_up=0.0)
    assert line[49] - line[50] == pytest.approx(line[9] - line[10])
    assert line[50] == pytest.approx(0.495) and curve[50] == pytest.approx(0.5, abs=0.01)
    assert curve[10] > line[10] and curve[90] < line[90]


@pytest.mark.parametrize("name", ["one-cycle", "cosine"])
def test_without_warm_up_the_peak_is_at_the_start(name: str) -> None:
    found = factors(name, warm_up=0.0)
    assert found == sorted(found, reverse=True) and found[0] > 0.99


def test_steps_drop_every_so_many_epochs() -> None:
    found = factors("step", step_epochs=3, step_factor=0.5)
    assert found[::10] == [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]
    assert all(len(set(found[first : first + 10])) == 1 for first in range(0, 100, 10))


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ([0.1, 0.2, 0.3, 0.4], 1.0),
        ([0.4, 0.3, 0.2], 0.1),
        ([0.4, 0.4, 0.4], 0.1),
        ([0.4, 0.3, 0.5, 0.4], 1.0),
        ([0.4, 0.3, 0.3, 0.3, 0.3], 0.01),
        ([0.4, 0.3, 0.3, 0.5, 0.4, 0.4], 0.01),
        ([-0.9, -0.5, -0.6, -0.7], 0.1),
    ],
)
def test_a_plateau_drops_after_so_many_epochs_without_a_better_figure(figures: list[float], expected: float) -> None:
    chosen = options(schedule="plateau", plateau_epochs=2, step_factor=0.1)
    found = SCHEDULES["plateau"](Moment(0, Length(100), len(figures) + 1, figures), chosen)
    assert found == pytest.approx(expected)


def test_before_the_first_epoch_ends_there_is_no_plateau() -> None:
    assert factors("plateau", plateau_epochs=1)[:10] == [1.0] * 10
