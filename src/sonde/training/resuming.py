"""Whether a checkpoint may be gone on with: by the settings that it was made under, and by what its progress says."""

import json
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sonde.config import RunFolder
from sonde.errors import ModelError, RunError
from sonde.training.checkpoints import Progress
from sonde.training.schedules import Length

NOT_COMPARED = ("run.name", "training.checkpoint_steps", "training.checkpoint_minutes")
"""Options that change nothing of what is trained."""

Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


Figures = dict[str, Number]
"""What an epoch says of one split: the loss, and the figures of the answer by their names."""


class Record(BaseModel):
    """One epoch of the history."""

    model_config = STRICT
    epoch: Count
    step: Count
    train: Figures
    validation: Figures
    learning_rate: float
    best: bool
    clock: dict[str, Number]


def compared(parts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the options that decide what is trained, as they read when they come back from a file.

    Args:
        parts: every option by part and name.
    """
    flat = {f"{part}.{name}": value for part, options in parts.items() for name, value in options.items()}
    plain: dict[str, Any] = json.loads(json.dumps({key: flat[key] for key in flat if key not in NOT_COMPARED}))
    return plain


def refuse_other(folder: RunFolder, *, changed: str, fits: bool, is_known: bool) -> None:
    """Raise where a checkpoint is of another model or another training than the run file describes.

    Args:
        folder: the run.
        changed: what `differences` said.
        fits: whether its arrays are those of the model.

    Raises:
        ModelError: it is another model's, or says what no training can have come to.
        RunError: the run file was changed since the training began.
    """
    file = folder.settings_file
    cure = f"Put it back as it was to go on, or train anew: sonde train {file} --name NEW"
    if not fits:
        raise ModelError(
            f"The checkpoint in {folder.checkpoints} belongs to another model than {file} describes"
            f"{f' ({changed})' if changed else ''}. {cure}"
        )
    if changed:
        raise RunError(f"{file} was changed since this training began: {changed}. {cure}")
    if not is_known:
        raise ModelError(
            f"The checkpoint in {folder.checkpoints} says what no training of {file} can have come to. "
            f"Remove the folder and go on from the start (sonde resume {folder.path}), or train anew: "
            f"sonde train {file} --name NEW"
        )


def differences(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Return in words which options differ, or an empty text.

    Args:
        now: options of the run file.
    """
    return ", ".join(
        f"{key} was {_word(before, key)} and is {_word(now, key)}"
        for key in sorted({**before, **now})
        if (key in before) != (key in now) or before.get(key) != now.get(key)
    )


def _word(options: dict[str, Any], key: str) -> str:
    return json.dumps(options[key]) if key in options else "not there"


def is_sound(progress: Progress, *, steps: int, most: int, figures: Collection[str] = ("accuracy",)) -> bool:
    """Tell whether a progress is one that a run of this length can be at.

    Args:
        steps: of each epoch; the last one may be a part of one.
        most: steps of the whole training at most.
        figures: what each validation says, beside the loss.
    """
    try:
        history = TypeAdapter(list[Record]).validate_python(progress.history)
    except ValidationError:
        return False
    ended = len(history)
    sums = [progress.loss_sum, progress.score_sum, *(progress.best_figure or ())]
    return (
        progress.epoch == ended + 1
        and 0 <= progress.step <= steps
        and [(record.epoch, record.step) for record in history[:-1]]
        == [(epoch, epoch * steps) for epoch in range(1, ended)]
        and all(record.epoch == ended and _ends_well(record.step, progress, steps, most) for record in history[-1:])
        and (ended * steps + progress.step <= most or (progress.done and progress.step == 0))
        and (ended == 0 or history[-1].step < most or progress.done)
        and (progress.step == 0 or not progress.done)
        and (1 <= progress.best_epoch <= ended if ended else progress.best_epoch == 0 and not progress.done)
        and (progress.best_figure is None) == (ended == 0)
        and all({"loss", *figures} == set(record.validation) and "loss" in record.train for record in history)
        and all(abs(each) < float("inf") for each in sums)
        and 0 <= progress.rate < float("inf")
        and (progress.length is None or _is_possible(progress.length, most))
    )


def _ends_well(step: int, progress: Progress, steps: int, most: int) -> bool:
    """Tell whether the last epoch that ended did so at its last step, or at an earlier one as the last of all."""
    whole = len(progress.history) * steps
    return step == whole <= most or (progress.done and whole - steps < step <= min(whole, most))


def _is_possible(length: Length, most: int) -> bool:
    return 0 <= length.turn <= length.steps <= most and 0 <= length.done <= 1
