"""Rows of a table as one vector: the numbers as they are, and a learned vector for each value of a category.

Source: Guo & Berkhahn, "Entity embeddings of categorical variables", 2016.
"""

# B batch, F numbers of a prepared row

from typing import Any

from keras import initializers, layers, ops

from sonde.models.reads import Reads

WIDEST = 50
"""Numbers that stand for a value at most."""


class Values(initializers.Initializer):
    """The first vectors of a category's values: of variance 1 in all, as a number has, and 0 for the unknown value.

    Within Keras's own 0.05 a category would be drowned by the numbers at first. A value that training has never
    seen stays in the middle of the others.
    """

    def __init__(self, width: int):
        bound = (3 / width) ** 0.5
        self._uniform = initializers.RandomUniform(-bound, bound)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """Return the values; see `keras.initializers.Initializer`."""
        known = self._uniform((shape[0] - 1, shape[1]), dtype)
        return ops.concatenate([ops.zeros((1, shape[1]), known.dtype), known], axis=0)


def width_of(level: int) -> int:
    """Return how many numbers stand for a value of a category.

    Args:
        level: values that are told apart, the unknown included.

    Returns:
        About half of them, and fewer than there are, as in the paper; 50 at most.
    """
    return max(1, min(WIDEST, (level + 1) // 2, level - 1))


def embedded(inputs_BF: Any, reads: Reads) -> Any:
    """Replace the codes of a row, which stand last in it, by what was learned of them.

    Args:
        inputs_BF: symbolic tensor of float32; codes are whole numbers, 0 for what is unknown.
        reads: how many codes there are, and how many values each has.

    Returns:
        Symbolic tensor, batch x (numbers + width of every embedding).
    """
    (size,) = reads.shape
    assert size is not None and reads.cardinalities
    numbers = size - len(reads.cardinalities)
    parts = [inputs_BF[:, :numbers]] if numbers else []
    for place, level in enumerate(reads.cardinalities):
        # Whole numbers before anything rounds them: bf16 has no 257.
        codes_B = ops.cast(inputs_BF[:, numbers + place], "int32")
        width, name = width_of(level), f"category_{place + 1}"
        parts.append(layers.Embedding(level, width, embeddings_initializer=Values(width), name=name)(codes_B))
    return parts[0] if len(parts) == 1 else layers.Concatenate(name="columns")(parts)
