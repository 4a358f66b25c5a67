"""Sums up several runs: folds or seeds with their spread, and the members of an ensemble beside it.

    folds.json, seeds.json   each run's scores and baselines, and their mean, deviation and intervals
    ensemble.json            the members with their weights and scores, and the ensemble against the best of them

What a run scored is read from its folder; nothing is predicted anew here.
"""

# R runs, N examples

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sonde.answers import ANSWERS, CONFIDENCE, answer_of
from sonde.config import RunFolder, fill
from sonde.errors import RunError
from sonde.evaluation.ensemble import Part
from sonde.evaluation.options import Options
from sonde.evaluation.spread import Spread, spread
from sonde.evaluation.verdict import Verdict, judge_samples
from sonde.metrics import AnyMetric
from sonde.metrics.intervals import Bootstrap, Score, score_sample
from sonde.metrics.permutation import paired

FORMAT = 1
FOLDS, SEEDS, ENSEMBLE = "folds.json", "seeds.json", "ensemble.json"
"""Files in the folder of the whole."""


def with_others(scores: Mapping[str, Any], folder: RunFolder) -> dict[str, Any]:
    """Return scores with what is told beside them: the files of this module that a folder holds.

    Args:
        scores: content of scores.json.
        folder: of any run.

    Returns:
        The scores, with "folds", "seeds" and "ensemble" where there are such. Pooled folds are held against baselines
        fold by fold, and each of their runs has a temperature of its own.
    """
    found = {
        file.removesuffix(".json"): folder.read_json(folder.path / file)
        for file in (FOLDS, SEEDS, ENSEMBLE)
        if (folder.path / file).is_file()
    }
    told = {**scores, **found}
    if "folds" in found:
        after = (scores.get("calibration") or {}).get("after")
        told |= {"verdict": found["folds"].pop("verdict", None), "calibration": {"after": after}}
    return told


def spread_of_folds(folder: RunFolder, runs: Sequence[RunFolder]) -> dict[str, Any]:
    """Put the scores of all folds side by side and write folds.json.

    Args:
        runs: the finished run of each fold, in order.

    Returns:
        The content of folds.json.

    Raises:
        RunError: a run is not finished, or damaged.
    """
    rows = [_row(run, "folds") for run in runs]
    overlap = float(np.mean([row["sizes"]["test"] / max(1, row["sizes"]["train"]) for row in rows]))
    settings = folder.settings()
    content = {
        "format": FORMAT,
        "folds": settings.value("run.folds"),
        "of": settings.value("data.fold_of", "training"),
        "split_seed": settings.value("data.split_seed"),
        "overlap": overlap,
        **_spreads(rows, overlap),
    }
    content["verdict"] = _verdict(content)
    folder.write_json(folder.path / FOLDS, content)
    return content


def sum_up_seeds(folder: RunFolder, runs: Sequence[RunFolder]) -> dict[str, Any]:
    """Put the scores of all seeds side by side and write seeds.json.

    Args:
        runs: the finished run of each seed, in order.

    Returns:
        The content of seeds.json.

    Raises:
        RunError: a run is not finished, or damaged.
    """
    content = {"format": FORMAT, "seeds": len(runs), **_spreads([_row(run, "seeds") for run in runs], 0.0)}
    folder.write_json(folder.path / SEEDS, content)
    return content


def _row(run: RunFolder, of: str) -> dict[str, Any]:
    """Return what one run says of itself."""
    scores, environment, settings = run.scores(), run.read_json(run.environment_file), run.settings()
    dataset = environment.get("dataset") or {}
    sizes, origin = dataset.get("sizes"), dataset.get("split_origin") or {}
    if not isinstance(sizes, dict) or not {"train", "test"} <= set(sizes):
        raise RunError(f"{run.environment_file} is damaged: it names no sizes of the splits. Train that run anew.")
    test, fold = str(origin.get("test", "")), str(settings.value("data.fold", ""))
    group = test.removeprefix("the group '").rpartition("', fold")[0] if test.startswith("the group '") else ""
    label = f"fold {fold.partition('/')[0]}{f', {group}' if group else ''}"
    kept = next((record["epoch"] for record in reversed(run.history()) if record.get("best")), None)
    return {
        "name": run.name,
        "label": label if fold and of == "folds" else f"seed {settings.value('run.seed', 0)}",
        "fold": fold,
        "seed": settings.value("run.seed", 0),
        "test": test,
        "sizes": {name: int(size) for name, size in sizes.items()},
        "epoch": kept,
        "answer": scores["answer"],
        "headline": scores["headline"],
        "scores": scores["test"],
        "baselines": scores.get("baselines") or {},
    }


def _spreads(rows: Sequence[Mapping[str, Any]], overlap: float) -> dict[str, Any]:
    headline, table = rows[0]["headline"], ANSWERS[rows[0]["answer"]].table
    names = list(dict.fromkeys(name for row in rows for name in row["scores"]))
    beside = [name for name in rows[0]["baselines"] if all(name in row["baselines"] for row in rows)]
    return {
        "headline": headline,
        "confidence": CONFIDENCE,
        "runs": [dict(row) for row in rows],
        "spread": {
            name: _of([_value(row["scores"], name) for row in rows], table.get(name), overlap).to_dict()
            for name in names
        },
        "baselines": {
            other: {
                name: _of([_value(row["baselines"][other], name) for row in rows], table.get(name), overlap).to_dict()
                for name in names
                if any(_value(row["baselines"][other], name) is not None for row in rows)
            }
            for other in beside
        },
        "differences": {
            other: spread(
                [
                    _difference(_value(row["scores"], headline), _value(row["baselines"][other], headline))
                    for row in rows
                ],
                overlap=overlap,
            ).to_dict()
            for other in beside
        },
    }


