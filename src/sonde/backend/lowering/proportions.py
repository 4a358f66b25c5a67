"""The layer that counts steps above levels, with comparisons that stay in a core's own cache."""

# B batch, T time, K channels

from typing import Any

import torch

from sonde.backend.lowering.calls import Call, Run

AT_ONCE = 1 << 20
"""Numbers that are compared at a time: few enough for a cache, and enough for threads to share."""


def proportions(layer: Any) -> Call:
    """Return the shares of steps above each level; see `backend.proportions`."""

    def call(run: Run, inputs: Any) -> torch.Tensor:
        x_BTK, present_BT = inputs if isinstance(inputs, list | tuple) else (inputs, None)
        # A comparison has no slope.
        x_BTK = x_BTK.detach().float().contiguous()
        weights_B2T = layer.weights_of(x_BTK, present_BT)
        batch, steps, channels = x_BTK.shape
        shares_BLK = torch.empty((batch, layer.levels, channels), device=x_BTK.device)
        level_L1TK = layer.level.value.detach()[:, None, None, :]
        # On a GPU a few large operations are faster, and fill its memory less than the answers themselves.
        at_once = AT_ONCE if x_BTK.device.type == "cpu" else x_BTK.numel()
        size = min(batch, max(1, at_once // (steps * channels)))
        some = min(layer.levels, max(1, at_once // (size * steps * channels)))
        above_LBTK = torch.empty((some, size, steps, channels), device=x_BTK.device)
        half = channels // 2
        # Under autocast the shares would be rounded to eight bits.
        with torch.autocast(x_BTK.device.type, enabled=False), torch.no_grad():
            for first in range(0, batch, size):
                x, weights = x_BTK[None, first : first + size], weights_B2T[None, first : first + size]
                for number in range(0, layer.levels, some):
                    level = level_L1TK[number : number + some]
                    above = torch.gt(x, level, out=above_LBTK[: len(level), : x.shape[1]])
                    both_LB2K = torch.matmul(weights, above)
                    places = slice(first, first + size), slice(number, number + some)
                    shares_BLK[*places, :half] = both_LB2K[:, :, 0, :half].transpose(0, 1)
                    shares_BLK[*places, half:] = both_LB2K[:, :, 1, half:].transpose(0, 1)
            shares_BLK.sub_(layer.mean.value).mul_(layer.factor.value)
        return shares_BLK.reshape(batch, -1)

    return call
