"""A training with a budget of time ends by it, annealed, whatever the pace; nothing of its measuring stays behind."""

import dataclasses
import math
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

import small_runs
from sonde import backend
from sonde.errors import ConfigError, ModelError
from sonde.training import Budget, Epoch, Session, Step, Watch, measure
from sonde.training.checkpoints import read_newest
from sonde.training.deadline import (
    AIM,
    ROOM_FOR_THE_REST,
    SLOWEST,
    Costs,
    Place,
    Spending,
    begin,
    least_minutes,
    reckon,
    steps_that_fit,
)
from sonde.training.options import Options
from sonde.training.resuming import is_sound
from sonde.training.schedules import Length, Moment, learning_rate

_numbers = count()
Pace = Callable[[float], float]
"""From the seconds that have passed to how many times slower the machine is than when it was measured."""


def steady(seconds: float) -> float:
    return 1.0


@dataclasses.dataclass
class Told:
    """What a simulated run came to."""

    end: float
    """Seconds at which all was done, scoring included."""
    steps: int
    rates: list[float]
    spending: Spending


def simulate(
    limit: float, costs: Costs, pace: Pace = steady, *, per_epoch: int = 100, most: int = 10**6, used: float = 5.0
) -> Told:
    """Let a training without weights keep to a budget on a clock that only its parts move."""
    now, step, within = used, 0, 0
    spending, length = begin(Place(0, 0, per_epoch, most, now, limit), costs)
    options = Options(learning_rate=1.0, weight_decay=0.0, batch_size=8, threads=1)
    rates = []
    while step < length.steps:
        rates.append(learning_rate(Moment(step, length, 1, ()), options))
        now += costs.step * pace(now)
        step, within = step + 1, within + 1
        length = reckon(spending, length, Place(step, within, per_epoch, most, now, limit))
        if within == per_epoch or step >= length.steps:
            ending = costs.epoch * pace(now)
            now, within = now + ending, 0
            if step < length.steps:
                spending.costs = dataclasses.replace(spending.costs, epoch=ending)
                spending.paused += ending
                length = reckon(spending, length, Place(step, 0, per_epoch, most, now, limit), now=True)
    return Told(now + costs.rest * pace(now), step, rates, spending)


def test_on_a_steady_machine_a_run_fills_its_budget_and_ends_annealed() -> None:
    told = simulate(120.0, Costs(0.03, 1.0, 10.0))
    assert 0.9 * 120 <= told.end <= 120
    assert told.rates[-1] < 0.01 and max(told.rates) > 0.95
    assert not told.spending.stopped


@pytest.mark.parametrize(
    ("times", "share"), [(0.3, 0.2), (0.3, 0.8), (0.5, 0.5), (2.0, 0.2), (2.0, 0.5), (2.0, 0.8), (3.0, 0.2), (3.0, 0.5)]
)
def test_a_pace_that_changes_on_the_way_moves_the_end_of_the_schedule_and_not_of_the_run(
    times: float, share: float
) -> None:
    limit = 300.0
    told = simulate(limit, Costs(0.03, 1.0, 20.0), lambda seconds: times if seconds > share * limit else 1.0)
    assert 0.85 * limit <= told.end <= 1.05 * limit
    # Where the test is slower too, a late change may leave no time to come down all the way.
    assert told.rates[-1] < (0.02 if share <= 0.5 else 0.06)


@given(data=some.data())
def test_no_pace_that_halves_or_doubles_within_the_first_three_quarters_breaks_the_deadline(
    data: some.DataObject,
) -> None:
    limit = data.draw(some.floats(60, 1000))
    rest = data.draw(some.floats(0.01, 0.1)) * limit
    costs = Costs(data.draw(some.floats(0.0002, 0.002)) * limit, data.draw(some.floats(0, 0.01)) * limit, rest)
    turns = sorted(data.draw(some.lists(some.tuples(some.floats(0, 0.75), some.floats(0.7, 1.4)), max_size=4)))

    def pace(seconds: float) -> float:
        return next((times for share, times in reversed(turns) if seconds >= share * limit), 1.0)

    told = simulate(limit, costs, pace, per_epoch=data.draw(some.integers(1, 500)), used=0.02 * limit)
    assert told.end <= 1.05 * limit
    assert told.steps >= 1 and all(rate >= 0 for rate in told.rates)


