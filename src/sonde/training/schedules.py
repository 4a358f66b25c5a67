"""Learning rates as pure functions of the step and of the validation figures so far, so that resuming is exact."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sonde.training.options import Options


@dataclass(frozen=True)
class Length:
    """How long a training is, and where its schedule stood when that was chosen."""

    steps: int
    """Steps of the whole training."""
    turn: int = 0
    """Step at which it was chosen."""
    done: float = 0.0
    """Share of the schedule that was done by then."""

    def share(self, step: float) -> float:
        """Return the share of the schedule that is done after so many steps.

        It goes on from where it stood at the turn, in a line to 1 at the end of the last step, so that a training
        whose length is chosen anew on the way keeps its learning rate there and still ends annealed.

        Args:
            step: steps taken, with the part of the one that is being taken.
        """
        return self.done + (1.0 - self.done) * (step - self.turn) / max(1, self.steps - self.turn)

    def changed(self, steps: int, *, at: int) -> "Length":
        """Return another length, chosen at a step.

        Args:
            at: steps taken so far.
        """
        return self if steps == self.steps else Length(steps, at, self.share(at))


@dataclass(frozen=True)
class Moment:
    """Where a training stands."""

    step: int
    """Steps taken before this one."""
    length: Length
    epoch: int
    """The running epoch, from 1."""
    figures: Sequence[float]
    """The monitored validation figure of each epoch that ended, higher is better."""

    @property
    def done(self) -> float:
        """Share of the schedule that is done in the middle of this step."""
        return self.length.share(self.step + 0.5)


def learning_rate(moment: Moment, options: Options) -> float:
    """Return the learning rate of a step.

    Args:
        moment: where the training stands.
        options: names the schedule and holds its numbers.
    """
    return options.learning_rate * SCHEDULES[options.schedule](moment, options)


def _constant(moment: Moment, options: Options) -> float:
    return 1.0


def _one_cycle(moment: Moment, options: Options) -> float:
    """Rise in a straight line to the peak, then fall in one to zero (Smith and Topin, 2019; momentum stays)."""
    done = moment.done
    if done < options.warm_up:
        return done / options.warm_up
    return (1.0 - done) / (1.0 - options.warm_up)


def _cosine(moment: Moment, options: Options) -> float:
    """Rise in a straight line, then fall along half a cosine (Loshchilov and Hutter, 2017)."""
    done = moment.done
    if done < options.warm_up:
        return done / options.warm_up
    return 0.5 * (1.0 + math.cos(math.pi * (done - options.warm_up) / (1.0 - options.warm_up)))


def _step(moment: Moment, options: Options) -> float:
    return float(options.step_factor ** ((moment.epoch - 1) // options.step_epochs))


def _plateau(moment: Moment, options: Options) -> float:
    """Drop each time that `plateau_epochs` epochs in a row brought nothing better."""
    best, waited, drops = -math.inf, 0, 0
    for figure in moment.figures:
        if figure > best:
            best, waited = figure, 0
        else:
            waited += 1
        if waited >= options.plateau_epochs:
            drops, waited = drops + 1, 0
    return float(options.step_factor**drops)


SCHEDULES: dict[str, Callable[[Moment, Options], float]] = {
    "one-cycle": _one_cycle,
    "cosine": _cosine,
    "constant": _constant,
    "step": _step,
    "plateau": _plateau,
}
"""Every schedule: the factor on the peak learning rate, in (0, 1]."""
