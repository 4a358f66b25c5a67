"""Opens a training at its start: the model with its first weights, the engine, the encoded truth."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import backend, data
from sonde.answers import TASKS, Plan
from sonde.backend import EngineSettings
from sonde.backend.engine import Trains
from sonde.config import Run, RunFolder, Settings, fill
from sonde.data.dataset import Dataset
from sonde.data.text.pretrained import Checkpoint
from sonde.training.batches import TrainingSet
from sonde.training.checkpoints import Progress
from sonde.training.options import Options
from sonde.training.resuming import compared
from sonde.training.session import Session

FITTED, FITTED_BYTES = 2_000, 1 << 27
"""Training examples from which a model may take weights that are not trained, and their bytes, at most."""


def open_session(folder: RunFolder, settings: Settings, dataset: Dataset) -> Session:
    """Build the model and the engine of a run, at its start.

    Args:
        folder: the run's folder.
        settings: every option of the run, resolved.
        dataset: what it trains on.

    Raises:
        SondeError: an option is not possible, or the data cannot carry the task.
    """
    run = fill(Run, "run", settings)
    options = fill(Options, "training", settings)
    backend.use(run.backend).start(threads=options.threads)

    from sonde.models import options_of
    from sonde.models.assemble import Blueprint
    from sonde.models.reads import reads_of
    from sonde.models.solving import Solvable, solves

    task = TASKS[run.task]
    row, own = task.row, fill(task.row.options, task.answer, settings)
    model_options = fill(options_of(run.model), "model", settings)
    spec, target = dataset.spec, row.learn(dataset.train.truth, own)
    truth = target.encode(dataset.train.truth)
    plan = row.plan(target, truth, own, solves(run.model, task.answer, model_options))
    blueprint = Blueprint(run.model, task.answer, reads_of(spec), plan.outputs, model_options, plan.head)
    description = {
        "sonde": version("sonde"),
        "task": run.task,
        "answer": task.answer,
        "model": run.model,
        # A model is whole without what it began with.
        "options": model_options.model_dump(mode="json", exclude={"weights"}),
        "outputs": plan.outputs,
        "head": dict(plan.head),
        "reads": asdict(blueprint.reads),
        "input": spec.to_dict(),
        "target": target.to_dict(),
        "views": settings.value("evaluation.views", "one"),
    }
    training = TrainingSet(
        dataset.train,
        target,
        truth,
        spec,
        dataset.modality,
        data.fill_augment(settings, dataset.modality),
        run.seed,
        min(options.batch_size, len(dataset.train)),
        plan.balance_N,
    )
    read = fill(data.MODALITIES[dataset.modality].options, dataset.modality, settings)
    solvable = Solvable(dataset.train.inputs, spec.prepare, truth)
    taken = _Taken(
        lambda: _few_prepared(dataset), lambda: data.starting_vectors(spec, read), _checkpoint(model_options)
    )
    engine = _build_engine(blueprint, run, options, plan, solvable, taken)
    parts = {"run": run, "data": fill(data.Options, "data", settings), dataset.modality: read}
    parts |= {"model": model_options, task.answer: own, "training": options}
    plain = {part: each.model_dump(mode="json") for part, each in parts.items()} | {"augment": dict(training.augment)}
    return Session(
        folder,
        run,
        options,
        dataset,
        blueprint,
        engine,
        training,
        target.encode(dataset.validation.truth),
        description,
        own,
        plan,
        Progress(settings=compared(plain)),
    )


@dataclass(frozen=True)
class _Taken:
    """What weights of a fresh model are taken from, where some are."""

    examples: Callable[[], NDArray[Any]]
    """Some prepared training examples."""
    vectors: Callable[[], NDArray[np.float32] | None]
    """Word vectors for the embeddings."""
    checkpoint: Checkpoint | None
    """A pretrained encoder."""


def _checkpoint(options: Any) -> Checkpoint | None:
    name = getattr(options, "weights", "")
    return data.read_checkpoint(name) if name else None


def _few_prepared(dataset: Dataset) -> NDArray[Any]:
    # From all over the split, whose order may be that of the classes.
    one = dataset.spec.prepare(dataset.train.inputs[:1])
    most = max(1, min(FITTED, FITTED_BYTES // one.nbytes))
    return dataset.spec.prepare(dataset.train.inputs[:: -(-len(dataset.train) // most)])


def _build_engine(blueprint: Any, run: Run, options: Options, plan: Plan, solvable: Any, taken: _Taken) -> Trains:
    from sonde.models.assemble import build, fit_to_data
    from sonde.models.heads import head as head_of
    from sonde.models.solving import Solved, begin_linear, is_solved, solve_model

    module, head = backend.use(run.backend), head_of(blueprint.answer)
    model = build(blueprint, seed=run.seed, policy=module.dtype_policy(options.precision))
    fit_to_data(model, blueprint, taken.examples)
    if (vectors := taken.vectors()) is not None:
        from sonde.models.weights.word_vectors import begin_with_vectors

        begin_with_vectors(model, vectors)
    if taken.checkpoint is not None:
        from sonde.models.weights.text_encoders import Source, begin_with_checkpoint

        found = taken.checkpoint
        source = Source(found.folder, found.form, found.tokens.known, found.first_place)
        begin_with_checkpoint(model, blueprint.options, source)
    begin_linear(model, blueprint, module, solvable, seed=run.seed)
    solved = is_solved(blueprint)
    if solved:
        solve_model(model, blueprint, module, solvable, seed=run.seed)
    settings = EngineSettings(
        optimizer=options.optimizer,
        weight_decay=options.weight_decay,
        momentum=options.momentum,
        rest_factor=options.rest_factor,
        bias_factor=options.bias_factor,
        clip_norm=options.clip_norm,
        average=options.average,
        accumulate=options.accumulate,
        precision=options.precision,
        seed=run.seed,
        head=head.NAME,
    )
    # What is recorded is without smoothing and weights, as in validation, so that the two can be compared.
    recorded = head.loss(plan.recorded) if plan.loss != plan.recorded else None
    engine: Trains = module.build(
        model, head.loss(plan.loss), head.scores, settings, recorded=recorded, varying=head.VARYING
    )
    return Solved(engine) if solved else engine
