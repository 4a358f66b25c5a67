"""Finds out whether bf16 is right and faster on this machine, with a trial of about a tenth of a second."""

# B batch, T time, F features, U units

from collections.abc import Callable

import torch
from torch.nn import functional

from sonde.backend.engine import Precision
from sonde.backend.trials import judge


def bfloat16_pays(device: torch.device, work: str) -> Precision:
    """Choose bf16 where an operation of the model's kind, forward and backward, is right and faster in it.

    Args:
        device: where the training will run.
        work: what the model mostly does; a row of `TRIALS`.
    """
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported()
        return Precision("bf16", "the GPU computes it natively") if native else Precision("fp32", "no native bf16")
    if not torch.cpu._is_avx512_bf16_supported():
        return Precision("fp32", "this processor has no native bf16")
    inputs, operation = TRIALS[work](torch.Generator().manual_seed(0))
    leaves = [each.requires_grad_() for each in inputs]

    def trial(enabled: bool) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            outputs = operation(*leaves)
        # All gradients, as in the middle of a network: with a convolution kernel's alone the casts outweigh the rest,
        # and the trial was a coin's toss (1.0 to 1.5 on a processor where training gains 1.7).
        torch.autograd.grad(outputs.float().mean(), leaves)
        return outputs.detach().float()

    exact = trial(False)
    try:
        error = float((trial(True) - exact).abs().max() / exact.abs().max())
    except RuntimeError:
        return Precision("fp32", f"torch has no bf16 {work} on this processor")
    return judge(work, error, lambda: trial(False), lambda: trial(True))


Trial = tuple[list[torch.Tensor], Callable[..., torch.Tensor]]
"""What an operation reads, and the operation."""


def _convolution(generator: torch.Generator) -> Trial:
    images = torch.randn(32, 32, 16, 16, generator=generator).contiguous(memory_format=torch.channels_last)
    kernel = torch.randn(64, 32, 3, 3, generator=generator)
    return [images, kernel], lambda x, w: functional.conv2d(x, w, padding=1)


def _recurrence(generator: torch.Generator) -> Trial:
    # With a batch or a state of half the size the casts weigh as much as the products, and bf16 seems not to pay.
    x_BTF = torch.randn(128, 16, 128, generator=generator)
    weights = [torch.randn(4 * 128, 128, generator=generator) / 11 for _ in range(2)]
    biases = [torch.zeros(4 * 128) for _ in range(2)]

    def lstm(x_BTF: torch.Tensor, *flat: torch.Tensor) -> torch.Tensor:
        state = x_BTF.new_zeros(1, len(x_BTF), 128)
        outputs: torch.Tensor = torch.lstm(x_BTF, (state, state), flat, True, 1, 0.0, True, False, True)[0]
        return outputs

    return [x_BTF, *weights, *biases], lstm


def _product(generator: torch.Generator) -> Trial:
    x_BF = torch.randn(256, 512, generator=generator)
    kernel = torch.randn(512, 512, generator=generator)
    return [x_BF, kernel], functional.linear


TRIALS: dict[str, Callable[[torch.Generator], Trial]] = {
    "convolution": _convolution,
    "recurrence": _recurrence,
    "matrix product": _product,
}
"""An operation to try for each kind of work that a model mostly does."""
