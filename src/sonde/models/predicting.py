"""An engine for a trained model: it predicts in fp32 on every backend, whatever precision trained it."""

from types import ModuleType

import keras

from sonde.backend import Engine, EngineSettings
from sonde.models.heads import HEADS


def predicting_engine(module: ModuleType, model: keras.Model, answer: str) -> Engine:
    """Build an engine that is not meant to step.

    Args:
        module: the backend's module, as `backend.use` returns it.
        model: a trained model, built in float32.
        answer: a row of `HEADS`.
    """
    head = HEADS[answer]
    # Of all optimizers, this one keeps no slots.
    engine: Engine = module.build(model, head.loss(0.0), head.score, EngineSettings(optimizer="sgd", momentum=0.0))
    return engine
