"""An engine for a trained model: it predicts in fp32 on every backend, whatever precision trained it."""

from types import ModuleType

import keras

from sonde.backend import EngineSettings, Predicts
from sonde.models.heads import HEADS, head
from sonde.models.views import VIEWS, Viewed


def predicting_engine(module: ModuleType, model: keras.Model, answer: str, *, views: str = "one") -> Predicts:
    """Build an engine that is not meant to step.

    Args:
        module: the backend's module, as `backend.use` returns it.
        model: a trained model, built in float32.
        answer: a row of `HEADS`.
        views: a row of `VIEWS`, over which its predictions are averaged.
    """
    file = head(answer)
    # Of all optimizers, this one keeps no slots.
    settings = EngineSettings(optimizer="sgd", momentum=0.0)

    def build(part: keras.Model) -> Predicts:
        engine: Predicts = module.build(part, file.loss({}), file.scores, settings)
        return engine

    engine = file.predicting(model, build) if hasattr(file, "predicting") else build(model)
    if views == "one":
        return engine
    return Viewed(engine, VIEWS[views], on_pixels=HEADS[answer].views == "turned back")
