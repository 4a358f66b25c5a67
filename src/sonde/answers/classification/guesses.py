"""What a classification is to be judged by, as the balance of its classes suggests: headline and positive class.

Where one class has most of the examples, accuracy says little: of 87 % ham, a filter that lets everything pass is right
87 % of the time. Then the rare class is what matters, and its F1 stands first.
"""

from sonde.answers import balancing
from sonde.answers.classification.options import Options
from sonde.answers.classification.scores import positive_class
from sonde.answers.classification.target import ClassTarget, count
from sonde.config import Settings, fill, guessed
from sonde.data.target import Column

MOST_OF_ALL = 0.5
"""Share of the examples from which on one of several unequal classes makes the accuracy say little."""


def guess(settings: Settings, train_truth: Column) -> Settings:
    """Guess what a run is to be judged by, from the training truths, to stand below what was given."""
    counts = count(train_truth)
    ratio = balancing.ratio(counts)
    if ratio < balancing.UNEQUAL:
        return Settings()
    if len(counts) == 2:
        rare = min(sorted(counts), key=lambda name: counts[name])
        rare = str(settings.value("classification.positive", rare))
        out = guessed("classification.positive", rare, f"the rarer of two classes, {ratio:.1f} to 1")
        if not rare:
            return out
        return out.over(guessed("evaluation.headline", "f1_positive", "of two unequal classes the rare one matters"))
    if max(counts.values()) > MOST_OF_ALL * sum(counts.values()):
        return guessed("evaluation.headline", "f1_macro", "one class has most of the examples")
    return Settings()


def refuse(settings: Settings, target: ClassTarget) -> None:
    """Refuse a positive class that is none of the classes (ConfigError)."""
    positive_class(fill(Options, "classification", settings), target.classes)
