"""Sequences, their pooling, patches and positions, against numpy on what is real; on torch."""

# B batch, T time, D width

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from numpy.typing import NDArray

from sonde.models import sequences
from sonde.models.attending import Turns, head_width, turns_along, turns_on_grid
from sonde.models.attending import _turned as turned
from sonde.models.reads import Reads
from sonde.models.sequences import Sequence

LENGTHS = np.array([6, 2, 1, 0])
PRESENT = np.arange(6) < LENGTHS[:, None]
"""Nothing missing, padding behind, one step, and none at all."""


def steps(width: int = 3) -> NDArray[np.float32]:
    # Below 0 throughout, so that a maximum that takes padding for real is seen.
    return (np.random.default_rng(0).normal(size=(4, 6, width)) - 5.0).astype(np.float32)


def run(function: Any, x: NDArray[Any], present: NDArray[Any] | None = None) -> Any:
    """Return what a function of symbolic tensors gives for arrays."""
    inputs = keras.Input(x.shape[1:], dtype=str(x.dtype))
    if present is None:
        return ops.convert_to_numpy(keras.Model(inputs, function(inputs, None))(x))
    mask = keras.Input(present.shape[1:], dtype="bool")
    return ops.convert_to_numpy(keras.Model([inputs, mask], function(inputs, mask))([x, present]))


POOLS = {
    "mean": (sequences.masked_mean, lambda rows: rows.mean(axis=0)),
    "max": (sequences.masked_max, lambda rows: rows.max(axis=0)),
    "first": (sequences.first_step, lambda rows: rows[0]),
}


@pytest.mark.parametrize("name", POOLS)
def test_pooling_is_over_what_is_real_and_zero_where_nothing_is(name: str) -> None:
    pool, truth = POOLS[name]
    x = steps()
    wanted = [truth(rows[:length]) if length else np.zeros(3) for rows, length in zip(x, LENGTHS, strict=True)]
    assert run(pool, x, PRESENT) == pytest.approx(np.array(wanted), abs=1e-5)
    assert run(pool, x) == pytest.approx(np.array([truth(rows) for rows in x]), abs=1e-5)


def test_learned_weights_of_a_mean_are_over_what_is_real() -> None:
    x = steps()
    inputs, mask = keras.Input((None, 3)), keras.Input((None,), dtype="bool")
    model = keras.Model([inputs, mask], sequences.attention_pool(inputs, mask))
    found = ops.convert_to_numpy(model([x, PRESENT]))
    for row, length in enumerate(LENGTHS[:3]):
        rows = x[row : row + 1, :length]
        alone = ops.convert_to_numpy(model([rows, np.ones((1, length), bool)]))[0]
        assert found[row] == pytest.approx(alone, abs=1e-5)
        # Weights that add up to one stay between the smallest and the largest.
        assert (alone >= rows[0].min(axis=0) - 1e-5).all() and (alone <= rows[0].max(axis=0) + 1e-5).all()
    assert (found[3] == 0).all()


def test_texts_are_their_embeddings_and_silence() -> None:
    inputs = keras.Input((None,), dtype="int32")
    sequence = sequences.as_sequence(inputs, Reads((None,), "int32", (9,)), 4)
    x, present = keras.Model(inputs, [sequence.x_BTD, sequence.present_BT])(np.array([[3, 8, 0], [1, 0, 0]], np.int32))
    assert ops.convert_to_numpy(present).tolist() == [[True, True, False], [True, False, False]]
    assert (ops.convert_to_numpy(x)[~ops.convert_to_numpy(present)] == 0).all() and x.shape == (2, 3, 4)


def test_the_channel_that_tells_padding_is_taken_off_and_heeded() -> None:
    # Noise that an augmentation has put on padding too.
    numbers = np.concatenate([steps(2), PRESENT[..., None]], axis=2).astype(np.float32)
    inputs = keras.Input((None, 3))
    sequence = sequences.as_sequence(inputs, Reads((None, 3), presence=True), 7)
    x, present = (ops.convert_to_numpy(y) for y in keras.Model(inputs, [sequence.x_BTD, sequence.present_BT])(numbers))
    assert np.array_equal(present, PRESENT) and np.array_equal(x, np.where(PRESENT[..., None], numbers[..., :2], 0))


