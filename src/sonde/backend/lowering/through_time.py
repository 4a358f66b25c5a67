"""Recurrent layers step by step, with their gradients written out: for masks of any pattern, and where torch is slow.

torch's own recurrences know no masks with gaps, and on a CPU its GRU and its simple recurrence are many small
operations, each noted for the way back by itself. Here the inputs of all steps are projected in one product, and a step
is one or two products and a few operations in place. On the way back, what a slope takes from the forward pass is
computed for all steps at once, and so are the gradients of the weights.

Outputs stand in the order of the data; `backwards` means that steps are taken from the last to the first. A step that
is skipped hands its states on as they are. In gates this is exact and nearly free: a forget gate fed with infinity
keeps all, an input gate fed with minus infinity lets nothing in.

Under autocast all is computed and kept in its type, as in torch's own recurrences.
"""

# B batch, T time, F features, U units, G gates

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

sigmoid_slope = torch.ops.aten.sigmoid_backward.grad_input
tanh_slope = torch.ops.aten.tanh_backward.grad_input
"""(gradient, what the function returned, grad_input=where to) -> the gradient by what the function was given."""

ACTIVATIONS = {"tanh": torch.tanh_, "relu": torch.relu_}
"""Of the recurrence without gates."""


class Weights(NamedTuple):
    """What a recurrent layer has learnt, gates side by side in Keras's order."""

    kernel: Tensor
    """F x GU."""
    recurrent: Tensor
    """U x GU."""
    bias: Tensor | None
    """GU; 2 x GU in a GRU, for the input and for the state."""


class Order(NamedTuple):
    """Which steps are taken, and from which end."""

    skipped_BT: Tensor | None = None
    """True where a step is not taken; None where all are."""
    backwards: bool = False
    """From the last step to the first."""


def lstm(x_BTF: Tensor, states: list[Tensor], weights: Weights, order: Order) -> tuple[Tensor, ...]:
    """Run long short-term memory (Hochreiter and Schmidhuber, 1997).

    Args:
        states: hidden and carry state before the first step, B x U each.
        weights: gates in the order input, forget, candidate, output.
        order: which steps are taken.

    Returns:
        Outputs B x T x U, and both states after the last step.
    """
    return _Lstm.apply(x_BTF, *states, *weights, *order)


def gru(x_BTF: Tensor, states: list[Tensor], weights: Weights, order: Order) -> tuple[Tensor, ...]:
    """Run a gated recurrent unit (Cho et al., 2014) whose reset gate acts after the product.

    Args:
        states: the state before the first step, B x U.
        weights: gates in the order update, reset, candidate.
        order: which steps are taken.

    Returns:
        Outputs B x T x U, and the state after the last step.
    """
    return _Gru.apply(x_BTF, *states, *weights, *order)


def simple(
    x_BTF: Tensor, states: list[Tensor], weights: Weights, order: Order, *, activation: str
) -> tuple[Tensor, ...]:
    """Run a recurrence without gates (Elman, 1990).

    Args:
        states: the state before the first step, B x U.
        order: which steps are taken.

    Returns:
        Outputs B x T x U, and the state after the last step.
    """
    return _Simple.apply(x_BTF, *states, *weights, *order, activation)


