"""Small truths for every answer, as its data holds them: what the contract over the table of answers is drawn from."""

from collections.abc import Callable

import numpy as np

from sonde.data.ragged import texts
from sonde.data.target import Column


def _masks(count: int) -> Column:
    """Return masks of three numbers, each example with another one as its largest."""
    masks = np.zeros((count, 6, 8), np.uint8)
    for row in range(count):
        masks[row, : 1 + row % 5] = 128
        masks[row, :, : row % 3] = 255
    return masks


TRUTHS: dict[str, Callable[[int], Column]] = {
    "segmentation": _masks,
    "classification": lambda count: np.array(["cat", "dog", "eel"] * count, dtype=np.str_)[:count],
    "regression": lambda count: np.array([f"{place * 7 % 12 + place / 2:g}" for place in range(count)], dtype=np.str_),
    "multilabel": lambda count: np.array(["cat", "cat|dog", "", "dog|eel"] * count, dtype=np.str_)[:count],
    "generation": lambda count: texts((["cat", "a dog", "Äal", "nine eels swim here"] * count)[:count]),
}
"""By answer a function from a number of examples to their truths; a new answer adds its own."""
