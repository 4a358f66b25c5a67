"""Looks inside of a trained model: the layers that explanations ask, as models and engines of their own.

    cut = inside.cut(model, inside.feature_map(model))
    middle = cut.middle(inputs)                                                      numpy in, numpy out
    slope = cut.second.gradient({"inputs": middle, "chosen": places}, chosen_output("logits"))

A model here is the graph that Keras holds. It is walked anew from a tensor in its middle, with the same layers and
weights, so that `Trains.gradient` gives the gradient with respect to that tensor on every backend.
"""

# B batch, C classes, T time, D width, H heads

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

import keras
import numpy as np
from keras import layers, ops, tree
from numpy.typing import NDArray

from sonde.backend import EngineSettings, Trains
from sonde.backend.engine import Tensors, output_names
from sonde.models.attending import POSITIONS
from sonde.models.decoder import TABLES

CONVOLUTIONS = (
    layers.Conv1D,
    layers.Conv2D,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
    layers.SeparableConv1D,
    layers.SeparableConv2D,
)
"""What makes feature maps."""

FEWEST_PLACES = 4
"""Places along an axis of a map that shows where something is."""


@dataclass(frozen=True)
class Cut:
    """A model in two halves: from the inputs to a tensor in its middle, and from there to the logits."""

    first: Trains
    second: Trains
    """Reads the tensor and, where `beside` is not 0, the inputs behind it, on the last axis."""
    beside: int
    """Channels of the second half's input that hold the model's inputs, such as ids that tell words from padding."""
    name: str
    """The layer that gives the tensor."""

    def middle(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Return what the second half reads."""
        activations: NDArray[np.float32] = self.first.predict({"inputs": inputs})["outputs"]
        if not self.beside:
            return activations
        behind = inputs.reshape(*activations.shape[:-1], self.beside).astype(np.float32)
        return np.concatenate([activations, behind], axis=-1)


def engine_of(module: ModuleType, model: keras.Model) -> Trains:
    """Build an engine that is not meant to step; see `chosen_output`.

    Args:
        model: a model that gives "logits", B x C, or anything, where only `predict` is to be used.
    """
    # Of all optimizers, this one keeps no slots.
    engine: Trains = module.build(model, _no_loss, _nothing, EngineSettings(optimizer="sgd", momentum=0.0))
    return engine


@cache
def chosen_output(name: str) -> Callable[[Tensors, Tensors], Any]:
    """Return the function that is differentiated: the sum of one output of each example.

    No other example has a part in its gradient. Where an output stands at several places, such as the pixels of a mask,
    it is the mean over them. The same name gives the same function, which JAX compiles once.

    Args:
        name: of the model's output, B x ... x C; the batch's "chosen" names a place on its last axis, B.
    """

    def chosen(outputs: Tensors, batch: Tensors) -> Any:
        found = outputs[name]
        if len(found.shape) > 2:
            found = ops.mean(found, axis=tuple(range(1, len(found.shape) - 1)))
        return ops.sum(found * ops.one_hot(batch["chosen"], found.shape[-1], dtype="float32"))

    return chosen


def _no_loss(outputs: Tensors, batch: Tensors) -> Any:
    return ops.zeros(())


def _nothing(outputs: Tensors, batch: Tensors) -> dict[str, Any]:
    return {}


def feature_map(model: keras.Model) -> Any:
    """Return the tensor that Grad-CAM asks: the last convolution's map, behind its normalisation and activation.

    That is the last tensor of the size of that convolution's map that all paths to the logits pass through. Maps with
    fewer than four places along an axis show too little and are passed over, unless there are no others.

    Returns:
        The tensor, or None where no convolution leads to such a one.
    """
    nodes = list(_nodes(model))
    smaller = None
    for last in reversed(range(len(nodes))):
        if not isinstance(nodes[last].operation, CONVOLUTIONS):
            continue
        places = nodes[last].outputs[0].shape[1:-1]
        if 1 in places and set(places) == {1}:
            continue
        behind = [each for node in nodes[last:] for each in node.outputs if tuple(each.shape[1:-1]) == places]
        found = [each for each in behind if len(each.shape) == len(places) + 2 and _is_all(model, each)]
        if found and all(size is None or size >= FEWEST_PLACES for size in places):
            return found[-1]
        smaller = found[-1] if found and smaller is None else smaller
    return smaller


def embedding(model: keras.Model) -> Any:
    """Return the tensor in which each id has become a vector, B x T x D.

    Args:
        model: a functional model that reads ids, B x T.

    Returns:
        The tensor, or None where there is none or more than one: with vectors of several ids (n-grams), or of the same
        ids twice, a vector's part is not a word's.
    """
    tables = [node for node in _nodes(model) if isinstance(node.operation, layers.Embedding)]
    # Vectors of places are no part of what a word is, and those of what is written none of what is read.
    found = [node.outputs[0] for node in tables if node.operation.name not in (POSITIONS, *TABLES)]
    alone = len(found) == 1 and len(found[0].shape) == 3 and found[0].shape[1] == model.inputs[0].shape[1]
    ids = alone and _nodes_of(model, found[0]).input_tensors[0] is model.inputs[0]
    return found[0] if ids else None


def cut(module: ModuleType, model: keras.Model, tensor: Any) -> Cut:
    """Cut a model in two at a tensor.

    Args:
        tensor: of its graph; where other paths lead past it, it must be as long as the inputs.

    Raises:
        ValueError: paths lead past it, and the inputs do not fit beside it.
    """
    given = model.inputs[0]
    first = keras.Model(given, {"outputs": tensor}, name="first")
    if _is_all(model, tensor):
        start = keras.Input(batch_shape=tensor.shape, dtype="float32", name="middle")
        second = _second(model, start, _again(model, {id(tensor): start}))
        return Cut(engine_of(module, first), engine_of(module, second), 0, name_of(tensor))
    flat = given.shape[:-1] if len(given.shape) == len(tensor.shape) else given.shape
    if tuple(flat) != tuple(tensor.shape[:-1]):
        raise ValueError(f"Paths lead past {name_of(tensor)}, and inputs of {given.shape} do not fit beside it.")
    beside, width = (given.shape[-1] if len(given.shape) == len(tensor.shape) else 1), tensor.shape[-1]
    start = keras.Input(batch_shape=(*tensor.shape[:-1], width + beside), dtype="float32", name="middle")
    own, codes = start[..., :width], start[..., width:]
    codes = codes[..., 0] if len(given.shape) < len(tensor.shape) else codes
    codes = codes if given.dtype == "float32" else ops.cast(codes, given.dtype)
    second = _second(model, start, _again(model, {id(tensor): own, id(given): codes}))
    return Cut(engine_of(module, first), engine_of(module, second), beside, name_of(tensor))


def _second(model: keras.Model, start: Any, output: Any) -> keras.Model:
    return keras.Model(start, {output_names(model)[0]: output})


def name_of(tensor: Any) -> str:
    """Return the name of the layer or operation that gives a tensor."""
    return str(tensor._keras_history.operation.name)


def attention_maps(model: keras.Model) -> dict[str, keras.Model]:
    """Return a model for each attention of one sequence over itself: inputs -> weights, B x H x T x T.

    The weights of a learned mean over the steps are B x 1 x 1 x T.

    Returns:
        By the name of the layer or operation, in the model's order; empty where nothing attends.
    """
    found: dict[str, keras.Model] = {}
    for node in _nodes(model):
        weights = next((rule(node) for kind, rule in ATTENTIONS.items() if isinstance(node.operation, kind)), None)
        if weights is not None:
            found[f"{len(found) + 1}: {node.operation.name}"] = keras.Model(model.inputs[0], {"outputs": weights})
    return found


def _of_layer(node: Any) -> Any:
    """Compute the weights of Keras's attention layer; its own are lost when a graph is made of them (Keras 3.15)."""
    layer, said = node.operation, _said(node, ("query", "value", "key"))
    key = said.get("key") if said.get("key") is not None else said["value"]
    mask = said.get("attention_mask")
    mask = mask if mask is None or len(mask.shape) == 4 else ops.expand_dims(mask, 1)
    return _weights(layer.query_dense(said["query"]), layer.key_dense(key), layer._inverse_sqrt_key_dim, mask)


def _of_operation(node: Any) -> Any:
    """Compute the weights of `keras.ops.dot_product_attention`, which keeps them to itself."""
    said = _said(node, ("query", "key", "value", "bias", "mask", "scale"))
    scale = said.get("scale", getattr(node.operation, "scale", None)) or said["query"].shape[-1] ** -0.5
    return _weights(said["query"], said["key"], scale, said.get("mask"), bias=said.get("bias"))


def _weights(query_BTHD: Any, key_BSHD: Any, scale: float, mask: Any, *, bias: Any = None) -> Any:
    scores_BHTS = ops.einsum("bthd,bshd->bhts", query_BTHD, key_BSHD) * scale
    scores_BHTS = scores_BHTS if bias is None else scores_BHTS + bias
    return ops.softmax(scores_BHTS if mask is None else ops.where(mask, scores_BHTS, -1e9), axis=-1)


def _said(node: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return dict(zip(names, node.arguments.args, strict=False)) | node.arguments.kwargs


def _of_softmax(node: Any) -> Any:
    """Take a softmax over B x H x T x T, or over the steps of B x T x 1, as attention that is written out."""
    (weights,), axis = node.outputs, node.operation.axis
    if len(weights.shape) == 3 and weights.shape[2] == 1 and axis in (1, -2):
        return ops.expand_dims(ops.transpose(weights, (0, 2, 1)), 1)
    square = len(weights.shape) == 4 and weights.shape[2] == weights.shape[3]
    return weights if square and axis in (-1, 3) else None


def _kind(operate: Callable[..., Any], shape: tuple[int, ...]) -> type:
    """Return the class of an operation, which Keras does not export."""
    return type(operate(keras.Input(shape))._keras_history.operation)


ATTENTIONS: dict[type, Callable[[Any], Any]] = {
    layers.MultiHeadAttention: _of_layer,
    _kind(lambda x: ops.dot_product_attention(x, x, x), (2, 2, 2)): _of_operation,
    _kind(ops.softmax, (2, 2)): _of_softmax,
}
"""How the weights of each kind of attention are had; a rule returns None for what is none."""


def _nodes(model: keras.Model) -> Iterator[Any]:
    """Give the calls of a graph in an order in which they can be made."""
    for depth in sorted(model._nodes_by_depth, reverse=True):
        yield from (node for node in model._nodes_by_depth[depth] if not node.is_input)


def _nodes_of(model: keras.Model, tensor: Any) -> Any:
    return next(node for node in _nodes(model) if any(each is tensor for each in node.outputs))


def _is_all(model: keras.Model, tensor: Any) -> bool:
    """Tell whether the logits depend on a tensor alone: no path from the inputs leads past it."""
    known = {id(tensor)}
    for node in _nodes(model):
        if all(id(each) in known for each in node.input_tensors):
            known |= {id(each) for each in node.outputs}
    return id(model.outputs[0]) in known


def _again(model: keras.Model, known: dict[int, Any]) -> Any:
    """Make the calls of a graph once more, from other tensors.

    Args:
        known: what stands for each of some tensors, by the tensor's id; what they do not lead to is left out.

    Returns:
        What stands for the model's output.
    """
    known = dict(known)
    for node in _nodes(model):
        if all(id(each) in known for each in node.outputs):
            continue
        if all(id(each) in known for each in node.input_tensors):
            args, kwargs = _with(known, (node.arguments.args, node.arguments.kwargs))
            outputs = tree.flatten(node.operation(*args, **kwargs))
            known |= {id(its): known.get(id(its), made) for its, made in zip(node.outputs, outputs, strict=True)}
    return known[id(model.outputs[0])]


def _with(known: dict[int, Any], arguments: Any) -> Any:
    return tree.map_structure(lambda x: known.get(id(x), x), arguments)
