"""Muon for every kernel, convolutions included; AdamW with rates of its own for the rest."""

import math
from typing import Any

import keras
from keras import ops


class Muon(keras.optimizers.Muon):
    """Keras's Muon, which leaves convolutions to AdamW, extended to every kernel of two axes or more.

    A kernel is read as a matrix whose columns are its outputs (Jordan et al., 2024). The head, embeddings, biases and
    the scales and offsets of norms are AdamW's, at `adam_lr_ratio` of the learning rate; biases and offsets at
    `bias_factor` times that, as in the speed records on small images.
    """

    bias_factor = 1.0

    def rate_factor(self, variable: Any) -> float:
        """Return what AdamW's part multiplies the learning rate by for a variable."""
        is_offset = variable.name in ("bias", "beta") and len(variable.shape) == 1
        return self.adam_lr_ratio * (self.bias_factor if is_offset else 1.0)

    def update_scale(self, variable: Any) -> float:
        """Return the factor on an orthogonal update, so that its size is AdamW's (Liu et al., 2025)."""
        return float(self.rms_rate * math.sqrt(max(math.prod(variable.shape[:-1]), variable.shape[-1])))

    def _should_use_adamw(self, variable: Any) -> bool:
        # Keras asks for exactly two axes; all else is its own rule.
        as_matrix = _Named(variable.path) if len(variable.shape) > 2 else variable
        return bool(super()._should_use_adamw(as_matrix))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move a variable, as Keras's optimizers do; called by `apply`."""
        place = self._get_variable_index(variable)
        momentum, velocity = self.momentums[place], self.adam_velocities[place]
        if velocity is not None:
            rate = learning_rate * self.rate_factor(variable)
            self._adamw_update_step(gradient, variable, rate, momentum, velocity)
            return
        self.assign_add(momentum, ops.add(gradient, momentum * (self.momentum - 1)))
        direction = ops.add(gradient, self.momentum * momentum) if self.nesterov else momentum
        matrix = ops.reshape(direction, (-1, variable.shape[-1]))
        update = ops.reshape(self.zeropower_via_newtonschulz5(matrix, self.ns_steps), variable.shape)
        self.assign_sub(variable, learning_rate * self.update_scale(variable) * update)


class _Named:
    """Stands for a kernel of more axes where Keras asks for its path and the number of its axes."""

    shape = (0, 0)

    def __init__(self, path: str):
        self.path = path
