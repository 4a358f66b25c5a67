"""What a model of several labels must beat: how frequent each label is, and one simple classifier for each label.

The classifiers are those of one label (`baselines`), each asked whether its label is there.
"""

# N examples, K labels

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sonde.data import Stored
from sonde.evaluation.baselines import BASELINES, MOST_EXAMPLES

FREQUENCIES = "label frequencies"
EACH = "for each label"
LABELS_AT_FULL = 8
"""Labels up to which each classifier reads all the examples it may; of more, each reads fewer, to keep the time."""
FEWEST = 500
"""Examples that each classifier reads at least."""


def guess_label_baselines(
    modality: str,
    train_raw: Stored,
    train_truth_NK: ArrayLike,
    test_raw: Stored,
    *,
    classes: int,
    most: int = MOST_EXAMPLES,
) -> dict[str, NDArray[np.float64]]:
    """Let every baseline of a modality guess the labels of the test examples.

    Args:
        modality: a name in `baselines.BASELINES`.
        train_raw: training examples.
        train_truth_NK: 1 where a training example has a label.
        test_raw: test examples.
        classes: number of labels K.
        most: training examples that a classifier reads at most.

    Returns:
        N x K test probabilities by the baseline's name.
    """
    truth_NK = np.asarray(train_truth_NK, np.int64)
    assert truth_NK.shape == (len(train_raw), classes) and len(truth_NK), "one row of labels for each training example"
    guesses = {FREQUENCIES: np.tile(truth_NK.mean(axis=0), (len(test_raw), 1))}
    # The first one reads nothing but the truth; the second is the simple one of this modality.
    name, guess = list(BASELINES[modality].items())[1]
    each = max(FEWEST, most * LABELS_AT_FULL // max(classes, LABELS_AT_FULL))
    columns = []
    for index in range(classes):
        truth_N = truth_NK[:, index]
        if truth_N.min() == truth_N.max():
            columns.append(np.full(len(test_raw), float(truth_N[0])))
        else:
            columns.append(guess(train_raw, truth_N, test_raw, 2, each)[:, 1])
    guesses[f"{name}, {EACH}"] = np.stack(columns, axis=1)
    return guesses
