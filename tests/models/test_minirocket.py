"""What holds for MiniRocket: exact features, levels from training series, and a head that is solved at once."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import RidgeClassifierCV
from sklearn.preprocessing import StandardScaler

import sonde
from batching import logits_of, slopes_of, stepped
from sonde import backend
from sonde.answers import ANSWERS
from sonde.answers.answer import Contest
from sonde.answers.classification.baselines import guesses
from sonde.backend import EngineSettings
from sonde.models import solving
from sonde.models.heads import head as head_of
from sonde.models.reads import Reads

CLASSES = 3


@pytest.fixture(autouse=True)
def torch_backend() -> None:
    backend.use("torch").start(threads=1)


def waves(
    count: int, length: int = 40, *, seed: int = 0, channels: int = 1
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Return noisy waves whose class is their pace."""
    rng = np.random.default_rng(seed)
    truth = np.arange(count) % CLASSES
    times = np.arange(length)[None, :, None] + rng.uniform(0, 20, (count, 1, 1))
    series = np.sin(times * (0.3 + 0.3 * truth)[:, None, None]) + rng.normal(0, 0.3, (count, length, channels))
    return series.astype(np.float32), truth.astype(np.int32)


def blueprint(shape: tuple[int | None, ...], *, presence: bool = False, **options: Any) -> Any:
    from sonde.models import options_of
    from sonde.models.assemble import Blueprint

    made = options_of("minirocket")(**{"levels": 12, **options})
    return Blueprint("minirocket", "classification", Reads(shape, presence=presence), CLASSES, made)


def same(inputs: Any) -> Any:
    return inputs


def test_the_ridge_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 200)).astype(np.float32) * rng.uniform(0.1, 5, 200).astype(np.float32)
    features[:, 3] = 2.5  # One that says nothing.
    truth = (np.arange(60) % CLASSES).astype(np.int64)
    features[:, 0] += truth
    scaler = StandardScaler().fit(features.astype(np.float64))
    oracle = RidgeClassifierCV(alphas=solving.STRENGTHS).fit(scaler.transform(features.astype(np.float64)), truth)
    head = solving.solve(features, truth, CLASSES, head=head_of("classification"))
    new = rng.normal(size=(40, 200)).astype(np.float32)
    ours, theirs = new @ head.kernel + head.bias, oracle.decision_function(scaler.transform(new.astype(np.float64)))
    factor = np.linalg.lstsq(theirs.reshape(-1, 1), ours.reshape(-1), rcond=None)[0][0]
    assert head.strength == pytest.approx(oracle.alpha_)
    assert factor > 0 and ours == pytest.approx(factor * theirs, abs=2e-3 * float(np.abs(ours).max()))


def test_an_example_that_is_left_out_is_answered_as_without_it() -> None:
    rng = np.random.default_rng(1)
    x, truth = rng.normal(size=(15, 6)).astype(np.float32), np.arange(15) % CLASSES
    target = np.where(truth[:, None] == np.arange(CLASSES), 1.0, -1.0)
    _, left_out, strength = solving._leave_one_out(x, target)
    for row in range(15):
        rest = np.arange(15) != row
        means = x[rest].astype(np.float64).mean(axis=0), target[rest].mean(axis=0)
        apart = x[rest] - means[0]
        slope = np.linalg.solve(apart.T @ apart + strength * np.eye(6), apart.T @ (target[rest] - means[1]))
        assert left_out[row] == pytest.approx((x[row] - means[0]) @ slope + means[1], abs=1e-4)


def test_many_examples_are_solved_in_pieces_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    features, truth = rng.normal(size=(300, 40)).astype(np.float32), np.arange(300) % CLASSES
    features[:, 0] += truth
    whole = solving.solve(features, truth, CLASSES, head=head_of("classification"))
    monkeypatch.setattr(solving, "MOST_AT_ONCE", 200)
    pieces = solving.solve(features, truth, CLASSES, head=head_of("classification"))
    right = [(features @ head.kernel + head.bias).argmax(axis=1) == truth for head in (whole, pieces)]
    assert np.mean(right[0] == right[1]) > 0.9 and right[1].mean() > 0.5


def test_several_labels_are_solved_each_for_itself() -> None:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(80, 10)).astype(np.float32)
    truth = (features[:, :2] > 0).astype(np.int32)
    head = solving.solve(features, truth, 2, head=head_of("multilabel"))
    assert np.mean((features @ head.kernel + head.bias > 0) == (truth > 0)) > 0.9
    assert np.mean((head.left_out > 0) == (truth[head.places] > 0)) > 0.8


