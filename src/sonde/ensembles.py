"""Averages trained runs into one run folder, which predicts, is scored, compared and reported like any other.

checked members -> outputs on validation -> weights -> temperature and thresholds -> model folder -> scores
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, Literal

import numpy as np

from sonde import data
from sonde.answers import Fitting
from sonde.config import RunFolder, Setting, Settings, check_room, create_run, free_name, write_settings
from sonde.data import Dataset
from sonde.environment import describe_environment
from sonde.errors import RunError
from sonde.evaluation import several_runs
from sonde.evaluation import stage as evaluation
from sonde.evaluation.ensemble import Part
from sonde.evaluation.several_runs import Tested
from sonde.evaluation.trained_model import (
    TrainedModel,
    answer_options,
    averaged,
    open_single,
    own_dataset,
    own_options,
    read_description,
    start_backend,
)
from sonde.metrics import mixture

Weights = Literal["equal", "validation"]
"""How members are weighed: alike, or by the likelihood of the truth on validation."""

MOST = 100
"""Members of an ensemble at most, as `models.ensemble_folder` reads them."""
AT_ONCE = 256
"""Examples predicted at a time."""
NAME = "ensemble"
"""What run.toml says of the model."""


def make(folders: Sequence[RunFolder], *, weights: Weights = "equal", name: str | None = None) -> RunFolder:
    """Average runs of one data set into a new run.

    Args:
        folders: trained runs, of any models and backends.
        weights: how they are weighed.
        name: of the new run's folder; the first of ensemble-1, ensemble-2, ... that is free where left out.

    Raises:
        RunError: the runs are not of one data set and one split of it, or one has no model.
        SondeError: a member is damaged, or the data is gone.
    """
    check(folders)
    first = folders[0].settings()
    called = name or free_name(NAME)
    check_room(called)
    dataset = own_dataset(folders[0])
    _check_that_all_read_alike(folders, dataset)
    settings = _settings(first, called, [folder.name for folder in folders], weights)
    members, description = _fit(folders, settings, dataset, weights)
    title = f"sonde ensemble '{called}'. It is made of {len(folders)} runs: sonde ensemble RUN..."
    folder = create_run(
        called,
        settings=settings,
        text=write_settings(settings, title=title),
        environment=describe_environment(settings, dataset, _parameters(folders)),
        findings={},
    )
    return _finish(folder, folders, members, description, dataset)


def of_seeds(folder: RunFolder, runs: Sequence[RunFolder]) -> RunFolder:
    """Average the runs of several seeds into the folder that was made for them, and say how far seeds move the scores.

    Args:
        runs: finished runs that differ in their seeds alone.
    """
    dataset = own_dataset(runs[0])
    members, description = _fit(runs, folder.settings(), dataset, "equal")
    several_runs.sum_up_seeds(folder, runs)
    environment = folder.read_json(folder.environment_file)
    model = f"{folder.settings().value('run.model')} of {len(runs)} seeds"
    environment["model"] = {"name": model, "parameters": _parameters(runs)}
    folder.write_json(folder.environment_file, environment)
    return _finish(folder, runs, members, description, dataset)


def _finish(
    folder: RunFolder, runs: Sequence[RunFolder], members: "Members", description: Any, dataset: Dataset
) -> RunFolder:
    from sonde.models import ensemble_folder

    ensemble_folder.save(folder.model, description, [run.model for run in runs])
    whole = averaged(members.parts, description)
    is_fitted = not any(_saw_validation(part.description) for part in members.parts)
    tested = Tested(
        description.task,
        _predicted(whole, dataset),
        [_predicted(member, dataset) for member in members.models],
        answer_options(folder.settings()),
        is_fitted,
    )
    several_runs.judge_members(folder, runs, members.parts, tested)
    return evaluation.evaluate(folder, dataset=dataset)


def _predicted(model: TrainedModel, dataset: Dataset) -> Any:
    """Return what a model predicts for the test examples, which it may read otherwise than the data set does."""
    truth = model.target.encode(dataset.test.truth)
    kept = model.keep(model.spec.encode(dataset.test.raw), truth, batch_size=AT_ONCE)
    return model.row.predictions(model.target, model.fitted, kept, truth, dataset.test.names.tolist())


@dataclass(frozen=True)
class Members:
    """The averaged models, opened, with their weights."""

    models: Sequence[TrainedModel]
    parts: Sequence[Part]


def check(folders: Sequence[RunFolder]) -> None:
    """Refuse runs that cannot be averaged, with the reason.

    Raises:
        RunError: fewer than two, one twice, one without a model or an ensemble itself, or other data, splits, classes.
    """
    if not 2 <= len(folders) <= MOST:
        raise RunError(f"An ensemble needs 2 to {MOST} runs, and {len(folders)} is named: sonde ensemble runs/a runs/b")
    paths = [folder.path.resolve() for folder in folders]
    if len(set(paths)) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise RunError(f"The run {twice} is named twice; name each run once (--weights validation weighs them).")
    for folder in folders:
        if folder.settings().value("run.folds", "") not in ("", "0"):
            raise RunError(f"'{folder.name}' sums up a cross-validation and has no model of its own. {FOLDS}")
    start_backend(folders[0].settings())

    from sonde.models.model_folder import ENSEMBLE

    descriptions = [read_description(folder) for folder in folders]
    for folder, other in zip(folders, descriptions, strict=True):
        if other.model == ENSEMBLE:
            raise RunError(f"'{folder.name}' is an ensemble itself. Name the runs that it was made of instead.")
    for folder, other in zip(folders[1:], descriptions[1:], strict=True):
        _refuse_unlike((folders[0], descriptions[0]), (folder, other))


FOLDS = "Its runs were tested on other examples each, so that no test is left for their average."
"""Why the runs of a cross-validation cannot be averaged."""


def _refuse_unlike(first: tuple[RunFolder, Any], second: tuple[RunFolder, Any]) -> None:
    (one, described), (other, also) = first, second
    names = f"'{one.name}' and '{other.name}'"
    if described.task != also.task:
        raise RunError(f"{names} are of different tasks ({described.task} and {also.task}); average runs of one task.")
    if described.target != also.target:
        raise RunError(f"{names} have different targets, such as other classes; average runs of one data set.")
    if one.fingerprint() == other.fingerprint():
        return
    folds = [folder.settings().value("data.fold", "") for folder in (one, other)]
    if folds[0] != folds[1]:
        shown = " and ".join(fold or "none" for fold in folds)
        raise RunError(f"{names} are different folds (data.fold is {shown}). {FOLDS}")
    seeds = [folder.settings().value("data.split_seed", 0) for folder in (one, other)]
    why = "other data, or the same data before it changed"
    if seeds[0] != seeds[1]:
        why = f"another split of it (data.split_seed is {seeds[0]} and {seeds[1]})"
    raise RunError(
        f"{names} began with different examples for training, validation and test: {why}. What one was trained on "
        "may be what another is tested on. Train them on one data set with one split."
    )


def _check_that_all_read_alike(folders: Sequence[RunFolder], dataset: Dataset) -> None:
    """Refuse members that want other raw examples than the first: images of another size, sounds at another rate."""
    first = own_options(folders[0].settings())
    for folder in folders[1:]:
        own = own_options(folder.settings())
        if own == first:
            continue
        other = own_dataset(folder).test.raw
        alike = len(other) == len(dataset.test.raw) and bool(
            np.array_equal(data.marks(other), data.marks(dataset.test.raw))
        )
        if not alike:
            changed = {key: value for key, value in own.model_dump().items() if value != getattr(first, key)}
            words = ", ".join(f"{dataset.modality}.{key} = {value}" for key, value in changed.items())
            raise RunError(
                f"'{folders[0].name}' and '{folder.name}' read the {data.MODALITIES[dataset.modality].things} "
                f"differently ('{folder.name}': {words}), and an ensemble reads each once. Train them with the same "
                f"[{dataset.modality}] options."
            )


def _settings(first: Settings, name: str, members: Sequence[str], weights: Weights) -> Settings:
    """Return the run file's content: what the members have in common, of the first one."""
    dropped = ("model", "augment", "training")
    common = {key: each for key, each in first.items() if key.partition(".")[0] not in dropped}
    of_the_first = {key: Setting(each.value, "file", reason=f"as in {members[0]}") for key, each in common.items()}
    said = {
        "run.model": Setting(NAME, "command line", reason=f"{', '.join(members)}; weights: {weights}"),
        "run.recipe": Setting("", "default"),
        "run.minutes": Setting(0.0, "default"),
        "run.name": Setting(name, "command line"),
    }
    for key in ("training.threads", "training.precision"):
        said[key] = replace(first[key], origin="file", reason=f"as in {members[0]}")
    return Settings({**of_the_first, **said})


