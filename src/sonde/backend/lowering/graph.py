"""Runs a Keras graph with native torch operations, on the Keras variables themselves.

Keras on torch copies images between layouts in every convolution, builds batch normalisation from many small
operations and loops over time in Python. Here the graph is read once, into a list of steps. Each operation that has a
native equivalent (`table.LOWERED`) is replaced by it, models inside of models are read into the same list, and the
rest run as Keras wrote them and are named in `Lowered.fallbacks`.

Tensors keep Keras's meaning (channels last) between layers, so that any layer may fall back. A channels-last tensor
seen through `movedim` is what torch calls the channels_last memory format: changing the view copies nothing.

A mask is, as in Keras, an argument of the call where the graph holds it, and otherwise a note on the tensor.
"""

from typing import Any

import torch
from keras import Model, Sequential, layers, tree

from sonde.backend.lowering import masks
from sonde.backend.lowering.calls import Run
from sonde.backend.lowering.steps import FUNCTIONAL, Slots, Step, read
from sonde.errors import ModelError


class Lowered:
    """A Keras model as a function of tensors."""

    def __init__(self, model: Model, generator: torch.Generator):
        self._model: Any = model
        self._generator = generator
        self._program = read(self._model)
        self._is_named = isinstance(self._model._outputs_struct, dict)
        written = [step.operation for step in self._program.steps if step.native is None]
        names = dict.fromkeys(each.name for each in written if isinstance(each, layers.Layer))
        self.fallbacks: tuple[str, ...] = tuple(names)
        """Names of the layers that run as Keras wrote them, for want of a native equivalent."""
        inside = self._model._flatten_layers(include_self=False)
        self._masks = any(masks.may_make(layer) for layer in inside)
        self._mixed = len({layer.compute_dtype for layer in inside}) > 1

    @property
    def may_have_losses(self) -> bool:
        """Whether the model may have losses of its own: penalties on weights, or what a layer adds."""
        return bool(self.fallbacks) or any(each.regularizer is not None for each in self._model.trainable_variables)

    def __call__(self, inputs: Any, *, training: bool) -> Any:
        """Run the model.

        Args:
            inputs: a batch, channels last; several of them as the model takes them.
            training: whether dropout and batch statistics are on.

        Raises:
            ValueError: they are not of the shape that the model was built for.
        """
        self._model._assert_input_compatibility(inputs)
        if not self.fallbacks:
            return self._run(inputs, training)
        # To Keras the whole is one call of the model: losses that layers add gather, and layers inside of layers, which
        # nobody passes `training`, find it in the context.
        context = self._model._get_call_context()
        context.set_value("training", training)
        try:
            return self._run(inputs, training)
        finally:
            self._model._maybe_reset_call_context()

    def _run(self, inputs: Any, training: bool) -> Any:
        program, run = self._program, Run(training, self._generator)
        slots: Slots = [None] * program.slots
        for slot, each in zip(program.inputs, self._model._standardize_inputs(inputs), strict=True):
            slots[slot] = each
        for step in program.steps:
            args, kwargs = step.arguments(slots)
            outputs = self._take(step, run, args, kwargs)
            if len(step.outputs) == 1 and isinstance(outputs, torch.Tensor):
                slots[step.outputs[0]] = outputs
            else:
                for slot, each in zip(step.outputs, tree.flatten(outputs), strict=False):
                    slots[slot] = each
            for slot in step.unused:
                slots[slot] = None
        found = [slots[slot] for slot in program.outputs]
        return (
            found[0]
            if len(found) == 1 and not self._is_named
            else tree.pack_sequence_as(self._model._outputs_struct, found)
        )

    def _take(self, step: Step, run: Run, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if step.native is None:
            return step.as_written(run, args, kwargs)
        if self._mixed:
            args, kwargs = tree.map_structure(step.converted, (args, kwargs))
        if not self._masks:
            return step.native(run, *args, **kwargs)
        return masks.carry(step, run, args, kwargs)


def lower(model: Model, generator: torch.Generator) -> Lowered:
    """Prepare a model for running with native operations.

    Args:
        generator: where dropout and noise take their random numbers from.

    Raises:
        ModelError: it is no such model, or its class has a `call` of its own.
    """
    graph: Any = getattr(model, "_functional", None) if type(model) is Sequential else model
    if not hasattr(graph, "_nodes_by_depth") or type(graph).call is not FUNCTIONAL.call:
        raise ModelError(
            f"The model '{model.name}' is not run from its graph: it is not built, or its class has its own `call`. "
            "Make it of layers that are called one after another (keras.Model(inputs, outputs))."
        )
    return Lowered(graph, generator)