def test_answers_of_examples_left_out_are_those_of_a_head_that_never_saw_them() -> None:
    rng = np.random.default_rng(4)
    truth = np.arange(30) % CLASSES
    features = (rng.normal(size=(CLASSES, 20))[truth] + rng.normal(size=(30, 20))).astype(np.float32)
    head = solving.solve(features, truth, CLASSES, head=head_of("classification"))
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    target = np.where(truth[:, None] == np.arange(CLASSES), 1.0, -1.0)
    exact = []
    for row in range(30):
        others = np.arange(30) != row
        x, offset = scaled[others] - scaled[others].mean(axis=0), target[others].mean(axis=0)
        slope = np.linalg.solve(x.T @ x + head.strength * np.eye(20), x.T @ (target[others] - offset))
        exact.append((scaled[row] - scaled[others].mean(axis=0)) @ slope + offset)
    # But for the factor that makes logits of scores.
    factor = float(np.vdot(head.left_out, exact) / np.vdot(exact, exact))
    assert head.places.tolist() == list(range(30)) and factor > 0
    assert np.allclose(head.left_out, factor * np.array(exact), rtol=1e-3, atol=1e-3 * factor)


def test_it_tells_waves_apart_without_a_step() -> None:
    from sonde.models.assemble import build, rebuild
    from sonde.models.heads import classification
    from sonde.models.predicting import predicting_engine

    module, made = backend.use("torch"), blueprint((40, 1))
    (x, truth), (new, answer) = waves(45), waves(60, seed=7)
    weights = solving.solved_weights(made, module, solving.Solvable(x, same, truth), seed=0)
    engine = predicting_engine(module, rebuild(made, weights), "classification")
    assert np.mean(logits_of(engine, new).argmax(axis=1) == answer) > 0.95
    steps = solving.Solved(
        module.build(build(made, seed=0), classification.loss({}), classification.scores, EngineSettings())
    )
    before = steps.read_state()
    loss, score = stepped(steps, x[:8], truth[:8], 0.1)
    after = steps.read_state()
    assert np.isfinite(loss) and 0 <= score <= 1
    assert all(np.array_equal(before[key], after[key]) for key in before if key.startswith("weights/"))


def test_the_slope_of_its_answer_by_the_input_is_zero() -> None:
    from sonde.models.assemble import build
    from sonde.models.inside import engine_of

    engine = engine_of(backend.use("torch"), build(blueprint((20, 1)), seed=0))
    x, truth = waves(4, 20)
    assert not slopes_of(engine, x, truth).any()


@pytest.mark.parametrize("channels", [1, 3, 12])
def test_every_sum_of_a_kernel_is_exact(channels: int) -> None:
    from sonde.models import minirocket

    step = minirocket._grid(channels)
    largest = minirocket.LARGEST * np.abs(minirocket.patterns(0)).sum(axis=0).max() * min(channels, 9)
    assert np.log2(step) == round(np.log2(step)) and largest / step <= 2**24
    # Half as coarse would no longer fit.
    assert 2 * largest / step > 2**24


