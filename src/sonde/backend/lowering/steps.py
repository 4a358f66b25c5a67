"""Reads a Keras graph, with the models inside of it, into a list of steps over numbered slots."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import torch
from keras import KerasTensor, Layer, Model, Sequential, tree

from sonde.backend.lowering.calls import Call, Run
from sonde.backend.lowering.native_layers import LOWERED
from sonde.backend.lowering.operations import OPERATIONS

Slots = list[Any]
"""The tensors of a running model: each input and each output of a step has its place."""

Arguments = Callable[[Slots], tuple[tuple[Any, ...], dict[str, Any]]]
"""Slots -> what an operation is called with."""


@dataclass
class Step:
    """One operation of the graph, ready to run."""

    operation: Any
    """A Keras layer or an operation of `keras.ops`."""
    native: Call | None
    """None: it runs as Keras wrote it."""
    arguments: Arguments
    outputs: list[int]
    """Slots of what it returns."""
    reads: set[int]
    """Slots that its arguments come from."""
    unused: list[int] = field(default_factory=list)
    """Slots that nothing reads after this step."""
    written_names: tuple[str, ...] = ()
    """Arguments of the call as Keras wrote it."""
    native_names: tuple[str, ...] = ()
    """Arguments of the native call."""

    def as_written(self, run: Run, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Run the operation as Keras wrote it.

        Args:
            run: how the model is being run.
            args: what the operation is called with.
            kwargs: its keyword arguments, without `training`.
        """
        if getattr(self.operation, "_call_has_training_arg", False):
            return self.operation(*args, **{**kwargs, "training": run.training})
        return self.operation(*args, **kwargs)

    def converted(self, x: Any) -> Any:
        """Return an argument in the type of numbers that the layer computes in, as Keras would hand it over.

        Args:
            x: a tensor or anything else.
        """
        wanted = getattr(self.operation, "compute_dtype", None)
        if wanted is None or not isinstance(x, torch.Tensor) or not x.is_floating_point():
            return x
        mask = getattr(x, "_keras_mask", None)
        y = keras.ops.cast(x, wanted)
        if mask is not None:
            y._keras_mask = mask
        return y


@dataclass
class Program:
    """A graph as a list of steps."""

    steps: list[Step]
    inputs: list[int]
    """Slots of the model's inputs, in their flat order."""
    outputs: list[int]
    """Slots of its outputs, in their flat order."""
    slots: int
    """How many there are."""


def read(graph: Any) -> Program:
    """Read a functional model.

    Args:
        graph: a functional model; sequential ones hold one.
    """
    steps: list[Step] = []
    inputs = list(range(len(graph.inputs)))
    places = {id(each): slot for slot, each in zip(inputs, graph.inputs, strict=True)}
    slots = _read_into(steps, graph, places, len(inputs))
    outputs = [places[id(each)] for each in graph.outputs]
    _pool_before_relu(steps, outputs)
    seen = set(outputs)
    for step in reversed(steps):
        step.unused = sorted(({*step.outputs} | step.reads) - seen)
        seen |= step.reads
    return Program(steps, inputs, outputs, slots)


def _pool_before_relu(steps: list[Step], outputs: list[int]) -> None:
    """Let max pooling go before a ReLU that only it reads.

    The largest of a window and zero is the same either way round, and so is whose slope it takes; but behind the
    pooling there is a quarter of the work.
    """
    for step in steps:
        (slot, *more) = step.outputs
        readers = [each for each in steps if slot in each.reads]
        if more or slot in outputs or len(readers) != 1 or not _is_relu(step):
            continue
        (pool,) = readers
        if type(pool.operation) in POOLS and pool.native is not None:
            for name in ("operation", "native", "written_names", "native_names"):
                mine, its = getattr(step, name), getattr(pool, name)
                setattr(step, name, its)
                setattr(pool, name, mine)


POOLS = (keras.layers.MaxPooling1D, keras.layers.MaxPooling2D, keras.layers.MaxPooling3D)


def _is_relu(step: Step) -> bool:
    layer = step.operation
    if step.native is None:
        return False
    if type(layer) is keras.layers.ReLU:
        return layer.max_value is None and not layer.negative_slope and not layer.threshold
    return type(layer) is keras.layers.Activation and layer.activation is keras.activations.relu


