"""Runs that belong together: the folds of a cross-validation, or one plan with several seeds. One folder sums them up.

    runs/digits-1/             the summary: run.toml with folds = "5", folds.json, pooled predictions, scores, report
    runs/digits-1-fold1/ ...   an ordinary run for each fold, with data.fold = "1/5"

    runs/digits-2/             the ensemble: run.toml with seeds = 3, seeds.json, a model like any other's
    runs/digits-2-seed0/ ...   an ordinary run for each seed

There is no second way of training: each run is planned, started, trained and scored by `stages`. What is finished
stays; a study that was cut off goes on with what its folders say is left to do.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sonde import data, ensembles, planning, stages, terminal, training
from sonde.config import RUNS, Run, RunFolder, Setting, Settings, check_room, fill
from sonde.config.disk import remove_folder, remove_leftovers
from sonde.data import Listing
from sonde.errors import ConfigError, RunError
from sonde.evaluation.cross_validation import sum_up_folds
from sonde.planning import Plan

KEPT = 0.15
"""Share of a budget of time that is kept for what follows the last run: the pooled scores, or the ensemble."""
MOST = 1000
"""Runs of a study at most."""


NONE = ("", "0", 0, 1)
"""What asks for no study: an empty text, no folds, no or one seed."""


@dataclass(frozen=True)
class Member:
    """One run of a study."""

    name: str
    words: str
    """For people: "fold 2 of 5", "seed 1"."""
    changes: dict[str, Setting]
    """What it sets otherwise than the whole."""


def is_study(settings: Settings) -> bool:
    """Tell whether options ask for several runs.

    Args:
        settings: of a command, or of a folder.
    """
    return settings.value("run.folds", "") not in NONE or settings.value("run.seeds", 0) not in NONE


def has_no_model(folder: RunFolder) -> bool:
    """Tell whether a folder sums up a cross-validation, whose models are those of its runs.

    Args:
        folder: of any run.
    """
    return folder.settings().value("run.folds", "") not in NONE


def train(said: Settings, began: float, *, note: str = "") -> RunFolder:
    """Train all runs of a study and sum them up.

    Args:
        said: the options that were given; run.folds or run.seeds is among them.
        began: when the command began, as `time.monotonic` reads; a budget of time is for everything.
        note: a sentence to be said once the plan is made.

    Raises:
        SondeError: data or options do not allow it; what was done stays.
    """
    _check(said)
    count = said.value("run.folds") if said.value("run.folds") not in NONE else ""
    fold = {"data.fold": Setting(f"1/{count}", "command line", place=f"--folds {count}")} if count else {}
    plan = stages.plan(Settings({**_alone(said), **fold}))
    whole = _whole(plan.settings, said)
    members = _members(whole, plan.listing)
    for member in members:
        check_room(member.name)
    if note:
        terminal.say(note)
    facts = planning.facts(plan)
    facts["runs"] = f"{len(members)}: {', '.join(member.name for member in members[:3])}{', ...' * (len(members) > 3)}"
    terminal.what_was_decided(whole, facts=facts)
    folder = stages.start(replace(plan, settings=whole))
    try:
        return _go_on(folder, began, replace(plan, settings=_of(members[0], whole)))
    except ConfigError as error:
        if not _path(folder, members[0]).path.exists():
            remove_folder(folder.path)
            raise ConfigError(f"{error} That is for each of the {len(members)} runs.") from error
        raise


def go_on(folder: RunFolder, began: float) -> RunFolder:
    """Do what is left of a study.

    Args:
        began: when this command began.

    Raises:
        RunError: it was started in another folder, or the data has changed.
        SondeError: a run cannot go on; what was done stays.
    """
    if folder.report_file.exists():
        terminal.say(f"The runs of '{folder.name}' had finished already; nothing was left to do.")
        return folder
    return _go_on(folder, began, None)


def sum_up(folder: RunFolder) -> RunFolder:
    """Sum up the finished runs of a cross-validation anew.

    Raises:
        RunError: a run is not finished or gone.
    """
    settings = folder.settings()
    members = _members(settings, planning.survey(settings)[1])
    return _finish(folder, settings, members)


def _check(said: Settings) -> None:
    folds, seeds = (said.value(key) if said.value(key) not in NONE else None for key in ("run.folds", "run.seeds"))
    if folds and seeds:
        raise ConfigError(
            "--folds and --seeds cannot be had together: the one tests on other examples, the other averages."
        )
    if folds and folds != data.GROUPS and not (isinstance(folds, str) and folds.isdecimal() and int(folds) > 1):
        at = said["run.folds"].place
        raise ConfigError(
            f'{at}: {folds!r} folds are not possible: expected a text such as "5", at least two, or "groups".'
        )
    if seeds and (type(seeds) is not int or not 2 <= seeds <= 100):
        raise ConfigError(
            f"{said['run.seeds'].place}: {seeds!r} seeds are not possible: expected a number from 2 to 100."
        )
    if folds and said.value("data.fold"):
        raise ConfigError("data.fold names one fold and --folds asks for all; say one of the two.")


def _alone(said: Settings) -> Settings:
    return Settings({key: each for key, each in said.items() if key not in ("run.folds", "run.seeds")})


def _whole(settings: Settings, said: Settings) -> Settings:
    """Return the options of the whole: those of its first run, but for what makes the runs differ."""
    epochs = settings["run.epochs"]
    kept = {key: said[key] for key in ("run.folds", "run.seeds") if said.value(key) not in (None, *NONE)}
    # Planned once: the next run must not take what was guessed for a guess to start from.
    return Settings(
        {**settings, **kept, "run.epochs": replace(epochs, origin="file") if epochs.origin == "guessed" else epochs}
        | ({"data.fold": Setting("", "default")} if "run.folds" in kept else {})
    )


def _members(whole: Settings, listing: Listing) -> list[Member]:
    # A run file of anybody's is held to its options before they say what is done.
    fill(Run, "run", whole)
    fill(data.Options, "data", whole)
    name, folds, seeds = whole.value("run.name"), whole.value("run.folds"), whole.value("run.seeds")
    if seeds:
        first = whole.value("run.seed")
        return [
            Member(
                f"{name}-seed{seed}",
                f"seed {seed}",
                {"run.seed": Setting(seed, "command line", reason=f"--seeds {seeds}")},
            )
            for seed in range(first, first + seeds)
        ]
    count = data.fold_count(folds, whole.value("data.fold_of"), listing.splits, listing.groups)
    if not 2 <= count <= MOST:
        raise ConfigError(f"{count:,} folds are not possible: expected 2 to {MOST:,}.")
    wide = len(str(count))
    return [
        Member(
            f"{name}-fold{number:0{wide}}",
            f"fold {number} of {count}",
            {"data.fold": Setting(f"{number}/{folds}", "command line", reason=f"--folds {folds}")},
        )
        for number in range(1, count + 1)
    ]


def _of(member: Member, whole: Settings) -> Settings:
    """Return the options of one run."""
    alone = {"run.folds": Setting("", "default"), "run.seeds": Setting(0, "default")}
    name = {"run.name": Setting(member.name, "command line", reason=f"a run of '{whole.value('run.name')}'")}
    return Settings({**whole, **alone, **name, **member.changes})


def _path(folder: RunFolder, member: Member) -> RunFolder:
    return RunFolder(folder.path.parent / member.name)


def _go_on(folder: RunFolder, began: float, first: Plan | None) -> RunFolder:
    with training.only_one(folder), _saying_how_to_go_on(folder):
        remove_leftovers(folder.path)
        settings = folder.settings()
        members = _members(settings, first.listing if first else planning.survey(settings)[1])
        used = 0.0
        plan = first
        for place, member in enumerate(members):
            run, start = _path(folder, member), began if first and place == 0 else time.monotonic()
            minutes = _share(settings, used + start - began, len(members) - place)
            if run.report_file.exists():
                used += _seconds_of(run)
                continue
            terminal.say(f"\n{member.words[:1].upper()}{member.words[1:]}: {run.path}")
            if run.settings_file.exists():
                used += _seconds_of(run)
                stages.go_on(run, began=start)
            else:
                plan = _planned(folder, _of(member, settings), minutes, plan)
                stages.train(plan, start)
        return _finish(folder, settings, members)


def _planned(folder: RunFolder, settings: Settings, minutes: float, before: Plan | None) -> Plan:
    """Plan a run; those that differ in their seeds alone share the data that is open."""
    if folder.path.resolve().parent != RUNS.resolve():
        raise RunError(
            f"The next run of '{folder.name}' would not lie beside it. Go on from the folder in which it was started: "
            f"cd {os.path.relpath(folder.path.resolve().parent.parent)}"
        )
    if minutes:
        settings = Settings({**settings, "run.minutes": replace(settings["run.minutes"], value=minutes)})
    if before and before.settings.value("data.fold") == settings.value("data.fold"):
        return replace(before, settings=settings)
    return stages.plan(settings)


def _share(settings: Settings, used: float, left: int) -> float:
    """Return the minutes of the next run: what is left of the budget, divided; 0 where there is no budget."""
    minutes = settings.value("run.minutes")
    if not minutes:
        return 0.0
    seconds = 60 * minutes * (1 - KEPT) - used
    return max(0.001, round(seconds / left / 60, 4))


def _seconds_of(run: RunFolder) -> float:
    """Return what a run that an earlier command worked on had used of the budget, as far as it was written down."""
    budget = run.read_json(run.environment_file).get("budget") or {}
    return float(budget.get("seconds_used", 0.0)) + float(budget.get("seconds_kept", 0.0))


def _finish(folder: RunFolder, settings: Settings, members: list[Member]) -> RunFolder:
    runs = [_path(folder, member) for member in members]
    terminal.say("")
    if has_no_model(folder):
        return sum_up_folds(folder, runs)
    return ensembles.of_seeds(folder, runs)


@contextmanager
def _saying_how_to_go_on(folder: RunFolder) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        terminal.say(f"\nAll runs of '{folder.name}' go on with:\n\n  {terminal.program()} resume {Path(folder)}")
        raise