def test_the_learning_rate_has_no_jump_where_the_steps_are_chosen_anew() -> None:
    told = simulate(300.0, Costs(0.03, 1.0, 20.0), lambda seconds: 2.0 if seconds > 150 else 1.0)
    jumps = np.abs(np.diff(told.rates))
    # One step up the warm-up is the largest move there is, twice where the rest is cut to a half.
    assert jumps.max() <= 2.5 * told.rates[1]


def test_more_time_than_the_epochs_allow_ends_early() -> None:
    told = simulate(600.0, Costs(0.01, 0.1, 5.0), most=1000)
    assert told.steps == 1000 and told.end < 30 and told.rates[-1] < 0.01


def test_what_is_left_of_an_epoch_is_trained_too_and_ends_with_a_validation() -> None:
    costs = Costs(1.0, 5.0, 0.0)
    assert steps_that_fit(54.0, costs, within=0, per_epoch=100) == 49
    assert steps_that_fit(105.0, costs, within=0, per_epoch=100) == 100
    assert steps_that_fit(110.9, costs, within=0, per_epoch=100) == 100
    assert steps_that_fit(112.0, costs, within=0, per_epoch=100) == 102
    # In the middle of an epoch, what it has taken already costs nothing.
    assert steps_that_fit(54.0, costs, within=60, per_epoch=100) == 44
    assert steps_that_fit(3.0, costs, within=60, per_epoch=100) == 0
    assert steps_that_fit(-9.0, costs, within=0, per_epoch=100) == 0


@given(
    seconds=some.floats(0, 1e4),
    step=some.floats(0.01, 10),
    ending=some.floats(0, 100),
    per_epoch=some.integers(1, 300),
    share=some.floats(0, 1),
)
def test_what_is_said_to_fit_fits_and_much_more_does_not(
    seconds: float, step: float, ending: float, per_epoch: int, share: float
) -> None:
    within = min(per_epoch - 1, int(share * per_epoch))

    def takes(steps: int) -> float:
        return steps * step + ending * math.ceil((within + steps) / per_epoch)

    fits = steps_that_fit(seconds, Costs(step, ending, 0.0), within=within, per_epoch=per_epoch)
    assert fits == 0 or takes(fits) <= seconds * (1 + 1e-9) + 1e-6
    assert takes(fits + 2) + ending >= seconds


def test_what_is_kept_for_the_test_follows_the_pace() -> None:
    spending = Spending(0.0, Costs(0.2, 1.0, 10.0), Costs(0.1, 1.0, 10.0))
    assert spending.reserve == pytest.approx(20.0 * ROOM_FOR_THE_REST)
    for step, times in ((9.0, SLOWEST), (0.025, 0.5), (0.1, 1.0)):
        slower = dataclasses.replace(spending, costs=Costs(step, 1.0, 10.0))
        assert slower.reserve == pytest.approx(10.0 * times * ROOM_FOR_THE_REST)


def test_a_training_is_cut_short_where_nothing_more_fits() -> None:
    costs = Costs(0.1, 1.0, 10.0)
    spending = Spending(0.0, costs, costs)
    length = reckon(spending, Length(1000), Place(300, 50, 100, 1000, 95.0, 100.0))
    assert (length.steps, spending.stopped) == (300, True)


def test_the_least_budget_that_is_named_is_enough() -> None:
    costs = Costs(0.5, 2.0, 20.0)
    minutes = least_minutes(12.0, costs)
    assert begin(Place(0, 0, 100, 1000, 12.0, 60 * minutes), costs)[1].steps >= 10
    # And it is not ten times what is needed.
    assert minutes * 60 < 1.5 * (12 + 5 + 2 + 20 * ROOM_FOR_THE_REST) / AIM


def test_a_watch_counts_the_processes_before_this_one() -> None:
    now = [100.0]
    watch = Watch(lambda: now[0])
    now[0] = 107.0
    assert watch.used() == 7.0
    watch.before = 30.0
    assert watch.used() == 37.0
    assert Watch(lambda: now[0], began=90.0).used() == 17.0