def _of(values: Sequence[float | None], known: AnyMetric | None, overlap: float) -> Spread:
    return spread(values, overlap=overlap, bounds=(known.low, known.high) if known else (-np.inf, np.inf))


def _value(scores: Mapping[str, Any], metric: str) -> float | None:
    return (scores.get(metric) or {}).get("value")


def _difference(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _verdict(content: Mapping[str, Any]) -> dict[str, Any] | None:
    """Hold the model against the best baseline, fold by fold; as verdict.judge does example by example."""
    headline = content["headline"]
    metric = ANSWERS[content["runs"][0]["answer"]].table.get(headline)
    better = metric.better if metric else "higher"
    sign = 1 if better == "higher" else -1
    means = {name: _value(scores, headline) for name, scores in content["baselines"].items()}
    known = {name: value for name, value in means.items() if value is not None}
    model = content["spread"][headline]["value"]
    if not known or model is None:
        return None
    best = max(known, key=lambda name: sign * known[name])
    found = content["differences"][best]
    low, high, folds = found["corrected_low"], found["corrected_high"], found["n"]
    difference = {"value": found["value"], "low": low, "high": high, "n": folds}
    wins = "neither"
    if low is not None and not low <= 0 <= high:
        wins = "model" if (low > 0) == (better == "higher") else "baseline"
    title = metric.title if metric else headline
    told = {
        "model": f"The model beats the best baseline, '{best}' ({title} {model:.3f} against {known[best]:.3f})",
        "baseline": f"A baseline wins: '{best}' beats the model ({title} {known[best]:.3f} against {model:.3f})",
        "neither": f"The model and the best baseline, '{best}', cannot be told apart ({title} {model:.3f} against "
        f"{known[best]:.3f})",
    }[wins]
    interval = (
        "" if low is None else f", corrected {CONFIDENCE:.0%} t-interval over {folds} folds {low:+.3f} to {high:+.3f}"
    )
    return {
        "best_baseline": best,
        "difference": difference,
        "wins": wins,
        "sentence": f"{told}, means over {folds} folds. Difference {found['value']:+.3f}{interval}.",
    }


@dataclass(frozen=True)
class Tested:
    """What an ensemble and its members predict for the test examples."""

    task: str
    whole: Any
    """Predictions of the ensemble."""
    members: Sequence[Any]
    """Predictions of each member, by itself."""
    own: Any
    """The answer's own options."""
    is_fitted: bool = True
    """Whether temperature and thresholds were fitted anew; not where a member was trained on validation too."""


def judge_members(
    folder: RunFolder, runs: Sequence[RunFolder], parts: Sequence[Part], tested: Tested
) -> dict[str, Any]:
    """Score an ensemble's members on the test examples, hold it against the best of them, and write ensemble.json.

    Args:
        runs: the run of each member.
        tested: what they predict for the test examples.

    Returns:
        The content of ensemble.json.
    """
    options, headline = fill(Options, "evaluation", folder.settings()), str(runs[0].scores()["headline"])
    bootstrap, row = Bootstrap(options.seed, options.resamples, CONFIDENCE), answer_of(tested.task)
    shown = {name: row.table[name] for name in dict.fromkeys((headline, *row.compared)) if name in row.table}
    whole = row.sample(tested.whole, tested.own)
    samples = {run.name: row.sample(made, tested.own) for run, made in zip(runs, tested.members, strict=True)}
    content = {
        "format": FORMAT,
        "metrics": list(shown),
        "fitted": tested.is_fitted,
        "scores": _plain(score_sample(whole, shown, bootstrap=bootstrap)),
        "members": [
            {
                "name": run.name,
                "model": part.description.model,
                "backend": str(run.settings().value("run.backend", "")),
                "weight": part.weight,
                "scores": _plain(score_sample(samples[run.name], shown, bootstrap=bootstrap)),
            }
            for run, part in zip(runs, parts, strict=True)
        ],
    }
    metric = row.table[headline]
    verdict = judge_samples(metric, whole, samples, bootstrap=bootstrap)
    p_value = paired(row.figure(whole), row.figure(samples[verdict.best_baseline]), seed=options.seed)
    content["against_the_best"] = {
        "member": verdict.best_baseline,
        "difference": verdict.difference.to_dict(),
        "p_value": p_value,
        "wins": {"baseline": "member"}.get(verdict.wins, verdict.wins),
        "sentence": _against_the_best(verdict, metric.title, p_value),
    }
    folder.write_json(folder.path / ENSEMBLE, content)
    return content


def _plain(scores: Mapping[str, Score]) -> dict[str, Any]:
    return {name: each.to_dict() for name, each in scores.items()}


def _against_the_best(verdict: Verdict, title: str, p_value: float) -> str:
    difference, best = verdict.difference, verdict.best_baseline
    if difference.value is None:
        return f"{title} cannot be computed on this test split, so nothing is said of the best member, '{best}'."
    told = {
        "model": f"The ensemble beats its best member, '{best}'",
        "baseline": f"Its best member, '{best}', beats the ensemble",
        "neither": f"The ensemble and its best member, '{best}', cannot be told apart: the difference is within noise",
    }[verdict.wins]
    return (
        f"{told}. {title} differs by {difference.value:+.3f}, {CONFIDENCE:.0%} interval {difference.low:+.3f} to "
        f"{difference.high:+.3f}, on the same {difference.n:,} test examples (paired test, p = {p_value:.2g}). The "
        "best member was chosen on these examples, which favours it a little."
    )
