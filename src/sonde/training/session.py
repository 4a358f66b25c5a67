"""One training: a model, its data and where it stands. The loop yields; the caller decides.

session = open_session(folder, settings, dataset)
for record in session.records():
    ...                              # show it, stop, or write session.checkpoint()
session.finish()
"""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sonde import backend, data
from sonde.answers import ANSWERS, Answer, Fitting, Kept, Plan
from sonde.backend import (
    Batch,
    Predicts,
    Trains,
    at_once,
    averaged_weights,
    batches_of,
    gathered,
    predictions,
    weights_of,
)
from sonde.backend.engine import State
from sonde.config import Run, RunFolder
from sonde.data.dataset import Dataset
from sonde.data.target import Column
from sonde.data.target import Moment as Drawn
from sonde.errors import ConfigError, TrainingError
from sonde.training.batches import TrainingSet
from sonde.training.budget import (
    FEWEST_STEPS,
    Costs,
    Measured,
    Place,
    Spending,
    Watch,
    begin,
    least_minutes,
    measure,
    reckon,
)
from sonde.training.checkpoints import Checkpoint, Progress, clear_unfinished, read_newest, write_checkpoint
from sonde.training.options import Options
from sonde.training.records import Epoch, Step, loss_of
from sonde.training.resuming import differences, is_sound, refuse_other
from sonde.training.schedules import Moment, learning_rate

BATCH = 256
"""Validation examples that are predicted at a time, at most."""
MEASURING = 0.01
"""Share of a budget of time that goes into timing steps before the first one counts."""


