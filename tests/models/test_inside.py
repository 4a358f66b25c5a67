"""What looking inside of a model promises: the right layer, halves that make the whole, gradients of one logit."""

from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from batching import logits_of, maps_of, slopes_of
from sonde import backend
from sonde.evaluation.explanations import gradcam
from sonde.models import inside, options_of
from sonde.models.assemble import Blueprint, build
from sonde.models.reads import Reads

SIDE = 16


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    """Return the backend's module."""
    return backend.use("torch")


def one_quadrant() -> keras.Model:
    """Return a model that looks at the lower right quadrant alone: all else is multiplied by nothing."""
    window = np.zeros((SIDE, SIDE, 1), dtype=np.float32)
    window[SIDE // 2 :, SIDE // 2 :] = 1.0
    inputs = keras.Input((SIDE, SIDE, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="last")(x * window)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, {"logits": layers.Dense(2)(x)})
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(np.abs(rng.normal(size=variable.shape)) * 0.3)
    return model


def grad_cam(module: ModuleType, model: keras.Model, image: NDArray[np.float32], target: int) -> NDArray[np.float64]:
    """Return where a model finds a class in an image."""
    cut = inside.cut(module, model, inside.feature_map(model))
    middle = cut.middle(image[None])
    slopes = slopes_of(cut.second, middle, np.array([target], dtype=np.int32))
    return gradcam.spread(gradcam.heat(middle[0], slopes[0]), image.shape[:2])


def image(seed: int = 1) -> NDArray[np.float32]:
    """Return noise above zero."""
    return np.random.default_rng(seed).uniform(0.2, 1.0, size=(SIDE, SIDE, 1)).astype(np.float32)


def test_grad_cam_of_a_model_that_looks_at_one_quadrant_lies_in_that_quadrant(torch: ModuleType) -> None:
    heat = grad_cam(torch, one_quadrant(), image(), 0)
    inside_of_it = heat[SIDE // 2 :, SIDE // 2 :].sum() / heat.sum()
    # One step of the 3x3 kernels reaches over the border; a blind explanation would have a quarter.
    assert inside_of_it > 0.85
    # What is left there is the share of the biases, which lie everywhere.
    assert heat[: SIDE // 2 - 1, : SIDE // 2 - 1].max() < 0.05


def test_what_a_model_does_not_look_at_gets_no_gradient(torch: ModuleType) -> None:
    engine = inside.engine_of(torch, one_quadrant())
    slope = slopes_of(engine, image()[None], np.array([1], dtype=np.int32))[0, ..., 0]
    assert slope[SIDE // 2 + 1 :, SIDE // 2 + 1 :].all()
    assert not slope[: SIDE // 2 - 1].any() and not slope[:, : SIDE // 2 - 1].any()


def test_the_gradient_is_that_of_one_logit_whatever_else_is_in_the_batch(torch: ModuleType) -> None:
    engine = inside.engine_of(torch, one_quadrant())
    pair = np.stack([image(1), image(2)])
    both = slopes_of(engine, pair, np.array([0, 1], dtype=np.int32))
    alone = slopes_of(engine, pair[1:], np.array([1], dtype=np.int32))
    assert both[1] == pytest.approx(alone[0], rel=1e-5)
    nudged = pair[1:].copy()
    nudged[0, 12, 12, 0] += 0.01
    risen = float(logits_of(engine, nudged)[0, 1] - logits_of(engine, pair[1:])[0, 1])
    assert risen == pytest.approx(0.01 * float(alone[0, 12, 12, 0]), rel=0.02)


def test_other_weights_are_explained_otherwise(torch: ModuleType) -> None:
    # The sanity check of Adebayo et al. (2018): what shows the same for random weights shows the image, not the model.
    heats = [
        grad_cam(torch, small("cnn", (SIDE, SIDE, 1), {"width": 8, "stages": 2}, seed=seed), image(), 0)
        for seed in (1, 2)
    ]
    ranks = [heat.ravel().argsort().argsort() for heat in heats]
    assert abs(np.corrcoef(*ranks)[0, 1]) < 0.8
    assert np.abs(heats[0] - heats[1]).max() > 0.3


def small(
    name: str, shape: tuple[int | None, ...], options: dict[str, Any], *, seed: int = 1, **more: Any
) -> keras.Model:
    """Build a small model of the zoo."""
    return build(Blueprint(name, "classification", Reads(shape, **more), 3, options_of(name)(**options)), seed=seed)


@pytest.mark.parametrize(
    ("name", "shape", "places"),
    [
        ("cnn", (28, 28, 1), (7, 7)),
        ("resnet", (32, 32, 3), (8, 8)),
        ("lenet", (28, 28, 1), (10, 10)),
        ("cnn", (8, 8, 1), (4, 4)),
    ],
)
def test_the_feature_map_is_the_last_convolutions_behind_its_activation(
    name: str, shape: tuple[int, ...], places: tuple[int, int], torch: ModuleType
) -> None:
    model = small(name, shape, {"width": 4} if name != "lenet" else {})
    tensor = inside.feature_map(model)
    assert tensor.shape[1:3] == places
    found = inside.cut(torch, model, tensor)
    inputs = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    assert found.beside == 0
    assert logits_of(found.second, found.middle(inputs)) == pytest.approx(
        logits_of(inside.engine_of(torch, model), inputs), abs=1e-5
    )


def test_a_model_without_convolutions_has_no_feature_map() -> None:
    assert inside.feature_map(small("mlp", (8, 8, 1), {"width": 8})) is None


def test_a_map_that_a_path_leads_past_is_not_taken_for_the_whole(torch: ModuleType) -> None:
    inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(2, 3, padding="same", name="beside")(inputs)
    merged = layers.Conv2D(2, 3, padding="same", name="past")(inputs) + x
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(merged)))
    assert inside.feature_map(model) is merged


def test_words_have_an_embedding_of_their_own_and_n_grams_do_not() -> None:
    text = {"dtype": "int32", "cardinalities": (20,)}
    assert inside.embedding(small("transformer", (None,), {"width": 4, "depth": 1, "heads": 1}, **text)) is not None
    assert inside.embedding(small("bag", (None,), {"width": 4, "ngrams": 2, "buckets": 16}, **text)) is None
    assert inside.embedding(small("cnn", (8, 8, 1), {"width": 4})) is None


def test_a_text_model_is_cut_behind_its_words_with_the_ids_beside(torch: ModuleType) -> None:
    model = small("textcnn", (None,), {}, dtype="int32", cardinalities=(20,))
    found = inside.cut(torch, model, inside.embedding(model))
    ids = np.array([[3, 4, 5, 6, 7, 0, 0, 0], [9, 8, 7, 6, 5, 4, 3, 2]], dtype=np.int32)
    middle = found.middle(ids)
    assert found.beside == 1 and middle[..., -1].astype(np.int32).tolist() == ids.tolist()
    assert logits_of(found.second, middle) == pytest.approx(logits_of(inside.engine_of(torch, model), ids), abs=1e-5)


def test_attention_that_is_written_out_in_three_ways_is_found_in_all_of_them(torch: ModuleType) -> None:
    x = inputs = keras.Input((6, 8))
    x = x + layers.MultiHeadAttention(2, 4, name="layer")(x, x)
    heads = layers.Reshape((6, 2, 4))(x)
    x = x + layers.Reshape((6, 8))(keras.ops.dot_product_attention(heads, heads, heads))
    weights = keras.ops.softmax(layers.Dense(1)(x), axis=1)
    model = keras.Model(inputs, layers.Dense(2)(keras.ops.sum(weights * x, axis=1)))
    numbers = np.random.default_rng(0).normal(size=(3, 6, 8)).astype(np.float32)
    maps = [maps_of(inside.engine_of(torch, each), numbers) for each in inside.attention_maps(model).values()]
    assert [each.shape for each in maps] == [(3, 2, 6, 6), (3, 2, 6, 6), (3, 1, 1, 6)]
    for each in maps:
        assert each.sum(axis=-1) == pytest.approx(1.0, abs=1e-5) and each.std() > 0
    _, theirs = model.get_layer("layer")(numbers, numbers, return_attention_scores=True)
    assert maps[0] == pytest.approx(keras.ops.convert_to_numpy(theirs), abs=1e-5)
