"""A training that ends in time: what each part takes, how many steps fit, and when that is reckoned anew.

    costs = measure(engine, training, dataset, clock=time.monotonic, longest=2.0)
    spending = begin(watch, limit, Costs(...), ...)       # stands in the progress, and so in every checkpoint
    reckon(spending, place, limit)                        # every few seconds: the pace of a machine changes

The schedule of the learning rate ends at the last step that fits. What was decided and measured is kept beside the
weights, so that a training that is gone on with decides as it would have without the stop.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, islice

from sonde.backend import Trains, batches_of, predictions
from sonde.data import Dataset
from sonde.data.target import Moment
from sonde.training.batches import TrainingSet

AIM = 0.975
"""Share of the budget that the plan fills; the rest is for what no measurement foresees."""
ROOM_FOR_THE_REST = 1.1
"""Factor on what the model, the test and the report were estimated to take: they cannot be shortened by a step."""
ANEW = 0.02
"""Share of the budget after which the steps are reckoned anew."""
NEWEST = 0.7
"""Weight of the newest pace against those before it: a pace that halves is known after two reckonings."""
SLOWEST = 4.0
"""Times that what comes after the training is thought to take longer, where the steps have become slower."""
OVER = 0.04
"""Share of the budget that a run may be over at most, where all that follows the steps takes what was estimated."""
FEWEST_STEPS = 10
"""Steps below which a training is not worth beginning."""
WARM, MOST = 2, 20
"""Steps before the clock is read, for compiling and for first memory; and the most that are timed."""
SLICE = 512
"""Validation examples whose prediction is timed."""
ROOM = 1.4
"""Factor on the least budget that is named, since the next start will not take as long to the second."""


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


@dataclass(frozen=True)
class Costs:
    """Seconds of the parts of a run that are still to come."""

    step: float
    epoch: float
    """What ends an epoch: validation and checkpoint."""
    rest: float
    """All that follows the last epoch: the model folder, the test, the report."""


@dataclass
class Spending:
    """How a training stands to its budget: a part of its progress."""

    seconds: float
    """Used when this was written down."""
    steps: int
    """Steps of the whole training, as chosen last."""
    costs: Costs
    """As measured last."""
    first: Costs
    """As measured at the start."""
    turn: int = 0
    """Step at which the steps were chosen."""
    done: float = 0.0
    """Share of the schedule that was done by then."""
    noted: float = 0.0
    """Seconds used when the pace was taken last."""
    noted_step: int = 0
    paused: float = 0.0
    """Seconds since then that were no steps: validations, checkpoints, restarts."""
    writing: float = 0.0
    """Seconds of the last checkpoint."""
    rate: float = 0.0
    """Learning rate of the last step."""
    stopped: bool = False
    """Whether the training was cut short since nothing more fitted."""

    @property
    def reserve(self) -> float:
        """Return the seconds to keep for what follows the last epoch: more, where the machine has become slower.

        Where it has become faster, less; but less so, since the first steps of all may have been slow by themselves.
        """
        slower = self.costs.step / max(self.first.step, 1e-9)
        times = min(SLOWEST, slower) if slower > 1 else max(1 / SLOWEST, slower) ** 0.5
        return ROOM_FOR_THE_REST * self.costs.rest * times


@dataclass(frozen=True)
class Place:
    """Where a training is."""

    step: int
    """Steps taken."""
    within: int
    """Steps taken in the running epoch."""
    per_epoch: int
    most: int
    """Steps of the whole training at most."""
    used: float
    """Seconds."""
    limit: float
    """Seconds of the budget."""


def steps_that_fit(seconds: float, costs: Costs, *, within: int, per_epoch: int) -> int:
    """Return how many more steps fit, each epoch and the part of one at the end closed by a validation.

    Args:
        seconds: left for steps and for ends of epochs.
        costs: of a step and of the end of an epoch.
        within: steps taken in the running epoch.
        per_epoch: steps of an epoch.
    """
    from_its_start = seconds + within * costs.step
    whole = per_epoch * costs.step + costs.epoch
    epochs = max(0, math.floor(from_its_start / whole))
    part = math.floor((from_its_start - epochs * whole - costs.epoch) / costs.step)
    return max(0, epochs * per_epoch + min(max(0, part), per_epoch) - within)


def begin(place: Place, costs: Costs) -> Spending:
    """Choose the steps of a training that has not begun.

    Args:
        place: at its start.
        costs: as measured and estimated.

    Returns:
        Its spending; fewer than `FEWEST_STEPS` steps are for the caller to refuse.
    """
    spending = Spending(place.used, 0, costs, costs, noted=place.used)
    left = AIM * place.limit - place.used - spending.reserve
    spending.steps = min(place.most, steps_that_fit(left, costs, within=0, per_epoch=place.per_epoch))
    return spending


def least_minutes(used: float, costs: Costs) -> float:
    """Return the smallest budget that is worth it, in minutes, rounded up to a tenth.

    Args:
        used: seconds that had passed before the first step.
        costs: of what follows.
    """
    seconds = used + FEWEST_STEPS * costs.step + costs.epoch + ROOM_FOR_THE_REST * costs.rest
    return math.ceil(ROOM * seconds / AIM / 60 * 10) / 10


def reckon(spending: Spending, place: Place, *, now: bool = False) -> None:
    """Take the pace and choose the steps anew where it is time to, and end the training where nothing more fits.

    Args:
        spending: is changed.
        place: after a step.
        now: choose anew in any case; so at the end of an epoch.
    """
    spending.seconds = place.used
    working = place.used - spending.noted - spending.paused
    taken = place.step - spending.noted_step
    if taken and (now or place.used - spending.noted >= ANEW * place.limit):
        step = (1 - NEWEST) * spending.costs.step + NEWEST * max(0.0, working) / taken
        spending.costs = Costs(max(step, 1e-9), spending.costs.epoch, spending.costs.rest)
        spending.noted, spending.noted_step, spending.paused = place.used, place.step, 0.0
        left = AIM * place.limit - place.used - _kept(spending, place)
        more = steps_that_fit(left, spending.costs, within=place.within, per_epoch=place.per_epoch)
        # Where it was to end soon the learning rate is all but zero: more steps would change nothing.
        if place.step < spending.steps:
            _turn(spending, place.step, min(place.most, place.step + max(1, more)))
    one_more = spending.costs.step + spending.costs.epoch
    if place.step < spending.steps and place.used + one_more + _kept(spending, place) > place.limit:
        spending.steps, spending.stopped = place.step, True


def _kept(spending: Spending, place: Place) -> float:
    # Steps that have become faster say little of what follows them: as first estimated, it must still end in time.
    return max(spending.reserve, spending.costs.rest - OVER * place.limit)


def _turn(spending: Spending, step: int, steps: int) -> None:
    if steps == spending.steps:
        return
    share = (step - spending.turn) / max(1, spending.steps - spending.turn)
    spending.done += (1.0 - spending.done) * share
    spending.turn, spending.steps = step, steps


def measure(
    engine: Trains,
    training: TrainingSet,
    dataset: Dataset,
    *,
    clock: Callable[[], float],
    longest: float,
    most: int = 256,
) -> Measured:
    """Time a few real steps and predictions, and put the engine back as it was, to the bit.

    Weights, running statistics, slots, counters and seeds are all in the state that is read and written back.

    Args:
        engine: of the run, at its start.
        training: what it trains on.
        dataset: whose validation examples are predicted.
        clock: reading in seconds.
        longest: seconds that the timed steps take at most, but for one step.
        most: examples that are predicted at a time.
    """
    state = engine.read_state()
    step = _time_steps(engine, training, clock=clock, longest=longest)
    some, target = dataset.validation.inputs[:SLICE], training.target
    truth = target.encode(dataset.validation.truth[:SLICE])
    times = [clock()]
    for _ in range(2):
        batches = (
            # What a target puts into a batch is there in a validation too.
            (rows, {**batch, **target.collate(truth[rows], Moment(0, 0, rows))})
            for rows, batch in batches_of(some, dataset.spec.prepare, batch_size=most)
        )
        # One batch after the other: together they may be more than fits into memory.
        for _outputs in predictions(engine, batches):
            pass
        times.append(clock())
    engine.write_state(state)
    first, second = times[1] - times[0], times[2] - times[1]
    return Measured(step, second / len(some), max(0.0, first - second))


def _time_steps(engine: Trains, training: TrainingSet, *, clock: Callable[[], float], longest: float) -> float:
    taken, begun = 0, clock()
    # The rate is next to nothing, so that no weight becomes infinite; the arithmetic is that of any step.
    batches = chain.from_iterable(training.batches(epoch, 0) for epoch in range(1, WARM + MOST + 1))
    for place, made in enumerate(islice(batches, WARM + MOST)):
        if place == WARM:
            taken, begun = 0, clock()
        engine.step(made.batch, 1e-8)
        taken += 1
        if place > WARM and clock() - begun > longest:
            break
    return max((clock() - begun) / taken, 1e-9)