@dataclass
class Session:
    """A training that can be stepped, stopped and gone on with."""

    folder: RunFolder
    run: Run
    options: Options
    dataset: Dataset
    blueprint: Any
    """What the model is; a `models.assemble.Blueprint`."""
    engine: Trains
    training: TrainingSet
    validation_truth: Column
    """As the target encodes it."""
    description: dict[str, Any]
    """What the model folder will say of the model."""
    own: Any
    """The answer's own options."""
    plan: Plan
    """What the head is built of and what its loss is told."""
    progress: Progress = field(default_factory=Progress)
    best: State = field(default_factory=dict)
    watch: Watch = field(default_factory=Watch)
    """Counts the seconds of a budget; the stages set it to when the command began."""
    _last_written: float = field(default_factory=time.monotonic)

    @property
    def row(self) -> Answer:
        """The row of what is asked."""
        return ANSWERS[self.blueprint.answer]

    @property
    def steps(self) -> int:
        """Steps of the whole training; with a budget of time, as chosen last."""
        spending = self.progress.spending
        return spending.steps if spending else self.most_steps

    @property
    def most_steps(self) -> int:
        """Steps of the whole training at most, by its options."""
        whole = self.run.epochs * self.training.steps
        return min(self.options.steps, whole) if self.options.steps else whole

    @property
    def step(self) -> int:
        """Steps taken so far."""
        if self.progress.done:
            return int(self.progress.history[-1]["step"])  # The last epoch may have been a part of one.
        return (self.progress.epoch - 1) * self.training.steps + self.progress.step

    def measure(self) -> Measured:
        """Time a few steps and predictions; the engine is afterwards what it was, to the bit."""
        seconds = MEASURING * 60 * self.run.minutes
        return measure(
            self.engine, self.training, self.dataset, clock=self.watch.clock, longest=seconds, most=self._at_once
        )

    @property
    def _at_once(self) -> int:
        """Validation examples that are predicted at a time."""
        return at_once(BATCH, self.row.numbers(self.training.target, self.dataset.spec.shape))

    def keep_to(self, costs: Costs) -> None:
        """Choose the steps that fit into the run's budget of time, from where the watch stands now.

        Args:
            costs: of the parts that are to come.

        Raises:
            ConfigError: the budget is too small for anything useful; the text names the least.
        """
        spending = begin(self._place(), costs)
        if spending.steps < min(FEWEST_STEPS, self.most_steps):
            used = self.watch.used()
            raise ConfigError(
                f"{self.run.minutes:g} minutes are too few here: {used:.0f} s have passed, a step takes "
                f"{costs.step:.2g} s, and validation, the test and the report need about "
                f"{costs.epoch + costs.rest:.0f} s. Use --minutes={least_minutes(used, costs):g} or more."
            )
        self.progress.spending = spending

    def _place(self) -> Place:
        used, limit = self.watch.used(), 60 * self.run.minutes
        return Place(self.step, self.progress.step, self.training.steps, self.most_steps, used, limit)

    def records(self) -> Iterator[Step | Epoch]:
        """Train from where the session stands; yields after each step and after each epoch.

        Between two records the session is whole: the caller may stop there, or write a checkpoint.

        Raises:
            TrainingError: the loss is not finite; the last checkpoint stays.
            StorageError: a checkpoint cannot be written; the one before stays.
        """
        while not self.progress.done:
            begin, first = time.perf_counter(), self.progress.step
            waited = busy = 0.0
            batches = self.training.batches(self.progress.epoch, first)
            # A part of an epoch ends the training where its steps are no whole number of epochs.
            while self.step < self.steps:
                asked = time.perf_counter()
                made = next(batches, None)
                waited += time.perf_counter() - asked
                if made is None:
                    break
                busy += made.busy
                yield self._take_step(made.batch, begin, first)
                self._checkpoint_if_due()
            yield self._end_epoch(begin, waited, busy, self.progress.step - first)

    def _take_step(self, batch: Batch, begin: float, first: int) -> Step:
        rate, size = self._rate(self.step), self.training.batch_size
        told = self.engine.step(batch, rate)
        loss, score = loss_of(told), told[self.row.shown]
        if not math.isfinite(loss):
            raise self._diverged(f"The loss became {loss}", self.step + 1, rate)
        self.progress.step += 1
        self.progress.loss_sum += loss
        self.progress.score_sum += score
        if self.progress.spending:
            self.progress.spending.rate = rate
            reckon(self.progress.spending, self._place())
        speed = (self.progress.step - first) * size / max(time.perf_counter() - begin, 1e-9)
        return Step(self.step, self.steps, self.progress.epoch, loss, score, rate, size, speed)

    def _rate(self, step: int) -> float:
        spending = self.progress.spending
        turn, before = (spending.turn, spending.done) if spending else (0, 0.0)
        moment = Moment(step, self.steps, self.progress.epoch, self._figures(), turn, before)
        return learning_rate(moment, self.options)

    def _last_rate(self) -> float:
        # The steps may have been chosen anew since the last one was taken.
        return self.progress.spending.rate if self.progress.spending else self._rate(self.step - 1)

    def _diverged(self, what: str, step: int, rate: float) -> TrainingError:
        return TrainingError(
            f"{what} at step {step} (epoch {self.progress.epoch}, learning rate {rate:.3g}). "
            "The last good checkpoint stays. Train anew with a lower learning rate "
            f"(--set training.learning_rate={self.options.learning_rate / 3:.2g}), with gradient clipping "
            "(--set training.clip_norm=1.0), or with --set training.precision=fp32."
        )

    def _end_epoch(self, begin: float, waited: float, busy: float, steps: int) -> Epoch:
        progress, options, spending = self.progress, self.options, self.progress.spending
        closing = self.watch.used()
        trained = time.perf_counter() - begin
        state = self.engine.read_state()
        kept = averaged_weights(state) if options.average else state
        rate = self._last_rate()
        validation = self._validate(state, kept)
        if not math.isfinite(validation["loss"]):
            raise self._diverged(f"The validation loss became {validation['loss']}", self.step, rate)
        figure = (self._monitored(validation), -validation["loss"])
        best = progress.best_figure is None or figure > progress.best_figure
        if best:
            progress.best_epoch, progress.best_figure, self.best = progress.epoch, figure, weights_of(kept)
        epoch = Epoch(
            progress.epoch,
            self.step,
            {"loss": progress.loss_sum / progress.step, self.row.shown: progress.score_sum / progress.step},
            validation,
            rate,
            best,
            {
                "seconds": time.perf_counter() - begin,
                "examples_per_second": steps * self.training.batch_size / max(trained, 1e-9),
                # What the step waited for, and what it might have had: the loader works beside it on the same cores.
                "loader_share": waited / max(trained, 1e-9),
                "loader_busy": busy / max(trained, 1e-9),
                "memory_mb": backend.use(self.run.backend).facts()["memory_mb"],
                **({"seconds_used": self.watch.used(), "planned_steps": spending.steps} if spending else {}),
            },
        )
        progress.history.append(epoch.to_dict())
        progress.epoch, progress.step, progress.loss_sum, progress.score_sum = progress.epoch + 1, 0, 0.0, 0.0
        waited_epochs = epoch.epoch - progress.best_epoch
        progress.done = self.step >= self.steps or (bool(options.patience) and waited_epochs >= options.patience)
        if spending and not progress.done:
            self._reckon_after(spending, self.watch.used() - closing)
        self.folder.append_history(epoch.to_dict())
        self._write(state)
        return epoch

    def _reckon_after(self, spending: Spending, validating: float) -> None:
        """Choose the steps anew at the end of an epoch, now that it is known what that takes."""
        spending.costs = Costs(spending.costs.step, validating + spending.writing, spending.costs.rest)
        spending.paused += validating
        reckon(spending, self._place(), now=True)
        self.progress.done = self.step >= self.steps

    def _validate(self, state: State, kept: State) -> dict[str, float]:
        if kept is not state:
            self.engine.write_state(kept)
        found = self._kept(self.engine)
        if kept is not state:
            self.engine.write_state(state)
        return self.row.figures(self.training.target, found, self.validation_truth, self._figure_names())

    def _figure_names(self) -> tuple[str, ...]:
        """Return what each validation says, beside the loss."""
        return (self.row.shown, *({self.options.monitor} - {"loss", self.row.shown}))

    def _monitored(self, validation: Mapping[str, float]) -> float:
        """Return the figure that an epoch is chosen by, better when higher."""
        monitor = self.options.monitor
        return -validation["loss"] if monitor == "loss" else validation[monitor]

    def _figures(self) -> list[float]:
        return [self._monitored(record["validation"]) for record in self.progress.history]

    def _checkpoint_if_due(self) -> None:
        every, minutes = self.options.checkpoint_steps, self.options.checkpoint_minutes
        late = minutes and time.monotonic() - self._last_written > 60 * minutes
        # The last step of an epoch is followed by the epoch's own checkpoint.
        if (late or (every and self.step % every == 0)) and self.progress.step < self.training.steps:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Write a checkpoint of this moment.

        Raises:
            StorageError: it cannot be written; the one before stays.
            TrainingError: the weights are not finite; the one before stays.
        """
        state = self.engine.read_state()
        if not all(np.isfinite(array).all() for array in weights_of(state).values()):
            raise self._diverged("The weights became infinite", self.step, self._last_rate())
        self._write(state)
        spending = self.progress.spending
        if spending and self.options.checkpoint_steps:
            # Written every so many steps, checkpoints are a part of the pace and no pause.
            spending.paused = max(0.0, spending.paused - spending.writing)

    def _write(self, state: State) -> None:
        spending, began = self.progress.spending, self.watch.used()
        if spending:
            spending.seconds = began
        write_checkpoint(self.folder.checkpoints, Checkpoint(self.progress, state, self.best), step=self.step)
        self._last_written = time.monotonic()
        if spending:
            spending.writing = self.watch.used() - began
            spending.paused += spending.writing

    def finish(self) -> None:
        """Restore the best weights, fit temperature, decision and thresholds on validation, write the model folder.

        Raises:
            StorageError: the model cannot be written; the checkpoint stays.
        """
        from sonde.models import folder
        from sonde.models.solving import is_refitted

        refitted = is_refitted(self.blueprint)
        weights, kept, truth = self._solved_again() if refitted else self._as_chosen()
        fitting = Fitting(self.own, self.plan, "left out" if refitted else "validation")
        fitted = self.row.fit(self.training.target, kept, truth, fitting)
        folder.save(self.folder.model, folder.Description(**self.description, fitted=fitted), weights)

    def _as_chosen(self) -> tuple[State, Kept, Column]:
        """Return the weights of the best epoch, and what is kept of their outputs for validation, with its truth."""
        from sonde.models.assemble import rebuild, tensor_shapes
        from sonde.models.heads import head
        from sonde.models.predicting import predicting_engine

        weights = {name: self.best[name] for name in tensor_shapes(self.blueprint)}
        if self.plan.correction:
            # So that the model's probabilities are those of the data as it is, however its training balanced it.
            bias = f"{head(self.blueprint.answer).NAME}/bias"
            weights[bias] = (weights[bias] + np.asarray(self.plan.correction)).astype(weights[bias].dtype)
        # Rebuilt, so that the temperature is fitted to what will predict, and not to a training step's bf16.
        model = rebuild(self.blueprint, weights)
        engine = predicting_engine(
            backend.use(self.run.backend), model, self.blueprint.answer, views=self.description["views"]
        )
        return weights, self._kept(engine), self.validation_truth

    def _kept(self, engine: Predicts) -> Kept:
        """Predict the validation examples batch by batch, and return what is kept of each."""
        target, truth, validation = self.training.target, self.validation_truth, self.dataset.validation
        batches = (
            (rows, {**batch, **target.collate(truth[rows], Drawn(self.run.seed, 0, rows))})
            for rows, batch in batches_of(validation.inputs, self.dataset.spec.prepare, batch_size=self._at_once)
        )
        found = predictions(engine, batches)
        return gathered(found, lambda rows, outputs: self.row.keep(target, outputs, truth[rows]), data.join)

    def _solved_again(self) -> tuple[State, Kept, Column]:
        """Return the weights of a solved model as training and validation examples together give them.

        What was fitted to the predictions of the model before would not hold for this one, and it has seen all
        examples. But what it gives for each one that is left out is known, and comes with the weights and the truth.
        """
        from sonde.models.heads import head
        from sonde.models.solving import Solvable, solved

        train, validation = self.dataset.train.inputs, self.dataset.validation.inputs
        truth = data.join([self.training.truth, self.validation_truth])
        solvable = Solvable(data.join([train, validation]), self.dataset.spec.prepare, truth)
        weights, found = solved(self.blueprint, backend.use(self.run.backend), solvable, seed=self.run.seed)
        outputs = {head(self.blueprint.answer).OUTPUT: found.left_out}
        return weights, self.row.keep(self.training.target, outputs, truth[found.places]), truth[found.places]

    def restore(self) -> None:
        """Go back to the newest whole checkpoint, or stay at the start where there is none.

        Of a budget of time, the seconds that were used up to the checkpoint are counted; those between the checkpoint
        and the end of that process are not known and are not. What was chosen and measured is gone on with.

        Raises:
            ModelError: the checkpoints are damaged or belong to another model.
            RunError: the run file was changed since the training began.
        """
        clear_unfinished(self.folder.checkpoints)
        checkpoint = read_newest(self.folder.checkpoints)
        if checkpoint is not None:
            own = self.engine.read_state()
            # Before the first epoch ends there are no best weights.
            best = weights_of(own) if checkpoint.progress.best_epoch else {}
            known = is_sound(
                checkpoint.progress, steps=self.training.steps, most=self.most_steps, figures=self._figure_names()
            )
            fits = _kinds(own) == _kinds(checkpoint.state) and _kinds(best) == _kinds(checkpoint.best)
            changed = differences(checkpoint.progress.settings, self.progress.settings)
            refuse_other(self.folder, changed=changed, fits=fits, is_known=known)
            self.engine.write_state(checkpoint.state)
            self.progress, self.best = checkpoint.progress, checkpoint.best
            if self.progress.spending:
                self._take_up(self.progress.spending)
        self.folder.write_history(self.progress.history)

    def _take_up(self, spending: Spending) -> None:
        """Count the seconds of the processes before this one; what it took to start this one is no step's time."""
        self.watch.before = spending.seconds
        spending.paused += self.watch.used() - spending.seconds


def _kinds(state: State) -> dict[str, tuple[Any, ...]]:
    return {name: (array.dtype, *array.shape) for name, array in state.items()}