def _read_into(steps: list[Step], graph: Any, places: dict[int, int], slots: int) -> int:
    """Add the steps of a graph whose inputs have their places; returns how many slots are taken."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if node.is_input or any(id(each) not in places for each in node.input_tensors):
                continue
            inner = _model_inside(node)
            if inner is None:
                outputs = list(range(slots, slots + len(node.outputs)))
                slots += len(outputs)
                steps.append(_step(node, places, outputs))
            else:
                given = tree.flatten(node.arguments.args[0])
                own = {id(its): places[id(x)] for its, x in zip(inner.inputs, given, strict=True)}
                slots = _read_into(steps, inner, own, slots)
                outputs = [own[id(each)] for each in inner.outputs]
            places.update({id(each): slot for each, slot in zip(node.outputs, outputs, strict=True)})
    return slots


def _model_inside(node: Any) -> Any:
    """Return the graph of a model that is called here as a layer, if its steps can stand in for the call."""
    operation, arguments = node.operation, node.arguments
    graph = getattr(operation, "_functional", None) if type(operation) is Sequential else operation
    if graph is None or type(graph) is not FUNCTIONAL or operation.activity_regularizer is not None:
        return None
    if len(arguments.args) != 1 or _said(arguments):
        return None
    given = tree.flatten(arguments.args[0])
    alike = len(given) == len(graph.inputs) and all(
        isinstance(x, KerasTensor) and len(x.shape) == len(its.shape) and x.dtype == its.dtype
        for x, its in zip(given, graph.inputs, strict=False)
    )
    return graph if alike else None


def _step(node: Any, places: Mapping[int, int], outputs: list[int]) -> Step:
    operation, arguments = node.operation, node.arguments
    kwargs = _said(arguments)
    native = _native(operation, arguments.args, kwargs)
    reads = {places[id(each)] for each in node.input_tensors}
    written_names = tuple(inspect.signature(operation.call).parameters)
    native_names = tuple(inspect.signature(native).parameters) if native is not None else ()
    filled = _arguments(arguments.args, kwargs, places)
    return Step(operation, native, filled, outputs, reads, written_names=written_names, native_names=native_names)


def _said(arguments: Any) -> dict[str, Any]:
    """Return the keyword arguments of a call that say something; `training` is ours to decide at each run."""
    return {
        name: value
        for name, value in arguments.kwargs.items()
        if name != "training" and any(each is not None for each in tree.flatten(value))
    }


def _native(operation: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call | None:
    """Return what computes an operation natively, or None where its kind or something about it is not covered."""
    if not isinstance(operation, Layer):
        its_rule = OPERATIONS.get(type(operation))
        native = None if its_rule is None else its_rule(operation)
        if native is not None:
            return native
        # What `__call__` adds to an operation is of use where tensors are symbolic, and costs as much as a small one.
        call = operation.call
        return lambda run, *args, **kwargs: call(*args, **kwargs)
    rule = LOWERED.get(type(operation))
    if rule is None or operation.activity_regularizer is not None:
        return None
    if getattr(operation, "lora_enabled", False) or getattr(operation, "quantization_mode", None):
        return None
    if not _computes_as_usual(operation) or _is_given_unfit(operation, args):
        return None
    native = rule(operation)
    if native is None:
        return None
    try:
        inspect.signature(native).bind(None, *args, **kwargs)
    except TypeError:  # It is called with more than its input: a first state, a mask.
        return None
    return native


def _computes_as_usual(layer: Layer) -> bool:
    """Tell whether a layer computes in float32 where it computes with fractions; native calls leave types alone."""
    return layer.compute_dtype == "float32" or not keras.backend.is_float_dtype(layer.compute_dtype)


FRACTIONS_ONLY = (
    keras.layers.Dense,
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.RMSNormalization,
    keras.layers.UnitNormalization,
)
"""Layers that take whole numbers in Keras, and whose torch operations do not."""


def _is_given_unfit(layer: Any, args: tuple[Any, ...]) -> bool:
    """Tell whether a layer, or the one inside of `TimeDistributed`, is given whole numbers that it cannot take here."""
    given = [each for each in tree.flatten(args) if isinstance(each, KerasTensor)]
    are_whole = any(not keras.backend.is_float_dtype(each.dtype) for each in given)
    return are_whole and type(getattr(layer, "layer", layer)) in FRACTIONS_ONLY


def _arguments(args: tuple[Any, ...], kwargs: dict[str, Any], places: Mapping[int, int]) -> Arguments:
    """Return what fills an operation's arguments in; the common ones without looking through structures."""
    if not kwargs and len(args) == 1:
        if isinstance(args[0], KerasTensor):
            place = places[id(args[0])]
            return lambda slots: ((slots[place],), {})
        if isinstance(args[0], list) and all(isinstance(each, KerasTensor) for each in args[0]):
            several = [places[id(each)] for each in args[0]]
            return lambda slots: (([slots[place] for place in several],), {})

    def fill(slots: Slots) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return tree.map_structure(lambda x: slots[places[id(x)]] if isinstance(x, KerasTensor) else x, (args, kwargs))

    return fill


_one = keras.Input((1,))
FUNCTIONAL = type(Model(_one, _one))
"""Keras's class of functional models, which it does not export."""