def _fit(folders: Sequence[RunFolder], settings: Settings, dataset: Dataset, weights: Weights) -> tuple[Members, Any]:
    """Open the members, weigh them, and fit on validation what the whole needs."""
    from sonde.models.model_folder import ENSEMBLE, Description

    module = start_backend(folders[0].settings())
    opened = [open_single(folder.model, module) for folder in folders]
    parts = [Part(each.engine, each.spec, each.fitted, each.description, 1 / len(opened)) for each in opened]
    like, row, target = parts[0].description, opened[0].row, opened[0].target
    truth = target.encode(dataset.validation.truth)
    if row.average is None:
        raise RunError(f"Models of {like.task} cannot be averaged.")
    if weights == "validation":
        _refuse_seen(folders, parts)
        if row.likelihood is None:
            raise RunError(f"Models of {like.task} give no likelihood to weigh them by; use equal weights.")
        likely = []
        for each in opened:
            kept = each.keep(each.spec.encode(dataset.validation.raw), truth, batch_size=AT_ONCE)
            likely.append(row.likelihood(each.fitted, kept, truth))
        found = mixture.fit(likely)
        parts = [replace(part, weight=float(weight)) for part, weight in zip(parts, found, strict=True)]
    description = Description(
        sonde=version("sonde"),
        task=like.task,
        answer=like.answer,
        model=ENSEMBLE,
        options={"weights": [part.weight for part in parts]},
        outputs=like.outputs,
        head=like.head,
        reads=like.reads,
        input=like.input,
        target=like.target,
        fitted={},
    )
    seen = any(_saw_validation(part.description) for part in parts)
    kept = averaged(parts, description).keep(dataset.validation.raw, truth, batch_size=AT_ONCE)
    fitting = Fitting(answer_options(settings), seen=seen, members=[part.fitted for part in parts])
    return Members(opened, parts), description.model_copy(update={"fitted": row.fit(target, kept, truth, fitting)})


def _refuse_seen(folders: Sequence[RunFolder], parts: Sequence[Part]) -> None:
    seen = [folder.name for folder, part in zip(folders, parts, strict=True) if _saw_validation(part.description)]
    if seen:
        raise RunError(
            f"'{seen[0]}' was solved once more on training and validation examples together, so that validation would "
            "flatter it. Use equal weights, or train it with --set model.refit=false."
        )


def _saw_validation(description: Any) -> bool:
    """Tell whether a model was solved once more on training and validation examples together."""
    from sonde.models.model_folder import blueprint_of
    from sonde.models.solving import is_refitted

    return is_refitted(blueprint_of(description))


def _parameters(folders: Sequence[RunFolder]) -> int:
    told = (folder.read_json(folder.environment_file).get("model") or {} for folder in folders)
    return sum(int(model.get("parameters") or 0) for model in told)
