"""Augmentations of texts change tokens at random, each text by its own numbers, and never empty one."""

import numpy as np
import pytest

from sonde.data import augment
from sonde.data.ragged import Ragged
from sonde.data.text.augment import TABLE

BATCH = Ragged.of([np.arange(2, 2 + length, dtype=np.int32) for length in (1, 5, 40, 400)])


def changed(name: str, strength: float, *, epoch: int = 1, rows: tuple[int, ...] = (0, 1, 2, 3)) -> list[list[int]]:
    places = np.array(rows)
    result, motion = augment(BATCH[places], {name: strength}, modality="text", seed=0, epoch=epoch, indices_B=places)
    assert (
        motion is None
        and isinstance(result, Ragged)
        and result.dtype == np.int32
        and result.offsets[-1] == len(result.values)
    )
    return [result[row].tolist() for row in range(len(result))]


@pytest.mark.parametrize("name", TABLE)
def test_a_text_is_changed_by_its_own_place_and_epoch_alone(name: str) -> None:
    whole = changed(name, 0.5)
    assert changed(name, 0.5, rows=(3, 1)) == [whole[3], whole[1]]
    assert changed(name, 0.5, epoch=2)[3] != whole[3] and changed(name, 0.5) == whole


@pytest.mark.parametrize("name", TABLE)
def test_the_texts_that_were_given_stay_as_they_are(name: str) -> None:
    before = BATCH.values.copy()
    changed(name, 0.5)
    assert (BATCH.values == before).all()


def test_about_the_share_of_tokens_is_left_out_and_the_others_keep_their_order() -> None:
    long = changed("drop", 0.3)[3]
    assert 240 <= len(long) <= 320 and long == sorted(long)


def test_no_text_loses_its_last_token() -> None:
    assert all(len(row) >= 1 for epoch in range(1, 20) for row in changed("drop", 0.9, epoch=epoch))


def test_blanked_tokens_become_the_unknown_one() -> None:
    long = changed("blank", 0.25)[3]
    assert len(long) == 400 and 70 <= long.count(1) <= 130
    assert all(token in (1, place + 2) for place, token in enumerate(long))


def test_swapped_tokens_stay_beside_each_other_and_inside_their_text() -> None:
    for before, after in zip([BATCH[row].tolist() for row in range(4)], changed("swap", 0.5), strict=True):
        assert sorted(before) == sorted(after)
        assert all(abs(place + 2 - token) <= 1 for place, token in enumerate(after))
