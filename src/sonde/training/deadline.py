"""How many steps fit before a deadline, by what each part takes, and when that is reckoned anew.

    spending, length = begin(place, costs)
    length = reckon(spending, length, place)              # after each step: the pace of a machine changes

The schedule of the learning rate ends at the last step that fits. Nothing here has a clock or a model.
"""

import math
from dataclasses import asdict, dataclass, replace

from sonde.training.schedules import Length

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
ROOM = 1.4
"""Factor on the least budget that is named, since the next start will not take as long to the second."""


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
    """How a training stands to its budget."""

    seconds: float
    """Used when this was written down."""
    costs: Costs
    """As measured last."""
    first: Costs
    """As measured at the start."""
    noted: float = 0.0
    """Seconds used when the pace was taken last."""
    noted_step: int = 0
    paused: float = 0.0
    """Seconds since then that were no steps: validations, checkpoints, restarts."""
    writing: float = 0.0
    """Seconds of the last checkpoint."""
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


def begin(place: Place, costs: Costs) -> tuple[Spending, Length]:
    """Choose the steps of a training that has not begun.

    Returns:
        Its spending and its length; fewer than `FEWEST_STEPS` steps are for the caller to refuse.
    """
    spending = Spending(place.used, costs, costs, noted=place.used)
    left = AIM * place.limit - place.used - spending.reserve
    return spending, Length(min(place.most, steps_that_fit(left, costs, within=0, per_epoch=place.per_epoch)))


def least_minutes(used: float, costs: Costs) -> float:
    """Return the smallest budget that is worth it, in minutes, rounded up to a tenth.

    Args:
        used: seconds that had passed before the first step.
    """
    seconds = used + FEWEST_STEPS * costs.step + costs.epoch + ROOM_FOR_THE_REST * costs.rest
    return math.ceil(ROOM * seconds / AIM / 60 * 10) / 10


def reckon(spending: Spending, length: Length, place: Place, *, now: bool = False) -> Length:
    """Take the pace and choose the steps anew where it is time to, and end the training where nothing more fits.

    Args:
        spending: is changed.
        length: as chosen last.
        place: after a step.
        now: choose anew in any case; so at the end of an epoch.

    Returns:
        The length from here on.
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
        if place.step < length.steps:
            length = length.changed(min(place.most, place.step + max(1, more)), at=place.step)
    one_more = spending.costs.step + spending.costs.epoch
    if place.step < length.steps and place.used + one_more + _kept(spending, place) > place.limit:
        spending.stopped = True
        return replace(length, steps=place.step)
    return length


def _kept(spending: Spending, place: Place) -> float:
    # Steps that have become faster say little of what follows them: as first estimated, it must still end in time.
    return max(spending.reserve, spending.costs.rest - OVER * place.limit)


def is_possible(spending: Spending) -> bool:
    """Tell whether a spending is one that a training can have come to."""
    numbers = [value for value in asdict(spending).values() if isinstance(value, int | float)]
    numbers += [*asdict(spending.costs).values(), *asdict(spending.first).values()]
    return all(0 <= number < float("inf") for number in numbers) and spending.costs.step > 0
