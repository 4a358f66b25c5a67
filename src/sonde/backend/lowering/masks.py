"""Masks between native layers, by Keras's rules: a layer reads them, hands them on, or loses them."""

from typing import Any

import torch
from keras import Layer, layers, tree

from sonde.backend.lowering.calls import Run
from sonde.backend.lowering.native_layers import LOWERED
from sonde.backend.lowering.steps import Step


def may_make(layer: Layer) -> bool:
    """Tell whether a layer may put a mask on what it returns; those of unknown kinds may.

    Args:
        layer: any layer of the model, at any depth.
    """
    if isinstance(layer, layers.Masking) or getattr(layer, "mask_zero", False):
        return True
    return type(layer) not in LOWERED and type(layer).compute_mask is not Layer.compute_mask


def of(x: Any) -> Any:
    """Return the note on a tensor, or None; on each where there are several.

    Args:
        x: a tensor, or a structure of them.
    """
    return tree.map_structure(lambda each: getattr(each, "_keras_mask", None), x)


def note(x: Any, mask: Any) -> Any:
    """Put a note on a tensor that has none, and return it.

    Args:
        x: a tensor, or a structure of them.
        mask: a boolean tensor for each, or None.
    """
    for each, its in zip(tree.flatten(x), tree.flatten(mask), strict=False):
        if its is not None and isinstance(each, torch.Tensor) and getattr(each, "_keras_mask", None) is None:
            each._keras_mask = its
    return x


def carry(step: Step, run: Run, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run a native layer with the masks on its inputs, and note on its output the mask that Keras would.

    Args:
        run: how the model is being run.
        args: what the layer is called with; tensors may carry notes.
        kwargs: its keyword arguments; a mask among them goes before the notes.
    """
    assert step.native is not None
    operation = step.operation
    if not isinstance(operation, Layer):
        return step.native(run, *args, **kwargs)
    noted = {name: mask for name, mask in _noted(step, args, kwargs).items() if kwargs.get(name) is None}
    if any(name not in step.native_names for name in noted):
        return step.as_written(run, args, kwargs)
    outputs = step.native(run, *args, **kwargs, **noted)
    if not operation.supports_masking or not args:
        return outputs
    previous = {**kwargs, **noted}.get("mask")
    found = operation.compute_mask(args[0], of(args[0]) if previous is None else previous)
    if not _is_any(found):
        return outputs
    # A layer that does nothing returns its input; a note for those behind it must not be seen by those beside it.
    return note(outputs.view_as(outputs) if outputs is args[0] else outputs, found)


def _noted(step: Step, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the masks that the layer's call takes and that stand on its inputs, by the name of the argument."""
    tensors = dict(zip(step.written_names, args, strict=False)) | kwargs
    tensors = {
        name: x for name, x in tensors.items() if any(isinstance(each, torch.Tensor) for each in tree.flatten(x))
    }
    names = (
        {"mask": next(iter(tensors.values()))} if len(tensors) == 1 else {f"{k}_mask": x for k, x in tensors.items()}
    )
    found = {name: of(x) for name, x in names.items() if name in step.written_names}
    return {name: mask for name, mask in found.items() if _is_any(mask)}


def _is_any(mask: Any) -> bool:
    return mask is not None and any(each is not None for each in tree.flatten(mask))
