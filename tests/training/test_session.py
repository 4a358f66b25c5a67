"""The loop: which weights are kept, when it stops, what it says, and what it does when numbers break down."""

import dataclasses
import json
import math
import re
import shutil
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np
import pytest

import small_runs
from sonde.answers.classification.target import ClassTarget
from sonde.backend import averaged_weights, batches_of, joined, predictions, weights_of
from sonde.config import read_settings
from sonde.errors import ModelError, RunError, TrainingError
from sonde.metrics import temperature
from sonde.training import Epoch, Options, Session, Step, guess
from sonde.training.checkpoints import read_newest
from sonde.training.records import loss_of
from sonde.training.resuming import is_sound

_numbers = count()

TASK = {"run.task": "image-classification"}


def session_of(begun: Any, words: Mapping[str, Any] | None = None) -> Session:
    """Open a session with some options of its own."""
    return small_runs.open_session(small_runs.again(begun.folder, f"loop-{next(_numbers)}", words), begun.dataset)


def with_figures(session: Session, figures: list[tuple[float, float]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let validation say accuracy and loss of each epoch in turn, and the weights be the epoch's number."""

    def validate(state: Any, kept: Any) -> dict[str, float]:
        accuracy, loss = figures[session.progress.epoch - 1]
        return {"loss": loss, "accuracy": accuracy}

    monkeypatch.setattr(session, "_validate", validate)


def test_the_loop_yields_every_step_and_every_epoch(begun: Any) -> None:
    session = session_of(begun)
    records = list(session.records())
    steps = [record for record in records if isinstance(record, Step)]
    epochs = [record for record in records if isinstance(record, Epoch)]
    assert [step.step for step in steps] == list(range(1, 21)) and {step.steps for step in steps} == {20}
    assert [step.epoch for step in steps] == [1] * 5 + [2] * 5 + [3] * 5 + [4] * 5
    assert {step.examples for step in steps} == {16}
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3, 4]
    # An epoch's record comes right behind its last step, with the learning rate of that step.
    for epoch in epochs:
        place = records.index(epoch)
        assert records[place - 1] == steps[epoch.step - 1]
        assert epoch.learning_rate == steps[epoch.step - 1].learning_rate


def test_an_epoch_s_training_figures_are_the_means_of_its_steps(begun: Any) -> None:
    records = list(session_of(begun).records())
    for epoch in [record for record in records if isinstance(record, Epoch)]:
        steps = [step for step in records if isinstance(step, Step) and step.epoch == epoch.epoch]
        assert epoch.train["loss"] == pytest.approx(np.mean([step.loss for step in steps]), rel=1e-12)
        assert epoch.train["accuracy"] == pytest.approx(np.mean([step.score for step in steps]), rel=1e-12)


def test_history_holds_a_record_of_each_epoch_and_only_its_clock_differs(begun: Any) -> None:
    first, second = session_of(begun), session_of(begun)
    epochs = [small_runs.train(session) for session in (first, second)]
    one, two = (session.folder.history() for session in (first, second))
    assert one == [epoch.to_dict() for epoch in epochs[0]]
    assert small_runs.without_clock(one) == small_runs.without_clock(two) and one != two
    for record in one:
        assert list(record) == ["epoch", "step", "train", "validation", "learning_rate", "best", "clock"]
        assert set(record["train"]) == set(record["validation"]) == {"loss", "accuracy"}
        assert set(record["clock"]) == {"seconds", "examples_per_second", "loader_share", "loader_busy", "memory_mb"}
        assert all(math.isfinite(value) and value >= 0 for value in record["clock"].values())
        assert record["clock"]["loader_share"] <= 1
    lines = first.folder.history_file.read_text().splitlines()
    assert [json.loads(line) for line in lines] == one


def test_validation_is_what_an_independent_count_says(begun: Any) -> None:
    session = session_of(begun, {"training.average": 0.0, "run.epochs": 1})
    (epoch,) = small_runs.train(session)
    validation = begun.dataset.validation
    logits = joined(predictions(session.engine, batches_of(validation.inputs, begun.dataset.spec.prepare)))[
        "logits"
    ].astype(np.float64)
    truth = ClassTarget(small_runs.CLASSES).encode(validation.truth)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert epoch.validation["accuracy"] == pytest.approx((logits.argmax(axis=1) == truth).mean())
    assert epoch.validation["loss"] == pytest.approx(-np.log(shares[np.arange(len(truth)), truth]).mean(), rel=1e-6)


def test_the_weights_of_the_best_epoch_are_kept_and_written(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(begun)
    with_figures(session, [(0.5, 1.0), (0.8, 1.0), (0.7, 0.5), (0.6, 0.4)], monkeypatch)
    ends = {}
    for record in session.records():
        if isinstance(record, Epoch):
            ends[record.epoch] = weights_of(averaged_weights(session.engine.read_state()))
    assert session.progress.best_epoch == 2
    assert [record["best"] for record in session.folder.history()] == [True, True, False, False]
    session.finish()
    written = small_runs.weights_in(session.folder.model)
    assert small_runs.bits(written) == {
        name: each for name, each in small_runs.bits(ends[2]).items() if name in written
    }
    assert small_runs.bits(written) != {
        name: each for name, each in small_runs.bits(ends[4]).items() if name in written
    }


@pytest.mark.parametrize(
    ("monitor", "figures", "best"),
    [
        ("accuracy", [(0.5, 1.0), (0.6, 1.2), (0.6, 1.1), (0.4, 0.1)], 3),
        ("loss", [(0.5, 1.0), (0.6, 1.2), (0.6, 1.1), (0.4, 0.1)], 4),
        ("accuracy", [(0.5, 1.0), (0.5, 1.0), (0.5, 1.0), (0.5, 1.0)], 1),
        ("accuracy", [(0.5, 1.0), (0.5, 0.9), (0.5, 1.1), (0.5, 0.9)], 2),
    ],
)
def test_the_monitored_figure_decides_and_the_loss_breaks_ties(
    begun: Any, monkeypatch: pytest.MonkeyPatch, monitor: str, figures: list[tuple[float, float]], best: int
) -> None:
    session = session_of(begun, {"training.monitor": monitor})
    with_figures(session, figures, monkeypatch)
    small_runs.train(session)
    assert session.progress.best_epoch == best


@pytest.mark.parametrize(
    ("patience", "epochs"),
    [(0, 4), (1, 3), (2, 4), (9, 4)],
)
def test_patience_ends_the_training(begun: Any, monkeypatch: pytest.MonkeyPatch, patience: int, epochs: int) -> None:
    session = session_of(begun, {"training.patience": patience})
    with_figures(session, [(0.5, 1.0), (0.8, 1.0), (0.7, 1.0), (0.6, 1.0)], monkeypatch)
    assert len(small_runs.train(session)) == epochs
    assert session.progress.done and session.progress.best_epoch == 2
    # Gone on with, it stays done.
    assert small_runs.train(small_runs.open_session(session.folder, begun.dataset)) == []


def test_a_plateau_of_the_validation_figure_lowers_the_learning_rate(
    begun: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"training.schedule": "plateau", "training.plateau_epochs": 1, "training.step_factor": 0.5}
    session = session_of(begun, words)
    with_figures(session, [(0.5, 1.0), (0.5, 1.0), (0.6, 1.0), (0.5, 1.0)], monkeypatch)
    rates = [epoch.learning_rate for epoch in small_runs.train(session)]
    assert rates == pytest.approx([0.02, 0.02, 0.01, 0.01])


def test_the_average_is_what_is_validated_and_kept(begun: Any) -> None:
    session = session_of(begun, {"training.average": 0.9, "run.epochs": 1})
    (epoch,) = small_runs.train(session)
    state = session.engine.read_state()
    average = averaged_weights(state)
    name = next(name for name in state if name.startswith("weights/") and name.endswith("kernel"))
    assert not np.array_equal(average[name], state[name])
    assert small_runs.bits(session.best) == small_runs.bits(weights_of(average))
    session.engine.write_state(average)
    validation = begun.dataset.validation
    batches = batches_of(validation.inputs, begun.dataset.spec.prepare)
    logits = joined(predictions(session.engine, batches))["logits"]
    truth = ClassTarget(small_runs.CLASSES).encode(validation.truth)
    assert epoch.validation["accuracy"] == pytest.approx(float((logits.argmax(axis=1) == truth).mean()))


def test_validating_the_average_does_not_touch_the_training(begun: Any) -> None:
    plain, averaged = session_of(begun, {"training.average": 0.0}), session_of(begun, {"training.average": 0.9})
    for session in (plain, averaged):
        small_runs.train(session)
    ends = [weights_of(session.engine.read_state()) for session in (plain, averaged)]
    assert small_runs.bits(ends[0]) == small_runs.bits(ends[1])


def test_the_written_temperature_is_the_one_fitted_on_validation(begun: Any) -> None:
    session = session_of(begun)
    small_runs.train(session)
    session.finish()
    best = {f"weights/{name}": array for name, array in session.best.items()}
    session.engine.write_state({**session.engine.read_state(), **best})
    validation = begun.dataset.validation
    batches = batches_of(validation.inputs, begun.dataset.spec.prepare)
    logits = joined(predictions(session.engine, batches))["logits"]
    truth = ClassTarget(small_runs.CLASSES).encode(validation.truth)
    written = json.loads((session.folder.model / "model.json").read_text())["fitted"]["temperature"]
    assert written == temperature.fit(logits, truth)


def test_the_same_seed_gives_the_same_start_and_another_seed_another(begun: Any) -> None:
    first, second, other = (session_of(begun, {"run.seed": seed}).engine.read_state() for seed in (0, 0, 1))
    assert small_runs.bits(first) == small_runs.bits(second) != small_runs.bits(other)


LOSS_BROKE = (
    r"The loss became nan at step 8 \(epoch 2, learning rate 0\.0\d+\)\. The last good checkpoint stays\. "
    r"Train anew with a lower learning rate \(--set training\.learning_rate=0\.0067\), with gradient clipping "
    r"\(--set training\.clip_norm=1\.0\), or with --set training\.precision=fp32\."
)


def test_a_loss_that_is_not_finite_stops_with_step_rate_and_cure(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(begun)
    real = session.engine.step

    def step(batch: Any, rate: float) -> dict[str, float]:
        return {**real(batch, rate), **({"loss": math.nan} if session.step == 7 else {})}

    monkeypatch.setattr(session.engine, "step", step)
    with pytest.raises(TrainingError, match=LOSS_BROKE):
        small_runs.train(session)
    left = read_newest(session.folder.checkpoints)
    assert left is not None and left.progress.epoch == 2 and left.progress.step == 0
    assert len(session.folder.history()) == 1


def test_a_learning_rate_that_is_too_high_ends_in_words_and_never_in_a_model(begun: Any) -> None:
    words = {"training.optimizer": "sgd", "training.learning_rate": 100.0, "training.clip_norm": 0.0}
    words |= {"training.schedule": "constant", "training.momentum": 0.99, "training.checkpoint_steps": 1}
    # No norms, which would keep the outputs small; and weights that double in each step.
    session = small_runs.open_session(
        small_runs.start(
            begun.source,
            {**words, "run.model": "mlp", "training.weight_decay": 100.0, "run.epochs": 20, "run.name": "too-fast"},
        )[0],
        begun.dataset,
    )
    with pytest.raises(TrainingError, match=r"became (nan|inf|infinite) at step \d+ .*lower learning rate"):
        small_runs.train(session)
    left = read_newest(session.folder.checkpoints)
    assert left is None or all(np.isfinite(array).all() for array in weights_of(left.state).values())
    assert not session.folder.model.exists()


def test_weights_that_are_not_finite_are_never_written(begun: Any) -> None:
    session = session_of(begun)
    small_runs.train(session, steps=7)
    session.checkpoint()
    state = session.engine.read_state()
    name = next(name for name in state if name.startswith("weights/") and name.endswith("kernel"))
    state[name][0] = np.inf
    session.engine.write_state(state)
    with pytest.raises(TrainingError, match=r"The weights became infinite at step 7 \(epoch 2, .*lower learning rate"):
        session.checkpoint()
    left = read_newest(session.folder.checkpoints)
    assert left is not None and left.progress.step == 2


def test_a_validation_loss_that_is_not_finite_stops_too(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    session = session_of(begun)
    with_figures(session, [(0.5, 1.0), (0.3, math.nan)], monkeypatch)
    with pytest.raises(TrainingError, match=r"The validation loss became nan at step 10 \(epoch 2"):
        small_runs.train(session)
    left = read_newest(session.folder.checkpoints)
    assert left is not None and left.progress.epoch == 2
    assert len(session.folder.history()) == 1


@pytest.mark.parametrize(("every", "expected"), [(0, [5, 10]), (2, [2, 4, 5, 6, 8, 10]), (5, [5, 10]), (7, [5, 7, 10])])
def test_checkpoints_come_at_their_steps_and_at_each_epoch_s_end(
    begun: Any, monkeypatch: pytest.MonkeyPatch, every: int, expected: list[int]
) -> None:
    from sonde.training import session as module

    written: list[int] = []
    monkeypatch.setattr(module, "write_checkpoint", lambda folder, checkpoint, *, step: written.append(step))
    small_runs.train(session_of(begun, {"training.checkpoint_steps": every, "run.epochs": 2}))
    assert written == expected


def test_checkpoints_come_by_the_clock_too(begun: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sonde.training import session as module

    now = [0.0]
    written: list[int] = []
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module, "write_checkpoint", lambda folder, checkpoint, *, step: written.append(step))
    session = session_of(begun, {"training.checkpoint_minutes": 1.0, "run.epochs": 2})
    session._last_written = 0.0
    for record in session.records():
        # Half a minute for each step.
        now[0] += 30 if isinstance(record, Step) else 0
    assert written == [3, 5, 8, 10]


def test_steps_use_the_threads_that_the_run_file_says(begun: Any) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    session_of(begun, {"training.threads": 2})
    assert torch.get_num_threads() == 2
    session_of(begun)
    assert torch.get_num_threads() == 1


def test_options_are_read_back_from_the_run_file_as_they_were(begun: Any) -> None:
    session = session_of(begun)
    assert session.options == session_of(begun).options
    assert read_settings(session.folder.settings_file).value("training.learning_rate") == session.options.learning_rate


@pytest.mark.parametrize(
    ("examples", "batch", "epochs"),
    [(3, 1, 40), (16, 1, 40), (80, 5, 40), (1295, 80, 40), (2047, 127, 40), (2048, 128, 40), (60_000, 128, 5)],
)
def test_batch_and_epochs_are_guessed_from_the_number_of_examples(examples: int, batch: int, epochs: int) -> None:
    found = guess(small_runs.settings(TASK), examples=examples)
    assert (found.value("training.batch_size"), found.value("run.epochs")) == (batch, epochs)
    assert all(setting.origin == "guessed" and setting.reason for setting in found.values())


def test_what_was_said_decides_what_is_guessed_from_it() -> None:
    said = small_runs.settings({**TASK, "training.optimizer": "sgd", "training.batch_size": 1000})
    found = guess(said, examples=60_000)
    assert found.value("training.learning_rate") == 0.05 and found.value("training.weight_decay") == 5e-4
    # 60 steps in an epoch: 25 epochs for 1,500 steps.
    assert found.value("run.epochs") == 25
    assert said.over(found).value("training.batch_size") == 1000


def test_a_wrong_option_leaves_the_guess_to_its_own_error() -> None:
    found = guess(
        small_runs.settings({**TASK, "training.optimizer": "adamm", "training.batch_size": "many"}), examples=100
    )
    assert "training.learning_rate" not in found and "run.epochs" not in found


def test_every_optimizer_has_its_guesses() -> None:
    optimizers = Options.model_fields["optimizer"].annotation.__args__  # type: ignore[union-attr]
    for name in optimizers:
        found = guess(small_runs.settings({**TASK, "training.optimizer": name}), examples=100)
        assert 0 < found.value("training.learning_rate") < 1 and found.value("training.weight_decay") > 0


def test_the_recorded_loss_is_without_label_smoothing_as_in_validation(begun: Any) -> None:
    plain, smoothed = (session_of(begun, {"classification.label_smoothing": share}) for share in (0.0, 0.5))
    (first, *_), (second, *_) = ([*first_steps(each)] for each in (plain, smoothed))
    # Before the first update the two are the same model; after it they are not.
    assert first.loss == pytest.approx(second.loss, rel=1e-6)
    ends = [weights_of(session.engine.read_state()) for session in (plain, smoothed)]
    assert small_runs.bits(ends[0]) != small_runs.bits(ends[1])


def first_steps(session: Session) -> list[Step]:
    """Train for two steps and return their records."""
    records = session.records()
    return [record for record in (next(records), next(records)) if isinstance(record, Step)]


def test_a_loss_that_is_followed_and_not_finite_is_never_hidden() -> None:
    assert loss_of({"loss": 2.0, "recorded": 1.0}) == 1.0
    assert math.isnan(loss_of({"loss": math.nan, "recorded": 1.0}))
    assert loss_of({"loss": math.inf, "recorded": 1.0}) == math.inf


def test_the_speed_of_an_epoch_counts_the_examples_that_there_are(begun: Any) -> None:
    session = session_of(begun, {"training.batch_size": 1000, "run.epochs": 1})
    step, epoch = list(session.records())
    assert isinstance(step, Step) and isinstance(epoch, Epoch) and step.examples == 80
    assert epoch.clock["examples_per_second"] <= step.examples_per_second


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("training.learning_rate", 0.05, "training.learning_rate was 0.02 and is 0.05"),
        ("run.epochs", 9, "run.epochs was 4 and is 9"),
        ("run.seed", 3, "run.seed was 0 and is 3"),
        ("augment.rotate", 5.0, "augment.rotate was 10.0 and is 5.0"),
        ("model.dropout", 0.1, "model.dropout was 0.3 and is 0.1"),
    ],
)
def test_a_run_file_that_was_changed_is_not_mixed_into_the_run(begun: Any, key: str, value: Any, words: str) -> None:
    session = session_of(begun)
    small_runs.train(session, steps=2)
    session.checkpoint()
    changed = small_runs.again(session.folder, f"changed-{next(_numbers)}", {key: value})
    shutil.copytree(session.folder.checkpoints, changed.checkpoints)
    with pytest.raises(
        RunError, match=rf"was changed since this training began: {re.escape(words)}\. Put it back"
    ) as no:
        small_runs.open_session(changed, begun.dataset)
    assert f"sonde train {changed.settings_file} --name NEW" in str(no.value)


def test_how_often_checkpoints_are_written_may_change_on_the_way(begun: Any) -> None:
    session = session_of(begun)
    small_runs.train(session, steps=2)
    session.checkpoint()
    words = {"training.checkpoint_steps": 2, "training.checkpoint_minutes": 1.0}
    changed = small_runs.again(session.folder, f"changed-{next(_numbers)}", words)
    shutil.copytree(session.folder.checkpoints, changed.checkpoints)
    assert small_runs.open_session(changed, begun.dataset).step == 2


FORGERIES: dict[str, Any] = {
    "a record without figures": {"history": [{"epoch": 1}]},
    "words for figures": {"history": [{"validation": {"accuracy": "good", "loss": 0.1}}]},
    "an epoch beyond the last": {"epoch": 9},
    "an epoch before the first": {"epoch": 0},
    "a step beyond the epoch": {"step": 6},
    "a step below zero": {"step": -1},
    "done at the start of it": {"done": True, "epoch": 1, "history": []},
    "a best epoch to come": {"best_epoch": 2},
    "a best epoch without figures": {"best_figure": None},
    "sums that are not finite": {"loss_sum": math.nan},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_progress_that_no_training_comes_to_is_refused(begun: Any, forgery: str) -> None:
    session = session_of(begun)
    small_runs.train(session, steps=7)
    good = session.progress
    assert is_sound(good, steps=5, most=20)
    assert not is_sound(dataclasses.replace(good, **FORGERIES[forgery]), steps=5, most=20)


def test_a_stranger_s_progress_is_answered_in_words(begun: Any) -> None:
    session = session_of(begun)
    small_runs.train(session, steps=7)
    session.progress.history = [{"epoch": 1}]
    session.checkpoint()
    with pytest.raises(ModelError, match=r"no training of .*run\.toml can have come to\. .*--name NEW"):
        small_runs.open_session(session.folder, begun.dataset)


def test_where_every_checkpoint_is_damaged_the_cure_can_be_typed(begun: Any) -> None:
    session = session_of(begun)
    session.checkpoint()
    next(session.folder.checkpoints.glob("step-*/state.safetensors")).write_bytes(b"")
    with pytest.raises(ModelError) as no:
        read_newest(session.folder.checkpoints)
    assert f"(sonde train {session.folder.settings_file} --name NEW)" in str(no.value)
