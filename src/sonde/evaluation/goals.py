"""What a run is judged by: its headline metric, the class that is searched for, and what its decision is tuned for.

Where one class has most of the examples, accuracy says little: of 87 % ham, a filter that lets everything pass is right
87 % of the time. Then the rare class is what matters, and its F1 stands first.
"""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from sonde import tasks
from sonde.config import Settings, fill, guessed
from sonde.errors import ConfigError, did_you_mean
from sonde.evaluation.options import Options
from sonde.metrics import TABLES, applicable

HEADLINES = {"label": "accuracy", "labels": "f1_micro"}
"""The metric that stands first where nothing speaks for another one, by answer."""
MOST_OF_ALL = 0.5
"""Share of the examples from which on one of several unequal classes makes the accuracy say little."""


def guess(settings: Settings, train_answers: NDArray[Any]) -> Settings:
    """Guess what a run is to be judged by.

    Args:
        settings: name the task.
        train_answers: as the data spells them.

    Returns:
        Guesses with their reasons, to stand below what was said.
    """
    module = tasks.answer(settings.value("run.task"))
    if module is tasks.labels:
        return guessed("evaluation.tune_for", "f1", "each label has a threshold of its own")
    counts = module.count(train_answers)
    ratio = tasks.imbalance.ratio(counts)
    if ratio < tasks.imbalance.UNEQUAL:
        return Settings()
    if len(counts) == 2:
        rare = min(sorted(counts), key=lambda name: counts[name])
        rare = str(settings.value("evaluation.positive", rare))
        out = guessed("evaluation.positive", rare, f"the rarer of two classes, {ratio:.1f} to 1")
        return (
            out.over(guessed("evaluation.headline", "f1_positive", "of two unequal classes the rare one matters"))
            if rare
            else out
        )
    if max(counts.values()) > MOST_OF_ALL * sum(counts.values()):
        return guessed("evaluation.headline", "f1_macro", "one class has most of the examples")
    return Settings()


def check(settings: Settings, classes: Sequence[str]) -> None:
    """Refuse options that name a class or a metric which there is not.

    Args:
        settings: every option of the run.
        classes: of the data.

    Raises:
        ConfigError: the text names what there is.
    """
    options = fill(Options, "evaluation", settings)
    answer = tasks.TASKS[settings.value("run.task")].answer
    chosen_headline(options, answer, classes)
    monitor, module = settings.value("training.monitor", "loss"), tasks.answer(settings.value("run.task"))
    if monitor not in ("loss", *module.FIGURES):
        raise ConfigError(
            f"training.monitor = '{monitor}' is no figure of {module.THINGS}. "
            f"There are: loss, {', '.join(module.FIGURES)}."
        )


def positive_class(options: Options, classes: Sequence[str]) -> int | None:
    """Return the index of the class that is searched for, or None.

    Args:
        options: may name it.
        classes: of the model.

    Raises:
        ConfigError: there is no such class, or there are more than two.
    """
    if not options.positive:
        return None
    if options.positive not in classes:
        raise ConfigError(
            f"evaluation.positive = '{options.positive}' is none of the classes."
            f"{did_you_mean(options.positive, classes)} They are: {', '.join(classes[:20])}."
        )
    if len(classes) != 2:
        raise ConfigError(
            f"evaluation.positive = '{options.positive}' needs two classes, and there are {len(classes)}. Leave it "
            'empty; the report scores each class (--set evaluation.positive="").'
        )
    return list(classes).index(options.positive)


def chosen_headline(options: Options, answer: str, classes: Sequence[str]) -> str:
    """Return the metric that stands first.

    Args:
        options: may name it.
        answer: a name in `metrics.TABLES`.
        classes: of the model.

    Raises:
        ConfigError: there is no such metric for these classes.
    """
    table, usual = TABLES[answer], HEADLINES[answer]
    if answer == "label":
        has_positive = positive_class(options, classes) is not None
        table = applicable(len(classes), has_positive=has_positive)
        usual = "f1_positive" if has_positive else usual
    headline = options.headline or usual
    if headline not in table:
        raise ConfigError(
            f"evaluation.headline = '{headline}' is no metric that is computed here."
            f"{did_you_mean(headline, table)} There are: {', '.join(table)}."
        )
    return headline
