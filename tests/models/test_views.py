"""Test-time averaging: the mean over views, the same in scores and in predict, and said in the report."""

import json
import re
from typing import Any

import numpy as np
import pytest

import small_runs
import sonde
from batching import logits_of
from sonde.models.views import VIEWS, Viewed


class Echo:
    """An engine whose logits are two pixels of the image and their mean colour."""

    def predict(self, inputs: Any) -> Any:
        x = inputs["inputs"]
        return {"logits": np.stack([x[:, 0, 0, 0], x[:, 1, 2, 0], x.mean(axis=(1, 2, 3))], axis=1)}


def images() -> Any:
    return np.random.default_rng(0).normal(size=(5, 4, 4, 1)).astype(np.float32)


@pytest.mark.parametrize("name", VIEWS)
def test_the_weights_of_the_views_add_up_and_shapes_stay(name: str) -> None:
    row = VIEWS[name]
    assert sum(weight for weight, _, _ in row.views) == 1.0
    assert all(view(images()).shape == images().shape for _, view, _ in row.views)
    # A picture of one colour looks the same from everywhere.
    flat = np.full((2, 4, 4, 1), 0.5, np.float32)
    assert logits_of(Viewed(Echo(), row), flat) == pytest.approx(np.full((2, 3), 0.5))


def test_flip_is_the_mean_over_the_image_and_its_mirror_image() -> None:
    x = images()
    found = logits_of(Viewed(Echo(), VIEWS["flip"]), x)
    assert found[:, 0] == pytest.approx((x[:, 0, 0, 0] + x[:, 0, 3, 0]) / 2)


def test_shift_moves_by_a_pixel_along_the_diagonal_and_repeats_the_border() -> None:
    x = images()
    found = logits_of(Viewed(Echo(), VIEWS["shift"]), x)
    assert found[:, 1] == pytest.approx(x[:, 1, 2, 0] / 2 + x[:, 2, 3, 0] / 4 + x[:, 0, 1, 0] / 4)
    assert found[:, 0] == pytest.approx(x[:, 0, 0, 0] / 2 + x[:, 1, 1, 0] / 4 + x[:, 0, 0, 0] / 4)


class Copy:
    """An engine whose outputs are maps: the image itself."""

    def predict(self, inputs: Any) -> Any:
        return {"logits": inputs["inputs"]}


@pytest.mark.parametrize("name", VIEWS)
def test_maps_are_turned_back_so_that_a_pixel_keeps_its_place(name: str) -> None:
    x = images()
    found = logits_of(Viewed(Copy(), VIEWS[name], on_pixels=True), x)
    assert found[:, 1:-1, 1:-1] == pytest.approx(x[:, 1:-1, 1:-1], abs=1e-6)


def test_flip_and_shift_is_the_shift_of_both() -> None:
    x = images()
    both = Viewed(Viewed(Echo(), VIEWS["shift"]), VIEWS["flip"])
    assert logits_of(Viewed(Echo(), VIEWS["flip-and-shift"]), x) == pytest.approx(logits_of(both, x), abs=1e-6)


def test_a_run_with_views_scores_and_predicts_by_them_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))
    words = {**small_runs.WORDS, "evaluation.views": "flip", "run.name": "seen-twice"}
    folder, dataset = small_runs.start(small_runs.write_data(tmp_path / "tiny.npz"), words)
    session = small_runs.open_session(folder, dataset)
    small_runs.train(session)
    session.finish()
    assert json.loads((folder.model / "model.json").read_text())["views"] == "flip"
    scores = sonde.evaluate(folder.path)
    assert "each prediction is the mean over the image and its mirror image" in scores["splits"]
    report = folder.report_file.read_text()
    # Beside the score itself, and whole.
    (measure,) = re.findall(r'class="measure">([^<]*)<', report)
    assert measure.endswith("test split; each prediction is the mean over the image and its mirror image")
