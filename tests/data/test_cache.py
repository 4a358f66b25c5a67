"""The cache gives back what was kept, notices damage, and is never needed."""

import mmap
import os
from pathlib import Path

import numpy as np
import pytest

from sonde.data import cache
from sonde.errors import StorageError

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 3), dtype=np.uint8)


def keep(key: str = "k", images: np.ndarray = IMAGES) -> None:
    cache.keep(key, (images[start : start + 7] for start in range(0, len(images), 7)), (4, 4, 3), lambda: {"bad": [1]})


def test_what_was_kept_block_by_block_comes_back(own_cache: Path) -> None:
    assert cache.find("k") is None
    keep()
    images, marks, facts = cache.find("k") or pytest.fail("nothing was kept")
    assert np.array_equal(images, IMAGES) and facts == {"bad": [1]}
    assert np.array_equal(marks, cache.marks(IMAGES)) and len(set(marks.tolist())) == 50
    assert sorted(os.listdir(own_cache)) == ["k"]


def test_no_image_at_all_can_be_kept() -> None:
    cache.keep("none", [], (4, 4, 3), dict)
    assert (cache.find("none") or pytest.fail("nothing"))[0].shape == (0, 4, 4, 3)


def test_a_large_entry_is_mapped_and_a_small_one_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    keep()
    assert not isinstance((cache.find("k") or pytest.fail("nothing"))[0], np.memmap)
    monkeypatch.setattr(cache, "IN_MEMORY", 100)
    assert isinstance((cache.find("k") or pytest.fail("nothing"))[0], np.memmap)


class Told(mmap.mmap):
    """A map that writes down what it was told."""

    places: list[tuple[int, int, int]]

    def madvise(self, advice: int, start: int = 0, length: int = 0) -> None:
        super().madvise(advice, start, length)
        self.places = [*getattr(self, "places", []), (advice, start, length)]


def test_the_system_is_told_of_each_mapped_image_that_is_read_next(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 30, 41, 3), dtype=np.uint8)
    np.save(tmp_path / "a.npy", images)
    with (tmp_path / "a.npy").open("rb") as file:
        mapped = Told(file.fileno(), 0, access=mmap.ACCESS_READ)
    header = len(mapped) - images.nbytes
    half = np.ndarray(images.shape, dtype=np.uint8, buffer=mapped, offset=header)[20:]
    cache.read_ahead(half, np.array([0, 7, 19]))
    assert len(mapped.places) == 3
    for row, (advice, start, length) in zip((20, 27, 39), mapped.places, strict=True):
        first = header + row * images[0].nbytes
        assert advice == mmap.MADV_WILLNEED and start % mmap.PAGESIZE == 0
        assert start <= first < start + mmap.PAGESIZE and start + length == first + images[0].nbytes


def test_images_in_memory_and_mapped_ones_can_be_announced_alike(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    for images in (IMAGES, IMAGES[:0], IMAGES[5:, ::2], mapped, mapped[10:], mapped[::2], mapped[:, 1:]):
        cache.read_ahead(images, np.arange(len(images)))


@pytest.mark.parametrize("file", ["images.npy", "entry.json"])
@pytest.mark.parametrize("how", ["cut", "flipped", "emptied", "removed"])
def test_damage_is_noticed_and_the_entry_removed(file: str, how: str, own_cache: Path) -> None:
    keep()
    path = own_cache / "k" / file
    raw = bytearray(path.read_bytes())
    raw[-30] ^= 1
    path.write_bytes({"cut": raw[:-9], "emptied": b""}.get(how, bytes(raw)))
    if how == "removed":
        path.unlink()
    assert cache.find("k") is None
    keep()
    assert cache.find("k") is not None


def test_a_write_that_fails_leaves_nothing_behind(own_cache: Path) -> None:
    def broken():
        yield IMAGES
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        cache.keep("k", broken(), (4, 4, 3), dict)
    assert os.listdir(own_cache) == []


def test_what_a_killed_process_left_is_removed_by_the_next_write(own_cache: Path) -> None:
    left = own_cache / f".k.{os.getpid()}.tmp", own_cache / ".other.1.tmp"
    for folder in left:
        folder.mkdir()
        (folder / "images.npy").write_bytes(bytes(1000))
    keep()
    assert os.listdir(own_cache) == ["k"] and cache.find("k") is not None


def test_what_another_process_is_writing_stays(own_cache: Path) -> None:
    def blocks():
        yield IMAGES
        # Another lock on the file is another process's, whatever its number.
        os.rename(own_cache / f".k.{os.getpid()}.tmp", own_cache / ".k.1.tmp")
        keep("second")
        os.rename(own_cache / ".k.1.tmp", own_cache / f".k.{os.getpid()}.tmp")

    cache.keep("k", blocks(), (4, 4, 3), lambda: {"bad": []})
    assert sorted(os.listdir(own_cache)) == ["k", "second"]
    assert np.array_equal((cache.find("k") or pytest.fail("nothing"))[0], IMAGES)


def test_a_cache_that_is_no_folder_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "file"))
    assert cache.find("k") is None
    with pytest.raises(StorageError, match="Cannot write"):
        keep()


def test_it_lies_where_the_user_says_or_in_the_usual_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache.cache_folder() == Path(os.environ["SONDE_CACHE"])
    monkeypatch.delenv("SONDE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "sonde"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / ".cache" / "sonde"


def test_the_home_folder_may_be_written_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SONDE_CACHE", "~/mine")
    assert cache.cache_folder() == tmp_path / "mine"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells what of a file is in memory")
def test_what_was_read_of_a_mapped_file_is_no_longer_held(tmp_path: Path) -> None:
    def held() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))

    np.save(tmp_path / "images.npy", np.ones((64, 1 << 19), np.uint8))
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    assert images.sum() == images.size
    before = held()
    cache.let_go(images[3:])
    # 32 MB were read.
    assert before - held() > 30_000 and images.sum() == images.size
    cache.let_go(np.ones(3))
