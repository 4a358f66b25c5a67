"""The model 'fast': its first layer whitens the training images and stays; kernels start near the identity."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

import small_runs
from sonde import backend
from sonde.models import fast as fast_model
from sonde.models import options_of
from sonde.models.assemble import Blueprint, build, fit_to_data
from sonde.models.reads import Reads
from sonde.training import opening


@pytest.fixture(autouse=True)
def torch_backend() -> None:
    backend.use("torch").start(threads=1)


def images(channels: int = 1) -> Any:
    """Smooth pictures, whose neighbouring pixels are alike."""
    rng = np.random.default_rng(0)
    rough = rng.normal(size=(200, 14, 14, channels)).astype(np.float32)
    smooth = sum(np.roll(rough, (i, j), (1, 2)) for i in range(3) for j in range(3)) / 3
    return (smooth - smooth.mean()) / smooth.std()


def fast(channels: int = 1, **options: Any) -> tuple[Any, Blueprint]:
    blueprint = Blueprint("fast", "classification", Reads((14, 14, channels)), 3, options_of("fast")(**options))
    return build(blueprint, seed=0), blueprint


@pytest.mark.parametrize(("channels", "patch", "axes"), [(1, 2, 8), (1, 3, 16), (3, 2, 16), (3, 3, 48)])
def test_the_first_layer_makes_patches_of_training_images_white(channels: int, patch: int, axes: int) -> None:
    model, blueprint = fast(channels, patch=patch)
    stem = model.get_layer("whitening")
    assert stem.kernel.shape == (patch, patch, channels, axes)
    seen = images(channels)

    def covariance() -> Any:
        inside = np.array(stem(seen).detach())[:, patch:-patch, patch:-patch, : axes // 2]
        flat = inside.reshape(-1, axes // 2)
        return flat.T @ flat / len(flat)

    fit_to_data(model, blueprint, lambda: seen)
    found = covariance()
    # Axes with little variance stay below 1, by the floor; none may hang together with another.
    assert np.abs(found - np.diag(np.diag(found))).max() < 0.05
    assert found.diagonal()[0] == pytest.approx(1.0, abs=0.05) and found.diagonal().max() < 1.1
    kernel = np.array(stem.kernel.value.detach())
    assert np.array_equal(kernel[..., : axes // 2], -kernel[..., axes // 2 :])


def test_kernels_start_as_the_identity_where_channels_allow() -> None:
    model, _ = fast(width=4)
    kernel = np.array(model.get_layer("conv_2a").kernel.value.detach())
    assert kernel.shape == (3, 3, 4, 8)
    identity = np.zeros((3, 3, 4, 4))
    identity[1, 1] = np.eye(4)
    assert np.array_equal(kernel[..., :4], identity)
    beyond = kernel[..., 4:]
    assert np.abs(beyond).max() <= (9 * 4) ** -0.5 and beyond.std() > 0.5 * (3 * 9 * 4) ** -0.5


def test_a_run_takes_the_first_layer_from_its_training_images_and_never_trains_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    words = {**small_runs.WORDS, "run.model": "fast", "run.recipe": "fast", "run.name": "quick"}
    words = {key: value for key, value in words.items() if not key.startswith("model.")}
    folder, dataset = small_runs.start(small_runs.write_data(tmp_path / "tiny.npz"), words)
    session = small_runs.open_session(folder, dataset)
    blueprint = session.blueprint
    drawn = build(blueprint, seed=session.run.seed)
    unfitted = np.array(drawn.get_layer("whitening").kernel.value.detach())
    first = session.engine.read_state()["weights/whitening/kernel"]
    assert not np.allclose(first, unfitted)
    fit_to_data(drawn, blueprint, lambda: dataset.spec.prepare(dataset.train.inputs))
    assert np.array_equal(first, np.array(drawn.get_layer("whitening").kernel.value.detach()))
    small_runs.train(session)
    last = session.engine.read_state()
    assert np.array_equal(last["weights/whitening/kernel"], first)
    assert not np.array_equal(last["weights/whitening/bias"], np.zeros_like(last["weights/whitening/bias"]))


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 5, 3), (5, 1, 1)])
def test_images_smaller_than_a_patch_are_whitened_with_their_border(shape: tuple[int, int, int]) -> None:
    blueprint = Blueprint("fast", "classification", Reads(shape), 2, options_of("fast")())
    model = build(blueprint, seed=0)
    fit_to_data(model, blueprint, lambda: np.random.default_rng(0).normal(size=(20, *shape)).astype(np.float32))
    assert np.isfinite(np.array(model.get_layer("whitening").kernel.value.detach())).all()


def test_of_large_images_only_the_chosen_patches_take_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_model, "PATCHES", 2000)
    large = np.random.default_rng(0).normal(size=(20, 100, 100, 3)).astype(np.float32)
    tracemalloc.start()
    fast_model.fit(large, options_of("fast")())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * large.nbytes  # All patches would be 27 / 3 times as much.


def test_the_images_that_are_whitened_are_from_all_over_the_training_split(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    seen: list[Any] = []
    real = fast_model.fit
    monkeypatch.setattr(fast_model, "fit", lambda images, options: seen.append(images) or real(images, options))
    monkeypatch.setattr(opening, "FITTED", 10)
    words = {"run.model": "fast", "run.name": "spread"}
    folder, dataset = small_runs.start(small_runs.write_data(tmp_path / "tiny.npz"), words)
    small_runs.open_session(folder, dataset)
    assert np.array_equal(seen[0], dataset.spec.prepare(dataset.train.inputs[::8]))
