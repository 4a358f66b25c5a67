"""Finds out whether bf16 is right and faster on this machine, with a trial of about a tenth of a second."""

import time
from collections.abc import Callable

import torch

from sonde.backend.engine import Precision

GAIN = 1.15
"""How many times faster bf16 must be; below that the noise of a trial this short could decide."""
TURNS = 7
"""Trials of each; some 7 ms apiece on two cores."""
TOLERANCE = 0.05
"""Largest relative error of the trial's outputs; bf16 keeps 8 bits, so about 0.01 is usual."""


def bfloat16_pays(device: torch.device) -> Precision:
    """Choose bf16 where a small convolution, forward and backward, is right and faster in it.

    Args:
        device: where the training will run.
    """
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported()
        return Precision("bf16", "the GPU computes it natively") if native else Precision("fp32", "no native bf16")
    if not torch.cpu._is_avx512_bf16_supported():
        return Precision("fp32", "this processor has no native bf16")
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(32, 32, 16, 16, generator=generator).contiguous(memory_format=torch.channels_last)
    images.requires_grad_()
    kernel = torch.randn(64, 32, 3, 3, generator=generator, requires_grad=True)

    def trial(enabled: bool) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            outputs = torch.nn.functional.conv2d(images, kernel, padding=1)
        # Both gradients, as in the middle of a network: with the kernel's alone the casts outweigh the convolution,
        # and the trial was a coin's toss (1.0 to 1.5 on a processor where training gains 1.7).
        outputs.float().mean().backward()
        images.grad = kernel.grad = None
        return outputs.detach().float()

    exact = trial(False)
    error = float((trial(True) - exact).abs().max() / exact.abs().max())
    if error > TOLERANCE:
        return Precision("fp32", f"bf16 is wrong here: a trial convolution was off by {error:.0%}")
    slow, fast = _fastest(lambda: trial(False), lambda: trial(True))
    gain = slow / fast
    if gain < GAIN:
        return Precision("fp32", f"a trial found bf16 {gain:.1f} times as fast as fp32 here")
    return Precision("bf16", f"a trial found it {gain:.1f} times as fast as fp32 here, and right")


def _fastest(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Return the least seconds of each; they take turns, so that a busy moment of the machine hits both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for work, taken in zip((first, second), times, strict=True):
            begin = time.perf_counter()
            work()
            taken.append(time.perf_counter() - begin)
    return min(times[0]), min(times[1])
