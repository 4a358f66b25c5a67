"""What is guessed, and that a reason stands behind each guess."""

from pathlib import Path

import numpy as np
import pytest

import makers
from sonde import config, data
from sonde.data.image.spec import Options as ImageOptions


def guesses(path: Path | str) -> config.Settings:
    return data.guess(data.survey(str(path), data.Options()))


def folders_of(root: Path, shape: tuple[int, int], *, channels: int = 3, count: int = 6) -> Path:
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        for number in range(count):
            pixels = rng.integers(0, 256, (*shape, channels), dtype=np.uint8)
            makers.save(pixels, root / name / f"{number}.png")
    return root


def test_small_images_of_one_size_are_taken_as_they_are(tmp_path: Path) -> None:
    settings = guesses(folders_of(tmp_path, (28, 40)))
    assert settings.value("image.size") == [28, 40]
    assert settings["image.size"].reason == "all images are 28 x 40"


def test_large_images_become_a_square_and_the_cure_is_said(tmp_path: Path) -> None:
    settings = guesses(folders_of(tmp_path, (100, 150)))
    assert settings.value("image.size") == [64, 64]
    assert "--set image.size=[96,96]" in settings["image.size"].reason


def test_images_of_many_sizes_become_a_square_of_the_middle_one(tmp_path: Path) -> None:
    for number, side in enumerate((30, 40, 50)):
        makers.save(makers.picture(0, number, side=side), tmp_path / "cat" / f"{number}.png")
    assert guesses(tmp_path).value("image.size") == [40, 40]


def test_grey_is_seen_also_in_colour_files(tmp_path: Path) -> None:
    grey = folders_of(tmp_path / "grey", (12, 12), channels=1)
    assert guesses(grey).value("image.channels") == 1
    for file in grey.rglob("*.png"):
        makers.save(np.full((12, 12, 3), 77, dtype=np.uint8), file)
    assert guesses(grey).value("image.channels") == 1
    assert guesses(folders_of(tmp_path / "colour", (12, 12))).value("image.channels") == 3


def test_broken_files_do_not_stop_the_guess(tmp_path: Path) -> None:
    path = folders_of(tmp_path / "set", (12, 12))
    (path / "cat" / "0.png").write_bytes(b"")
    assert guesses(path).value("image.size") == [12, 12]
    for file in path.rglob("*.png"):
        file.write_bytes(b"x")
    assert guesses(path).value("image.size") == [64, 64]


def test_the_built_in_digits_are_shifted_and_not_mirrored() -> None:
    settings = guesses("digits")
    assert settings.value("image.size") == [8, 8] and settings.value("image.channels") == 1
    assert data.fill_augment(settings, "image") == {"rotate": 0, "crop": 0, "shift": 0.08, "flip": 0, "erase": 0}


def test_every_guess_fills_its_options_and_has_a_reason(tmp_path: Path) -> None:
    settings = guesses(makers.npz(tmp_path / "a.npz"))
    assert all(setting.origin == "guessed" and setting.reason for setting in settings.values())
    assert config.fill(ImageOptions, "image", settings).size == (12, 12)
    assert list(settings)[:2] == ["image.size", "image.channels"]


@pytest.mark.parametrize("name", ["fashion-mnist", "mnist", "flowers5"])
def test_the_shared_sets_are_recognised(name: str) -> None:
    path = Path(__file__).parents[2] / "../shared/data" / name
    if not path.is_dir():
        pytest.skip(f"../shared/data/{name} is not beside this checkout")
    listing = data.survey(str(path), data.Options())
    assert listing.format == ("folder of classes" if name == "flowers5" else "IDX files (MNIST family)")
    assert len(listing) == (4317 if name == "flowers5" else 70_000)
    assert data.guess(listing).value("image.size") == ([64, 64] if name == "flowers5" else [28, 28])
