"""Shows several runs beside one another: folds, seeds, or the members of an ensemble."""

from collections.abc import Mapping
from typing import Any

from sonde.terminal.printing import draw, say, table


def show_several(scores: Mapping[str, Any]) -> None:
    """Print what scores.json tells of folds, seeds and members; nothing for a run of its own.

    Args:
        scores: content of scores.json.
    """
    for kind in ("fold", "seed"):
        if said := scores.get(f"{kind}s"):
            _show_spread(said, kind)
    if said := scores.get("ensemble"):
        _show_members(said)


def _show_spread(said: Mapping[str, Any], kind: str) -> None:
    metric, beside = said["headline"], list(said["baselines"])
    rows = [
        (
            row["label"],
            f"{row['sizes']['test']:,}",
            interval(row["scores"].get(metric)),
            *(_value(row["baselines"].get(name), metric) for name in beside),
        )
        for row in said["runs"]
    ]
    spread = said["spread"][metric]
    rows.append(
        ("mean", "", _value(said["spread"], metric), *(_value(said["baselines"][name], metric) for name in beside))
    )
    say("")
    draw(table(("run", "tested on", metric_name(metric), *beside), rows, right=("tested on",)))
    if spread["deviation"] is None:
        return
    words = f"Standard deviation over {kind}s {spread['deviation']:.4f}; t-interval of the mean {_ends(spread)}"
    if kind == "fold":
        corrected = {"low": spread["corrected_low"], "high": spread["corrected_high"]}
        words += f", corrected for training sets that overlap {_ends(corrected)}"
    else:
        words += ", on these same test examples"
    say(f"\n{words}.")


def _show_members(said: Mapping[str, Any]) -> None:
    rows = [("the ensemble", "", "", *(interval(said["scores"].get(name)) for name in said["metrics"]))]
    rows += [
        (
            row["name"],
            f"{row['model']}, {row['backend']}",
            f"{row['weight']:.3f}",
            *(interval(row["scores"].get(name)) for name in said["metrics"]),
        )
        for row in said["members"]
    ]
    say("")
    draw(table(("member", "model", "weight", *map(metric_name, said["metrics"])), rows, right=("weight",)))
    say(f"\n{said['against_the_best']['sentence']}")


def _value(scores: Mapping[str, Any] | None, metric: str) -> str:
    value = ((scores or {}).get(metric) or {}).get("value")
    return "-" if value is None else f"{value:.3f}"


def _ends(spread: Mapping[str, Any]) -> str:
    return f"{spread['low']:.3f} to {spread['high']:.3f}"


def metric_name(metric: str) -> str:
    """Return a metric's name as a report has it, such as "mean absolute error" or "F1, weighted"."""
    from sonde.metrics.words import in_sentence

    return in_sentence(metric)


def interval(score: Mapping[str, Any] | None) -> str:
    """Return a score with its interval, such as "0.981 (0.962 to 0.992)".

    Args:
        score: value, low and high as in scores.json; none, or a value of none, where it cannot be computed.
    """
    if score is None or score.get("value") is None:
        return "-"
    if score.get("low") is None or score.get("high") is None:
        return f"{score['value']:.3f}"
    return f"{score['value']:.3f} ({_ends(score)})"
