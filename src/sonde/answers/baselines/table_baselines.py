"""What a model of tables must beat: a linear model, and gradient boosting, which wins on most tables of medium size.

Both read the same columns of the same training rows as the model (Grinsztajn et al., "Why do tree-based models still
outperform deep learning on typical tabular data?", 2022).
"""

# N examples, C classes, F numbers

import numpy as np
from numpy.typing import NDArray

from sonde.answers.baselines.linear_classifier import MOST_ANSWERS, logistic, shares, subset
from sonde.data.table import spec as table
from sonde.data.table.columns import as_numbers

Floats = NDArray[np.float64]

MOST_ONE_HOT = 50
"""Values of a category that the linear model tells apart, and
"""
MOST_VALUES = 250
"""those that the trees do; scikit-learn's bound is 255."""
ROUNDS = 100
"""Trees for each class, scikit-learn's own number; of many classes fewer, as the time grows with both."""
MOST_TREES = 2_000


def logistic_regression_on_columns(
    train_raw: NDArray[np.void], train_truth_N: NDArray[np.int64], test_raw: NDArray[np.void], classes: int, most: int
) -> Floats:
    """Fit a multinomial logistic regression to scaled numbers and a 0 or 1 for each value of a category.

    Args:
        train_truth_N: index of the class of each.
        test_raw: test rows, with the same columns.
        classes: number of classes C.
        most: training examples that it reads at most.

    Returns:
        N x C probabilities; 0 for classes without a training example.
    """
    if len(np.unique(train_truth_N)) < 2:
        return shares(train_truth_N, len(test_raw), classes)
    chosen = subset(train_truth_N, min(most, MOST_ANSWERS // classes))
    spec = table.learn(train_raw[chosen], None, table.Options(scaling="standard", most_values=MOST_ONE_HOT))
    train_BF, test_BF = (one_hot(spec, rows) for rows in (train_raw[chosen], test_raw))
    return logistic(train_BF, train_truth_N[chosen], test_BF, classes)


def gradient_boosting(
    train_raw: NDArray[np.void], train_truth_N: NDArray[np.int64], test_raw: NDArray[np.void], classes: int, most: int
) -> Floats:
    """Fit scikit-learn's histogram gradient boosting with its own defaults; it takes missing numbers as they are.

    Args:
        train_truth_N: index of the class of each.
        test_raw: test rows, with the same columns.
        classes: number of classes C.
        most: training examples that it reads at most.

    Returns:
        N x C probabilities; 0 for classes without a training example.

    Source: Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", 2017.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    if len(np.unique(train_truth_N)) < 2:
        return shares(train_truth_N, len(test_raw), classes)
    chosen = subset(train_truth_N, most)
    spec = table.learn(train_raw[chosen], None, table.Options(most_values=MOST_VALUES))
    columns = np.arange(len(spec.numbers) + len(spec.categories))
    model = HistGradientBoostingClassifier(
        max_iter=max(10, min(ROUNDS, MOST_TREES // classes)),
        categorical_features=columns >= len(spec.numbers),
        early_stopping=False,
        random_state=0,
    )
    model.fit(as_trees_read(spec, train_raw[chosen]), train_truth_N[chosen])
    probabilities_NC = np.zeros((len(test_raw), classes))
    probabilities_NC[:, model.classes_] = model.predict_proba(as_trees_read(spec, test_raw))
    return probabilities_NC / probabilities_NC.sum(axis=1, keepdims=True)


def one_hot(spec: table.TableSpec, rows: NDArray[np.void]) -> NDArray[np.float32]:
    """Return scaled numbers, and a 0 or 1 for each value of a category, N x F."""
    encoded = spec.encode(rows)
    numbers = encoded.shape[1] - len(spec.categories)
    parts = [encoded[:, :numbers]]
    for place, level in enumerate(spec.cardinalities, numbers):
        parts.append(np.eye(level, dtype=np.float32)[encoded[:, place].astype(np.int64)])
    return np.concatenate(parts, axis=1)


def as_trees_read(spec: table.TableSpec, rows: NDArray[np.void]) -> Floats:
    """Return numbers as they are, NaN where missing, then the codes of the categories, N x F."""
    codes = spec.encode(rows)[:, spec.shape[0] - len(spec.categories) :]
    numbers = [as_numbers(rows[each.name])[0] for each in spec.numbers]
    return np.column_stack([*numbers, codes.astype(np.float64)])
