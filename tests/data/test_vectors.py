"""Word vectors of others are found by word, checked, and refused where they are damaged or not the ones meant."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from sonde.data.options import Options as DataOptions
from sonde.data.ragged import texts
from sonde.data.sources.texts import read
from sonde.data.text.options import Options
from sonde.data.text.spec import learn
from sonde.data.text.vectors import read_vectors, starting_vectors
from sonde.errors import DataError

TEXT = "the 0.5 1 -2\nfilm 1 2 3\ngood 3 2 1\n"


def text_file(folder: Path, content: str = TEXT) -> Path:
    path = folder / "vectors.txt"
    path.write_text(content, encoding="utf-8")
    return path


def tensor_file(folder: Path, words: str = "the\nfilm\ngood", rows: int = 3) -> Path:
    matrix = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    save_file({"vectors": matrix, "words": np.frombuffer(words.encode(), np.uint8)}, folder / "vectors.safetensors")
    return folder / "vectors.safetensors"


@pytest.mark.parametrize("header", ["", "3 3\n"])
def test_vectors_stand_in_the_order_of_the_words_with_zeros_for_unknown_ones(header: str, tmp_path: Path) -> None:
    matrix, found = read_vectors(text_file(tmp_path, header + TEXT), ("good", "new", "the"))
    assert matrix.tolist() == [[3, 2, 1], [0, 0, 0], [0.5, 1, -2]] and found.tolist() == [True, False, True]


def test_safetensors_hold_the_same(tmp_path: Path) -> None:
    matrix, found = read_vectors(tensor_file(tmp_path), ("good", "new", "the"))
    assert matrix.tolist() == [[6, 7, 8], [0, 0, 0], [0, 1, 2]] and found.tolist() == [True, False, True]


def test_a_word_with_capitals_takes_the_vector_of_its_small_letters_unless_it_has_its_own(tmp_path: Path) -> None:
    path = text_file(tmp_path, TEXT + "Good 9 9 9\n")
    assert read_vectors(path, ("Film", "Good"))[0].tolist() == [[1, 2, 3], [9, 9, 9]]


def test_words_with_a_blank_are_read(tmp_path: Path) -> None:
    assert read_vectors(text_file(tmp_path, TEXT + ". . 7 7 7\n"), ("good",))[0].tolist() == [[3, 2, 1]]


def test_the_digest_is_checked(tmp_path: Path) -> None:
    path = text_file(tmp_path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_vectors(path, ("good",), sha256=digest)[1].all()
    with pytest.raises(DataError, match=f"another file than was said: its SHA-256 is {digest}"):
        read_vectors(path, ("good",), sha256="0" * 64)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("the 1 2 3\nfilm 1 2\n", "line 2 has 2 numbers where 3 are expected"),
        ("the 1 2 3\ngood 1 x 3\n", "line 2 holds what is no number behind 'good'"),
        ("the 1 2 3\ngood 1 nan 3\n", "numbers that are not finite"),
        ("der 1 2 3\n", "holds none of the 1 words"),
        ("", "holds none of the 1 words"),
    ],
)
def test_damaged_text_is_refused_by_line(content: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=reason):
        read_vectors(text_file(tmp_path, content), ("good",))


def test_damaged_tensors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has 2 words for vectors of shape 3 x 3"):
        read_vectors(tensor_file(tmp_path, "a\nb"), ("a",))
    save_file({"x": np.zeros(2, dtype=np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(DataError, match="needs the tensors 'vectors' and 'words'; it has x"):
        read_vectors(tmp_path / "other.safetensors", ("a",))
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a readable safetensors file"):
        read_vectors(tmp_path / "broken.safetensors", ("a",))
    with pytest.raises(DataError, match="There are no word vectors at"):
        read_vectors(tmp_path / "none.txt", ("a",))


def test_a_models_embeddings_begin_with_them(tmp_path: Path) -> None:
    (tmp_path / "set.txt").write_text("".join(f"{n % 2} the good film {n}\n" for n in range(8)))
    listing = read(tmp_path / "set.txt", DataOptions())
    raw = texts(["the good film", "the good new film"] * 3)
    options = Options(vectors=str(text_file(tmp_path)))
    spec = learn(raw, listing, options)
    vectors = starting_vectors(spec, options)
    assert vectors is not None and vectors.shape == (spec.cardinalities[0], 3)
    assert vectors[2 + spec.known.index("film")].tolist() == [1, 2, 3]
    assert np.isfinite(vectors).all() and vectors[2 + spec.known.index("new")].any()
    assert (starting_vectors(spec, options) == vectors).all()
    assert starting_vectors(spec, Options()) is None
