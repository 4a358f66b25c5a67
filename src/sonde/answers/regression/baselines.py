"""What a predicted number must beat: the mean, which reads nothing, and ridge regression and trees of each modality.

They learn the target on the scale that the model learns it on, and read the same training examples.
"""

# N examples, B examples that are read, F features, Q quantiles

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers.answer import Contest
from sonde.answers.baselines.audio_baselines import band_features
from sonde.answers.baselines.image_baselines import pixel_features
from sonde.answers.baselines.series_baselines import flat
from sonde.answers.baselines.table_baselines import MOST_ONE_HOT, MOST_VALUES, as_trees_read, one_hot
from sonde.answers.baselines.text_baselines import WORD, words_of
from sonde.answers.regression.predictions import Predictions
from sonde.answers.regression.target import Floats, NumberTarget
from sonde.data.table import spec as table

TRIVIAL = "mean"
STRENGTHS = np.logspace(-3, 5, 17)
"""Strengths of the ridge that are tried, by leaving each training example out in turn."""
MOST_RIDGE = 5_000
"""Training examples that the ridge reads at most; its time grows with the third power of them or of the features."""
ROUNDS = 100
"""Trees, scikit-learn's own number."""
MOST_COLUMNS = 32
"""Numbers that trees read of an image or a text: its largest components. Trees on hundreds of pixels take minutes."""
MOST_STEPS = 128
"""Steps of a series that are read; longer ones are brought to so many."""
MOST_SOLVED = 2_000
"""Training examples that a model which is solved at once reads as a baseline."""

Features = Callable[[Any, NDArray[np.int64], Any], tuple[Any, Any]]
"""From training inputs, the places that are read, and test inputs, to features of both, B x F and N x F."""


def _of_images(train: Any, places: NDArray[np.int64], test: Any) -> tuple[Any, Any]:
    return pixel_features(train, places), pixel_features(test, np.arange(len(test)))


def _of_recordings(train: Any, places: NDArray[np.int64], test: Any) -> tuple[Any, Any]:
    return band_features(train, places), band_features(test, np.arange(len(test)))


def _of_series(train: Any, places: NDArray[np.int64], test: Any) -> tuple[Any, Any]:
    return flat(train[places], MOST_STEPS), flat(test, MOST_STEPS)


def _of_texts(train: Any, places: NDArray[np.int64], test: Any) -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(token_pattern=WORD, ngram_range=(1, 2), sublinear_tf=True, max_features=MOST_RIDGE)
    try:
        train_BF = vectorizer.fit_transform(words_of(train, places))
    except ValueError:  # Not one word in all of the texts.
        return np.zeros((len(places), 1)), np.zeros((len(test), 1))
    return train_BF.toarray(), vectorizer.transform(words_of(test, np.arange(len(test)))).toarray()


def _of_rows(train: Any, places: NDArray[np.int64], test: Any) -> tuple[Any, Any]:
    spec = table.learn(train[places], None, table.Options(scaling="standard", most_values=MOST_ONE_HOT))
    return one_hot(spec, train[places]), one_hot(spec, test)


FEATURES: dict[str, tuple[str, Features]] = {
    "image": ("ridge regression on pixels", _of_images),
    "text": ("ridge regression on TF-IDF", _of_texts),
    "audio": ("ridge regression on the mean spectrum", _of_recordings),
    "series": ("ridge regression on the values", _of_series),
    "table": ("ridge regression", _of_rows),
}
"""By modality the name of its linear baseline, and what that reads."""


def guesses(contest: Contest) -> Mapping[str, Predictions]:
    """Let every baseline of a modality predict the test examples.

    Args:
        contest: what they learn from and predict.

    Returns:
        Predictions by the baseline's name.
    """
    target: NumberTarget = contest.target
    truth_N2 = np.asarray(contest.truth, np.float64)
    found = {TRIVIAL: np.full(len(contest.test), truth_N2[:, 1].mean())}
    title, features = FEATURES[contest.modality]
    places = spread_over(len(truth_N2), min(contest.most, MOST_RIDGE))
    train_BF, test_NF = features(contest.train, places, contest.test)
    found[title] = target.restored(ridge(train_BF, truth_N2[places, 0], test_NF))
    if contest.modality in OF_TREES:
        places, train_BF, test_NF, categories = OF_TREES[contest.modality](contest)
    else:
        train_BF, test_NF = largest_components(train_BF, test_NF)
        categories = None
    found["gradient boosting"] = target.restored(boosting(train_BF, truth_N2[places, 0], test_NF, categories))
    for name, solve in contest.models.items():
        kept = solve(spread_over(len(truth_N2), min(contest.most, MOST_SOLVED)), contest.test)
        found[name] = target.restored(np.asarray(kept["numbers"])[:, target.middle])
    names, truth_N = tuple(map(str, contest.names)), np.asarray(contest.test_truth, np.float64)[:, 1]
    return {name: Predictions(names, truth_N, predicted_N) for name, predicted_N in found.items()}


