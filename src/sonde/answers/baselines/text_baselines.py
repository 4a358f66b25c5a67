"""What a model of texts must beat: TF-IDF of words and pairs of words, with a linear support vector machine."""

# N examples, C classes, F features

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from sonde.answers.baselines.linear_classifier import shares, subset
from sonde.data.ragged import Ragged, text_of

MOST_LETTERS = 20_000
"""Letters of a text that are read."""

HELD_OUT = 5
"""Of so many training examples one measures how sure the machine's distances are."""

WORD = r"(?u)\b\w+\b|[^\w\s]"
"""Words of one letter and signs count too: a question mark says much."""


def tf_idf_with_linear_svm(
    train_raw: Ragged,
    train_truth_N: NDArray[np.int64],
    test_raw: Ragged,
    classes: int,
    most: int,
) -> NDArray[np.float64]:
    """Fit a linear support vector machine to TF-IDF of words and pairs of words (Joachims, 1998).

    A fifth of the training texts measures the one number that turns its distances into probabilities; the machine is
    then fitted to all of them. It reads `most` training texts at most, spread evenly over the split.

    Args:
        train_raw: texts as UTF-8 bytes.
        train_truth_N: index of the class of each training text.
        test_raw: texts as UTF-8 bytes.
        classes: number of classes C.
        most: training texts that it reads at most.

    Returns:
        N x C probabilities of the test texts; 0 for classes without a training text.
    """
    places = subset(train_truth_N, most)
    truth_N = train_truth_N[places]
    found = np.unique(truth_N)
    if len(found) < 2:
        return shares(train_truth_N, len(test_raw), classes)
    # Sub-linear counts and both n-grams won on the validation splits of SST-2, TREC and AG News.
    vectorizer = TfidfVectorizer(token_pattern=WORD, ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    try:
        train_NF = vectorizer.fit_transform(words_of(train_raw, places))
    except ValueError:  # Not one word in all of the texts.
        return shares(train_truth_N, len(test_raw), classes)
    sharpness = _sharpness(train_NF, truth_N)
    scores_NC = _scores(train_NF, truth_N, vectorizer.transform(words_of(test_raw, np.arange(len(test_raw)))))
    probabilities_NC = np.zeros((len(test_raw), classes))
    probabilities_NC[:, found] = softmax(sharpness * scores_NC, axis=1)
    return probabilities_NC


def words_of(raw: Ragged, places: NDArray[np.int64]) -> list[str]:
    """Return the first letters of some texts."""
    return [text_of(raw[int(place)][: 4 * MOST_LETTERS])[:MOST_LETTERS] for place in places]


def _scores(train_NF: Any, truth_N: NDArray[np.int64], test_NF: Any) -> NDArray[np.float64]:
    """Return a score for each class that occurs in training; of two classes the machine gives the second's alone."""
    scores = LinearSVC(random_state=0).fit(train_NF, truth_N).decision_function(test_NF)
    return np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores


def _sharpness(train_NF: Any, truth_N: NDArray[np.int64]) -> float:
    """Return what scores are multiplied by so that their softmax means what it says (Platt, 1999, in one number)."""
    held = np.arange(len(truth_N)) % HELD_OUT == HELD_OUT - 1
    kept = np.unique(truth_N[~held])
    held &= np.isin(truth_N, kept)
    if len(kept) < 2 or not held.any():
        return 1.0
    scores_NC = _scores(train_NF[~held], truth_N[~held], train_NF[held])
    columns = np.searchsorted(kept, truth_N[held])

    def loss(logarithm: float) -> float:
        log_probabilities = log_softmax(np.exp(logarithm) * scores_NC, axis=1)
        return -float(np.mean(log_probabilities[np.arange(len(columns)), columns]))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 4), method="bounded").x))
