"""Shows what the verbs return: as tables for people, as JSON for machines."""

import dataclasses
import json
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonde.terminal.printing import draw, program, safe, say, table, write
from sonde.terminal.runs_table import interval, metric_name, show_several

if TYPE_CHECKING:
    from sonde.config import RunFolder
    from sonde.evaluation.compare import Comparison

RIGHT = ("confidence",)
"""Columns that are set flush right."""


def show_value(verb: str, value: Any) -> None:
    """Print what a verb returned, as a person reads it.

    Args:
        value: what it returned.
    """
    VALUES[verb](value)


def show_json(value: Any) -> None:
    """Print what a verb returned as JSON on standard output; all but ASCII is escaped."""
    write(json.dumps(plain(value), indent=2, allow_nan=False) + "\n")


def has_failures(value: Any) -> bool:
    """Tell whether some row of a result, such as a file that cannot be read, holds an error."""
    return isinstance(value, list) and any(isinstance(row, Mapping) and row.get("error") for row in value)


def plain(value: Any) -> Any:
    """Turn a verb's value into what JSON can hold; a number that is not finite becomes null."""
    from sonde.config import RunFolder

    if isinstance(value, RunFolder):
        return {"name": value.name, "path": str(value.path), "report": str(value.report_file)}
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain({field.name: getattr(value, field.name) for field in dataclasses.fields(value)})
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _show_run(run: "RunFolder") -> None:
    scores = run.read_json(run.scores_file) if run.scores_file.exists() else {}
    if scores:
        _show_headline(scores)
    path = shlex.quote(str(run.path))
    data = shlex.quote(str(run.settings().value("run.data", "DATA"))) if run.settings_file.exists() else "DATA"
    report = run.report_file if run.report_file.exists() else f"none yet: {program()} evaluate {path}"
    say(f"\nReport: {report}\n\nNext:")
    rows = [
        ("", f"{program()} predict {path} FILE...", "predicts on new files"),
        ("", f"{program()} train {data} --model=NAME", "trains another model (sonde list models)"),
        ("", f"{program()} compare {path} RUN...", "says which run is better, and how sure that is"),
    ]
    # A cross-validation has no model of its own.
    draw(table(("", "", ""), rows[1:] if scores.get("folds") else rows))


def _show_headline(scores: Mapping[str, Any]) -> None:
    name = scores["headline"]
    say(f"\nTest {metric_name(name)}: {interval(scores['test'][name])}, on {scores['splits']}.")
    for baseline, values in scores.get("baselines", {}).items():
        if name in values:
            say(f"  {baseline}: {interval(values[name])}")
    # There is no verdict where the data that the baselines would learn from is gone.
    if sentence := (scores.get("verdict") or {}).get("sentence"):
        say(sentence)
    show_several(scores)


def _show_scores(scores: Mapping[str, Any]) -> None:
    _show_headline(scores)
    baselines = scores.get("baselines", {})
    rows = [
        (metric_name(name), interval(score), *(interval(values.get(name)) for values in baselines.values()))
        for name, score in scores["test"].items()
    ]
    say("")
    draw(table(("metric", "this model", *baselines), rows))
    for sentence in scores.get("in_words", ()):
        say(f"\n{sentence}")


def _show_predictions(rows: Sequence[Mapping[str, Any]]) -> None:
    from sonde.answers import TASKS

    task = next((row["task"] for row in rows if not row.get("error")), None)
    cells = {} if task is None else TASKS[task].row.columns
    shown = [
        [row["file"], f"cannot be read: {row['error']}", *[""] * max(0, len(cells) - 1)]
        if row.get("error")
        else [row["file"], *(cell(row) for cell in cells.values())]
        for row in rows
    ]
    heads = ["file", *(cells or ["prediction"])]
    # A column that says nothing of any example is left out.
    kept = [place for place, head in enumerate(heads) if place < 2 or any(line[place] for line in shown)]
    draw(table([heads[place] for place in kept], [[line[place] for place in kept] for line in shown], right=RIGHT))


def _show_explanations(rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        if said := row.get("error") or row.get("note"):
            say(f"{row['file']}: {said}")
            continue
        about = "" if row["explained"] == row["prediction"] else f"; explained is {row['explained']}"
        sure = "" if row["confidence"] is None else f" with {row['confidence']:.3f}"
        say(f"{row['file']}: {row['prediction']}{sure}{about}\n  {row['picture']}")
        for found in row["methods"]:
            reason = found.get("does_not_apply")
            say(f"  {found['method']}: {f'does not apply: {reason}.' if reason else found['found']}")


def _show_rows(rows: Sequence[Mapping[str, str]]) -> None:
    columns = [*dict.fromkeys(name for row in rows for name in row)]
    draw(table(columns, [[row.get(name, "") for name in columns] for row in rows]))


def _show_path(path: Path) -> None:
    say(f"Wrote {safe(path)}")


def _show_comparison(comparison: "Comparison") -> None:
    told = plain(comparison)
    say(f"On {told['examples']:,} common test examples, {told['confidence']:.0%} intervals:\n")
    metrics = [*dict.fromkeys(name for run in told["runs"] for name in run["scores"])]
    rows = [(run["name"], *(interval(run["scores"].get(name)) for name in metrics)) for run in told["runs"]]
    draw(table(("run", *map(metric_name, metrics)), rows))
    for pair in told["pairs"]:
        say(f"\n{_pair_in_words(pair, told['headline'], told['figure'])}")
    if told["settings"]:
        names = [run["name"] for run in told["runs"]]
        say("")
        draw(table(("option", *names), [_option_row(row, names) for row in told["settings"]]))
    for note in told["notes"]:
        say(f"\nNote: {note}")


def _pair_in_words(pair: Mapping[str, Any], headline: str, figure: str) -> str:
    from sonde.metrics.words import title

    better = f"'{pair['better']}' is better" if pair["better"] else "no difference beyond chance"
    # The headline may be of all examples at once, as BLEU is, and need not agree.
    better += "" if pair["is_right_or_wrong"] else f" by the {figure} of each example"
    name = headline if headline in pair["differences"] else next(iter(pair["differences"]))
    a, b = (f"{pair[side]:,}" for side in ("a_better", "b_better"))
    # Of right and wrong, the exact paired test is McNemar's.
    each = f"only the first is right on {a} examples, only the second on {b}"
    each = each if pair["is_right_or_wrong"] else f"the first does better on {a} examples, the second on {b}"
    test = "McNemar" if pair["is_right_or_wrong"] else "permutation test"
    return (
        f"'{pair['a']}' against '{pair['b']}': {better}. {title(name)} differs by "
        f"{interval(pair['differences'].get(name))}; {each}, p = {pair['p_corrected']:.2g} ({test}, corrected for "
        "the pairs)."
    )


def _option_row(row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    values = [row["values"].get(name) for name in names]
    return [row["key"], *("-" if value is None else str(value) for value in values)]


VALUES: dict[str, Callable[[Any], None]] = {
    "train": _show_run,
    "resume": _show_run,
    "evaluate": _show_scores,
    "predict": _show_predictions,
    "explain": _show_explanations,
    "show": _show_path,
    "init": _show_path,
    "ensemble": _show_run,
    "compare": _show_comparison,
    "list": _show_rows,
    "doctor": _show_rows,
}
"""How each verb's value is shown, in the order of the help."""
