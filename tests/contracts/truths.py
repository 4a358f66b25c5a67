"""Small truths for every answer, as its data holds them: what the contract over the table of answers is drawn from."""

from collections.abc import Callable

import numpy as np

from sonde.data.target import Column

TRUTHS: dict[str, Callable[[int], Column]] = {
    "classification": lambda count: np.array(["cat", "dog", "eel"] * count, dtype=np.str_)[:count],
    "regression": lambda count: np.array([f"{place * 7 % 12 + place / 2:g}" for place in range(count)], dtype=np.str_),
    "multilabel": lambda count: np.array(["cat", "cat|dog", "", "dog|eel"] * count, dtype=np.str_)[:count],
}
"""By answer a function from a number of examples to their truths; a new answer adds its own."""
