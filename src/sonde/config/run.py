"""The head of a run: what is trained on what, where and for how long.

It is the `[run]` table of `run.toml`, and the options that have a flag of their own in the shell. Every other table
(`[data]`, `[model]`, `[training]`, `[augment]`, `[evaluation]`) belongs to the room that acts on it.
"""

from typing import Annotated, Literal

from pydantic import Field

from sonde.config.options import Options

BackendName = Literal["torch", "tensorflow", "jax"]
"""The backends, in the order shown to users."""


class Run(Options):
    """What is trained on what, where and for how long."""

    data: Annotated[str, Field(min_length=1)]
    """Path of the data set, or a built-in name (`sonde list data`)."""

    task: str
    """What is read and what is asked (`sonde list tasks`)."""

    model: str
    """Architecture (`sonde list models`)."""

    recipe: str = ""
    """Settings to start from (`sonde list recipes`); none where empty. Whatever else is said goes before it."""

    backend: BackendName = "torch"
    """Framework that trains: torch, tensorflow or jax."""

    epochs: Annotated[int, Field(ge=1, le=100_000)]
    """Passes over the training examples; at most so many where there is a budget of minutes or of steps."""

    minutes: Annotated[float, Field(ge=0.0, le=10_080.0)] = 0.0
    """Time that the whole run may take, from its start to its report; 0 for no bound. Both this and epochs hold."""

    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    """Start of every random choice: order, augmentation, initial weights, dropout."""

    folds: Annotated[str, Field(pattern=r"^(|groups|[0-9]{1,4})$")] = ""
    """Cross-validation: so many runs, each tested on another fold; "groups" leaves one group out at a time."""

    seeds: Annotated[int, Field(ge=0, le=100)] = 0
    """Runs that differ in their seeds alone, whose answers are averaged; 0 for a single run."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    """Name of the run's folder under `runs/`."""
