"""One training: a model, its data and where it stands. The loop yields; the caller decides.

session = open_session(folder, settings, dataset)
for record in session.records():
    ...                              # show it, stop, or write session.checkpoint()
session.finish()
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
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
from sonde.errors import TrainingError
from sonde.training.batches import TrainingSet
from sonde.training.checkpoints import Checkpoint, Progress, clear_unfinished, read_newest, write_checkpoint
from sonde.training.options import Options
from sonde.training.records import Epoch, Step, loss_of
from sonde.training.resuming import differences, is_sound, refuse_other
from sonde.training.schedules import Length, Moment, learning_rate

BATCH = 256
"""Validation examples that are predicted at a time, at most."""


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
    clock: Callable[[], float] = lambda: time.monotonic()  # noqa: PLW0108
    """Reading in seconds, by which checkpoints are due and timed."""
    writing: float = 0.0
    """Seconds that checkpoints have taken so far."""
    _last_written: float = field(default_factory=time.monotonic)

    @property
    def row(self) -> Answer:
        """The row of what is asked."""
        return ANSWERS[self.blueprint.answer]

    @property
    def length(self) -> Length:
        """How long the training is, as chosen last."""
        return self.progress.length or Length(self.most_steps)

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.length.steps

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

    @property
    def at_once(self) -> int:
        """Validation examples that are predicted at a time."""
        return at_once(BATCH, self.row.numbers(self.training.target, self.dataset.spec.shape))

    def change_length(self, length: Length) -> None:
        """Let the training be of another length from here on; after the last of its steps it is done.

        Args:
            length: its steps, and where its schedule stands now.
        """
        self.progress.length = length
        if self.progress.history and not self.progress.step:
            self.progress.done = self.progress.done or self.step >= self.steps

    def records(self) -> Iterator[Step | Epoch]:
        """Train from where the session stands; yields after each step and after each epoch.

        Between two records the session is whole: the caller may stop there, or write a checkpoint.

        Raises:
            TrainingError: the loss is not finite; the last checkpoint stays.
            StorageError: a checkpoint cannot be written; the one before stays.
        """
        return self.keep(self.loop())

    def keep(self, records: Iterator[Step | Epoch]) -> Iterator[Step | Epoch]:
        """Write the checkpoints that are due, and the history: an epoch's before it is handed on.

        Args:
            records: of the loop, by way of whoever changes the length of the training while it runs.
        """
        for record in records:
            if isinstance(record, Epoch):
                self.folder.append_history(record.to_dict())
                self._write()
            yield record
            if isinstance(record, Step):
                self._checkpoint_if_due()

    def loop(self) -> Iterator[Step | Epoch]:
        """Train from where the session stands, and write nothing."""
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
        self.progress.rate = rate
        speed = (self.progress.step - first) * size / max(time.perf_counter() - begin, 1e-9)
        return Step(self.step, self.steps, self.progress.epoch, loss, score, rate, size, speed)

    def _rate(self, step: int) -> float:
        return learning_rate(Moment(step, self.length, self.progress.epoch, self._figures()), self.options)

    def _diverged(self, what: str, step: int, rate: float) -> TrainingError:
        return TrainingError(
            f"{what} at step {step} (epoch {self.progress.epoch}, learning rate {rate:.3g}). "
            "The last good checkpoint stays. Train anew with a lower learning rate "
            f"(--set training.learning_rate={self.options.learning_rate / 3:.2g}), with gradient clipping "
            "(--set training.clip_norm=1.0), or with --set training.precision=fp32."
        )

    def _end_epoch(self, begin: float, waited: float, busy: float, steps: int) -> Epoch:
        progress, options = self.progress, self.options
        trained = time.perf_counter() - begin
        state = self.engine.read_state()
        kept = averaged_weights(state) if options.average else state
        rate = progress.rate
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
                **({"planned_steps": self.steps} if progress.length else {}),
            },
        )
        progress.history.append(epoch.to_dict())
        progress.epoch, progress.step, progress.loss_sum, progress.score_sum = progress.epoch + 1, 0, 0.0, 0.0
        waited_epochs = epoch.epoch - progress.best_epoch
        progress.done = self.step >= self.steps or (bool(options.patience) and waited_epochs >= options.patience)
        return epoch

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
        late = minutes and self.clock() - self._last_written > 60 * minutes
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
            raise self._diverged("The weights became infinite", self.step, self.progress.rate)
        self._write(state)

    def _write(self, state: State | None = None) -> None:
        began = self.clock()
        state = self.engine.read_state() if state is None else state
        write_checkpoint(self.folder.checkpoints, Checkpoint(self.progress, state, self.best), step=self.step)
        self._last_written = self.clock()
        self.writing += self._last_written - began

    def finish(self) -> None:
        """Restore the best weights, fit temperature, decision and thresholds on validation, write the model folder.

        Raises:
            StorageError: the model cannot be written; the checkpoint stays.
        """
        from sonde.models import model_folder
        from sonde.models.solving import is_refitted

        refitted = is_refitted(self.blueprint)
        weights, kept, truth = self._solved_again() if refitted else self._as_chosen()
        fitting = Fitting(self.own, self.plan, "left out" if refitted else "validation")
        fitted = self.row.fit(self.training.target, kept, truth, fitting)
        model_folder.save(self.folder.model, model_folder.Description(**self.description, fitted=fitted), weights)

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
            for rows, batch in batches_of(validation.inputs, self.dataset.spec.prepare, batch_size=self.at_once)
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
        self.folder.write_history(self.progress.history)


def _kinds(state: State) -> dict[str, tuple[Any, ...]]:
    return {name: (array.dtype, *array.shape) for name, array in state.items()}
