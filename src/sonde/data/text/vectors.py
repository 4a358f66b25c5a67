"""Reads word vectors that others have trained, for the words of a vocabulary: text files or safetensors.

    matrix, found = read_vectors(Path("glove.txt"), ("the", "film"))

A text file has a word and its numbers on each line (GloVe), perhaps below a line with two counts (word2vec, fastText).
A safetensors file has the tensors `vectors`, words x numbers, and `words`, the UTF-8 bytes of the words, one on a line.
"""

# V words of the vocabulary, W words of the file, D numbers of each

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from sonde.config.disk import located
from sonde.data.bounded import LARGEST_VECTORS, file_size
from sonde.data.text.options import Options
from sonde.data.text.spec import TextSpec
from sonde.data.text.tokens import FIRST
from sonde.errors import DataError, shortened

LARGEST_WIDTH = 4096
"""Numbers of a word."""

LONGEST_LINE = 1 << 18
"""Bytes of a line of text."""


def read_vectors(
    path: Path, words: Sequence[str], *, sha256: str = ""
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Read the vectors of some words; the others of the file are passed over.

    Args:
        path: a .safetensors file, or a text file of vectors.
        words: the words that are wanted; one that the file holds in small letters only is found too.
        sha256: digest that the file must have; empty for any.

    Returns:
        Vectors, V x D, zeros for words that the file does not hold; and which it holds, V.

    Raises:
        DataError: the file is not there, too large, another one than was said, damaged, or holds none of the words.
    """
    if not os.path.isfile(path):
        raise DataError(f"There are no word vectors at {shortened(str(path))}; check text.vectors.")
    file_size(path, LARGEST_VECTORS)
    if sha256:
        _check_digest(path, sha256)
    places = {word: place for place, word in enumerate(words)}
    is_text = path.suffix.lower() != ".safetensors"
    found = _from_text(path, places) if is_text else _from_safetensors(path, places)
    vectors = {**found.small, **found.exact}
    if not vectors:
        raise DataError(
            f"{path} holds none of the {len(words):,} words; is it of another language, or no word vectors?"
        )
    matrix_VD = np.zeros((len(words), len(next(iter(vectors.values())))), dtype=np.float32)
    for place, vector in vectors.items():
        matrix_VD[place] = vector
    if not np.isfinite(matrix_VD).all():
        raise DataError(f"{path} holds vectors with numbers that are not finite. Fetch or make it again.")
    known = np.zeros(len(words), dtype=bool)
    known[list(vectors)] = True
    return matrix_VD, known


class _Found:
    """Vectors by place in the vocabulary: of the word itself, and of it in small letters."""

    def __init__(self, places: dict[str, int]):
        self.exact: dict[int, NDArray[np.float32]] = {}
        self.small: dict[int, NDArray[np.float32]] = {}
        self._places = places
        self._of_small: dict[str, list[int]] = {}
        for word, place in places.items():
            if word.lower() != word:
                self._of_small.setdefault(word.lower(), []).append(place)

    def wants(self, word: str) -> bool:
        """Tell whether a word of the file is one of the vocabulary."""
        return word in self._places or word in self._of_small

    def take(self, word: str, vector: NDArray[np.float32]) -> None:
        """Keep a vector; the first one of a word counts."""
        if word in self._places:
            self.exact.setdefault(self._places[word], vector)
        for place in self._of_small.get(word, ()):
            self.small.setdefault(place, vector)


def _check_digest(path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256.lower():
        raise DataError(f"{path} is another file than was said: its SHA-256 is {digest}, text.vectors_sha256 {sha256}.")


def _from_text(path: Path, places: dict[str, int]) -> _Found:
    found = _Found(places)
    width = 0
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
            word, *numbers = line.rstrip(b" \r\n").split(b" ")
            if number == 1 and len(numbers) == 1:
                continue  # How many words there are, and how many numbers.
            width = width or len(numbers)
            # A few words of well-known files hold a blank.
            more = max(0, len(numbers) - width)
            word, numbers = b" ".join([word, *numbers[:more]]), numbers[more:]
            if not 2 <= width <= LARGEST_WIDTH or len(numbers) != width:
                raise DataError(
                    f"{path}: line {number:,} has {len(numbers):,} numbers where {width:,} are expected; each line is "
                    "a word and its numbers, with blanks between."
                )
            name = word.decode("utf-8", "replace")
            if found.wants(name):
                try:
                    found.take(name, np.array(numbers, dtype=np.float32))
                except ValueError:
                    raise DataError(f"{path}: line {number:,} holds what is no number behind '{name}'.") from None
    return found


def _from_safetensors(path: Path, places: dict[str, int]) -> _Found:
    found = _Found(places)
    try:
        with safe_open(path, framework="numpy") as file:
            if not {"vectors", "words"} <= set(file.keys()):
                raise DataError(f"{path} needs the tensors 'vectors' and 'words'; it has {', '.join(file.keys())}.")
            words = file.get_tensor("words").astype(np.uint8).tobytes().decode("utf-8", "replace").split("\n")
            vectors = file.get_slice("vectors")
            shape = vectors.get_shape()
            if len(shape) != 2 or shape[0] != len(words) or not 2 <= shape[1] <= LARGEST_WIDTH:
                raise DataError(f"{path} has {len(words):,} words for vectors of shape {' x '.join(map(str, shape))}.")
            matrix_WD = vectors[:]
    except SafetensorError as error:
        raise DataError(f"{path} is not a readable safetensors file ({error}).") from None
    for word, vector_D in zip(words, matrix_WD, strict=True):
        if found.wants(word):
            found.take(word, vector_D.astype(np.float32))
    return found


def starting_vectors(spec: Any, options: Any) -> NDArray[np.float32] | None:
    """Return what embeddings begin with where word vectors were named, else None.

    Args:
        spec: of texts, whose tokens are looked up; others have no word vectors.
        options: those of what is read; of texts they may name a file.

    Returns:
        Vectors of all numbers, padding and the unknown token among them, V x D; those of
        tokens that the file does not hold are drawn, always the same, and of the size of the others.

    Raises:
        DataError: the file is not there, damaged, or another one than was said.
    """
    if not isinstance(spec, TextSpec) or not isinstance(options, Options) or not options.vectors:
        return None
    matrix_VD, found = read_vectors(located(options.vectors), spec.known, sha256=options.vectors_sha256)
    rng = np.random.default_rng(0)
    size = float(matrix_VD[found].std())
    all_VD = rng.normal(0.0, size, (FIRST + len(matrix_VD), matrix_VD.shape[1])).astype(np.float32)
    all_VD[FIRST:][found] = matrix_VD[found]
    return all_VD