class World:
    """A clock that only steps and predictions move."""

    def __init__(self, *, step: float = 0.5, predict: float = 0.05):
        self.now = 1000.0
        self.step, self.predict = step, predict

    def clock(self) -> float:
        return self.now

    def govern(self, session: Session) -> Session:
        """Let a session's engine live by this clock."""
        engine: Any = session.engine
        step, predict = engine.step, engine.predict

        def slow_step(batch: Any, rate: float) -> Any:
            self.now += self.step
            return step(batch, rate)

        def slow_predict(inputs: Any) -> Any:
            self.now += self.predict
            return predict(inputs)

        engine.step, engine.predict = slow_step, slow_predict
        session.clock = self.clock
        return session

    def watch(self) -> Watch:
        """Return a watch that begins now."""
        return Watch(self.clock)

    def budget(self, session: Session, costs: Costs) -> Budget:
        """Begin the budget of a session that lives by this clock."""
        return Budget.begin(self.govern(session), self.watch(), minutes=session.run.minutes, costs=costs)


def session_of(begun: Any, words: dict[str, Any]) -> Session:
    folder = small_runs.again(begun.folder, f"budget-{next(_numbers)}", words)
    return small_runs.open_session(folder, begun.dataset)


def test_measuring_leaves_the_engine_as_it_was_to_the_bit(begun: Any) -> None:
    world = World(step=0.25, predict=0.1)
    session, untouched = (session_of(begun, {"run.minutes": 1.0}) for _ in range(2))
    before = small_runs.bits(session.engine.read_state())
    names = " ".join(before)
    assert all(word in names for word in ("moving_mean", "moving_average", "velocity", "iteration"))
    measured = measure(world.govern(session), clock=world.clock, longest=0.6)
    assert measured.step == pytest.approx(0.25)
    assert measured.predict == pytest.approx(0.1 / 30) and measured.first_predict == pytest.approx(0.0)
    assert small_runs.bits(session.engine.read_state()) == before
    # The steps that follow are those of a session that was never measured, dropout included.
    ends = [small_runs.train(each, steps=7) for each in (session, untouched)]
    assert [epoch.train for epoch in ends[0]] == [epoch.train for epoch in ends[1]]
    states = [small_runs.bits(each.engine.read_state()) for each in (session, untouched)]
    assert states[0] == states[1]


def test_a_run_keeps_to_its_minutes_and_says_in_its_history_what_it_planned(begun: Any) -> None:
    world = World(step=0.5, predict=0.05)
    session = world.govern(session_of(begun, {"run.minutes": 1.0, "run.epochs": 400}))
    measured = measure(session, clock=world.clock, longest=0.6)
    budget = Budget.begin(session, world.watch(), minutes=1.0, costs=Costs(measured.step, 0.05, 6.0))
    records = list(budget.records())
    steps = [record for record in records if isinstance(record, Step)]
    assert 0.9 * 60 <= budget.watch.used() + 6.0 <= 60
    assert steps[-1].step == steps[-1].steps == session.steps == session.step
    assert steps[-1].learning_rate < 0.02 * session.options.learning_rate
    assert session.progress.done and isinstance(records[-1], Epoch)
    last = session.folder.history()[-1]
    assert last["step"] == session.step and last["clock"]["planned_steps"] == session.step
    assert last["learning_rate"] == steps[-1].learning_rate
    assert is_sound(session.progress, steps=5, most=2000)
    session.finish()


def test_fewer_steps_than_an_epoch_end_in_a_validation(begun: Any) -> None:
    session = session_of(begun, {"training.steps": 3})
    records = list(session.records())
    assert [type(record) for record in records] == [Step, Step, Step, Epoch]
    assert session.steps == session.step == 3 and session.progress.best_epoch == 1
    assert records[2].learning_rate < records[1].learning_rate
    session.finish()
    assert session.folder.model.exists()


@pytest.mark.parametrize(("steps", "ends"), [(10, [5, 10]), (12, [5, 10, 12]), (99, [5, 10, 15, 20]), (1, [1])])
def test_steps_bound_the_training_beside_the_epochs(begun: Any, steps: int, ends: list[int]) -> None:
    session = session_of(begun, {"training.steps": steps})
    assert [epoch.step for epoch in small_runs.train(session)] == ends
    assert session.progress.done
    # Gone on with, there is nothing left to do.
    again = small_runs.open_session(session.folder, begun.dataset)
    assert again.step == ends[-1] and list(again.records()) == []


def test_a_training_of_so_many_steps_goes_on_to_the_same_bits(begun: Any) -> None:
    whole, cut = (session_of(begun, {"training.steps": 12}) for _ in range(2))
    small_runs.train(whole)
    small_runs.train(cut, steps=11)
    cut.checkpoint()
    again = small_runs.open_session(cut.folder, begun.dataset)
    assert again.step == 11
    small_runs.train(again)
    assert small_runs.bits(again.engine.read_state()) == small_runs.bits(whole.engine.read_state())
    assert small_runs.without_clock(again.folder.history()) == small_runs.without_clock(whole.folder.history())


