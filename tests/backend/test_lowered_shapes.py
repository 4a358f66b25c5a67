"""Layers that move, repeat and scale values, natively: views, masks, time, and what was learned beforehand."""

import keras
import numpy as np
import pytest
import torch
from keras import layers

from backend.test_lowering import Ends, assert_same, functional, lowered, scattered, tensors


def test_what_only_moves_values_copies_none() -> None:
    for layer, shape in (
        (layers.Permute((2, 1)), (3, 4)),
        (layers.RepeatVector(3), (4,)),
        (layers.Cropping2D(1), (4, 4, 2)),
        (layers.Reshape((2, 6)), (3, 4)),
        (layers.Flatten(), (3, 4)),
        (layers.Identity(), (3, 4)),
    ):
        (inputs,) = tensors([shape])
        outputs = lowered(functional(shape, layer))(inputs, training=False)
        assert outputs.untyped_storage().data_ptr() == inputs.untyped_storage().data_ptr()


def test_a_mask_passes_an_identity_by() -> None:
    model = functional((5, 2), Ends(), layers.Identity(), layers.LSTM(3))
    assert_same(model, tensors([(5, 2)])[0], training=True)


def test_steps_with_a_mask_run_as_keras_wrote_them() -> None:
    model = functional((5, 2), Ends(), layers.TimeDistributed(layers.Dense(3)), layers.LSTM(2))
    assert_same(model, tensors([(5, 2)])[0], training=True)


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_sees_the_steps_one_after_another(training: bool) -> None:
    layer = layers.TimeDistributed(layers.BatchNormalization(momentum=0.5))
    model = functional((4, 3), layer)
    (inputs,) = tensors([(4, 3)], batch=6)
    assert_same(model, inputs, training=training, fallbacks=())
    layer.trainable = False
    assert_same(model, inputs, training=training, fallbacks=())


def test_each_step_has_a_dropout_of_its_own() -> None:
    model = functional((2, 1000), layers.TimeDistributed(layers.Dropout(0.5)))
    first, second = lowered(model)(torch.ones(1, 2, 1000), training=True)[0]
    assert first.unique().tolist() == [0.0, 2.0] and not torch.equal(first, second)


def test_a_layer_with_state_of_its_batch_is_not_distributed() -> None:
    inner = layers.LSTM(2, stateful=True)
    inputs = keras.Input((2, 3, 4), batch_size=2)
    model = scattered(keras.Model(inputs, layers.TimeDistributed(inner, name="time")(inputs)))
    assert lowered(model).fallbacks == ("time",)


def test_whole_numbers_become_fractions_by_rescaling() -> None:
    inputs = keras.Input((2, 2, 1), dtype="uint8")
    model = keras.Model(inputs, layers.Rescaling(1 / 255)(inputs))
    batch = torch.tensor([0, 1, 128, 255], dtype=torch.uint8).reshape(1, 2, 2, 1)
    outputs = lowered(model)(batch, training=False)
    assert outputs.dtype == torch.float32 and outputs.flatten().tolist() == pytest.approx([0, 1 / 255, 128 / 255, 1])


def test_normalization_uses_what_it_learned_last() -> None:
    layer = layers.Normalization()
    layer.adapt(np.array([[0.0, 2.0], [2.0, 6.0]], np.float32))
    ours = lowered(keras.Sequential([keras.Input((2,)), layer]))
    batch = torch.tensor([[1.0, 4.0], [2.0, 8.0]])
    assert ours(batch, training=False).tolist() == [[0.0, 0.0], [1.0, 2.0]]
    layer.adapt(np.array([[1.0, 4.0], [3.0, 12.0]], np.float32))
    assert ours(batch, training=False).tolist() == [[-1.0, -1.0], [0.0, 0.0]]


def test_upsampling_in_bf16_repeats_the_same_values() -> None:
    model = functional((3, 3, 2), layers.UpSampling2D((2, 3)))
    (inputs,) = tensors([(3, 3, 2)])
    half = inputs.bfloat16()
    outputs = lowered(model)(half, training=False)
    assert torch.equal(outputs.float(), half.float().repeat_interleave(2, 1).repeat_interleave(3, 2))