class _Lstm(torch.autograd.Function):
    """Takes (x_BTF, h, c, *weights, *order)."""

    @staticmethod
    def forward(ctx: Any, x_BTF: Tensor, h: Tensor, c: Tensor, *rest: Any) -> tuple[Tensor, ...]:
        *weights, skipped_BT, backwards = rest
        x, kernel, recurrent, bias = _ready(x_BTF, *weights)
        units, skipped = len(recurrent), _by_time(skipped_BT, x)
        gates = _product(x, kernel, bias)
        if skipped is not None:
            gates[..., :units].masked_fill_(skipped.bool(), -torch.inf)
            gates[..., units : 2 * units].masked_fill_(skipped.bool(), torch.inf)
            gates[..., 3 * units :].masked_fill_(skipped.bool(), -torch.inf)
        all_h, all_c = _room(x, h, backwards), _room(x, c, backwards)
        steps, hs, cs = gates.unbind(), all_h.unbind(), all_c.unbind()
        for t, before, after in _walk(len(x), backwards):
            fed = steps[t].addmm_(hs[before], recurrent)
            enter, keep, candidate, leave = fed.chunk(4, 1)
            fed[:, : 2 * units].sigmoid_()
            candidate.tanh_()
            leave.sigmoid_()
            torch.mul(keep, cs[before], out=cs[after]).addcmul_(enter, candidate)
            torch.mul(leave, cs[after].tanh(), out=hs[after])
            if skipped is not None:
                hs[after].addcmul_(hs[before], skipped[t])
        _keep(ctx, backwards, x, kernel, recurrent, skipped, all_h, all_c, gates)
        return _after(all_h, backwards).transpose(0, 1), _last(all_h, backwards), _last(all_c, backwards)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, dy: Tensor | None, dh: Tensor | None, dc: Tensor | None) -> tuple[Any, ...]:
        x, kernel, recurrent, skipped, all_h, all_c, gates = ctx.saved_tensors
        units, backwards = len(recurrent), ctx.backwards
        enter, keep, candidate, leave = gates.chunk(4, 2)
        carried = _after(all_c, backwards).tanh()
        # By what each gate is fed with, and before them by the carry state; the loop makes gradients of them.
        slopes = x.new_empty(*x.shape[:2], 5, units)
        slopes[:, :, 0] = keep
        sigmoid_slope(candidate, enter, grad_input=slopes[:, :, 1])
        sigmoid_slope(_before(all_c, backwards), keep, grad_input=slopes[:, :, 2])
        tanh_slope(enter, candidate, grad_input=slopes[:, :, 3])
        sigmoid_slope(carried, leave, grad_input=slopes[:, :, 4])
        by_output = tanh_slope(leave, carried, grad_input=carried).unbind()
        dh, dc, dys, back = _started(dh, x, units), _started(dc, x, units), _arriving(dy, x), recurrent.T
        for t, _, _ in _walk(len(x), not backwards):
            dh = dh if dys is None else dh + dys[t]
            dc, step = torch.addcmul(dc, dh, by_output[t]), slopes[t]
            step[:, :4].mul_(dc.unsqueeze(1))
            step[:, 4].mul_(dh)
            dc = step[:, 0]
            dh = _handed_on(step.flatten(1)[:, units:], back, None if skipped is None else dh * skipped[t])
        fed = slopes.view(-1, 5 * units)[:, units:]
        dx, d_kernel = _by_input(ctx, fed, x, kernel)
        d_recurrent = _rows(_before(all_h, backwards)).T @ fed
        return dx, dh, dc, d_kernel, d_recurrent, fed.sum(0) if ctx.needs_input_grad[5] else None, None, None


