"""The optimizers, as Keras has them: the same update on every backend."""

from collections.abc import Callable
from typing import Any

import keras

from sonde.backend.engine import EngineSettings
from sonde.backend.muon import Muon


def _adamw(settings: EngineSettings, shared: dict[str, Any]) -> Any:
    # The others take None for no decay, and this one takes 0.
    return keras.optimizers.AdamW(**{**shared, "weight_decay": settings.weight_decay})


def _sgd(settings: EngineSettings, shared: dict[str, Any]) -> Any:
    return keras.optimizers.SGD(momentum=settings.momentum, nesterov=settings.momentum > 0, **shared)


def _lion(settings: EngineSettings, shared: dict[str, Any]) -> Any:
    return keras.optimizers.Lion(**shared)


def _muon(settings: EngineSettings, shared: dict[str, Any]) -> Any:
    muon = Muon(
        adam_weight_decay=shared["weight_decay"],
        adam_lr_ratio=settings.rest_factor,
        # A shorter memory than Keras's 0.999, for trainings of a thousand steps.
        adam_beta_2=0.99,
        momentum=settings.momentum,
        # A GRU's bias has two axes.
        exclude_layers=[settings.head, "bias$"],
        **shared,
    )
    muon.bias_factor = settings.bias_factor
    return muon


OPTIMIZERS: dict[str, Callable[[EngineSettings, dict[str, Any]], Any]] = {
    # Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
    "adamw": _adamw,
    # Stochastic gradient descent with Nesterov momentum (Sutskever et al., 2013).
    "sgd": _sgd,
    # Sign of an interpolated momentum (Chen et al., 2023).
    "lion": _lion,
    # Orthogonalised momentum on kernels, AdamW on the rest (Jordan et al., 2024).
    "muon": _muon,
}
"""From a name, the settings and the options that all Keras optimizers share to an optimizer; `training` holds the same
names."""


def build_optimizer(settings: EngineSettings, variables: list[Any]) -> Any:
    """Build a Keras optimizer over a model's trainable variables.

    Args:
        settings: name and numbers; the learning rate is given at each step instead.
        variables: Keras variables; biases and those with fewer than two axes get no weight decay.
    """
    shared = {
        "learning_rate": 0.0,
        "weight_decay": settings.weight_decay or None,
        "global_clipnorm": settings.clip_norm or None,
        "name": "optimizer",
    }
    optimizer = OPTIMIZERS[settings.optimizer](settings, shared)
    if settings.weight_decay:
        # A GRU's bias has two axes: one row for the inputs, one for the state.
        spared = [each for each in variables if len(each.shape) < 2 or each.name == "bias"]
        optimizer.exclude_from_weight_decay(var_list=spared)
    optimizer.build(variables)
    return optimizer
