"""Models that cannot be run from their graph, or saved by the names of their weights, are refused; frozen ones run."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from backend.test_lowering import engine_of, functional, lowered
from batching import stepped
from sonde.errors import ModelError


def test_a_model_that_is_no_graph_is_refused() -> None:
    class Doubled(keras.Model):
        def call(self, inputs: Any) -> Any:
            return 2.0 * super().call(inputs)

    inputs = keras.Input((3,))
    own_call = Doubled(inputs, layers.Dense(2)(inputs))
    unbuilt = keras.Sequential([layers.Dense(2)])
    for model in (own_call, unbuilt):
        with pytest.raises(ModelError, match="is not run from its graph"):
            lowered(model)


def test_two_weights_of_one_name_are_refused() -> None:
    def half() -> Any:
        inputs = keras.Input((4,))
        return keras.Model(inputs, layers.Dense(4, name="same")(inputs))

    model = functional((4,), half(), half())
    with pytest.raises(ModelError, match="called 'same/bias'"):
        engine_of(model)


def test_a_model_whose_weights_are_all_frozen_steps_and_stays() -> None:
    model = functional((4,), layers.Dense(3))
    model.trainable = False
    engine = engine_of(model)
    before = engine.read_state()
    loss, _ = stepped(engine, np.ones((2, 4), np.float32), np.array([0, 1], np.int32), 0.1)
    assert np.isfinite(loss)
    assert all(np.array_equal(before[key], array) for key, array in engine.read_state().items() if "weights" in key)
