"""Embedding with the numbers and the indices that Keras takes, and masks between it and what reads them."""

from typing import Any

import keras
import numpy as np
import pytest
import torch
from keras import layers

from backend.test_lowering import assert_same, functional, lowered, scattered, tensors


def embedding(kind: str, **options: Any) -> Any:
    inputs = keras.Input((3,), dtype=kind)
    return scattered(keras.Model(inputs, layers.Embedding(4, 2, **options)(inputs)))


@pytest.mark.parametrize("kind", ["uint8", "int16", "int32", "int64", "float32"])
def test_indices_may_be_of_any_type(kind: str) -> None:
    batch = torch.from_numpy(np.array([[0, 3, 1], [1, 1, 2]]).astype(kind))
    assert_same(embedding(kind), batch, training=True, fallbacks=())


def test_a_negative_index_counts_from_the_end_as_in_keras() -> None:
    assert_same(embedding("int32"), torch.tensor([[-1, 0, -4]], dtype=torch.int32), training=True, fallbacks=())


@pytest.mark.parametrize("index", [4, -5])
def test_an_index_beyond_the_table_is_an_error(index: int) -> None:
    with pytest.raises(IndexError):
        lowered(embedding("int32"))(torch.tensor([[0, 1, index]], dtype=torch.int32), training=False)


def test_a_low_rank_embedding_runs_as_keras_wrote_it() -> None:
    layer = layers.Embedding(4, 2, name="lora")
    layer.build(())
    layer.enable_lora(1)
    inputs = keras.Input((3,), dtype="int32")
    assert lowered(keras.Model(inputs, layer(inputs))).fallbacks == ("lora",)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_masking_silences_steps_of_its_value_and_tells_those_behind(value: float) -> None:
    model = functional((5, 2), layers.Masking(value), layers.Dropout(0.0), layers.GRU(3, return_sequences=True))
    (inputs,) = tensors([(5, 2)])
    inputs[:, 3:] = value
    inputs[0, 1, 0] = value  # One feature alone hides nothing.
    inputs[1, 0, 0] = torch.nan
    assert_same(functional((5, 2), layers.Masking(value)), torch.nan_to_num(inputs), training=True, fallbacks=())
    assert_same(model, torch.nan_to_num(inputs), training=True)
    kept = lowered(functional((5, 2), layers.Masking(value)))(inputs, training=False)
    assert bool(kept[1, 0, 0].isnan()) and not kept[:, 3:].any()