def test_an_image_is_its_rows() -> None:
    images = np.random.default_rng(0).normal(size=(2, 3, 4, 2)).astype(np.float32)
    inputs = keras.Input((3, 4, 2))
    sequence = sequences.as_sequence(inputs, Reads((3, 4, 2)), 7)
    assert sequence.present_BT is None
    assert np.array_equal(ops.convert_to_numpy(keras.Model(inputs, sequence.x_BTD)(images)), images.reshape(2, 3, 8))


def test_what_is_no_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="It reads what comes in steps: texts, series, sounds or images"):
        sequences.as_sequence(keras.Input((5,)), Reads((5,)), 4)


@pytest.mark.parametrize("patch", [1, 2, 3, 8])
def test_patches_begin_where_the_sequence_does(patch: int) -> None:
    x, width = steps(), 4
    inputs, mask = keras.Input((None, 3)), keras.Input((None,), dtype="bool")
    sequence = sequences.projected(Sequence(inputs, mask), width, patch=patch)
    model = keras.Model([inputs, mask], [sequence.x_BTD, sequence.present_BT])
    kernel, bias = (ops.convert_to_numpy(each) for each in model.get_layer("projection").weights)
    found, present = (ops.convert_to_numpy(each) for each in model([x, PRESENT]))
    assert present.sum(axis=1).tolist() == [-(-length // patch) for length in LENGTHS]
    for row, length in enumerate(LENGTHS):
        for place in range(-(-length // patch)):
            piece = np.zeros((patch, 3), np.float32)
            real = x[row, place * patch : min((place + 1) * patch, length)]
            piece[: len(real)] = real
            assert found[row, place] == pytest.approx(piece.ravel() @ kernel.reshape(-1, width) + bias, abs=1e-4)
    assert (found[~present] == 0).all()


def along(steps: int, size: int) -> Turns:
    """Return the turns of so many steps, as arrays."""
    inputs = keras.Input((None, 1))
    model = keras.Model(inputs, list(turns_along(inputs, size)))
    return Turns(*(ops.convert_to_numpy(each) for each in model(np.zeros((2, steps, 1), np.float32))))


def products(turns: Any, places: list[tuple[int, int]], size: int) -> list[float]:
    """Return how well one query and one key go together at pairs of places."""
    rng = np.random.default_rng(1)
    query, key = (rng.normal(size=(1, 1, 1, 1, size)).astype(np.float32) for _ in range(2))
    count = turns.cosine.shape[1]
    q, k = (ops.convert_to_numpy(turned(ops.repeat(x, count, axis=1), turns))[0, :, 0, 0] for x in (query, key))
    return [float(q[one] @ k[other]) for one, other in places]


@pytest.mark.parametrize("size", [2, 7, 8])
def test_how_tokens_go_together_depends_on_their_distance_alone(size: int) -> None:
    turns = along(40, size)
    near, same, far, zero = products(turns, [(3, 1), (33, 31), (30, 1), (5, 5)], size)
    assert near == pytest.approx(same, abs=1e-4) and abs(near - far) > 1e-3 and abs(near - zero) > 1e-3


def test_places_of_a_grid_are_told_by_rows_and_columns() -> None:
    turns = turns_on_grid(4, 5, 8)
    right, right_too, down, down_too = products(turns, [(0, 1), (12, 13), (0, 5), (11, 16)], 8)
    assert right == pytest.approx(right_too, abs=1e-5) and down == pytest.approx(down_too, abs=1e-5)
    assert abs(right - down) > 1e-3


def test_positions_are_whole_numbers_far_beyond_what_bf16_counts() -> None:
    turns = along(1000, 2)
    sines = turns.sine[0, :, 0, 0, 0]
    # Rounding of an angle of a thousand in float32 is 6e-5.
    assert sines == pytest.approx(np.sin(np.arange(1000)), abs=1e-4)


def test_a_head_has_at_least_one_pair() -> None:
    assert [head_width(128, 4), head_width(129, 4), head_width(3, 8)] == [32, 32, 2]
