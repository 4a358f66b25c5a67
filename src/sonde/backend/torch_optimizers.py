"""The updates of Keras's optimizers over all weights at once, on the optimizer's own variables.

Keras on torch walks through every weight in Python, several operations each. Here an update is a few operations over
lists of tensors, or torch's fused kernel, with the same numbers up to rounding; the slots stay Keras's, so that a
state means the same on every backend.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from sonde.backend.engine import EngineSettings
from sonde.backend.optimizers import build_optimizer

Tensors = list[torch.Tensor]


class Update:
    """A Keras optimizer whose step is taken with native operations."""

    def __init__(self, settings: EngineSettings, variables: Sequence[Any]):
        self.optimizer = build_optimizer(settings, list(variables))
        """The Keras optimizer; holds the slots, the count of steps and the learning rate."""
        self._update = UPDATES[settings.optimizer]
        self._clip_norm = settings.clip_norm
        self._iterations: torch.Tensor = self.optimizer.iterations.value
        self._weights: Tensors = [variable.value for variable in variables]
        self._slots = _slots_of(self.optimizer)
        self._decays = [settings.weight_decay if self.optimizer._use_weight_decay(v) else 0.0 for v in variables]
        factor = getattr(self.optimizer, "rate_factor", lambda variable: 1.0)
        self._factors = [factor(variable) for variable in variables]
        self._constrained = [variable for variable in variables if variable.constraint is not None]
        for kind in self._slots:
            for slot, weight in zip(kind, self._weights, strict=True):
                if slot is not None and slot.stride() != weight.stride():
                    slot.data = torch.empty_like(weight).copy_(slot)

    @property
    def steps(self) -> int:
        """Steps taken so far."""
        return int(self._iterations)

    def apply(self, gradients: Sequence[torch.Tensor | None], learning_rate: float) -> None:
        """Take a step; to be called without gradients being recorded.

        Args:
            gradients: one for each variable, or None where the loss does not depend on it; they are overwritten.
        """
        self.optimizer.learning_rate.assign(learning_rate)
        has = [place for place, gradient in enumerate(gradients) if gradient is not None]
        if has:
            weights = [self._weights[place] for place in has]
            found = _as_laid_out([gradients[place] for place in has], weights)
            if self._clip_norm:
                _clip(found, self._clip_norm)
            slots = [[kind[place] for place in has] for kind in self._slots]
            decays, factors = ([kind[place] for place in has] for kind in (self._decays, self._factors))
            self._update(self.optimizer, Work(weights, found, slots, decays, factors, learning_rate))
        for variable in self._constrained:
            variable.assign(variable.constraint(variable))
        self._iterations.add_(1)


def _slots_of(optimizer: Any) -> list[list[Any]]:
    """Return the optimizer's slots by kind; None where a variable has none of that kind."""
    kinds = [getattr(optimizer, name, None) for name in SLOTS]
    return [[None if slot is None else slot.value for slot in kind] for kind in kinds if kind]


@dataclass
class Work:
    """What one step is about, weight by weight."""

    weights: Tensors
    gradients: Tensors
    slots: list[list[Any]]
    """By kind; None where a weight has none of that kind."""
    decays: list[float]
    """Weight decay."""
    factors: list[float]
    """Factor on the learning rate."""
    rate: float
    """Learning rate."""


SLOTS = ("_momentums", "momentums", "_velocities", "adam_velocities")
"""What Keras's optimizers call their slots."""


def _adamw(optimizer: Any, work: Work) -> None:
    first, second = work.slots
    step = optimizer.iterations.value.float() + 1
    # Keras adds epsilon before the second moment's correction, and torch after.
    epsilon = optimizer.epsilon / (1 - optimizer.beta_2 ** float(step)) ** 0.5
    for decay in dict.fromkeys(work.decays):
        chosen = [place for place, each in enumerate(work.decays) if each == decay]
        torch._fused_adamw_(
            *([kind[place] for place in chosen] for kind in (work.weights, work.gradients, first, second)),
            [],
            [step] * len(chosen),
            lr=work.rate,
            beta1=optimizer.beta_1,
            beta2=optimizer.beta_2,
            weight_decay=decay,
            eps=epsilon,
            amsgrad=False,
            maximize=False,
        )


def _sgd(optimizer: Any, work: Work) -> None:
    _decay(work)
    weights, gradients = work.weights, work.gradients
    torch._foreach_mul_(gradients, -work.rate)
    if not optimizer.momentum:
        torch._foreach_add_(weights, gradients)
        return
    (momentums,) = work.slots
    torch._foreach_mul_(momentums, optimizer.momentum)
    torch._foreach_add_(momentums, gradients)
    if optimizer.nesterov:
        torch._foreach_add_(weights, gradients)
        torch._foreach_add_(weights, momentums, alpha=optimizer.momentum)
    else:
        torch._foreach_add_(weights, momentums)


