"""Built-in data sets: known by a name instead of a path, and there without a download."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data.listing import Listing, numbered
from sonde.data.options import Options
from sonde.data.table.columns import table_of


def digits() -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Return the handwritten digits of the UCI repository that scikit-learn carries: 1,797 of 8 x 8, grey.

    Returns:
        Images N x 8 x 8 x 1 and their labels.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    # Stored as 0..16; 255 is 16.
    return np.rint(bunch.images * (255 / 16)).astype(np.uint8)[..., None], bunch.target.astype(np.str_)


def breast_cancer() -> tuple[NDArray[np.void], NDArray[np.str_]]:
    """Return the cell measurements of the Wisconsin diagnostic set that scikit-learn carries: 569 rows of 30 numbers.

    Returns:
        Rows and their labels, malignant or benign.
    """
    from sklearn.datasets import load_breast_cancer

    return _rows_of(load_breast_cancer())


def wine() -> tuple[NDArray[np.void], NDArray[np.str_]]:
    """Return the analyses of wines of three growers that scikit-learn carries: 178 rows of 13 numbers.

    Returns:
        Rows and their labels.
    """
    from sklearn.datasets import load_wine

    return _rows_of(load_wine())


def diabetes() -> tuple[NDArray[np.void], NDArray[np.str_]]:
    """Return the patients of Efron et al. (2004) that scikit-learn carries: 442 rows of 10 numbers.

    Returns:
        Rows, and how far the disease went within a year, a number.
    """
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    columns = {str(name): bunch.data[:, place] for place, name in enumerate(bunch.feature_names)}
    return table_of(columns), bunch.target.astype(np.int64).astype(np.str_)


def _rows_of(bunch: Any) -> tuple[NDArray[np.void], NDArray[np.str_]]:
    columns = {str(name): bunch.data[:, place] for place, name in enumerate(bunch.feature_names)}
    return table_of(columns), bunch.target_names[bunch.target].astype(np.str_)


BUILTIN: dict[str, Callable[[], tuple[NDArray[Any], NDArray[np.str_]]]] = {
    "digits": digits,
    "breast-cancer": breast_cancer,
    "wine": wine,
    "diabetes": diabetes,
}
"""The built-in data sets, in the order shown to users."""


def sniff(path: Path) -> str | None:
    """Say whether a word is the name of a built-in data set."""
    return f"the built-in data set '{path}'" if str(path) in BUILTIN else None


def read(path: Path, options: Options) -> Listing:
    """Return a built-in data set.

    Args:
        options: not used by this format.
    """
    name = str(path)
    content, answers = BUILTIN[name]()
    notes = (f"a folder of the same name is here too; write ./{name} to use that one",) if path.is_dir() else ()
    return Listing(
        name=name,
        format="built-in",
        reason=sniff(path) or "",
        names=numbered(name, len(content)),
        truth=answers,
        splits=np.full(len(content), ""),
        content=content,
        notes=notes,
        modality="image" if content.dtype.names is None else "table",
    )
