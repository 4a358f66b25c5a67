"""What is explained, and what a method finds of it."""

# T time, X whatever shape an input has

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.answers.answer import Chosen
from sonde.backend import at_once, batches_of, gathered, predictions
from sonde.data import Stored
from sonde.drawing import Sketch
from sonde.evaluation.explanations.integrated import MOST_STEPS
from sonde.evaluation.trained_model import TrainedModel

AT_ONCE = 64
"""Variants of an example that are predicted together."""


@dataclass(frozen=True, eq=False)
class Found:
    """What one method found of one example, or why it does not apply."""

    sentence: str = ""
    """What is seen, in words."""
    weights: NDArray[np.float64] | None = None
    """One for each place of the example's picture: above zero for the class, below zero against it."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Numbers, for machines: the gap, the steps, the layer."""
    maps: tuple[tuple[str, NDArray[np.float64]], ...] = ()
    """Weights between pieces, T x T, with a title each."""
    reason: str = ""
    """Why the method does not apply; empty where it does."""


@dataclass(frozen=True, eq=False)
class Example:
    """One example as a method sees it."""

    raw: Stored
    """One example, N first."""
    inputs: Stored
    """The same, encoded."""
    picture: Sketch | None


@dataclass(frozen=True, eq=False)
class Subject:
    """A trained model whose answers are to be explained."""

    opened: TrainedModel
    modality: str
    most_steps: int = MOST_STEPS
    """Steps of integrated gradients, at most."""
    written: tuple[int, ...] | None = None
    """Tokens of the text whose log-likelihood is explained; None where a number of the outputs is."""

    @property
    def spec(self) -> Any:
        """The model's `data.InputSpec`."""
        return self.opened.spec

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of what the outputs stand for, such as classes; empty where they have none."""
        return self.opened.row.classes(self.opened.target)

    @property
    def noun(self) -> str:
        """What is explained, in words."""
        return "the logit" if self.written is None else "the log-likelihood of the text"

    @property
    def output(self) -> str:
        """Name of the output that is explained."""
        return str(self._head.OUTPUT)

    def chosen(self, inputs: Stored) -> Chosen:
        """Return what the explanation of one encoded example is about."""
        choose = self.opened.row.choose
        assert choose is not None, "asked for before"
        return choose(self.opened.target, self.opened.fitted, self.opened.keep(inputs, batch_size=AT_ONCE))[0]

    def about(self, chosen: Chosen) -> "Subject":
        """Return what is explained of one example: itself, or the likelihood of what was written for it."""
        return self if chosen.written is None else replace(self, written=chosen.written)

    @cached_property
    def model(self) -> Any:
        """The Keras model whose outputs are explained, or None where several answer together."""
        if self.written is None or self.opened.model is None:
            return self.opened.model
        return self._head.explained(self.opened.model, self.written)

    @property
    def _head(self) -> ModuleType:
        from sonde.models.heads import head

        return head(self.opened.description.answer)

    @property
    def module(self) -> ModuleType:
        """The backend's module."""
        assert self.opened.module is not None
        return self.opened.module

    @cached_property
    def engine(self) -> Any:
        """An engine for the gradients of logits."""
        from sonde.models import inside

        return inside.engine_of(self.module, self.model)

    @cached_property
    def map_cut(self) -> Any:
        """The model cut at its last feature map, or None; see `inside.feature_map`."""
        from sonde.models import inside

        tensor = inside.feature_map(self.model)
        return None if tensor is None else inside.cut(self.module, self.model, tensor)

    @cached_property
    def word_cut(self) -> Any:
        """The model cut at its embedding, or None; see `inside.embedding`."""
        from sonde.models import inside

        tensor = inside.embedding(self.model)
        return None if tensor is None else inside.cut(self.module, self.model, tensor)

    @cached_property
    def attentions(self) -> Mapping[str, Any]:
        """An engine for the weights of each attention, by its name."""
        from sonde.models import inside

        model = self.model if self.written is None else self._head.reading(self.opened.model)
        return {name: inside.engine_of(self.module, each) for name, each in inside.attention_maps(model).items()}

    def prepared(self, inputs: Stored) -> NDArray[Any]:
        """Return what the model reads; a length that varies is filled up to a power of two, as few shapes compile.

        Args:
            inputs: N encoded examples.
        """
        array: NDArray[Any] = self.spec.prepare(inputs)
        if self.spec.shape[0] is not None:
            return array
        room = 1 << (array.shape[1] - 1).bit_length()
        return np.pad(array, [(0, 0), (0, room - array.shape[1]), *[(0, 0)] * (array.ndim - 2)])

    def outputs(self, inputs: Stored) -> NDArray[np.float64]:
        """Return the numbers that explanations are of for encoded examples, N x outputs.

        Args:
            inputs: N examples.
        """
        size = at_once(AT_ONCE, self.opened.row.numbers(self.opened.target, self.spec.shape))
        batches = batches_of(inputs, self.spec.prepare, batch_size=size)
        engine = self.opened.engine if self.written is None else self.engine
        # Reduced at once: the logits of all pixels of all inputs would take gigabytes.
        found = gathered(
            predictions(engine, batches),
            lambda rows, outputs: {self.output: _flat(outputs[self.output])},
            np.concatenate,
        )
        return np.asarray(found[self.output], np.float64)

    def slope(self, engine: Any, target: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return the gradient of one of the outputs as a function of points.

        Args:
            engine: of the model, or of its second half.
        """
        from sonde.models import inside

        of = inside.chosen_output(self.output)

        def slope(points: NDArray[Any]) -> NDArray[Any]:
            chosen = np.full(len(points), target, dtype=np.int32)
            array: NDArray[Any] = engine.gradient({"inputs": points, "chosen": chosen}, of)
            return array

        return slope

    def value(self, engine: Any, target: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
        """Return one of the outputs as a function of points; see `slope`."""
        return lambda points: _flat(engine.predict({"inputs": points})[self.output])[:, target]


def _flat(outputs: NDArray[Any]) -> NDArray[Any]:
    """Return the mean over all places of outputs that stand at several, N x outputs."""
    return outputs.reshape(len(outputs), -1, outputs.shape[-1]).mean(axis=1) if outputs.ndim > 2 else outputs


def signed(value: float) -> str:
    """Write a weight with its sign, such as "+1.24"."""
    return f"{value:+.3g}"


def strongest(names: tuple[str, ...], weights: NDArray[np.float64], *, most: int = 3) -> str:
    """Name the pieces that speak most for and most against, such as "for it 'free' +1.2; against it 'ok' -0.3".

    Args:
        weights: of each.
        most: names of each kind.
    """
    order = np.argsort(-weights, kind="stable").tolist()
    sides = (
        ("for it", [at for at in order if weights[at] > 0]),
        ("against it", [at for at in order[::-1] if weights[at] < 0]),
    )
    told = [
        f"most {side} " + ", ".join(f"'{names[at].strip()}' {signed(float(weights[at]))}" for at in found[:most])
        for side, found in sides
        if found
    ]
    return "; ".join(told) or "nothing speaks for or against it"