@pytest.mark.parametrize("length", [5, 9, 24, 150, 1460])
def test_the_dilations_reach_over_the_series_and_no_further(length: int) -> None:
    from sonde.models import minirocket

    found = minirocket._dilations(minirocket.Options(), Reads((length, 1)))
    assert sum(count for _, count in found) == 119 and min(count for _, count in found) >= 1
    assert found[0][0] == 1 and found == sorted(found)
    assert max(1, length // 32) <= found[-1][0] <= max(1, (length - 1) // 8)


def test_levels_are_quantiles_of_answers_to_a_training_series() -> None:
    from sonde.models import minirocket

    options, reads = minirocket.Options(levels=8), Reads((30, 1))
    flat = [np.zeros((30, 1), dtype=np.float32)]
    dilations = minirocket._dilations(options, reads)
    kernels = {"shares/reads": minirocket.Channels(seed=0)((len(dilations), 1, 84)).numpy()}
    assert not any(level.any() for level in minirocket.measure(flat, kernels, options, reads, seed=0).values())
    series = [waves(1, 30)[0][0]]
    levels = minirocket.measure(series, kernels, options, reads, seed=0)["shares/level"]
    assert levels.std() > 0.5 and abs(np.median(levels)) < 1


def test_levels_of_series_that_differ_in_length_are_numpys_quantiles() -> None:
    from sonde.models import minirocket

    options, reads = minirocket.Options(levels=8, length=30), Reads((None, 3), presence=True)
    series = [waves(1, length, seed=length, channels=2)[0][0] for length in (9, 30, 17, 3)]
    ((dilation, count),) = minirocket._dilations(options, reads)[:1]
    dilations = minirocket._dilations(options, reads)
    read = minirocket.Channels(seed=0)((len(dilations), 2, 84)).numpy()
    patterns = minirocket.patterns(0)[:, None] * read[0]
    levels = minirocket.measure(series, {"shares/reads": read}, options, reads, seed=5)["shares/level"]
    rng, step = np.random.default_rng([5, 84]), minirocket._grid(2)
    for kernel, row in enumerate(rng.integers(len(series), size=84)):
        x = np.round(series[row].astype(np.float64) / step) * step
        padded = np.pad(x, ((4 * dilation, 4 * dilation), (0, 0)))
        taps = [padded[tap * dilation : tap * dilation + len(x)] @ patterns[tap, :, kernel] for tap in range(9)]
        answers = np.sum(taps, axis=0)
        if kernel >= 42 and len(x) > 8 * dilation:
            answers = answers[4 * dilation : -4 * dilation]
        places = np.arange(kernel * count + 1, (kernel + 1) * count + 1) * minirocket.GOLDEN % 1
        assert levels[: count * 84].reshape(count, 84)[:, kernel] == pytest.approx(
            np.quantile(answers, places), abs=1e-5
        )


def test_levels_are_the_same_however_many_are_taken_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from sonde.models import minirocket

    options, reads = minirocket.Options(levels=8), Reads((30, 2))
    series = [waves(1, 30, seed=seed, channels=2)[0][0] for seed in range(3)]
    read = minirocket.Channels(seed=0)((len(minirocket._dilations(options, reads)), 2, 84)).numpy()
    found = []
    for at_once in (1 << 24, 600):
        monkeypatch.setattr(minirocket, "AT_ONCE", at_once)
        found.append(minirocket.measure(series, {"shares/reads": read}, options, reads, seed=0)["shares/level"])
    assert np.array_equal(*found)


@pytest.mark.parametrize("block", [1 << 18, 600])
@pytest.mark.parametrize(
    ("channels", "steps", "count"), [(1, 300, 7), (3, 300, 7), (1, 5, 3), (2, 700, 2), (1, 2000, 1)]
)
def test_blocks_of_time_and_padding_change_no_share(
    channels: int, steps: int, count: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from sonde.backend.kernel_shares import KernelShares
    from sonde.backend.lowering import kernel_shares
    from sonde.models import minirocket

    monkeypatch.setattr(kernel_shares, "BLOCK", block)
    rng = np.random.default_rng(0)
    layer = KernelShares([(1, 3), (4, 2), (17, 5)], minirocket.Channels(3), name="shares")
    layer.build((None, steps, channels))
    # On a grid, so that sums and levels are often equal.
    layer.level.assign(np.round(rng.normal(size=layer.width) * 64).astype(np.float32) / 64)
    x = torch.from_numpy(np.round(rng.normal(size=(count, steps, channels)) * 64).astype(np.float32) / 64)
    present = torch.ones(count, steps)
    present[0, steps // 2 :] = 0
    for inputs in (x, [x * present[..., None], present]):
        assert torch.equal(kernel_shares.kernel_shares(layer)(None, inputs), layer.call(inputs))
    assert len(kernel_shares.kernel_shares(layer)(None, x[:0])) == 0


def test_each_kernel_reads_some_of_the_channels_and_the_seed_chooses_them() -> None:
    from sonde.models import minirocket

    first, again, other = (minirocket.Channels(seed=seed)((3, 12, 84)).numpy() for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    read = first.sum(axis=1)
    assert read.min() == 1 and 5 <= read.max() <= 9 and sorted(set(np.unique(first))) == [0, 1]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_patterns_are_those_of_the_paper(number: int) -> None:
    from sonde.models import minirocket

    found, other = minirocket.patterns(number), minirocket.patterns(number + 1)
    assert sorted(set(np.unique(found))) == [-1, 2] and (found.sum(axis=0) == 0).all()
    assert len(np.unique(found, axis=1).T) == 84
    # Those that count every step here leave out the ends at the next dilation.
    assert np.array_equal(found[:, :42], other[:, 42:])


def test_a_run_takes_no_gradient_step_and_answers_from_all_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    (x, truth), (new, answer) = waves(45), waves(30, seed=7)
    np.savez(tmp_path / "waves.npz", x_train=x[..., 0], y_train=truth, x_test=new[..., 0], y_test=answer)
    made = ["model.levels=12", "training.threads=1"]
    learned: list[int] = []

    def noted(contest: Contest) -> Any:
        learned.append(len(contest.truth))
        return guesses(contest)

    row = replace(ANSWERS["classification"], guesses=noted)
    monkeypatch.setitem(ANSWERS, "classification", row)
    runs = [sonde.train("waves.npz", name=name, set=[*made, *more]) for name, more in
            (("all", []), ("train", ["model.refit=false"]))]  # fmt: skip
    scores = [json.loads(run.scores_file.read_text()) for run in runs]
    assert all(each["test"]["accuracy"]["value"] > 0.9 for each in scores)
    assert learned == [45, 36]  # The baselines learn from what the model did.
    assert "MiniRocket" not in json.dumps(scores[0])  # It is not compared with itself.
    assert len(runs[0].history()) == 1
    # What is known of a model's doubt is of the very model that is kept.
    said = [json.loads((run.model / "model.json").read_text()) for run in runs]
    assert [each["fitted"]["fitted_on"] for each in said] == ["left out", "validation"]
    assert [each["fitted"]["sets"]["examples"] for each in said] == [45, 9]
    told = [run.report_file.read_text() for run in runs]
    assert "45 training and validation examples, each as it is predicted when left out" in told[0]
    assert "9 validation examples" in told[1] and "fitted on the validation split" in told[1]
    kept = [(run.model / "weights.safetensors").read_bytes() for run in runs]
    assert kept[0] != kept[1]
