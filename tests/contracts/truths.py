"""Small truths for every answer, as its data holds them: what the contract over the table of answers is drawn from."""

from collections.abc import Callable

import numpy as np

from sonde.data.ragged import texts
from sonde.data.target import Column

TRUTHS: dict[str, Callable[[int], Column]] = {
    "classification": lambda count: np.array(["cat", "dog", "eel"] * count, dtype=np.str_)[:count],
    "multilabel": lambda count: np.array(["cat", "cat|dog", "", "dog|eel"] * count, dtype=np.str_)[:count],
    "generation": lambda count: texts((["cat", "a dog", "Äal", "nine eels swim here"] * count)[:count]),
}
"""By answer a function from a number of examples to their truths; a new answer adds its own."""
