"""What a model that writes texts must beat: the commonest target, the source itself, and the most similar example's.

The first reads nothing. The others read texts, or images; of all else the first is all there is.
"""

# N examples, F features

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from sonde.answers.answer import Contest
from sonde.answers.baselines.image_baselines import pixel_features
from sonde.answers.generation.predictions import Predictions, predictions
from sonde.data.ragged import Ragged, text_of

MOST_LETTERS = 2_000
"""Letters of a text that are compared."""
AT_ONCE = 512
"""Texts whose similarities to all training texts are in memory together."""

Method = Callable[[Contest, Sequence[str]], Sequence[str]]
"""From a contest and the training targets to a text for each test example."""


def commonest(contest: Contest, targets: Sequence[str]) -> list[str]:
    """Write the commonest training target for every example; of several the first in the alphabet."""
    times = Counter(targets)
    return [min(times, key=lambda text: (-times[text], text))] * len(contest.test)


def copied(contest: Contest, targets: Sequence[str]) -> list[str]:
    """Write what was read, as it is."""
    assert isinstance(contest.test, Ragged)
    return [text_of(contest.test[row]) for row in range(len(contest.test))]


def nearest(contest: Contest, targets: Sequence[str]) -> list[str]:
    """Write the target of the training text that is most similar, by TF-IDF of one to three letters in a row.

    It reads `contest.most` training texts at most, spread evenly over the split.
    """
    assert isinstance(contest.train, Ragged) and isinstance(contest.test, Ragged)
    places = _spread(len(contest.train), contest.most)
    letters = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, dtype=np.float32)
    train_NF = letters.fit_transform(_read(contest.train, places))
    written = []
    for first in range(0, len(contest.test), AT_ONCE):
        rows = np.arange(first, min(first + AT_ONCE, len(contest.test)))
        like = (letters.transform(_read(contest.test, rows)) @ train_NF.T).toarray()
        written += [targets[place] for place in places[like.argmax(axis=1)].tolist()]
    return written


def nearest_image(contest: Contest, targets: Sequence[str]) -> list[str]:
    """Write the target of the training image that is most similar, by the squared distance of coarse pixels."""
    assert isinstance(contest.train, np.ndarray) and isinstance(contest.test, np.ndarray)
    places = _spread(len(contest.train), contest.most)
    train_NF = pixel_features(contest.train, places)
    squares_N = (train_NF**2).sum(axis=1)
    written = []
    for first in range(0, len(contest.test), AT_ONCE):
        rows = np.arange(first, min(first + AT_ONCE, len(contest.test)))
        far = squares_N - 2 * (pixel_features(contest.test, rows) @ train_NF.T)
        written += [targets[place] for place in places[far.argmin(axis=1)].tolist()]
    return written


METHODS: dict[str, dict[str, Method]] = {
    "text": {"copy of the source": copied, "nearest neighbour": nearest},
    "image": {"nearest neighbour": nearest_image},
}
"""What a model of each modality is compared with beside the commonest target, in the order shown."""


def guesses(contest: Contest) -> Mapping[str, Predictions]:
    """Let every baseline of a modality write a text for each test example.

    Args:
        contest: what they learn from and predict.

    Returns:
        Predictions by the baseline's name.
    """
    targets, truths = contest.target.texts(contest.truth), contest.target.texts(contest.test_truth)
    methods = {"commonest target": commonest, **METHODS.get(contest.modality, {})}
    return {name: predictions(contest.names, truths, method(contest, targets)) for name, method in methods.items()}


def rehearse(target: Any, count: int) -> Predictions:
    """Return predictions like those to come, by which the time of scoring is reckoned."""
    rng = np.random.default_rng(0)
    length = max(1, min(target.length, MOST_LETTERS))
    true = ["".join(rng.choice(list("abcde "), size=length)) for _ in range(count)]
    return predictions([str(row) for row in range(count)], true, [f"{text[1:]}x" for text in true])


def _spread(count: int, most: int) -> NDArray[np.int64]:
    """Return so many places at most, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))


def _read(raw: Ragged, places: NDArray[np.int64]) -> list[str]:
    return [text_of(raw[int(place)][: 4 * MOST_LETTERS])[:MOST_LETTERS] for place in places]
