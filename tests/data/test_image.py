"""The image spec prepares the same way at training and at serving, and trusts no stored value."""

import json
from pathlib import Path

import numpy as np
import pytest

import makers
from asking import CLASSES
from sonde import config, data
from sonde.data.image.spec import Options as ImageOptions
from sonde.data.image.spec import learn_spec
from sonde.errors import ConfigError, DataError, ModelError

SPEC = data.ImageSpec(height=12, width=10, channels=3, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.1))


def test_prepared_images_have_mean_zero_and_deviation_one() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 9, 3), dtype=np.uint8)
    prepared = learn_spec(images).prepare(images)
    assert prepared.dtype == np.float32 and prepared.shape == images.shape
    # The spec is rounded to six digits.
    assert np.allclose(prepared.mean(axis=(0, 1, 2)), 0, atol=1e-4)
    assert np.allclose(prepared.std(axis=(0, 1, 2)), 1, atol=1e-4)


@pytest.mark.parametrize("count", [1, 8, 150])
def test_preparing_in_blocks_is_exact_and_writes_where_it_is_told(count: int) -> None:
    images = np.random.default_rng(0).integers(0, 256, (count, 12, 10, 3), dtype=np.uint8)
    std = np.asarray(SPEC.std, dtype=np.float32)
    factor, summand = np.float32(1 / 255) / std, -np.asarray(SPEC.mean, dtype=np.float32) / std
    expected = images.astype(np.float32) * factor + summand
    out = np.empty(images.shape, dtype=np.float32)
    assert SPEC.prepare(images, out) is out
    assert np.array_equal(out, expected) and np.array_equal(SPEC.prepare(images), expected)
    assert np.array_equal(SPEC.prepare(images[::-1, ::-1]), expected[::-1, ::-1])


def test_restoring_gives_the_pixels_back() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 12, 10, 3), dtype=np.uint8)
    assert np.array_equal(SPEC.restore(SPEC.prepare(images)), images)


def test_a_black_training_split_is_prepared_without_dividing_by_nothing() -> None:
    spec = learn_spec(np.zeros((3, 4, 4, 1), dtype=np.uint8))
    assert np.array_equal(spec.prepare(np.zeros((1, 4, 4, 1), dtype=np.uint8)), np.zeros((1, 4, 4, 1)))


def test_a_file_is_read_as_it_was_at_training(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set")
    options = ImageOptions(size=(8, 6), channels=1)
    dataset = data.load(data.survey(str(path), data.Options()), data.Options(), options, CLASSES)
    for name, pixels in zip(dataset.test.names, dataset.test.inputs, strict=True):
        names, found = dataset.spec.read(str(path / name))
        assert names == [str(path / name)] and np.array_equal(found, pixels[None])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.png is not there"):
        SPEC.read(str(tmp_path / "absent.png"))


def test_the_spec_survives_json() -> None:
    stored = json.loads(json.dumps(SPEC.to_dict()))
    assert data.spec_from(stored) == SPEC


@pytest.mark.parametrize(
    "change",
    [
        {"height": 0},
        {"height": 10**9},
        {"width": 2.5},
        {"width": "12"},
        {"channels": 4},
        {"channels": True},
        {"mean": [0.5]},
        {"mean": "abc"},
        {"mean": [0.5, 0.4, float("nan")]},
        {"std": [0.0, 0.1, 0.1]},
        {"std": [0.1, 0.1, float("inf")]},
        {"std": [-1.0, 0.1, 0.1]},
        {"extra": 1},
        {"height": None},
        {"largest_pixels": 10**12},
        {"kind": "sound"},
        {"kind": ["image"]},
        {"mean": {1, 2}},
    ],
)
def test_a_tampered_spec_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ModelError):
        data.spec_from({**SPEC.to_dict(), **change})


def test_a_spec_with_a_missing_value_is_refused_by_name() -> None:
    stored = SPEC.to_dict()
    del stored["height"]
    with pytest.raises(ModelError, match="damaged at height"):
        data.spec_from(stored)
    with pytest.raises(ModelError):
        data.spec_from([])  # type: ignore[arg-type]


def test_an_impossible_size_is_refused_with_the_range() -> None:
    for size in ("[0,5]", "[5,99999]"):
        settings = config.from_assignments([f"image.size={size}"])
        with pytest.raises(ConfigError, match="each a whole number, at least 1, at most 2,048"):
            config.fill(ImageOptions, "image", settings)
    with pytest.raises(ConfigError, match="Did you mean 'size'"):
        config.fill(ImageOptions, "image", config.from_assignments(["image.sise=[5,5]"]))


def test_every_option_has_its_sentence() -> None:
    tables = [data.Options, *(row.options for row in data.MODALITIES.values())]
    assert all(field.description for table in tables for field in table.model_fields.values())
