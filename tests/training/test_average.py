"""The moving average of a model is a model: its running statistics are averaged with its weights."""

from typing import Any

import numpy as np
import pytest

import small_runs
from sonde.backend import averaged_weights, batches_of, joined, predictions, weights_of
from sonde.backend.engine import average_momentum
from sonde.training import Session


def session_of(begun: Any, name: str, **words: Any) -> Session:
    """Open a session that averages, with some options of its own."""
    changed = {"training.average": 0.99, "model.dropout": 0.0, **words}
    return small_runs.open_session(small_runs.again(begun.folder, name, changed), begun.dataset)


def loss_of(session: Session, state: Any) -> float:
    """Return the mean cross-entropy of a state on the validation examples."""
    session.engine.write_state(state)
    logits = joined(
        predictions(session.engine, batches_of(session.dataset.validation.inputs, session.dataset.spec.prepare))
    )["logits"]
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    right = shifted[np.arange(len(logits)), session.validation_truth] - np.log(np.exp(shifted).sum(axis=1))
    return float(-right.mean())


def test_the_average_of_a_short_run_is_about_as_good_as_its_last_weights(begun: Any) -> None:
    session = session_of(begun, "average-short", **{"run.epochs": 8})
    small_runs.train(session)
    raw = session.engine.read_state()
    average = averaged_weights(raw)
    ours, last = (loss_of(session, state) for state in (average, raw))
    assert ours < last + 0.1


def test_running_statistics_are_averaged_and_kept(begun: Any) -> None:
    session = session_of(begun, "average-statistics", **{"run.epochs": 1})
    small_runs.train(session)
    raw = weights_of(session.engine.read_state())
    statistics = [name for name in raw if "/moving_" in name]
    assert statistics and all(not np.array_equal(session.best[name], raw[name]) for name in statistics)


def test_nothing_is_averaged_unless_asked_for(begun: Any) -> None:
    session = session_of(begun, "average-none", **{"training.average": 0.0})
    state = session.engine.read_state()
    assert not [name for name in state if "average" in name]
    assert small_runs.bits(averaged_weights(state)) == small_runs.bits(state)


@pytest.mark.parametrize(("step", "expected"), [(0, 0.1), (8, 0.5), (10**6, 0.99)])
def test_the_momentum_of_the_average_rises_to_what_was_asked_for(step: int, expected: float) -> None:
    assert average_momentum(0.99, step) == pytest.approx(expected)
