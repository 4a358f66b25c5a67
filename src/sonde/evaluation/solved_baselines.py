"""Models that are solved at once and so serve as baselines too: MiniRocket for series.

They need a backend, which the answers' own baselines do not know of; those are handed what is here as a function.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import backend, data
from sonde.answers import ANSWERS, Kept
from sonde.answers.answer import Contest
from sonde.backend.streaming import batches_of, gathered, predictions
from sonde.config import fill, guessed
from sonde.data import Stored
from sonde.data.series import spec as series

SOLVED: Mapping[str, Mapping[str, str]] = {"series": {"MiniRocket": "minirocket"}}
"""By modality the name that a report shows, and the architecture."""


def solved_beside(contest: Contest, answer: str, *, besides: str) -> Contest:
    """Return what baselines are given with the models that are solved at once, but for the one that is judged.

    Args:
        contest: what they learn from.
        answer: a name in `ANSWERS`; heads that cannot be solved have none.
    """
    from sonde.models.heads import HEADS

    if not HEADS[answer].solves:
        return contest
    known = SOLVED.get(contest.modality, {})
    models = {title: _solver(contest, answer, model) for title, model in known.items() if model != besides}
    return replace(contest, models=models)


def _solver(contest: Contest, answer: str, model: str) -> Callable[[NDArray[np.int64], Stored], Kept]:
    def solve(rows: NDArray[np.int64], raw: Stored) -> Kept:
        spec = series.learn_spec(contest.train, series.Options(), differs=not isinstance(contest.train, np.ndarray))
        engine = _engine(spec, spec.encode(contest.train[rows]), contest.truth[rows], (contest.target, answer, model))
        row = ANSWERS[answer]
        found = predictions(engine, batches_of(spec.encode(raw), spec.prepare))
        return gathered(found, lambda _, outputs: row.keep(contest.target, outputs, None), data.join)

    return solve


def _engine(spec: series.SeriesSpec, inputs: Stored, truth: Any, asked: tuple[Any, str, str]) -> Any:
    from sonde.models import options_of
    from sonde.models.assemble import Blueprint, rebuild
    from sonde.models.predicting import predicting_engine
    from sonde.models.reads import Reads
    from sonde.models.solving import Solvable, solved_weights

    target, answer, model = asked
    module = backend.use(backend.in_use() or next(name for name in backend.BACKENDS if backend.is_installed(name)))
    options: Any = fill(options_of(model), "model", guessed("model.length", int(spec.longest), "the longest"))
    reads = Reads(spec.shape, spec.dtype, spec.cardinalities, spec.presence)
    blueprint = Blueprint(model, answer, reads, ANSWERS[answer].outputs(target), options)
    weights = solved_weights(blueprint, module, Solvable(inputs, spec.prepare, truth), seed=0)
    return predicting_engine(module, rebuild(blueprint, weights), answer)
