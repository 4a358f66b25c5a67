"""A whole run on drawn discs, where the mask is easy: train, evaluate, predict, resume, views."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import small_runs
from sonde import stages
from sonde.answers.segmentation.training import counts_of
from sonde.config import RunFolder
from sonde.evaluation.stage import predict
from sonde.evaluation.trained_model import open_model, own_dataset
from sonde.models.views import VIEWS, Viewed


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return 40 noisy pictures of 24 x 32 with a bright disc each, and its mask."""
    root, rng = tmp_path_factory.mktemp("discs"), np.random.default_rng(0)
    y, x = np.mgrid[:24, :32]
    for folder in ("images", "masks"):
        (root / folder).mkdir()
    for number in range(40):
        centre, radius = rng.uniform(7, 17, 2), rng.uniform(3, 7)
        disc = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < radius**2
        pixels = np.clip(rng.normal(90, 20, disc.shape) + 90 * disc, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(root / f"images/{number:02}.png")
        Image.fromarray(disc.astype(np.uint8)).save(root / f"masks/{number:02}.png")
    (root / "classes.txt").write_text("ground\ndisc\n")
    return root


WORDS = {
    "run.backend": "torch",
    "run.epochs": 12,
    "model.width": 8,
    "model.depth": 3,
    "training.batch_size": 4,
    "training.learning_rate": 0.01,
    "training.precision": "fp32",
    "training.threads": 1,
    "evaluation.resamples": 100,
    "evaluation.explain": 1,
}


@pytest.fixture(scope="module")
def run(discs: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("work"))
        folder, dataset = small_runs.start(discs, {**WORDS, "run.name": "discs"})
        stages.go_on(folder, dataset)
        return RunFolder(folder.path.resolve())


def test_discs_are_found_and_the_report_says_how_well(run: RunFolder) -> None:
    scores = run.scores()
    assert scores["task"] == "image-segmentation" and scores["classes"] == ["ground", "disc"]
    assert scores["test"]["mean_dice"]["value"] > 0.9
    dice = scores["per_class"]["disc"]["dice"]
    assert dice["low"] <= dice["value"] <= dice["high"]
    constant, linear = scores["baselines"].values()
    assert next(iter(scores["baselines"])) == "commonest class everywhere"
    # A bright disc is found by its brightness; where there is no disc at all half of the classes are missed.
    assert constant["mean_dice"]["value"] < 0.5 < linear["mean_dice"]["value"]
    report = run.report_file.read_text()
    assert all(words in report for words in ("Typical predictions", "Each class", "commonest class everywhere"))


@pytest.mark.parametrize("name", VIEWS)
def test_the_mean_over_views_finds_the_same_discs(run: RunFolder, name: str) -> None:
    model, dataset = open_model(run), own_dataset(run)
    inputs = {"inputs": dataset.spec.prepare(dataset.test.inputs[np.arange(len(dataset.test))])}
    viewed = Viewed(model.engine, VIEWS[name], on_pixels=True).predict(inputs)["logits"].argmax(axis=-1)
    assert (viewed == model.engine.predict(inputs)["logits"].argmax(axis=-1)).mean() > 0.97


def test_nothing_runs_as_keras_wrote_it(run: RunFolder) -> None:
    assert not run.read_json(run.environment_file).get("fallbacks")


def test_predict_writes_a_mask_for_each_image_in_its_own_size(run: RunFolder, discs: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    Image.open(discs / "images/00.png").resize((96, 72)).save(large)
    rows = predict(run, [discs / "images/00.png", large, tmp_path / "missing.png"])
    first, second = (np.asarray(Image.open(row["mask"])) for row in rows[:2])
    assert first.shape == (24, 32) and second.shape == (72, 96) and "error" in rows[2]
    truth = np.asarray(Image.open(discs / "masks/00.png"))
    assert 2 * (first & truth).sum() / (first.sum() + truth.sum()) > 0.8
    assert run.path.resolve() in Path(rows[0]["mask"]).resolve().parents


def test_an_image_larger_than_what_the_model_reads_is_predicted_whole(
    run: RunFolder, discs: Path, tmp_path: Path
) -> None:
    images, masks = (
        [np.asarray(Image.open(discs / f"{folder}/{number:02}.png")) for number in range(4)]
        for folder in ("images", "masks")
    )
    for name, join in (("wide", np.hstack), ("high", np.vstack)):
        Image.fromarray(join(images)).resize(np.array(join(images).shape[::-1]) * 2).save(tmp_path / f"{name}.png")
        (row,) = predict(run, [tmp_path / f"{name}.png"])
        found, truth = np.asarray(Image.open(row["mask"])), join(masks).repeat(2, axis=0).repeat(2, axis=1)
        assert found.shape == truth.shape
        assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.8
        assert row["classes"]["disc"] == pytest.approx(found.mean(), abs=0.01)


def test_an_image_of_too_many_windows_is_refused_with_what_to_do(run: RunFolder, tmp_path: Path) -> None:
    Image.new("L", (32 * 100, 24)).save(tmp_path / "strip.png")
    (row,) = predict(run, [tmp_path / "strip.png"])
    assert "133 windows" in row["error"] and "shorter pieces" in row["error"]


def test_the_batch_size_of_a_prediction_changes_no_count(run: RunFolder, discs: Path) -> None:
    model, dataset = open_model(run), own_dataset(run)
    truth = model.target.encode(dataset.test.truth)
    whole, ones = (model.keep(dataset.test.inputs, truth, batch_size=size) for size in (256, 1))
    # Sums in another order move a logit by its last digits, which tips a pixel that stands between two classes.
    assert np.abs(counts_of(whole) - counts_of(ones)).sum() <= 4


def test_a_run_that_was_stopped_goes_on_to_the_same_bits(
    discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = {**WORDS, "run.epochs": 2, "model.width": 2, "run.name": "whole"}
    folder, dataset = small_runs.start(discs, words)
    whole = small_runs.open_session(folder, dataset)
    small_runs.train(whole)
    other = small_runs.again(folder, "stopped")
    session = small_runs.open_session(other, dataset)
    small_runs.train(session, steps=5)
    session.checkpoint()
    session = small_runs.open_session(other, dataset)
    assert session.step == 5
    small_runs.train(session)
    assert small_runs.bits(session.engine.read_state()) == small_runs.bits(whole.engine.read_state())


@pytest.mark.parametrize("name", ["cnn", "resnet", "fast", "unet"])
@pytest.mark.parametrize("size", [(24, 32), (17, 23)])
def test_masks_have_the_size_of_their_images_whatever_the_model_halves(name: str, size: tuple[int, int]) -> None:
    from sonde.backend import use

    use("torch").start(threads=1)

    from sonde.models import options_of
    from sonde.models.assemble import Blueprint, build
    from sonde.models.reads import Reads

    options = options_of(name)()
    head = {"height": size[0], "width": size[1]}
    blueprint = Blueprint(name, "segmentation", Reads((*size, 3), "float32", (), False), 5, options, head)
    assert build(blueprint, seed=0).outputs[0].shape[1:] == (*size, 5)
