"""Shows a training while it runs: a live bar on a terminal, one line for each epoch elsewhere.

See it:  sonde train digits        and        sonde train digits | cat
"""

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sonde.terminal.printing import console, is_terminal, listener, safe, say

if TYPE_CHECKING:
    from rich.progress import Progress

REDRAWS_PER_SECOND = 4
"""The drawing thread shares the cores with the training; four a second cost less than 1 % of one core."""

ROOM_FOR_A_BAR = 100
"""Columns; on a narrower terminal the numbers alone fill the line."""


def training_progress(
    total_epochs: int,
    steps_per_epoch: int,
    *,
    done_steps: int = 0,
    total_steps: int | None = None,
    metric: str = "accuracy",
    clock: Callable[[], float] = time.monotonic,
) -> "TrainingProgress":
    """Open a display for one training.

    Args:
        total_epochs: epochs of the whole run.
        done_steps: batches that an earlier process did.
        total_steps: batches of the whole run, where the last epoch is a part of one.
        metric: the name shown beside the loss.
        clock: seconds that only grow.

    Returns:
        A display to be used in a `with`.
    """
    display = TrainingProgress(total_epochs, steps_per_epoch, done_steps=done_steps, metric=metric, clock=clock)
    if total_steps is not None:
        display.plan(total_steps)
    return display


class TrainingProgress:
    """The display of one training; `with` opens and closes it."""

    def __init__(
        self,
        total_epochs: int,
        steps_per_epoch: int,
        *,
        done_steps: int,
        metric: str,
        clock: Callable[[], float],
    ):
        self._epochs = total_epochs
        self._steps = max(1, steps_per_epoch)
        self._total = self._epochs * self._steps
        self._metric = metric
        self._clock = clock
        self._first = self._done = done_steps
        self._started = clock()
        self._bar: Progress | None = None

    def __enter__(self) -> "TrainingProgress":
        self._started = self._clock()
        if is_terminal(listener()):
            self._bar = _live_bar(self._total, self._done)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def plan(self, total_steps: int) -> None:
        """Take note of another length of the run; a budget of time changes it on the way.

        Args:
            total_steps: batches of the whole run.
        """
        self._total, self._epochs = total_steps, -(-total_steps // self._steps)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], total=total_steps)

    def step(
        self,
        *,
        loss: float,
        metric: float | None = None,
        learning_rate: float | None = None,
        examples_per_second: float | None = None,
    ) -> None:
        """Count one batch and show its numbers; cheap enough for every step.

        Args:
            loss: of the batch, or a running mean.
            metric: the shown metric, likewise.
        """
        self._done += 1
        if self._bar is None:
            return
        words = _numbers(loss, self._metric, metric, learning_rate, examples_per_second)
        epoch = min(self._epochs, (self._done - 1) // self._steps + 1)
        self._bar.update(
            self._bar.task_ids[0],
            completed=self._done,
            description=f"epoch {epoch}/{self._epochs}",
            numbers="  ".join([*words, *self._time_left()]),
        )

    def epoch(self, record: Mapping[str, Any]) -> None:
        """Show the record of a finished epoch as one line.

        Args:
            record: an epoch as in history.jsonl: epoch, train, validation, learning_rate, clock, best.
        """
        self._done = min(int(record["epoch"]) * self._steps, self._total)
        clock = record.get("clock") or {}
        train, validation = record.get("train") or {}, record.get("validation") or {}
        words = [f"epoch {record['epoch']:>{len(str(self._epochs))}}/{self._epochs}"]
        words += _numbers(train.get("loss"), self._metric, train.get(self._metric))
        held_out = _numbers(validation.get("loss"), self._metric, validation.get(self._metric))
        words += [f"validation: {held_out[0]}", *held_out[1:]] if held_out else []
        if self._bar is None:  # the bar shows these already
            words += _numbers(None, self._metric, None, record.get("learning_rate"), clock.get("examples_per_second"))
            words += self._time_left()
        words += ["best"] if record.get("best") else []
        self._tell("  ".join(words))

    def _tell(self, line: str) -> None:
        if self._bar is None:
            say(line)
        else:
            self._bar.console.print(safe(line), soft_wrap=True)

    def _time_left(self) -> list[str]:
        done, left = self._done - self._first, self._total - self._done
        if done <= 0 or left <= 0:
            return []
        return [f"{duration((self._clock() - self._started) / done * left)} left"]


def duration(seconds: float) -> str:
    """Return seconds as 0:07, 12:30 or 3:05:00."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _live_bar(total: int, done: int) -> "Progress":
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn

    paper = console()
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[numbers]}", markup=False),
    ]
    if paper.width >= ROOM_FOR_A_BAR:
        columns.insert(1, BarColumn(bar_width=None))
    bar = Progress(
        *columns,
        console=paper,
        transient=True,
        expand=True,
        refresh_per_second=REDRAWS_PER_SECOND,
    )
    bar.add_task("starting", total=total, completed=done, numbers="")
    return bar


def _numbers(
    loss: float | None,
    name: str,
    metric: float | None,
    learning_rate: float | None = None,
    examples_per_second: float | None = None,
) -> list[str]:
    words = []
    if loss is not None:
        # The zero takes the sign from a loss of -0.
        words.append(f"loss {loss:.3f}" if loss >= 0.001 else f"loss {loss + 0.0:.2g}")
    if metric is not None:
        words.append(f"{name} {metric:.3f}")
    if learning_rate is not None:
        words.append(f"lr {learning_rate:.2g}")
    if examples_per_second is not None:
        words.append(f"{examples_per_second:,.0f} examples/s")
    return words