class _Gru(torch.autograd.Function):
    """Takes (x_BTF, h, *weights, *order)."""

    @staticmethod
    def forward(ctx: Any, x_BTF: Tensor, h: Tensor, *rest: Any) -> tuple[Tensor, ...]:
        *weights, skipped_BT, backwards = rest
        x, kernel, recurrent, bias = _ready(x_BTF, *weights)
        units, skipped = len(recurrent), _by_time(skipped_BT, x)
        two = 2 * units
        of_gates, of_memory = recurrent[:, :two].contiguous(), recurrent[:, two:].contiguous()
        added = None if bias is None else bias[1, two:]
        gates = _product(x, kernel[:, :two], None if bias is None else bias.sum(0)[:two])
        candidates = _product(x, kernel[:, two:], None if bias is None else bias[0, two:])
        if skipped is not None:
            gates[..., :units].masked_fill_(skipped.bool(), torch.inf)
        all_h, memories = _room(x, h, backwards), torch.empty_like(candidates)
        hs, steps = all_h.unbind(), list(zip(gates.unbind(), candidates.unbind(), memories.unbind(), strict=True))
        for t, before, after in _walk(len(x), backwards):
            gate, candidate, memory = steps[t]
            update, reset = gate.addmm_(hs[before], of_gates).sigmoid_().chunk(2, 1)
            _product(hs[before], of_memory, added, out=memory)
            candidate.addcmul_(reset, memory).tanh_()
            torch.lerp(candidate, hs[before], update, out=hs[after])
        _keep(ctx, backwards, x, kernel, recurrent, all_h, gates, candidates, memories)
        return _after(all_h, backwards).transpose(0, 1), _last(all_h, backwards)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, dy: Tensor | None, dh: Tensor | None) -> tuple[Any, ...]:
        x, kernel, recurrent, all_h, gates, candidates, memories = ctx.saved_tensors
        units, backwards = len(recurrent), ctx.backwards
        update, reset = gates.chunk(2, 2)
        before = _before(all_h, backwards)
        # By what is fed to memory, update, reset and candidate: the state feeds the first three, the input the last.
        slopes = x.new_empty(*x.shape[:2], 4, units)
        of_memory, of_update, of_reset, of_candidate = slopes.unbind(2)
        tanh_slope(1 - update, candidates, grad_input=of_candidate)
        torch.mul(of_candidate, reset, out=of_memory)
        sigmoid_slope(before - candidates, update, grad_input=of_update)
        sigmoid_slope(of_candidate * memories, reset, grad_input=of_reset)
        updates = update.unbind()
        back = recurrent.roll(units, 1).T
        dh, dys = _started(dh, x, units), _arriving(dy, x)
        for t, _, _ in _walk(len(x), not backwards):
            dh = dh if dys is None else dh + dys[t]
            fed = slopes[t].mul_(dh.unsqueeze(1)).flatten(1)[:, : 3 * units]
            dh = (dh * updates[t]).addmm_(fed, back)
        rows = slopes.view(-1, 4 * units)
        by_state, by_input = rows[:, : 3 * units], rows[:, units:]
        dx, d_kernel = _by_input(ctx, by_input, x, kernel)
        d_recurrent = (_rows(before).T @ by_state).roll(-units, 1)
        d_bias = torch.stack([by_input.sum(0), by_state.sum(0).roll(-units)]) if ctx.needs_input_grad[4] else None
        return dx, dh, d_kernel, d_recurrent, d_bias, None, None


class _Simple(torch.autograd.Function):
    """Takes (x_BTF, h, *weights, *order, name of the activation)."""

    @staticmethod
    def forward(ctx: Any, x_BTF: Tensor, h: Tensor, *rest: Any) -> tuple[Tensor, ...]:
        *weights, skipped_BT, backwards, activation = rest
        x, kernel, recurrent, bias = _ready(x_BTF, *weights)
        skipped = _by_time(skipped_BT, x)
        fed, all_h = _product(x, kernel, bias), _room(x, h, backwards)
        steps, hs, activate = fed.unbind(), all_h.unbind(), ACTIVATIONS[activation]
        for t, before, after in _walk(len(x), backwards):
            y = activate(steps[t].addmm_(hs[before], recurrent))
            hs[after].copy_(y if skipped is None else torch.where(skipped[t].bool(), hs[before], y))
        _keep(ctx, backwards, x, kernel, recurrent, skipped, all_h)
        ctx.activation = activation
        return _after(all_h, backwards).transpose(0, 1), _last(all_h, backwards)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, dy: Tensor | None, dh: Tensor | None) -> tuple[Any, ...]:
        x, kernel, recurrent, skipped, all_h = ctx.saved_tensors
        units, backwards = len(recurrent), ctx.backwards
        after = _after(all_h, backwards)
        slopes = (after > 0).to(x.dtype) if ctx.activation == "relu" else 1 - after.square()
        if skipped is not None:
            slopes.mul_(1 - skipped)
        dh, dys, steps, back = _started(dh, x, units), _arriving(dy, x), slopes.unbind(), recurrent.T
        for t, _, _ in _walk(len(x), not backwards):
            dh = dh if dys is None else dh + dys[t]
            dh = _handed_on(steps[t].mul_(dh), back, None if skipped is None else dh * skipped[t])
        fed = _rows(slopes)
        dx, d_kernel = _by_input(ctx, fed, x, kernel)
        d_recurrent = _rows(_before(all_h, backwards)).T @ fed
        return dx, dh, d_kernel, d_recurrent, fed.sum(0) if ctx.needs_input_grad[4] else None, None, None, None


