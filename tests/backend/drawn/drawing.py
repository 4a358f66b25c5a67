"""What a drawn layer is, and what several families of layers draw from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

ACTIVATION_NAMES = st.sampled_from(["linear", "relu", "sigmoid", "tanh", "silu", "elu", "selu", "gelu", "softplus"])
UNCOVERED = st.just("sparsemax")
FLAGS = st.booleans()
SMALL = st.integers(1, 3)
SIDES = st.integers(3, 7)
PADDINGS = st.sampled_from(["valid", "same"])


def called(layer: Any, inputs: list[Any]) -> Any:
    """Call a layer with its only input, or with a list of them."""
    return layer(inputs if len(inputs) > 1 else inputs[0])


@dataclass(frozen=True)
class Drawn:
    """A layer's maker, the shapes of its inputs, and how it is to be run."""

    make: Callable[[], Any]
    """Keras draws seeds from Python's generator when a layer is made, which hypothesis forbids while it draws."""
    shape: tuple[int, ...]
    inputs: int = 1
    """How many inputs of that shape there are."""
    others: tuple[tuple[int, ...], ...] = ()
    """Shapes of further inputs."""
    is_covered: bool = True
    """Whether a native equivalent is expected; otherwise the layer runs as Keras wrote it."""
    call: Callable[[Any, list[Any]], Any] = called
    """(layer, symbolic inputs) -> what it returns."""
    below: int = 0
    """Inputs are whole numbers from 0 and below this; 0 for fractions."""
    is_random: bool = False
    """Whether it draws numbers in training, so that it can be compared in inference only."""

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of all inputs."""
        return [self.shape] * self.inputs + list(self.others)


def pool_strides() -> st.SearchStrategy[Any]:
    """Draw strides of pooling; none means as wide as the pool."""
    return st.none() | st.integers(1, 4) | st.tuples(SMALL, SMALL)
