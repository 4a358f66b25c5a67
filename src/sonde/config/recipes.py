"""Recipes: settings that were found to go well together, to start from by one name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sonde.config.settings import Setting, Settings, guessed
from sonde.errors import ConfigError, unknown_name


@dataclass(frozen=True)
class Recipe:
    """One row of the table of recipes."""

    sentence: str
    settings: Mapping[str, Any]
    """Value by "part.option"; what is given on the command line or in a file goes before it."""
    answer: Mapping[str, Any] = field(default_factory=dict)
    """Value by the name of an option of what is asked, such as label_smoothing; only for tasks that have the option."""
    views: bool = False
    """Whether its predictions are means over views of an image (test-time augmentation)."""


RECIPES: dict[str, Recipe] = {
    "fast": Recipe(
        "Small images in minutes: whitened input, Muon, one cycle, test-time averaging (after Jordan, 2024).",
        {
            "run.model": "fast",
            "training.optimizer": "muon",
            "training.learning_rate": 0.05,
            "training.weight_decay": 0.05,
            "training.rest_factor": 0.2,
            "training.bias_factor": 8.0,
            "training.batch_size": 256,
            "training.clip_norm": 0.0,
            # Accuracy on a small validation split may choose an epoch before the last by chance, whose weights have not
            # settled: on Fashion-MNIST one of 12 epochs scored a point less on the test than a run of 6.
            "training.monitor": "loss",
        },
        answer={"label_smoothing": 0.1},
        views=True,
    ),
    "series-fcn": Recipe(
        "A slim fully convolutional network for some thousand series, in a minute.",
        {"run.model": "fcn", "model.width": 64, "run.epochs": 15, "training.batch_size": 128},
    ),
    "series-rnn": Recipe(
        "One bidirectional GRU with attention for some thousand short series, in a minute or two.",
        {
            "run.model": "rnn",
            "model.cell": "gru",
            "model.width": 64,
            "model.depth": 1,
            "run.epochs": 20,
            "training.batch_size": 128,
        },
    ),
}
"""Every recipe, in the order shown to users."""


def recipe(said: Settings) -> Settings:
    """Return the settings of the recipe that is named, as guesses, or none.

    Args:
        said: the options that were given.

    Raises:
        ConfigError: there is no such recipe.
    """
    setting = said.get("run.recipe")
    if setting is None or setting.value == "":
        return Settings()
    if not isinstance(setting.value, str) or setting.value not in RECIPES:
        at = f"{setting.place}: " if setting.place else ""
        raise ConfigError(at + unknown_name("recipe", str(setting.value), RECIPES, "sonde list recipes"))
    reason = f"the recipe '{setting.value}'"
    values = RECIPES[setting.value].settings
    return Settings({key: Setting(value, "guessed", reason=reason) for key, value in values.items()})


def recipe_of_answer(settings: Settings, answer: str, names: Collection[str]) -> Settings:
    """Return what the recipe that is named sets of the options of an answer, as guesses.

    Args:
        settings: may name a recipe that exists.
    """
    named = settings.value("run.recipe")
    values = RECIPES[named].answer if named in RECIPES else {}
    return Settings(
        {
            f"{answer}.{name}": Setting(value, "guessed", reason=f"the recipe '{named}'")
            for name, value in values.items()
            if name in names
        }
    )


def recipe_follows(settings: Settings) -> Settings:
    """Return what follows from the recipe that is named and from the guesses after it; nothing for another model.

    Args:
        settings: with the guesses on augmentation in them.
    """
    named = settings.value("run.recipe")
    if named not in RECIPES or not RECIPES[named].views:
        return Settings()
    if settings.value("run.model") != RECIPES[named].settings.get("run.model"):
        return Settings()
    views, why = ("shift", "mirror images are not trained on")
    if settings.value("augment.flip", 0.0):
        views, why = ("flip", "mirror images are trained on too")
    return guessed("evaluation.views", views, f"the recipe '{named}'; {why}")
