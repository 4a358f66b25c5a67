"""Batch norm over the steps that a mask leaves does the same as in Keras."""

import keras
import numpy as np
import pytest
import torch

from backend.test_lowering import assert_same, scattered


@pytest.mark.parametrize("options", [{}, {"center": False}, {"scale": False}, {"trainable": False}], ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_masked_steps_take_no_part_in_the_statistics(options: dict[str, bool], training: bool) -> None:
    x, mask = keras.Input((6, 3)), keras.Input((6,), dtype="bool")
    layer = keras.layers.BatchNormalization(momentum=0.6, name="layer", **options)
    model = scattered(keras.Model([x, mask], layer(x, mask=mask)))
    rng = np.random.default_rng(0)
    present = torch.from_numpy(np.arange(6) < np.array([[6], [2], [4], [1]]))
    values = torch.from_numpy(rng.normal(size=(4, 6, 3)).astype(np.float32))
    assert_same(model, [values, present], training=training, fallbacks=())
