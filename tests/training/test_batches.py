"""The order of an epoch and its batches are pure functions of seed and epoch, whoever makes them and from where on."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import current_thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from numpy.typing import NDArray

from sonde.answers.classification.target import ClassTarget
from sonde.data.dataset import Examples
from sonde.data.image.spec import learn_spec
from sonde.data.ragged import Ragged
from sonde.data.target import Batch
from sonde.training import batches, first_rows
from sonde.training.batches import Orders, Spares, TrainingSet, order


def training_set(
    count: int = 50, batch_size: int = 8, augment: Mapping[str, float] | None = None, seed: int = 3
) -> TrainingSet:
    """Return images that are all of one brightness, which is their number, with the number as their label."""
    numbers = np.arange(count)
    images = np.broadcast_to(numbers.astype(np.uint8)[:, None, None, None], (count, 4, 4, 1))
    examples = Examples(images, numbers.astype(np.str_), numbers.astype(np.str_), images)
    spec = learn_spec(np.asarray(images))
    return TrainingSet(examples, ClassTarget(()), numbers, spec, "image", augment or {}, seed, batch_size)


def same(found: Batch, expected: Batch) -> bool:
    return all(np.array_equal(found[name], expected[name]) for name in ("inputs", "truth", "weights"))


@given(count=some.integers(0, 300), seed=some.integers(0, 2**32 - 1), epoch=some.integers(1, 10**5))
def test_an_epoch_s_order_holds_each_example_once(count: int, seed: int, epoch: int) -> None:
    assert sorted(order(count, seed, epoch)) == list(range(count))


def test_the_order_follows_from_seed_and_epoch_alone() -> None:
    first = order(100, 7, 1).copy()
    others = [order(100, 7, 2).copy(), order(100, 8, 1).copy()]
    assert np.array_equal(order(100, 7, 1), first)
    assert not any(np.array_equal(first, other) for other in others)
    assert not np.array_equal(first, np.arange(100))


def test_the_order_is_that_of_its_own_epoch_whichever_thread_asks() -> None:
    training = training_set(count=1000)
    expected = {epoch: order(1000, 3, epoch)[:8] for epoch in range(1, 9)}

    def ask(epoch: int) -> bool:
        return all(np.array_equal(training.rows(epoch, 0), expected[epoch]) for _ in range(30))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, [*expected] * 4))


def test_the_order_of_an_epoch_is_made_once() -> None:
    orders, made = Orders(), []

    def make() -> NDArray[np.int64]:
        made.append(1)
        return np.arange(3)

    assert orders.of(1, make) is orders.of(1, make) and len(made) == 1
    orders.of(2, make)
    assert len(made) == 2


def seen_in(training: TrainingSet, epoch: int, first: int = 0) -> NDArray[np.int32]:
    return np.concatenate([batch["truth"] for batch, _ in training.batches(epoch, first)])


def test_shuffling_keeps_each_image_with_its_label() -> None:
    training = training_set()
    prepared = training.spec.prepare(np.asarray(training.examples.inputs))
    for batch, _ in training.batches(epoch=2, first=0):
        assert np.array_equal(batch["inputs"], prepared[batch["truth"]])


def test_an_epoch_shows_no_example_twice_and_every_full_batch() -> None:
    training = training_set(count=50, batch_size=8)
    seen = seen_in(training, epoch=1)
    assert training.steps == 6 and len(seen) == 48 == len(set(seen.tolist()))
    # What was left over in one epoch is not left over in all.
    left = [set(range(50)) - set(seen_in(training, epoch).tolist()) for epoch in range(1, 6)]
    assert len({frozenset(each) for each in left}) > 1


AUGMENTED = {"shift": 0.4, "rotate": 20.0, "flip": 0.5, "erase": 0.5}


@pytest.mark.parametrize("first", range(7))
def test_beginning_at_a_step_gives_the_rest_of_the_whole_epoch(first: int) -> None:
    training = training_set(augment=AUGMENTED)
    whole = [each.batch for each in training.batches(4, 0)]
    rest = [each.batch for each in training.batches(4, first)]
    assert len(rest) == 6 - first
    assert all(same(found, expected) for found, expected in zip(rest, whole[first:], strict=True))


def test_a_batch_is_the_same_in_whichever_thread_it_is_made() -> None:
    training = training_set(augment=AUGMENTED)
    expected = [training.batch(1, step).batch for step in range(6)]
    with ThreadPoolExecutor(4) as pool:
        threads = list(pool.map(lambda step: (training.batch(1, step).batch, current_thread().name), range(6)))
    assert all(same(found, each) for (found, _), each in zip(threads, expected, strict=True))
    assert all(same(found.batch, each) for found, each in zip(training.batches(1, 0), expected, strict=True))


def test_an_example_s_augmentation_does_not_depend_on_the_batch_size() -> None:
    def by_label(size: int) -> dict[int, bytes]:
        training = training_set(count=48, batch_size=size, augment=AUGMENTED)
        return {
            int(label): image.tobytes()
            for batch, _ in training.batches(2, 0)
            for image, label in zip(batch["inputs"], batch["truth"], strict=True)
        }

    assert by_label(4) == by_label(16) == by_label(48)


def test_epochs_and_seeds_augment_differently() -> None:
    training = training_set(count=8, batch_size=8, augment={"rotate": 45.0, "erase": 1.0})
    first = training.batch(1, 0).batch
    assert not np.array_equal(first["inputs"], training.batch(2, 0).batch["inputs"])
    assert not np.array_equal(first["inputs"], replace(training, seed=4).batch(1, 0).batch["inputs"])


def test_what_a_consumer_keeps_of_a_batch_is_not_written_over() -> None:
    training = training_set(count=200, batch_size=8, augment=AUGMENTED)
    expected = [training.batch(1, step).batch["inputs"] for step in range(training.steps)]
    views = [batch["inputs"][2:4, ::-1].reshape(2, -1) for batch, _ in training.batches(1, 0)]
    for view, inputs in zip(views, expected, strict=True):
        assert np.array_equal(view, inputs[2:4, ::-1].reshape(2, -1))


def test_a_tensor_on_a_batch_s_memory_is_not_written_over() -> None:
    torch = pytest.importorskip("torch")
    training = training_set(count=200, batch_size=8, augment=AUGMENTED)
    expected = [training.batch(1, step).batch["inputs"] for step in range(training.steps)]
    tensors = [torch.from_numpy(batch["inputs"]) for batch, _ in training.batches(1, 0)]
    assert all(np.array_equal(tensor.numpy(), inputs) for tensor, inputs in zip(tensors, expected, strict=True))


def test_the_memory_of_batches_that_nobody_keeps_is_used_again() -> None:
    training = training_set(count=400, batch_size=8)
    places = {batch["inputs"].ctypes.data for batch, _ in training.batches(1, 0)}
    # The one that a step reads, the next, and the one after that, which is begun before the first is let go.
    assert training.steps == 50 and len(places) <= 3
    spares = Spares()
    held = [spares.take((4, 2), "float32") for _ in range(3)]
    assert len({id(array) for array in held}) == 3
    first = id(held[0])
    del held[0]
    assert id(spares.take((4, 2), "float32")) == first
    assert spares.take((3, 2), "float32").shape == (3, 2)


@pytest.mark.parametrize("piece", [1, 40, 100, 1 << 20])
def test_a_batch_made_in_pieces_is_the_same(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    training = training_set(augment=AUGMENTED)
    expected = training.batch(3, 2).batch
    monkeypatch.setattr(batches, "PIECE", piece)
    assert same(training.batch(3, 2).batch, expected)


def test_a_batch_tells_how_long_it_took_to_make() -> None:
    assert all(0 < batch.busy < 60 for batch in training_set(augment=AUGMENTED).batches(1, 0))


def test_a_consumer_that_leaves_early_leaves_no_thread_behind() -> None:
    made = training_set().batches(1, 0)
    next(made)
    made.close()
    import threading

    assert not any(thread.name.startswith("loader") for thread in threading.enumerate())


def test_what_the_loader_meets_is_told_to_the_loop() -> None:
    training = training_set()
    broken = replace(training, augment={"shift": float("nan"), "odd": 1.0})
    with pytest.raises(AssertionError):
        next(broken.batches(1, 0))


def test_the_contact_sheet_shows_the_first_batch_of_the_first_epoch() -> None:
    training = training_set(count=50, batch_size=8, seed=5)
    assert np.array_equal(training.batch(1, 0).batch["truth"], first_rows(50, 5, 8))


def ragged_set(count: int = 203, batch_size: int = 4, seed: int = 7) -> TrainingSet:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 60, count)
    stored = Ragged.of([np.full(length, place + 2, dtype=np.int32) for place, length in enumerate(lengths)])
    names = np.arange(count).astype(np.str_)
    examples = Examples(stored, names, names, stored)
    return TrainingSet(examples, ClassTarget(()), np.arange(count), _Padding(), "image", {}, seed, batch_size)


class _Padding:
    shape, dtype, levels, presence = (None,), "int32", (999,), False

    def prepare(self, inputs: Ragged, out: None = None) -> NDArray[np.int32]:
        return inputs.padded()


def test_texts_of_like_length_come_together_and_each_comes_once() -> None:
    made = ragged_set()
    lengths = made.examples.inputs.lengths
    rows = [made.rows(1, step) for step in range(made.steps)]
    assert len(np.unique(np.concatenate(rows))) == made.steps * made.batch_size == 200
    wasted = sum(int((lengths[each].max() - lengths[each]).sum()) for each in rows) / lengths.sum()
    in_any_order = order(203, 7, 1)[:200].reshape(-1, 4)
    assert wasted < 0.1 < sum(int((lengths[each].max() - lengths[each]).sum()) for each in in_any_order) / lengths.sum()


def test_the_batches_of_texts_are_a_function_of_seed_and_epoch_alone() -> None:
    first, again, other = ragged_set(), ragged_set(), ragged_set(seed=8)
    assert all(np.array_equal(first.rows(2, step), again.rows(2, step)) for step in (5, 0, 49))
    for changed in (first.rows(3, 0), other.rows(2, 0)):
        assert not np.array_equal(first.rows(2, 0), changed)
    # Who meets whom changes too, not only when.
    meetings = [{frozenset(first.rows(epoch, step).tolist()) for step in range(50)} for epoch in (1, 2)]
    assert len(meetings[0] & meetings[1]) < 25
    # Batches are not sorted by length.
    tallest = [int(first.examples.inputs.lengths[first.rows(1, step)].max()) for step in range(50)]
    assert abs(np.corrcoef(np.arange(50), tallest)[0, 1]) < 0.5


def test_a_batch_of_texts_is_padded_to_its_own_longest() -> None:
    made = ragged_set()
    for step, (batch, _) in enumerate(made.batches(1, 0)):
        lengths = made.examples.inputs.lengths[batch["truth"]]
        assert batch["inputs"].shape == (4, lengths.max()) and batch["inputs"].dtype == np.int32
        assert np.array_equal(batch["truth"], np.sort(made.rows(1, step)))
        assert np.array_equal(batch["inputs"][:, 0], batch["truth"] + 2)