@pytest.mark.parametrize("stop", [3, 5, 17, 31])
def test_a_budgeted_run_that_is_gone_on_with_decides_as_if_nothing_had_been(begun: Any, stop: int) -> None:
    words = {"run.minutes": 0.5, "run.epochs": 400}
    ends = []
    for stops in ([], [stop]):
        world = World(step=0.4, predict=0.1)
        budget = world.budget(session_of(begun, words), Costs(0.4, 0.1, 4.0))
        for step in [*stops, 10**6]:
            session = budget.session
            for record in budget.records():
                # From the twentieth step on the machine is half as fast.
                world.step = 0.8 if session.step >= 20 else 0.4
                if isinstance(record, Step) and record.step >= step:
                    break
            if step < 10**6:
                session.checkpoint()
                session = world.govern(small_runs.open_session(session.folder, begun.dataset))
                assert session.step == step
                # As though the new process had taken no time to come here.
                taken_up = Budget.taken_up(session, world.watch(), minutes=0.5)
                assert taken_up is not None
                budget = taken_up
        ends.append(budget)
    whole, cut = (each.session for each in ends)
    assert small_runs.bits(cut.engine.read_state()) == small_runs.bits(whole.engine.read_state())
    assert small_runs.without_clock(cut.folder.history()) == small_runs.without_clock(whole.folder.history())
    assert cut.steps == whole.steps and ends[1].watch.used() == pytest.approx(ends[0].watch.used())


def until(budget: Budget, steps: int) -> None:
    """Train until so many steps are taken, and write a checkpoint there."""
    next(record for record in budget.records() if isinstance(record, Step) and record.step >= steps)
    budget.session.checkpoint()


def test_the_seconds_of_the_process_before_count_and_a_restart_slows_no_step(begun: Any) -> None:
    world = World(step=0.4)
    budget = world.budget(session_of(begun, {"run.minutes": 1.0, "run.epochs": 400}), Costs(0.4, 0.1, 4.0))
    until(budget, 7)
    used, session = budget.watch.used(), small_runs.open_session(budget.session.folder, begun.dataset)
    watch = world.watch()
    world.now += 3.0
    again = Budget.taken_up(session, watch, minutes=1.0)
    assert again is not None and again.spending.seconds == pytest.approx(used)
    assert watch.before == pytest.approx(used) and watch.used() == pytest.approx(used + 3.0)
    assert again.spending.paused == pytest.approx(budget.spending.paused + 3.0)
    assert again.spending.costs == budget.spending.costs
    assert session.steps == budget.session.steps


def test_the_checkpoint_of_an_epoch_holds_what_was_decided_after_it(begun: Any) -> None:
    world = World(step=0.4)
    budget = world.budget(session_of(begun, {"run.minutes": 1.0, "run.epochs": 400}), Costs(0.4, 0.1, 4.0))
    session, chosen = budget.session, budget.session.steps
    world.step = 0.8
    # Stopped without a word, as a killed process is.
    next(record for record in budget.records() if isinstance(record, Epoch))
    left = read_newest(session.folder.checkpoints)
    assert left is not None and left.progress.length == session.length and session.steps < 0.8 * chosen
    assert session.length.turn == session.step == 5
    assert left.progress.beside == {"budget": dataclasses.asdict(budget.spending)}


def test_a_session_without_a_budget_has_none_to_take_up(begun: Any) -> None:
    session = session_of(begun, {})
    small_runs.train(session, steps=2)
    session.checkpoint()
    again = small_runs.open_session(session.folder, begun.dataset)
    assert Budget.taken_up(again, Watch(), minutes=1.0) is None and again.progress.beside == {}


def test_a_budget_that_is_used_up_when_it_is_taken_up_ends_with_what_there_is(begun: Any) -> None:
    world = World(step=0.4)
    budget = world.budget(session_of(begun, {"run.minutes": 1.0, "run.epochs": 400}), Costs(0.4, 0.1, 4.0))
    until(budget, 7)
    session, watch = small_runs.open_session(budget.session.folder, begun.dataset), world.watch()
    world.now += 1000.0
    again = Budget.taken_up(world.govern(session), watch, minutes=1.0)
    assert again is not None
    steps = [record for record in again.records() if isinstance(record, Step)]
    assert len(steps) == 1 and session.progress.done and again.spending.stopped
    assert is_sound(session.progress, steps=5, most=2000)


