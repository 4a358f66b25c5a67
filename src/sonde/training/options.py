"""How a run trains: the `[training]` table, and the guesses for what is left open."""

from typing import Annotated, Literal

from pydantic import Field

from sonde.answers import TASKS
from sonde.config import Options as _Options
from sonde.config import Settings, guessed
from sonde.data import MODALITIES

LEARNING_RATES = {"adamw": 2e-3, "sgd": 0.05, "lion": 3e-4, "muon": 2e-3}
"""A peak learning rate to start from, by optimizer, at batches of about 128."""

WEIGHT_DECAYS = {"adamw": 0.05, "sgd": 5e-4, "lion": 0.1, "muon": 0.05}
"""Decoupled weight decay to start from; it acts times the learning rate."""

MOST_EPOCHS = 40
"""Epochs at most where nobody gave them and there are not few examples."""

LONGEST = 10
"""Times the usual epochs that a run with a budget of time trains for at most: what comes after changes little."""


class Options(_Options):
    """The loop, its optimizer and its schedule."""

    optimizer: Literal["adamw", "sgd", "lion", "muon"] = "adamw"
    """Update rule; sgd has Nesterov momentum."""

    learning_rate: Annotated[float, Field(gt=0.0, le=100.0)]
    """Peak step size."""

    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    """Momentum of sgd and muon."""

    rest_factor: Annotated[float, Field(gt=0.0, le=100.0)] = 1.0
    """Muon: factor on the learning rate of the head, the embeddings, the biases and the norms, which AdamW updates."""

    bias_factor: Annotated[float, Field(gt=0.0, le=1000.0)] = 1.0
    """Muon: a further factor on that of the biases and of the offsets of norms."""

    weight_decay: Annotated[float, Field(ge=0.0, le=100.0)]
    """Decoupled weight decay; never on biases and norms."""

    batch_size: Annotated[int, Field(ge=1, le=1_000_000)]
    """Examples in one step."""

    accumulate: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Parts that a batch passes through the network in; their gradients are added, which saves memory."""

    steps: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """Most steps of the whole training; the last epoch may then be a part of one. 0 trains whole epochs."""

    schedule: Literal["one-cycle", "cosine", "constant", "step", "plateau"] = "one-cycle"
    """How the learning rate moves: up and down, warm-up and cosine, not at all, in steps, or on a plateau."""

    warm_up: Annotated[float, Field(ge=0.0, le=0.9)] = 0.2
    """Share of the steps in which one-cycle and cosine rise to the peak."""

    step_epochs: Annotated[int, Field(ge=1)] = 10
    """Epochs between two drops of the step schedule."""

    step_factor: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1
    """What the step and plateau schedules multiply the learning rate by."""

    plateau_epochs: Annotated[int, Field(ge=1)] = 5
    """Epochs without a better validation figure before the plateau schedule drops."""

    clip_norm: Annotated[float, Field(ge=0.0)] = 1.0
    """Largest global norm of the gradients; 0 for no bound."""

    average: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Momentum of a moving average of the model, which is then what is validated and kept; 0 for none."""

    patience: Annotated[int, Field(ge=0)] = 0
    """Stop after this many epochs without a better validation figure; 0 never stops early."""

    monitor: Annotated[str, Field(min_length=1, max_length=100)] = "loss"
    """Validation figure that decides which epoch's weights are kept: one of the task's, or the loss."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Arithmetic of the training step; auto tries bf16 out, and the run file holds what it chose."""

    threads: Annotated[int, Field(ge=1, le=4096)]
    """Processor cores to use; the same number gives the same bits. JAX uses all cores of the process in any case."""

    checkpoint_steps: Annotated[int, Field(ge=0)] = 0
    """Steps between checkpoints within an epoch; 0 for none but those below and at each epoch's end."""

    checkpoint_minutes: Annotated[float, Field(ge=0.0)] = 5.0
    """Minutes after which a checkpoint is written within an epoch; 0 for none."""


def guess(settings: Settings, *, examples: int) -> Settings:
    """Guess what depends on the data or the optimizer.

    Args:
        settings: what was said; decides the optimizer, and the batch size that the epochs follow from.
        examples: number of training examples.

    Returns:
        Guesses with their reasons, to stand below what was said.
    """
    task = TASKS[settings.value("run.task")]
    pace = task.row.pace or MODALITIES[task.modality].pace
    optimizer = settings.value("training.optimizer", "adamw")
    batch = max(1, min(128, examples // 16)) if examples < 2048 else 128
    batch = max(batch, min(pace.least_batch, max(1, examples // 2)))
    parts = settings.value("training.accumulate", 1)
    if isinstance(parts, int) and parts > 1:
        batch = max(parts, batch // parts * parts)
    out = guessed("training.batch_size", batch, f"{examples:,} training examples")
    if isinstance(optimizer, str) and optimizer in LEARNING_RATES:
        out = guessed("training.learning_rate", LEARNING_RATES[optimizer], f"usual for {optimizer}").over(out)
        out = guessed("training.weight_decay", WEIGHT_DECAYS[optimizer], f"usual for {optimizer}").over(out)
    out = guessed("training.monitor", *task.row.monitor).over(out)
    batch = settings.value("training.batch_size", batch)
    if isinstance(batch, int) and batch > 0:
        steps = max(1, examples // batch)
        most = pace.most_epochs_of_few if examples < pace.few_examples else MOST_EPOCHS
        epochs = min(most, max(5, -(-pace.enough_steps // steps)))
        most = settings.value("training.steps", 0)
        if isinstance(most, int) and most > 0:
            epochs = min(100_000, -(-most // steps))
        out = guessed("run.epochs", epochs, f"{steps:,} steps each").over(out)
    return out


def longest(settings: Settings) -> Settings:
    """Return the bound on the epochs of a run that has a budget of time, to stand over what was guessed.

    What a person said of the epochs stays: the training then ends with whichever is reached first.

    Args:
        settings: with the usual epochs in them.
    """
    minutes, epochs = settings.value("run.minutes", 0), settings.get("run.epochs")
    if not isinstance(minutes, int | float) or minutes <= 0 or epochs is None or epochs.origin != "guessed":
        return Settings()
    if settings.value("training.steps", 0):
        return Settings()
    most = min(100_000, LONGEST * epochs.value)
    return guessed("run.epochs", most, f"at most, {LONGEST} times the usual; the minutes decide")
