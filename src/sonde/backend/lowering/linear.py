"""Dense layers as native torch operations."""

# B batch, F features, U units

from typing import Any

import torch
from torch.nn import functional

from sonde.backend.lowering.activations import ACTIVATIONS, Activation
from sonde.backend.lowering.calls import Call, Run


def dense(layer: Any) -> Call | None:
    """Return a dense layer as one linear operation."""
    activate = ACTIVATIONS.get(layer.activation)
    if activate is None or _is_changed(layer):
        return None

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        bias = layer.bias.value if layer.use_bias else None
        return activate(functional.linear(x, layer.kernel.value.T, bias))

    return call


def einsum_dense(layer: Any) -> Call | None:
    """Return a dense layer over any axes: as one linear operation where it sums over the last ones, else as einsum."""
    activate = ACTIVATIONS.get(layer.activation)
    if activate is None or _is_changed(layer):
        return None
    equation = layer.equation
    summed = summed_axes(equation)
    if summed is None:

        def by_einsum(run: Run, x: torch.Tensor) -> torch.Tensor:
            y = torch.einsum(equation, x, layer.kernel.value)
            return activate(y if layer.bias is None else y + layer.bias.value)

        return by_einsum
    return _linear(layer, activate, summed)


def _linear(layer: Any, activate: Activation, summed: int) -> Call:
    """Return a dense layer that sums over the last axes of its input, as one linear operation."""
    units = tuple(layer.kernel.shape[summed:])
    # A bias that is the same along some axis of the units is added afterwards.
    is_whole = layer.bias is not None and tuple(layer.bias.shape) == units

    def call(run: Run, x: torch.Tensor) -> torch.Tensor:
        kernel_FU = layer.kernel.value.flatten(0, summed - 1).flatten(1)
        rows = x.flatten(-summed) if summed > 1 else x
        y = functional.linear(rows, kernel_FU.T, layer.bias.value.flatten() if is_whole else None)
        y = y.unflatten(-1, units) if len(units) > 1 else y
        return activate(y if is_whole or layer.bias is None else y + layer.bias.value)

    return call


def summed_axes(equation: str) -> int | None:
    """Return how many of the last axes of its input a dense layer sums over, if it does nothing else.

    Args:
        equation: `input,kernel->output` in letters, such as `abc,cd->abd`.

    Returns:
        None where the units do not replace the last axes of the input, in the order of the kernel.
    """
    inputs, rest = equation.split(",")
    kernel, output = rest.split("->")
    for count in range(1, len(kernel)):
        kept, units = inputs[:-count], kernel[count:]
        are_unlike = len(set(inputs + units) - {"."}) == len((inputs + units).replace(".", ""))
        if are_unlike and inputs[-count:] == kernel[:count] and output == kept + units:
            return count
    return None


def _is_changed(layer: Any) -> bool:
    """Tell whether a layer computes with something else than its kernel: low-rank parts, whole numbers."""
    return bool(getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None))