def _ready(x_BTF: Tensor, *weights: Tensor | None) -> tuple[Any, ...]:
    """Return the input, T x B x F, and the weights in the type that is to be computed in."""
    kind, kernel = x_BTF.device.type, weights[0]
    assert kernel is not None
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else kernel.dtype
    return x_BTF.transpose(0, 1).to(dtype).contiguous(), *(w if w is None else w.to(dtype) for w in weights)


def _by_time(skipped_BT: Tensor | None, x: Tensor) -> Tensor | None:
    """Return 1 where a step is skipped and 0 elsewhere, T x B x 1."""
    return None if skipped_BT is None else skipped_BT.T.unsqueeze(-1).to(x.dtype)


def _product(x: Tensor, kernel: Tensor, bias: Tensor | None, *, out: Tensor | None = None) -> Tensor:
    """Return rows by a matrix, and the bias added."""
    rows, out_rows = _rows(x), None if out is None else _rows(out)
    found = torch.mm(rows, kernel, out=out_rows) if bias is None else torch.addmm(bias, rows, kernel, out=out_rows)
    return found.view(*x.shape[:-1], -1)


def _rows(x: Tensor) -> Tensor:
    return x.flatten(0, -2)


def _walk(time: int, backwards: bool) -> Iterator[tuple[int, int, int]]:
    """Yield each step, with the places of the state before and after it among T + 1."""
    for t in reversed(range(time)) if backwards else range(time):
        yield (t, t + 1, t) if backwards else (t, t, t + 1)


def _room(x: Tensor, state: Tensor, backwards: bool) -> Tensor:
    """Return room for T + 1 states, with the given one where steps start."""
    room = x.new_empty(len(x) + 1, *state.shape)
    room[-1 if backwards else 0] = state
    return room


def _before(states: Tensor, backwards: bool) -> Tensor:
    return states[1:] if backwards else states[:-1]


def _after(states: Tensor, backwards: bool) -> Tensor:
    return states[:-1] if backwards else states[1:]


def _last(states: Tensor, backwards: bool) -> Tensor:
    # A copy: it would be a second view of what is kept, and keep all of it alive beside.
    return states[0 if backwards else -1].clone()


def _keep(ctx: Any, backwards: bool, *tensors: Tensor | None) -> None:
    ctx.save_for_backward(*tensors)
    ctx.backwards = backwards
    ctx.set_materialize_grads(False)


def _started(gradient: Tensor | None, x: Tensor, units: int) -> Tensor:
    """Return the gradient by the last state; nothing may have been made of that state."""
    return x.new_zeros(x.shape[1], units) if gradient is None else gradient.to(x.dtype)


def _arriving(dy_BTU: Tensor | None, x: Tensor) -> tuple[Tensor, ...] | None:
    """Return the gradient by each step's output."""
    return None if dy_BTU is None else dy_BTU.to(x.dtype).unbind(1)


def _handed_on(fed: Tensor, back: Tensor, skipping: Tensor | None) -> Tensor:
    """Return the gradient by the state before a step: through the product, and past it where the step is skipped."""
    return fed @ back if skipping is None else skipping.addmm_(fed, back)


def _by_input(ctx: Any, fed: Tensor, x: Tensor, kernel: Tensor) -> tuple[Tensor | None, Tensor]:
    """Return the gradients by the input, B x T x F, and by the kernel."""
    dx = (fed @ kernel.T).view(x.shape).transpose(0, 1) if ctx.needs_input_grad[0] else None
    return dx, _rows(x).T @ fed
