"""The verdict: does the model beat the best baseline, and by more than chance explains?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sonde.metrics import AnyMetric, value_of
from sonde.metrics.intervals import Bootstrap, Score, paired_samples

Winner = Literal["model", "baseline", "neither"]


@dataclass(frozen=True)
class Verdict:
    """Model against best baseline, in a number and a sentence."""

    best_baseline: str
    difference: Score
    """Model minus baseline, in the headline metric's unit."""
    wins: Winner
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "best_baseline": self.best_baseline,
            "difference": self.difference.to_dict(),
            "wins": self.wins,
            "sentence": self.sentence,
        }


def judge_samples(metric: AnyMetric, model: Any, baselines: Mapping[str, Any], *, bootstrap: Bootstrap) -> Verdict:
    """Compare the model with the best of the baselines on the same test examples.

    The best baseline is chosen on the test examples themselves, which favours the baselines a little, never the model.

    Args:
        metric: what decides, of the table that is for such samples.
        baselines: samples by the baseline's name; at least one.
        bootstrap: how the interval of the difference is drawn.

    Returns:
        The verdict; nobody wins where the interval of the difference holds 0.
    """
    sign = 1 if metric.better == "higher" else -1
    values = {name: value_of(metric, sample) for name, sample in baselines.items()}
    known = {name: number for name, number in values.items() if number == number}  # NaN is unequal to itself.
    best = max(known or values, key=lambda name: sign * values[name] if known else 0.0)
    difference = paired_samples(metric, model, baselines[best], bootstrap=bootstrap)
    wins = winner(difference, better=metric.better)
    sentence = _sentence(metric.title, value_of(metric, model), (best, values[best]), difference, wins)
    return Verdict(best, difference, wins, f"{sentence} {_because(difference, bootstrap.confidence)}")


def winner(difference: Score, *, better: Literal["higher", "lower"]) -> Winner:
    """Tell who wins a difference of model minus baseline: nobody, unless its interval is on one side of 0.

    Args:
        better: which direction of the metric is good.
    """
    if difference.low is None or difference.high is None or difference.low <= 0 <= difference.high:
        return "neither"
    return "model" if (difference.low > 0) == (better == "higher") else "baseline"


def _sentence(title: str, model: float, baseline: tuple[str, float], difference: Score, wins: Winner) -> str:
    name, number = baseline
    if difference.value is None:
        return f"{title} cannot be computed on this test split, so nothing is said of the baseline '{name}'."
    scores = f"{title} {number:.3f} against {model:.3f}"
    if wins == "baseline":
        return f"A baseline wins: '{name}' beats the model ({scores}). Do not use the model before it does better."
    scores = f"{title} {model:.3f} against {number:.3f}"
    if wins == "model":
        return f"The model beats the best baseline, '{name}' ({scores})."
    return (
        f"The model and the best baseline, '{name}', cannot be told apart ({scores}): the difference is within "
        "noise. More test examples would tell."
    )


def _because(difference: Score, confidence: float) -> str:
    if difference.value is None:
        return ""
    return (
        f"Difference {difference.value:+.3f}, {confidence:.0%} interval {difference.low:+.3f} to "
        f"{difference.high:+.3f}, {difference.n:,} test examples."
    )