def _rows_for_trees(contest: Contest) -> tuple[NDArray[np.int64], Floats, Floats, NDArray[np.bool_]]:
    places = spread_over(len(contest.truth), contest.most)
    rows: Any = contest.train[places]
    spec = table.learn(rows, None, table.Options(most_values=MOST_VALUES))
    columns = np.arange(len(spec.numbers) + len(spec.categories))
    test: Any = contest.test
    return places, as_trees_read(spec, rows), as_trees_read(spec, test), columns >= len(spec.numbers)


OF_TREES: Mapping[str, Callable[[Contest], tuple[NDArray[np.int64], Floats, Floats, NDArray[np.bool_]]]] = {
    "table": _rows_for_trees
}
"""Modalities that trees read in a way of their own: places, training rows, test rows, which columns are categories."""


def spread_over(count: int, most: int) -> NDArray[np.int64]:
    """Return at most so many places among so many examples, evenly spread; nothing is drawn at random."""
    return np.unique(np.linspace(0, count - 1, min(count, max(most, 1))).round().astype(np.int64))


def ridge(train_BF: Any, learned_B: Floats, test_NF: Any) -> Floats:
    """Fit a ridge regression to scaled features; its strength is that of the least error when each example is left out.

    Args:
        train_BF: features of the training examples.
        learned_B: their targets, on the scale that is learned.
        test_NF: features of the test examples.
    """
    from sklearn.linear_model import RidgeCV

    train, test = np.asarray(train_BF, np.float64), np.asarray(test_NF, np.float64)
    centre_F, scale_F = train.mean(axis=0), train.std(axis=0)
    scale_F[scale_F < 1e-9] = 1.0
    model = RidgeCV(alphas=STRENGTHS).fit((train - centre_F) / scale_F, learned_B)
    return np.asarray(model.predict((test - centre_F) / scale_F))


def boosting(
    train_BF: Floats, learned_B: Floats, test_NF: Floats, categories: NDArray[np.bool_] | None = None
) -> Floats:
    """Fit scikit-learn's histogram gradient boosting with its own defaults; it takes missing numbers as they are.

    Args:
        train_BF: features of the training examples.
        learned_B: their targets, on the scale that is learned.
        test_NF: features of the test examples.
        categories: which features are codes, F; none where left out.

    Source: Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", 2017.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        max_iter=ROUNDS, categorical_features=categories, early_stopping=False, random_state=0
    )
    return np.asarray(model.fit(train_BF, learned_B).predict(test_NF))


def largest_components(train_BF: Any, test_NF: Any) -> tuple[Floats, Floats]:
    """Return many features as their largest principal components, and few as they are."""
    train, test = np.asarray(train_BF, np.float64), np.asarray(test_NF, np.float64)
    if train.shape[1] <= 2 * MOST_COLUMNS:
        return train, test
    from sklearn.decomposition import PCA

    model = PCA(min(MOST_COLUMNS, len(train)), random_state=0).fit(train)
    return np.asarray(model.transform(train)), np.asarray(model.transform(test))


def rehearse(target: Any, count: int) -> Predictions:
    """Return predictions like those to come, by which the time of scoring is reckoned."""
    rng = np.random.default_rng(0)
    learned_N = rng.normal(size=count)
    predicted_N = learned_N + rng.normal(scale=0.3, size=count)
    ends = target.restored(predicted_N - 0.5), target.restored(predicted_N + 0.5)
    names = tuple(str(row) for row in range(count))
    return Predictions(names, target.restored(learned_N), target.restored(predicted_N), ends, 0.9)


def average(members: Sequence[tuple[Any, Any]], weights_M: Sequence[float]) -> dict[str, NDArray[np.float32]]:
    """Return the weighted mean of what the members give, on the scale that is learned; of quantiles each by itself.

    The mean of rising quantiles rises.
    """
    stacked = np.stack([np.sort(np.asarray(outputs["numbers"], np.float64), axis=-1) for _, outputs in members])
    return {"numbers": np.tensordot(np.asarray(weights_M), stacked, axes=1).astype(np.float32)}


def likelihood(fitted: Any, kept: Any, truth: Any) -> Floats:
    """Return the density that a member gives the truth of each example, its errors taken for normal, N."""
    numbers_NQ = np.asarray(kept["numbers"], np.float64)
    off_N = (np.asarray(truth, np.float64)[:, 0] - numbers_NQ[:, numbers_NQ.shape[1] // 2]) / fitted.spread
    return np.asarray(np.exp(-0.5 * np.square(off_N)) / fitted.spread)
