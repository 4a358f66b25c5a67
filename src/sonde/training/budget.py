"""A training that ends in time: it is wrapped from outside, and told how long it is after each record.

    costs = measure(session, clock=watch.clock, longest=2.0)
    budget = Budget.begin(session, watch, minutes=5.0, costs=Costs(...))
    for record in budget.records(): ...

The loop knows no minutes; it asks its `schedules.Length`. What was decided and measured is kept beside the weights in
each checkpoint (`Progress.beside`), so that a training that is gone on with decides as it would have without the stop.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

from pydantic import TypeAdapter, ValidationError

from sonde.backend import batches_of, predictions
from sonde.data.target import Moment
from sonde.errors import ConfigError
from sonde.training.deadline import (
    FEWEST_STEPS,
    Costs,
    Place,
    Spending,
    begin,
    is_possible,
    least_minutes,
    reckon,
)
from sonde.training.records import Epoch, Step
from sonde.training.resuming import refuse_other
from sonde.training.session import Session

WARM, MOST = 2, 20
"""Steps before the clock is read, for compiling and for first memory; and the most that are timed."""
SLICE = 512
"""Validation examples whose prediction is timed."""
NAME = "budget"
"""What a checkpoint calls it."""


@dataclass
class Watch:
    """Seconds that a run has taken, over all processes that worked on it."""

    clock: Callable[[], float] = time.monotonic
    began: float = math.nan
    """Reading of the clock when this process began with the run; now, where nothing is said."""
    before: float = 0.0
    """Seconds of the processes before this one."""

    def __post_init__(self) -> None:
        """Begin now where nothing else was said."""
        if math.isnan(self.began):
            self.began = self.clock()

    def used(self) -> float:
        """Return the seconds so far."""
        return self.before + self.clock() - self.began


@dataclass(frozen=True)
class Measured:
    """What an engine takes, in seconds."""

    step: float
    """One step, its batch and the wait for it included."""
    predict: float
    """One example in inference mode."""
    first_predict: float
    """The first batch of all, beyond what its examples take: compiling, mostly."""


class Budget:
    """Keeps a session to its minutes.

    Args:
        session: what is trained; its clock becomes the watch's.
        watch: counts the seconds.
        minutes: the budget.
        spending: how the training stands to it; is changed.
    """

    def __init__(self, session: Session, watch: Watch, minutes: float, spending: Spending):
        self.session, self.watch, self.minutes, self.spending = session, watch, minutes, spending
        session.clock = watch.clock
        session.progress.beside[NAME] = spending
        self._written = session.writing

    @classmethod
    def begin(cls, session: Session, watch: Watch, *, minutes: float, costs: Costs) -> "Budget":
        """Choose the steps that fit into the budget, from where the watch stands now.

        Args:
            watch: counts the seconds.
            costs: of the parts that are to come.

        Raises:
            ConfigError: the budget is too small for anything useful; the text names the least.
        """
        used = watch.used()
        spending, length = begin(_place(session, used, minutes), costs)
        if length.steps < min(FEWEST_STEPS, session.most_steps):
            raise ConfigError(
                f"{minutes:g} minutes are too few here: {used:.0f} s have passed, a step takes "
                f"{costs.step:.2g} s, and validation, the test and the report need about "
                f"{costs.epoch + costs.rest:.0f} s. Use --minutes={least_minutes(used, costs):g} or more."
            )
        session.change_length(length)
        return cls(session, watch, minutes, spending)

    @classmethod
    def taken_up(cls, session: Session, watch: Watch, *, minutes: float) -> "Budget | None":
        """Go on with the budget of a session that was restored; None where its checkpoint, or want of one, has none.

        The seconds that were used up to the checkpoint are counted; those between the checkpoint and the end of that
        process are not known and are not. What it took to start this process is no step's time.

        Raises:
            ModelError: the checkpoint says what no training can have come to.
        """
        kept = session.progress.beside.get(NAME)
        if kept is None:
            return None
        try:
            spending = TypeAdapter(Spending).validate_python(kept)
        except ValidationError:
            spending = None
        if spending is None or not is_possible(spending):
            refuse_other(session.folder, changed="", fits=True, is_known=False)
        assert spending is not None
        watch.before = spending.seconds
        spending.paused += watch.used() - spending.seconds
        return cls(session, watch, minutes, spending)

    @property
    def limit(self) -> float:
        """Return the seconds of the budget."""
        return 60 * self.minutes

    def records(self) -> Iterator[Step | Epoch]:
        """Train as `Session.records` does, and choose the length anew after each record, before it is written."""
        return self.session.keep(self._reckoned(self.session.loop()))

    def _reckoned(self, records: Iterator[Step | Epoch]) -> Iterator[Step | Epoch]:
        begun = self.watch.used()
        for record in records:
            if isinstance(record, Step):
                self._choose(now=False)
                yield replace(record, steps=self.session.steps)
            else:
                self._end_epoch(self.watch.used() - begun)
                yield record
            # Gone on with, the checkpoint that was due has been written.
            self._count_writing(record)
            begun = self.watch.used()

    def _choose(self, *, now: bool) -> None:
        place = _place(self.session, self.watch.used(), self.minutes)
        self.session.change_length(reckon(self.spending, self.session.length, place, now=now))

    def _end_epoch(self, validating: float) -> None:
        """Choose the steps anew, now that it is known what the end of an epoch takes."""
        spending = self.spending
        if self.session.progress.done:
            spending.seconds = self.watch.used()
            return
        spending.costs = replace(spending.costs, epoch=validating + spending.writing)
        spending.paused += validating
        self._choose(now=True)

    def _count_writing(self, record: Step | Epoch) -> None:
        took, self._written = self.session.writing - self._written, self.session.writing
        if not took:
            return
        self.spending.writing = took
        # Written every so many steps, checkpoints are a part of the pace and no pause.
        if not (isinstance(record, Step) and self.session.options.checkpoint_steps):
            self.spending.paused += took


def _place(session: Session, used: float, minutes: float) -> Place:
    per_epoch = session.training.steps
    return Place(session.step, session.progress.step, per_epoch, session.most_steps, used, 60 * minutes)


def measure(session: Session, *, clock: Callable[[], float] = time.monotonic, longest: float) -> Measured:
    """Time a few real steps and predictions, and put the engine back as it was, to the bit.

    Weights, running statistics, slots, counters and seeds are all in the state that is read and written back.

    Args:
        clock: reading in seconds.
        longest: seconds that the timed steps take at most, but for one step.
    """
    engine, dataset = session.engine, session.dataset
    state = engine.read_state()
    step = _time_steps(session, clock=clock, longest=longest)
    some, target = dataset.validation.inputs[:SLICE], session.training.target
    truth = target.encode(dataset.validation.truth[:SLICE])
    times = [clock()]
    for _ in range(2):
        batches = (
            # What a target puts into a batch is there in a validation too.
            (rows, {**batch, **target.collate(truth[rows], Moment(0, 0, rows))})
            for rows, batch in batches_of(some, dataset.spec.prepare, batch_size=session.at_once)
        )
        # One batch after the other: together they may be more than fits into memory.
        for _outputs in predictions(engine, batches):
            pass
        times.append(clock())
    engine.write_state(state)
    first, second = times[1] - times[0], times[2] - times[1]
    return Measured(step, second / len(some), max(0.0, first - second))


def _time_steps(session: Session, *, clock: Callable[[], float], longest: float) -> float:
    taken, begun = 0, clock()
    # The rate is next to nothing, so that no weight becomes infinite; the arithmetic is that of any step.
    batches = chain.from_iterable(session.training.batches(epoch, 0) for epoch in range(1, WARM + MOST + 1))
    for place, made in enumerate(islice(batches, WARM + MOST)):
        if place == WARM:
            taken, begun = 0, clock()
        session.engine.step(made.batch, 1e-8)
        taken += 1
        if place > WARM and clock() - begun > longest:
            break
    return max((clock() - begun) / taken, 1e-9)