def _lion(optimizer: Any, work: Work) -> None:
    _decay(work)
    (momentums,) = work.slots
    direction = torch._foreach_mul(momentums, optimizer.beta_1)
    torch._foreach_add_(direction, work.gradients, alpha=1 - optimizer.beta_1)
    torch._foreach_sign_(direction)
    torch._foreach_add_(work.weights, direction, alpha=-work.rate)
    torch._foreach_mul_(momentums, optimizer.beta_2)
    torch._foreach_add_(momentums, work.gradients, alpha=1 - optimizer.beta_2)


def _muon(optimizer: Any, work: Work) -> None:
    _decay(work)
    momentums, velocities = work.slots
    plain: dict[float, list[int]] = {}
    for place, (weight, velocity) in enumerate(zip(work.weights, velocities, strict=True)):
        if velocity is None:
            momentum = momentums[place].mul_(optimizer.momentum).add_(work.gradients[place])
            direction = momentum
            if optimizer.nesterov:
                direction = work.gradients[place].add(momentum, alpha=optimizer.momentum)
            update = _orthogonal(optimizer, direction.reshape(-1, weight.shape[-1]))
            weight.sub_(update.view(weight.shape), alpha=work.rate * optimizer.update_scale(weight))
        else:
            plain.setdefault(work.factors[place], []).append(place)
    for factor, places in plain.items():
        kinds = (work.weights, work.gradients, momentums, velocities)
        _adam_of_muon(optimizer, *([kind[place] for place in places] for kind in kinds), rate=work.rate * factor)


def _orthogonal(optimizer: Any, matrix: torch.Tensor) -> torch.Tensor:
    """Return nearly the nearest orthogonal matrix, by the Newton-Schulz iteration (Jordan et al., 2024).

    In fp32: for matrices as small as those of convolutions, bf16 took three times as long on a processor.
    """
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = x / (x.norm() + 1e-7)
    a, b, c = optimizer.muon_a, optimizer.muon_b, optimizer.muon_c
    for _ in range(optimizer.ns_steps):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return (x.T if is_tall else x).contiguous()


def _adam_of_muon(
    optimizer: Any, weights: Tensors, gradients: Tensors, first: Tensors, second: Tensors, *, rate: float
) -> None:
    step = float(optimizer.iterations.value) + 1
    torch._foreach_lerp_(first, gradients, 1 - optimizer.adam_beta_1)
    torch._foreach_mul_(second, optimizer.adam_beta_2)
    torch._foreach_addcmul_(second, gradients, gradients, 1 - optimizer.adam_beta_2)
    alpha = rate * (1 - optimizer.adam_beta_2**step) ** 0.5 / (1 - optimizer.adam_beta_1**step)
    below = torch._foreach_sqrt(second)
    torch._foreach_add_(below, optimizer.epsilon)
    torch._foreach_addcdiv_(weights, first, below, -alpha)


UPDATES: dict[str, Callable[..., None]] = {"adamw": _adamw, "sgd": _sgd, "lion": _lion, "muon": _muon}
"""(Keras optimizer, what the step is about) -> one step, in place."""


def _decay(work: Work) -> None:
    decayed = [weight for weight, decay in zip(work.weights, work.decays, strict=True) if decay]
    if decayed:
        torch._foreach_mul_(decayed, 1 - work.rate * max(work.decays))


def _clip(gradients: Tensors, bound: float) -> None:
    """Scale gradients so that their global norm is within a bound; what is not finite makes all of them so."""
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    scale = bound * torch.clamp(1 / norm, max=1 / bound) + (norm - norm)
    torch._foreach_mul_(gradients, scale)


def _as_laid_out(gradients: Sequence[torch.Tensor | None], weights: Tensors) -> Tensors:
    """Return gradients to write over, whose memory runs as the weights' does: fused kernels go side by side.

    Weights that enter a model as a sum are given one tensor as the gradient of both; each gets a copy of its own.
    """
    found: Tensors = []
    taken: set[int] = set()
    for gradient, weight in zip(gradients, weights, strict=True):
        assert gradient is not None
        memory = gradient.untyped_storage().data_ptr()
        fits = gradient.stride() == weight.stride() and gradient.dtype == weight.dtype and memory not in taken
        taken.add(memory)
        found.append(gradient if fits else torch.empty_like(weight).copy_(gradient))
    return found
