"""Writes the sections on where the results come from: the data, the options, the machine, the commands."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from sonde.answers.facts import SPLITS, Facts, Option
from sonde.config.toml import toml_value
from sonde.drawing.markup import Child, Markup, join, tag
from sonde.drawing.numbers_in_words import count, duration, listed
from sonde.drawing.page import command, definitions, element, name, section, sentences, table
from sonde.drawing.safe_text import one_line
from sonde.evaluation.report.summary import when

MOST_LISTED = 200
"""Files and pairs listed; findings.json has all."""


def data(facts: Facts) -> Markup | None:
    """Return what was found in the data: class counts, bad files, leaks, duplicates."""
    found = facts.findings
    parts: list[Child] = [_data_facts(facts), _class_counts(facts)]
    if found:
        parts += [_bad_files(facts), _leaks(facts)]
    return section("data", "Data", *parts)


def _data_facts(facts: Facts) -> Markup:
    dataset, found = facts.dataset, facts.findings
    notes = [tag("li", one_line(str(note))) for note in found.get("notes") or []]
    nothing = found and not (found.get("bad_files") or found.get("leak_count") or found.get("duplicates"))
    copies, leaks = (int(found.get(key) or 0) for key in ("duplicates", "leak_count"))
    return definitions(
        [
            ("Format", one_line(str(dataset["format"])) if dataset.get("format") else None),
            ("Fingerprint", tag("code", one_line(str(dataset["fingerprint"]))) if dataset.get("fingerprint") else None),
            ("Checked", "Every file was readable; no exact copies, within or between the splits." if nothing else None),
            ("Duplicates", f"{count(copies, 'exact copy', 'exact copies')} within one split." if copies else None),
            ("Leaks", f"{count(leaks, 'test or validation example')} with a copy in another split." if leaks else None),
            ("Notes", tag("ul", *notes) if notes else None),
        ]
    )


def _class_counts(facts: Facts) -> Markup | None:
    counted = facts.findings.get("classes") or {}
    splits = [split for split in SPLITS if split in counted]
    labels = list(dict.fromkeys([*facts.classes, *(label for split in splits for label in counted[split])]))
    if not splits or not labels:
        return None
    rows: list[list[Child]] = [
        [name(label), *(f"{int(counted[split].get(label, 0)):,}" for split in splits)] for label in labels
    ]
    return table("Examples of each class", ["Class", *splits], rows, numbers=range(1, len(splits) + 1), style="tight")


def _bad_files(facts: Facts) -> Markup | None:
    bad = facts.findings.get("bad_files") or []
    rows: list[list[Child]] = [[_file(file), one_line(str(reason))] for file, reason in bad[:MOST_LISTED]]
    caption = f"{count(len(bad), 'file')} left out{_more(bad)}"
    return table(caption, ["File", "Reason"], rows) if rows else None


def _leaks(facts: Facts) -> Markup | None:
    leaks = facts.findings.get("leaks") or []
    rows: list[list[Child]] = [[_file(first), _file(second)] for first, second in leaks[:MOST_LISTED]]
    return table(f"Exact copies in two splits{_more(leaks)}", ["Example", "Its copy"], rows) if rows else None


def _file(words: object) -> Markup:
    return element("span", "path", one_line(str(words), longest=200))


def _more(rows: Sequence[object]) -> str:
    return f" (the first {MOST_LISTED}; findings.json has all)" if len(rows) > MOST_LISTED else ""


def how(facts: Facts) -> Markup:
    """Return how it was run: the options with who chose them, and the machine."""
    rows: list[list[Child]] = [
        [tag("code", one_line(option.key)), _value(option), _origin(option)] for option in facts.options
    ]
    parts: list[Child] = []
    if rows:
        parts.append(table("Options, and who chose them", ["Option", "Value", "Chosen by"], rows, style="options"))
    if facts.environment:
        parts += [tag("h3", "Environment"), _environment(facts)]
    if not parts:
        parts = [sentences("The run's folder says nothing about its options.")]
    return section("how", "How it was run", *parts)


def _value(option: Option) -> Markup:
    return tag("code", "not set" if option.value is None else one_line(toml_value(option.value), longest=200))


def _origin(option: Option) -> Markup:
    if option.origin == "guessed" and option.reason:
        return element("span", "guessed", f"guessed because: {one_line(option.reason)}")
    style = "quiet" if option.origin == "default" else ""
    return element("span", style, option.origin + (f": {one_line(option.reason)}" if option.reason else ""))


def _environment(facts: Facts) -> Markup:
    said = facts.environment
    precision, git = said.get("precision") or {}, said.get("git") or {}
    packages = [f"{one_line(str(key))} {one_line(str(value))}" for key, value in (said.get("packages") or {}).items()]
    machine = [
        one_line(str(said[key])) for key in ("platform", "processor") if said.get(key)
    ] + [count(said[key], key[:-1]) for key in ("cores", "threads") if said.get(key)]  # fmt: skip
    state = " with changes that are not committed" if git.get("dirty") else ""
    precise = f"{one_line(str(precision.get('value')))}: {one_line(str(precision.get('reason', '')))}".rstrip(": ")
    model = said.get("model") or {}
    return definitions(
        [
            ("Started", when(str(said["started"])) if said.get("started") else None),
            ("Command", tag("code", _shell(said.get("command") or []))),
            ("sonde", one_line(str(said["sonde"])) if said.get("sonde") else None),
            ("Python", one_line(str(said["python"])) if said.get("python") else None),
            ("Backend", one_line(str(said["backend"])) if said.get("backend") else None),
            ("Packages", listed(packages) if packages else None),
            ("Model", f"{one_line(str(model['name']))}, {model.get('parameters', 0):,} parameters" if model else None),
            ("Precision", precise if precision else None),
            ("Machine", ", ".join(machine) if machine else None),
            ("As Keras wrote them", listed([one_line(str(layer)) for layer in said.get("fallbacks") or []])),
            ("Budget", _budget(said.get("budget") or {})),
            ("Code", f"git {one_line(str(git.get('revision', '')))[:12]}{state}" if git else None),
        ]
    )


def _budget(said: Mapping[str, Any]) -> str:
    """Return what a budget of time was, and how the training kept to it."""
    if not said:
        return ""
    words = (
        f"{float(said['minutes']):g} minutes. The training ended after {duration(float(said['seconds_used']))}, with "
        f"{count(int(said['steps']), 'step')}, and {duration(float(said['seconds_kept']))} were kept for the model, "
        "the test and this report."
    )
    if said.get("stopped"):
        words += " It was stopped before its learning rate was down, since nothing more fitted."
    return words


def _shell(words: Sequence[str]) -> str:
    return one_line(shlex.join(str(word) for word in words)) if words else ""


def again(facts: Facts) -> Markup:
    """Return the commands that repeat, use, go on with and compare this run."""
    run = shlex.quote(facts.run)
    other = shlex.quote(f"{facts.run.rpartition('/')[2]}-again")
    repeat = f"sonde train {run}/run.toml --name {other}"
    if facts.option("run.model") == "ensemble":
        members = ((facts.scores.get("ensemble") or {}).get("members")) or []
        repeat = f"sonde ensemble {' '.join(shlex.quote('runs/' + str(row['name'])) for row in members)} --name {other}"
    commands = [
        command(one_line(repeat, longest=1000), "Repeat it, with the same options:"),
        command(f"sonde predict {run} FILE...", "Use the model:"),
        command(f"sonde evaluate {run} --data OTHER", "Score it on other data:"),
        command(f"sonde resume {run}", "Go on where the training stopped:"),
        command(f"sonde compare {run} runs/OTHER", "Compare it with another run, on the same examples:"),
    ]
    if facts.scores.get("folds"):
        # There is no model of the whole.
        del commands[1:3]
    return section("again", "Repeat, use, compare", join(commands))
