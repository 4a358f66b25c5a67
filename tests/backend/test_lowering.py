"""Lowered = Keras, in outputs, gradients, statistics, masks and losses; what is not covered runs as Keras wrote it."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from backend.drawn import DRAWN
from batching import named, stepped
from sonde.backend.engine import EngineSettings
from sonde.backend.lowering import Lowered, lower
from sonde.backend.lowering.native_layers import LOWERED
from sonde.backend.torch import TorchEngine, build
from sonde.models.heads import classification

TOLERANCE = 1e-5
"""Relative to the largest value, or to 1: both add up the same few hundred float32 products (rounding 6e-8 each) in
another order, and the slopes of batch norm and of eight recurrent steps multiply that by some tens."""

"""A slope adds up all outputs: thousands in a transposed convolution of three axes. Rounding grows with the root."""


def lowered(model: Any) -> Lowered:
    return lower(model, torch.Generator().manual_seed(0))


def scattered(model: Any) -> Any:
    """Give every weight of a model a value that no initializer gives; variances stay positive."""
    rng = np.random.default_rng(1)
    for variable in model.weights:
        value = rng.normal(0.2, 0.5, variable.shape)
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.path or "stddev" in variable.path else value)
    return model


def tensors(shapes: list[tuple[int, ...]], batch: int = 3, *, below: int = 0) -> list[torch.Tensor]:
    rng = np.random.default_rng(2)
    if below:
        return [torch.from_numpy(rng.integers(below, size=(batch, *shape), dtype=np.int32)) for shape in shapes]
    return [torch.from_numpy(rng.normal(size=(batch, *shape)).astype(np.float32)) for shape in shapes]


def traces(call: Callable[..., Any], model: Any, inputs: Any, training: bool) -> dict[str, torch.Tensor]:
    """Return all that a call of a model leaves: outputs, gradients, statistics and losses; the weights are put back."""
    before = [np.array(variable.value.detach()) for variable in model.variables]
    flat = [each.requires_grad_(each.is_floating_point()) for each in keras.tree.flatten(inputs)]
    outputs = keras.tree.flatten(call(inputs, training=training))
    losses = list(model.losses)
    rng = np.random.default_rng(3)
    total = sum((each * torch.from_numpy(rng.normal(size=each.shape).astype(np.float32))).sum() for each in outputs)
    total = total + sum(losses)
    wanted = [each for each in flat if each.is_floating_point()] + [each.value for each in model.trainable_variables]
    wanted = [each for each in wanted if each.requires_grad]
    gradients = torch.autograd.grad(total, wanted, allow_unused=True) if wanted and total.requires_grad else []
    found = {f"output {index}": each.detach() for index, each in enumerate(outputs)}
    found["losses"] = torch.tensor([float(each.detach()) for each in losses])
    found |= {f"gradient {index}": each for index, each in enumerate(gradients) if each is not None}
    found |= {
        each.path: each.value.detach().clone() for each in model.non_trainable_variables if "seed" not in each.path
    }
    for variable, value in zip(model.variables, before, strict=True):
        variable.assign(value)
    return found


def assert_same(model: Any, inputs: Any, *, training: bool, fallbacks: tuple[str, ...] | None = None) -> None:
    """Assert that a model lowered does what Keras does, and which of its layers run as Keras wrote them."""
    ours = lowered(model)
    truth, found = traces(model, model, inputs, training), traces(ours, model, inputs, training)
    assert set(truth) == set(found)
    for key, value in truth.items():
        scale = max(float(value.abs().max()) if value.numel() else 0.0, 1.0)
        assert found[key].shape == value.shape and found[key].dtype == value.dtype, key
        assert torch.allclose(found[key], value, rtol=0, atol=TOLERANCE * scale), key
    if fallbacks is not None:
        assert ours.fallbacks == fallbacks


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.__name__)
@settings(max_examples=settings.default.max_examples // 7)
@given(data=st.data())
def test_a_layer_does_the_same_as_in_keras(kind: type, data: st.DataObject) -> None:
    drawn = data.draw(DRAWN[kind])
    kind_of_input = "int32" if drawn.below else "float32"
    layer, inputs = drawn.make(), [keras.Input(shape, dtype=kind_of_input) for shape in drawn.shapes]
    model = scattered(keras.Model(inputs, drawn.call(layer, inputs)))
    # Keras and the engine draw from different generators; what they draw has its own tests.
    training = data.draw(st.booleans()) and not drawn.is_random
    batch = tensors(drawn.shapes, data.draw(st.sampled_from([1, 4])), below=drawn.below)
    batch_or_one = batch if len(batch) > 1 else batch[0]
    assert_same(model, batch_or_one, training=training, fallbacks=() if drawn.is_covered else (layer.name,))


def test_every_kind_of_layer_that_is_lowered_is_drawn() -> None:
    assert set(DRAWN) == set(LOWERED)


def engine_of(model: Any, seed: int = 0) -> TorchEngine:
    return build(
        named(model),
        classification.loss({}),
        classification.scores,
        EngineSettings(optimizer="sgd", momentum=0.0, seed=seed),
    )


def one_dropout(rate: float) -> Any:
    inputs = keras.Input((1000,))
    return keras.Model(inputs, layers.Dropout(rate)(inputs))


def test_dropout_silences_its_share_and_scales_the_rest() -> None:
    ours, (ones,) = lowered(one_dropout(0.25)), [torch.ones(20, 1000)]
    outputs = ours(ones, training=True)
    assert outputs.unique().tolist() == pytest.approx([0.0, 1 / 0.75])
    # Four standard deviations of a share of 20,000 draws.
    assert float((outputs == 0).float().mean()) == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 20_000) ** 0.5)
    assert torch.equal(ours(ones, training=False), ones)
    assert not torch.equal(ours(ones, training=True), outputs)


def test_dropout_is_a_function_of_the_generator_alone() -> None:
    (ones,) = [torch.ones(2, 1000)]
    torch.manual_seed(1)
    first = lowered(one_dropout(0.5))(ones, training=True)
    torch.manual_seed(2)
    assert torch.equal(lowered(one_dropout(0.5))(ones, training=True), first)


def test_dropout_passes_the_gradient_of_what_it_kept() -> None:
    (inputs,) = tensors([(1000,)])
    outputs = lowered(one_dropout(0.5))(inputs.requires_grad_(), training=True)
    (gradient,) = torch.autograd.grad(outputs.sum(), [inputs])
    assert torch.equal(gradient, (outputs != 0).float() * 2)


class Wider(layers.Dense):
    """A subclass of a lowered layer that does something else."""

    def call(self, inputs: Any) -> Any:
        return super().call(inputs) + 1.0


class Restless(layers.Layer):
    """Has a dropout inside, and takes no `training` argument itself."""

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.inner = layers.Dropout(0.9, seed=1)

    def call(self, inputs: Any) -> Any:
        return self.inner(inputs)


class Costly(layers.Layer):
    """Adds a loss each time it is called."""

    def call(self, inputs: Any) -> Any:
        self.add_loss(keras.ops.mean(keras.ops.square(inputs)))
        return inputs * 2.0


class Ends(layers.Layer):
    """Makes a mask that ends each sequence where its first feature turns negative."""

    supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs * 1.0

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return inputs[:, :, 0] > 0


def functional(shape: tuple[int, ...], *steps: Any) -> Any:
    inputs = x = keras.Input(shape)
    for step in steps:
        x = step(x)
    return scattered(keras.Model(inputs, x))


def low_rank(layer: Any) -> Callable[[Any], Any]:
    layer.build((None, 4))
    layer.enable_lora(1)
    return layer


def stated() -> Any:
    inputs, state = keras.Input((5, 2)), keras.Input((3,))
    return scattered(keras.Model([inputs, state], layers.GRU(3, name="stated")(inputs, initial_state=state)))


def masked_by_hand() -> Any:
    inputs = keras.Input((5, 2))
    return scattered(keras.Model(inputs, layers.LSTM(3, name="masked")(inputs, mask=inputs[:, :, 0] > 0)))


def unlike_summands() -> Any:
    wide, narrow = keras.Input((3, 3)), keras.Input((3,))
    return keras.Model([wide, narrow], layers.Add(name="sum")([wide, narrow]))


def broadcast_summands() -> Any:
    wide, narrow = keras.Input((3, 4)), keras.Input((1, 4))
    return keras.Model([wide, narrow], layers.Add(name="sum")([wide, narrow]))


def shared(layer: Any) -> Any:
    inputs = keras.Input((4,))
    return scattered(keras.Model(inputs, layer(keras.ops.add(layer(inputs), 1.0))))


MODELS: dict[str, tuple[Callable[[], Any], list[tuple[int, ...]], tuple[str, ...]]] = {
    "a subclass of a lowered layer": (lambda: functional((4,), Wider(2, name="wider")), [(4,)], ("wider",)),
    "an activity regularizer": (
        lambda: functional((4,), layers.Dense(2, activity_regularizer="l2", name="costly"), layers.Dense(2)),
        [(4,)],
        ("costly",),
    ),
    "regularizers of weights": (
        lambda: functional((4,), layers.Dense(2, kernel_regularizer="l2", bias_regularizer="l1")),
        [(4,)],
        (),
    ),
    "losses that a layer adds": (lambda: functional((4,), Costly(name="a"), layers.Dense(2)), [(4,)], ("a",)),
    "renormalisation": (
        lambda: functional((4,), layers.BatchNormalization(renorm=True, name="renorm")),
        [(4,)],
        ("renorm",),
    ),
    "another type of numbers": (
        lambda: functional((4,), layers.Dense(2, dtype="mixed_bfloat16", name="half"), layers.Dense(2, name="after")),
        [(4,)],
        ("half",),
    ),
    "low-rank weights": (lambda: functional((4,), low_rank(layers.Dense(2, name="lora"))), [(4,)], ("lora",)),
    "a first state": (stated, [(5, 2), (3,)], ()),
    "a mask given by hand": (masked_by_hand, [(5, 2)], ()),
    "summands of different ranks": (unlike_summands, [(3, 3), (3,)], ()),
    "summands that broadcast": (broadcast_summands, [(3, 4), (1, 4)], ()),
    "a layer used twice": (lambda: shared(layers.Dense(4)), [(4,)], ()),
    "batch norm used twice": (lambda: shared(layers.BatchNormalization(momentum=0.5)), [(4,)], ()),
    "a layer with a loss used twice": (lambda: shared(Costly(name="twice")), [(4,)], ("twice",)),
    "an activity regularizer used twice": (
        lambda: shared(layers.Dense(4, activity_regularizer="l2", name="twice")),
        [(4,)],
        ("twice",),
    ),
    "operations between layers": (lambda: functional((4,), layers.Dense(3), keras.ops.sin), [(4,)], ()),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_nothing_is_silently_wrong_about(name: str, training: bool) -> None:
    make, shapes, fallbacks = MODELS[name]
    model = make()
    batch = tensors(shapes)
    names = {layer.name for layer in model.layers}
    assert tuple(name for name in lowered(model).fallbacks if name in names) == fallbacks
    assert_same(model, batch if len(batch) > 1 else batch[0], training=training)


@pytest.mark.parametrize("training", [True, False])
def test_a_dropout_inside_of_a_layer_knows_whether_it_is_training(training: bool) -> None:
    model = functional((1000,), Restless(name="restless"))
    outputs = lowered(model)(torch.ones(1, 1000), training=training)
    assert bool((outputs == 0).any()) is training
    assert_same(model, torch.ones(1, 1000), training=training, fallbacks=("restless",))


def test_a_layer_told_at_building_to_train_obeys_the_call_as_in_keras() -> None:
    inputs = keras.Input((3,))
    model = scattered(keras.Model(inputs, layers.BatchNormalization()(inputs, training=True)))
    for training in (True, False):
        assert_same(model, tensors([(3,)])[0], training=training, fallbacks=())


def masking() -> Any:
    return functional((5, 2), layers.Masking(name="mask"), layers.LSTM(3, name="lstm"), layers.Dense(2, name="dense"))


def test_masked_steps_are_skipped() -> None:
    model, (inputs,) = masking(), tensors([(5, 2)])
    inputs[:, 3:] = 0
    assert_same(model, inputs, training=True)
    # The mask matters: without it, the LSTM would go on over the zeros.
    unmasked = functional((5, 2), layers.LSTM(3), layers.Dense(2))
    assert not torch.allclose(lowered(model)(inputs, training=False), unmasked(inputs), atol=1e-3)


def embedding(inputs: Any) -> Any:
    return layers.Embedding(4, 3, mask_zero=True)(inputs)


def wrapped_embedding(inputs: Any) -> Any:
    return Wrapped()(inputs)


class Wrapped(layers.Layer):
    """Hides an embedding with a mask inside of itself."""

    supports_masking = True

    def __init__(self) -> None:
        super().__init__()
        self.embedding = layers.Embedding(4, 3, mask_zero=True)

    def call(self, inputs: Any) -> Any:
        return self.embedding(inputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return self.embedding.compute_mask(inputs, previous_mask)


@pytest.mark.parametrize("embed", [embedding, wrapped_embedding])
def test_padding_that_an_embedding_masks_is_skipped(embed: Callable[[Any], Any]) -> None:
    inputs = keras.Input((None,), dtype="int32")
    model = scattered(keras.Model(inputs, layers.GRU(3)(layers.Dropout(0.0)(embed(inputs)))))
    batch = torch.tensor([[1, 2, 3, 0, 0], [3, 3, 3, 3, 3]], dtype=torch.int32)
    assert_same(model, batch, training=True)
    shorter = lowered(model)(batch[:1, :3], training=False)
    assert torch.allclose(lowered(model)(batch, training=False)[:1], shorter, atol=TOLERANCE)


@pytest.mark.parametrize("arguments", [{}, {"training": True}])
def test_a_mask_that_some_other_layer_makes_is_honoured(arguments: dict[str, bool]) -> None:
    # Keras makes a mask part of the graph where a layer is called with its input alone; otherwise it is a note on the
    # tensor, which native operations would lose.
    inputs = keras.Input((5, 2))
    x = layers.Dropout(0.0)(Ends()(inputs), **arguments)
    model = scattered(keras.Model(inputs, layers.LSTM(3)(x, **arguments)))
    assert_same(model, tensors([(5, 2)])[0], training=True)


def test_a_sequential_model_is_lowered_like_its_graph() -> None:
    model = keras.Sequential([keras.Input((6, 6, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)])
    assert_same(scattered(model), tensors([(6, 6, 1)])[0], training=True, fallbacks=())


def nested() -> Any:
    """A model in a model in a model, the middle one called twice."""
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4), layers.BatchNormalization(momentum=0.5)])
    first, second = keras.Input((4,)), keras.Input((4,))
    middle = keras.Model([first, second], [layers.Add()([inner(first), second]), inner(second)])
    inputs = keras.Input((4,))
    a, b = middle([layers.Dense(4)(inputs), inputs])
    return scattered(keras.Model(inputs, middle([b, a])[0]))


@pytest.mark.parametrize("training", [True, False])
def test_models_inside_of_models_are_lowered_too(training: bool) -> None:
    assert_same(nested(), tensors([(4,)])[0], training=training, fallbacks=())


def test_a_model_of_the_users_own_class_inside_of_a_model_runs_as_keras_wrote_it() -> None:
    class Doubled(keras.Sequential):
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            return 2.0 * super().call(inputs, training=training)

    model = functional((4,), Doubled([keras.Input((4,)), layers.Dense(3)], name="doubled"))
    assert_same(model, tensors([(4,)])[0], training=True, fallbacks=("doubled",))


def test_frozen_batch_norm_in_a_frozen_inner_model_keeps_its_statistics() -> None:
    inner = keras.Sequential([keras.Input((4,)), layers.BatchNormalization(momentum=0.5)], name="inner")
    model = functional((4,), inner, layers.Dense(2))
    inner.trainable = False
    assert_same(model, tensors([(4,)])[0], training=True, fallbacks=())


ORDER = {
    "a layer": (layers.ReLU, ["MaxPooling2D", "ReLU"]),
    "an activation": (lambda: layers.Activation("relu"), ["MaxPooling2D", "Activation"]),
    "another activation": (lambda: layers.Activation("elu"), ["Activation", "MaxPooling2D"]),
    "a slope": (lambda: layers.ReLU(negative_slope=0.1), ["ReLU", "MaxPooling2D"]),
    "a bound": (lambda: layers.ReLU(max_value=1.0), ["ReLU", "MaxPooling2D"]),
}


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("name", ORDER)
def test_max_pooling_goes_before_relu_and_nothing_changes(name: str, padding: str) -> None:
    make, order = ORDER[name]
    model = functional((5, 5, 2), layers.Conv2D(3, 1), make(), layers.MaxPooling2D(2, padding=padding))
    assert [type(step.operation).__name__ for step in lowered(model)._program.steps][1:] == order
    (inputs,) = tensors([(5, 5, 2)])
    # Windows in which all is negative, and windows with ties.
    inputs[0] = -inputs[0].abs()
    inputs[1, :2] = 0.5
    assert_same(model, inputs, training=True, fallbacks=())


def test_a_relu_that_others_read_stays_before_the_pooling() -> None:
    inputs = keras.Input((4, 4, 2))
    x = layers.ReLU()(inputs)
    model = keras.Model(inputs, [layers.MaxPooling2D()(x), layers.GlobalAveragePooling2D()(x)])
    assert_same(model, tensors([(4, 4, 2)])[0], training=True, fallbacks=())
    seen = keras.Model(inputs, [x, layers.MaxPooling2D()(x)])
    assert_same(seen, tensors([(4, 4, 2)])[0], training=True, fallbacks=())


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Dense(2, name="one"),
        lambda: layers.BatchNormalization(name="one"),
        lambda: layers.GroupNormalization(2, name="one"),
        lambda: layers.RMSNormalization(name="one"),
        lambda: layers.UnitNormalization(name="one"),
        lambda: layers.TimeDistributed(layers.Dense(2), name="one"),
    ],
)
def test_whole_numbers_that_torch_refuses_are_left_to_keras(layer: Callable[[], Any]) -> None:
    inputs = keras.Input((3, 4), dtype="int32")
    model = scattered(keras.Model(inputs, layer()(inputs)))
    assert_same(model, tensors([(3, 4)], below=9)[0], training=False, fallbacks=("one",))


@pytest.mark.parametrize("wrap", [lambda model: model, lambda model: keras.Sequential([model.inputs[0], model])])
def test_inputs_of_another_shape_are_refused_though_the_operations_would_take_them(wrap: Callable[[Any], Any]) -> None:
    model = wrap(functional((8, 8, 3), layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()))
    with pytest.raises(ValueError, match=r"incompatible with the layer.*\(None, 8, 8, 3\)"):
        lowered(model)(torch.zeros(2, 6, 6, 3), training=False)


@pytest.mark.parametrize("as_dict", [False, True])
def test_several_inputs_keep_their_order(as_dict: bool) -> None:
    second, first = keras.Input((2,), name="second"), keras.Input((3,), name="first")
    joined = layers.Concatenate(name="join")([layers.Dense(2)(first), second])
    named = {"second": second, "first": first}
    model = scattered(keras.Model(named if as_dict else [second, first], layers.Dense(2)(joined)))
    a, b = tensors([(2,), (3,)])
    batch = {"second": a, "first": b} if as_dict else [a, b]
    assert_same(model, batch, training=True, fallbacks=())


def test_a_list_of_one_output_is_that_output() -> None:
    inputs = keras.Input((3,))
    assert_same(scattered(keras.Model(inputs, [layers.Dense(2)(inputs)])), tensors([(3,)])[0], training=False)


def test_a_penalty_on_weights_moves_them_in_a_step() -> None:
    models = [
        functional((3,), layers.Dense(2, kernel_regularizer=penalty, use_bias=False))
        for penalty in (None, keras.regularizers.L2(0.5))
    ]
    before = np.array(models[0].weights[0].value.detach())
    inputs, truth = np.ones((4, 3), np.float32), np.array([0, 1, 0, 1], np.int32)
    for model in models:
        stepped(engine_of(model), inputs, truth, 0.1)
    plain, penalised = (np.array(model.weights[0].value.detach()) for model in models)
    # The slope of 0.5 w^2 is w.
    assert plain - penalised == pytest.approx(0.1 * before, abs=1e-6)


def test_a_constraint_on_weights_holds_after_a_step() -> None:
    model = functional((3,), layers.Dense(2, kernel_constraint="non_neg", use_bias=False))
    stepped(engine_of(model), np.ones((4, 3), np.float32), np.array([0, 1, 0, 1], np.int32), 0.1)
    assert float(model.weights[0].value.detach().min()) >= 0


def test_the_engine_draws_dropout_from_its_seed_and_step_alone() -> None:
    inputs, truth = np.ones((4, 50), np.float32), np.array([0, 1, 0, 1], np.int32)

    def losses(seed: int) -> list[float]:
        engine = engine_of(functional((50,), layers.Dropout(0.5), layers.Dense(2)), seed)
        return [stepped(engine, inputs, truth, 0.0)[0] for _ in range(2)]

    torch.manual_seed(4)
    first = losses(1)
    assert first == losses(1) and first[0] != first[1] and first[0] != losses(2)[0]
