"""Merging layers with masks on some, all or none of their inputs."""

from typing import Any

import keras
import pytest
import torch
from keras import layers

from backend.test_lowering import assert_same, scattered, tensors
from sonde.backend.lowering.linear import summed_axes
from sonde.backend.lowering.merging import dot_equation

KINDS: dict[str, Any] = {
    each.__name__: each
    for each in (layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum)
} | {"Concatenate": layers.Concatenate, "Concatenate in time": lambda: layers.Concatenate(axis=1)}


@pytest.mark.parametrize("masked", [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("arguments", [{}, {"training": True}])
def test_masks_of_what_is_merged_are_honoured(name: str, masked: tuple[bool, bool], arguments: dict[str, bool]) -> None:
    first, second = keras.Input((5, 2)), keras.Input((5, 2))
    read = [
        layers.Masking()(x, **arguments) if has_mask else x for x, has_mask in zip((first, second), masked, strict=True)
    ]
    model = scattered(keras.Model([first, second], layers.GRU(3)(KINDS[name]()(read, **arguments))))
    a, b = tensors([(5, 2), (5, 2)])
    a[:, 3:], b[:, 2:], b[1, :2] = 0, 0, 0
    assert_same(model, [a, b], training=True)


@pytest.mark.parametrize(
    ("ranks", "axes", "equation"),
    [((2, 2), (1, 1), "ab,ab->a"), ((3, 3), (2, -1), "acb,adb->acd"), ((4, 2), (1, 1), "abde,ab->ade")],
)
def test_products_name_their_axes(ranks: tuple[int, int], axes: tuple[int, int], equation: str) -> None:
    letters: dict[str, str] = {}
    found = dot_equation(ranks, axes)

    def renamed(text: str) -> str:
        return "".join(letters.setdefault(each, chr(97 + len(letters))) if each.isalpha() else each for each in text)

    plain = renamed(found)
    letters.clear()
    assert plain == renamed(equation)


@pytest.mark.parametrize(
    ("equation", "count"),
    [
        ("ab,bc->ac", 1),
        ("abc,cde->abde", 1),
        ("abde,dec->abc", 2),
        ("...x,xy->...y", 1),
        ("abc,bd->adc", None),
        ("abc,cd->adb", None),
        ("abc,bc->ab", None),
        ("aab,bc->aac", None),
    ],
)
def test_a_product_over_the_last_axes_is_recognised(equation: str, count: int | None) -> None:
    assert summed_axes(equation) == count


def test_a_mask_by_hand_hides_from_softmax() -> None:
    inputs, mask = keras.Input((3, 4)), keras.Input((3, 4), dtype="bool")
    model = keras.Model([inputs, mask], layers.Softmax()(inputs, mask=mask))
    (x,) = tensors([(3, 4)])
    hidden = torch.ones(3, 3, 4, dtype=torch.bool)
    hidden[0, 0], hidden[1, :, 2] = False, False  # A row with nothing left is all zeros.
    assert_same(model, [x, hidden], training=True, fallbacks=())