def test_a_budget_that_is_too_small_names_the_least_one(begun: Any) -> None:
    world = World()
    session, watch = world.govern(session_of(begun, {"run.minutes": 0.2})), world.watch()
    world.now += 8.0
    wanted = (
        r"0\.2 minutes are too few here: 8 s have passed, a step takes 0\.5 s, and validation, the test and the "
        r"report need about 21 s\. Use --minutes=0\.9 or more\."
    )
    with pytest.raises(ConfigError, match=wanted):
        Budget.begin(session, watch, minutes=0.2, costs=Costs(0.5, 1.0, 20.0))
    assert session.progress.length is None and session.progress.beside == {}


@pytest.mark.parametrize("forged", [{"steps": 99_999}, {"turn": 500}, {"done": 1.5}, {"done": math.nan}])
def test_a_length_that_no_run_comes_to_is_refused(begun: Any, forged: dict[str, Any]) -> None:
    budget = World().budget(session_of(begun, {"run.minutes": 1.0, "run.epochs": 40}), Costs(0.5, 0.1, 4.0))
    until(budget, 7)
    good = budget.session.progress
    assert is_sound(good, steps=5, most=200) and good.length is not None
    assert not is_sound(dataclasses.replace(good, rate=math.inf), steps=5, most=200)
    bad = dataclasses.replace(good, length=dataclasses.replace(good.length, **forged))
    assert not is_sound(bad, steps=5, most=200)


@pytest.mark.parametrize("forged", [{"seconds": math.nan}, {"paused": -1.0}, {"noted_step": "many"}, {"costs": None}])
def test_a_spending_that_no_run_comes_to_is_refused(begun: Any, forged: dict[str, Any]) -> None:
    session = session_of(begun, {"run.minutes": 1.0})
    good = dataclasses.asdict(Spending(1.0, Costs(0.5, 0.1, 4.0), Costs(0.5, 0.1, 4.0)))
    session.progress.beside = {"budget": {**good, **forged}}
    with pytest.raises(ModelError, match=r"says what no training of .* can have come to"):
        Budget.taken_up(session, Watch(), minutes=1.0)


@pytest.mark.parametrize("parts", [2, 4])
def test_a_batch_in_parts_trains_to_almost_the_same_weights(begun: Any, parts: int) -> None:
    # Without dropout and batch norm, whose numbers are those of a part.
    words = {"run.model": "mlp", "model.width": 8, "model.dropout": 0.0, "run.epochs": 1, "training.average": 0.0}
    ends = []
    for each in (1, parts):
        name = f"parts-{parts}-{each}"
        folder, dataset = small_runs.start(begun.source, {**words, "training.accumulate": each, "run.name": name})
        session = small_runs.open_session(folder, dataset)
        small_runs.train(session)
        ends.append(backend.weights_of(session.engine.read_state()))
    for name in ends[0]:
        np.testing.assert_allclose(ends[0][name], ends[1][name], atol=2e-4)


def test_steps_that_become_faster_do_not_take_the_time_of_the_test() -> None:
    # The first steps were slow by themselves; all that follows the training takes what was estimated.
    limit, rest = 30.0, 8.0
    told = simulate(limit, Costs(0.4, 0.2, rest), lambda seconds: 0.25, used=2.0)
    trained = told.end - 0.25 * rest
    assert 0.95 * limit <= trained + rest <= 1.05 * limit


def test_checkpoints_after_every_step_are_a_part_of_the_pace(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(step=0.1)

    def write(*arguments: Any, **options: Any) -> None:
        world.now += 0.5

    monkeypatch.setattr("sonde.training.session.write_checkpoint", write)
    session = session_of(begun, {"run.minutes": 1.0, "run.epochs": 400, "training.checkpoint_steps": 1})
    budget = world.budget(session, Costs(0.1, 0.1, 4.0))
    steps = [record for record in budget.records() if isinstance(record, Step)]
    assert not budget.spending.stopped
    # More is kept for the test than it needs, as for any pace that is slower than was measured.
    assert 0.7 * 60 <= budget.watch.used() + 4.0 <= 60
    assert steps[-1].learning_rate < 0.05 * session.options.learning_rate
