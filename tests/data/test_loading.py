"""Loading: decoded once, nothing lost, nothing hidden."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import makers
from asking import CLASSES
from sonde import data
from sonde.data import cache, from_files, loading
from sonde.data.image import files as image_files
from sonde.data.image.spec import Options as ImageOptions
from sonde.errors import DataError

SMALL = ImageOptions(size=(12, 12))


PLAIN = data.Options()
SPEC = data.ImageSpec(height=12, width=12, channels=3, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def loaded(path: Path, options: data.Options = PLAIN, own: ImageOptions = SMALL) -> data.Dataset:
    return data.load(data.survey(str(path), options), options, own, CLASSES)


def parts(dataset: data.Dataset) -> list[data.Examples]:
    return [dataset.train, dataset.validation, dataset.test]


def same(first: data.Dataset, second: data.Dataset) -> bool:
    return first.fingerprint == second.fingerprint and all(
        np.array_equal(a.inputs, b.inputs) and list(a.names) == list(b.names) and list(a.truth) == list(b.truth)
        for a, b in zip(parts(first), parts(second), strict=True)
    )


def test_it_is_decoded_once_and_then_comes_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = makers.class_folders(tmp_path / "set")
    first = loaded(path)
    monkeypatch.setattr(image_files, "read_image", lambda *_, **__: pytest.fail("it was decoded again"))
    assert same(first, loaded(path))


def test_a_changed_file_is_decoded_anew(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set")
    first = loaded(path)
    makers.save(makers.picture(5, 9), path / "cat" / "000.png")
    assert not same(first, loaded(path))


def test_a_damaged_cache_is_made_again(tmp_path: Path, own_cache: Path) -> None:
    path = makers.class_folders(tmp_path / "set")
    first = loaded(path)
    for file in own_cache.rglob("images.npy"):
        raw = bytearray(file.read_bytes())
        raw[-1] ^= 255
        file.write_bytes(raw)
    assert same(first, loaded(path))


def test_without_a_usable_cache_the_images_are_in_memory_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = makers.class_folders(tmp_path / "set")
    first = loaded(path)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "file"))
    for limit in (cache.IN_MEMORY, 100):
        monkeypatch.setattr(cache, "IN_MEMORY", limit)
        second = loaded(path)
        assert same(first, second)
        assert any("could not be cached" in note for note in second.findings.notes)


def test_a_large_set_is_mapped_from_the_disk_and_holds_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = makers.class_folders(tmp_path / "set", per_class=20)
    (path / "cat" / "001.png").write_bytes(b"broken")
    first = loaded(path)
    monkeypatch.setattr(cache, "IN_MEMORY", 100)
    monkeypatch.setattr(loading, "BLOCK", 8)
    shutil.rmtree(cache.cache_folder() or "")
    for dataset in (loaded(path), loaded(path)):
        assert same(first, dataset)
        assert all(isinstance(part.inputs, np.memmap) for part in parts(dataset))
        assert dataset.findings == first.findings


def test_the_number_of_threads_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = makers.class_folders(tmp_path / "set", per_class=20)
    results = []
    for threads in (1, 4):
        monkeypatch.setattr(from_files, "threads", lambda threads=threads: threads)
        monkeypatch.setenv("SONDE_CACHE", str(tmp_path / f"cache{threads}"))
        results.append(loaded(path))
    assert same(*results)


def test_bad_files_are_named_counted_and_left_out(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", per_class=30)
    (path / "cat" / "003.png").write_bytes(b"")
    (path / "dog" / "007.png").write_text("no image")
    for _ in range(2):  # The second time from the cache.
        dataset = loaded(path)
        assert [name for name, _ in dataset.findings.bad_files] == ["cat/003.png", "dog/007.png"]
        assert "empty" in dataset.findings.bad_files[0][1]
        assert sum(len(part) for part in parts(dataset)) == 58
        for part in parts(dataset):
            number = np.array([int(name[4:7]) for name in part.names.tolist()])
            assert np.array_equal(part.inputs[:, -1, -1, 1], 5 * number)


def test_too_many_bad_files_stop_the_run_and_the_first_are_named(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set")
    for number in range(7):
        (path / "cat" / f"00{number}.png").write_bytes(b"")
    with pytest.raises(DataError) as stopped:
        loaded(path)
    text = str(stopped.value)
    assert "7 of 20 images cannot be used (35.0%; data.bad_share allows 5.0%)" in text
    assert "cat/004.png is empty" in text and "cat/005.png" not in text and "and 2 more" in text
    assert "allow more with --set data.bad_share=0.5." in text
    assert len(loaded(path, data.Options(bad_share=0.5)).findings.bad_files) == 7


def test_the_share_that_is_advised_would_be_enough(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set")
    for file in sorted(path.rglob("*.png"))[3:18]:
        file.write_bytes(b"")
    with pytest.raises(DataError, match=r"75\.0%.*(\n.*)*--set data\.bad_share=0\.75\."):
        loaded(path)


def test_no_readable_file_at_all_is_an_error_whatever_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "set"
    for name in ("cat/a.png", "dog/b.png"):
        (path / name).parent.mkdir(parents=True)
        (path / name).write_bytes(b"")
    with pytest.raises(DataError, match="2 of 2 images cannot be used"):
        loaded(path, data.Options(bad_share=1.0))


def test_exact_copies_are_counted_and_stay_on_one_side(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", per_class=20)
    for number in range(10):
        makers.save(makers.picture(0, number), path / "cat" / f"copy{number}.bmp")  # Another format, the same pixels.
    dataset = loaded(path)
    assert dataset.findings.duplicates == 10 and dataset.findings.leak_count == 0
    for part in parts(dataset):
        names = {name[4:].split(".")[0] for name in part.names.tolist() if name.startswith("cat")}
        for number in range(10):
            assert (f"copy{number}" in names) == (f"{number:03}" in names)


def test_copies_between_given_splits_are_reported_as_leaks(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", splits=("train", "test"))
    shutil.copy(path / "train" / "cat" / "000.png", path / "test" / "cat" / "again.png")
    findings = loaded(path).findings
    assert findings.leak_count == 1
    assert findings.leaks[0][0].endswith("train/cat/000.png")
    assert findings.leaks[0][1] == "test: test/cat/again.png"


def test_mean_and_deviation_come_from_the_training_split_alone(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", splits=("train", "val", "test"))
    dataset = loaded(path)
    expected = dataset.train.inputs.reshape(-1, 3) / 255
    assert np.allclose(dataset.spec.mean, expected.mean(axis=0), atol=1e-6)
    assert np.allclose(dataset.spec.std, expected.std(axis=0), atol=1e-6)
    for number in range(10):
        makers.save(np.full((12, 12, 3), 255, dtype=np.uint8), path / "test" / "cat" / f"{number:03}.png")
    assert loaded(path).spec == dataset.spec


def test_the_fingerprint_holds_the_splits_too(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set")
    other = data.Options(split_seed=1)
    assert loaded(path).fingerprint != loaded(path, other).fingerprint
    assert loaded(path).fingerprint == loaded(path, own=ImageOptions(size=(6, 6))).fingerprint


def test_arrays_are_resized_and_recoloured_as_files_are(tmp_path: Path) -> None:
    path = makers.npz(tmp_path / "set.npz")
    dataset = loaded(path, own=ImageOptions(size=(6, 9), channels=1))
    assert dataset.train.inputs.shape[1:] == (6, 9, 1)
    assert dataset.spec.shape == (6, 9, 1)


def unsplit(path: Path) -> data.Unsplit:
    return data.load_unsplit(data.survey(str(path), PLAIN), PLAIN, SMALL, CLASSES, SPEC)


def test_without_dividing_a_given_test_split_is_read_alone(tmp_path: Path) -> None:
    path = makers.class_folders(tmp_path / "set", splits=("train", "test"))
    (path / "train" / "cat" / "003.png").write_bytes(b"")
    shutil.copy(path / "test" / "cat" / "000.png", path / "test" / "cat" / "copy.png")
    found = unsplit(path)
    test = loaded(path, data.Options(bad_share=0.5)).test
    assert found.origin == "given" and found.findings.duplicates == 1 and not found.findings.bad_files
    assert found.examples.names.tolist() == test.names.tolist()
    assert found.examples.truth.tolist() == test.truth.tolist()
    assert np.array_equal(found.examples.inputs, test.inputs)


def test_without_dividing_one_image_of_one_class_is_enough(tmp_path: Path) -> None:
    for number in range(2):
        makers.save(makers.picture(0, number), tmp_path / "set" / "cat" / f"{number}.png")
    (tmp_path / "set" / "cat" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match="1 of 2 images cannot be used"):
        unsplit(tmp_path / "set")
    (tmp_path / "set" / "cat" / "0.png").unlink()
    found = unsplit(tmp_path / "set")
    assert found.origin == data.WHOLE and found.examples.truth.tolist() == ["cat"]
    assert np.array_equal(found.examples.inputs[0], unsplit(tmp_path / "set").examples.inputs[0])


def test_without_dividing_arrays_with_a_test_split_alone_are_read(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 12, 12, 3), dtype=np.uint8)
    np.savez(tmp_path / "held.npz", x_test=images, y_test=np.arange(5))
    found = unsplit(tmp_path / "held.npz")
    assert np.array_equal(found.examples.inputs, images) and found.origin == "given"
    np.savez(tmp_path / "held.npz", x_test=images, y_test=np.arange(5) % 2)
    assert unsplit(tmp_path / "held.npz").fingerprint != found.fingerprint
