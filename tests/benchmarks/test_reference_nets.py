"""The nets that the engine's benchmark compares are the same nets, in Keras and in PyTorch."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from sonde import backend

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from nets import LSTM_WIDTH, NETS, examples  # noqa: E402  (the scripts' folder has to be on the path first)

TWO_BIASES = {"lstm": 2 * 4 * LSTM_WIDTH}
"""Numbers that PyTorch has more of: a second bias for each of the four gates of each layer."""


@pytest.fixture(scope="module", autouse=True)
def torch_backend() -> None:
    backend.use("torch").start(threads=1)


@pytest.mark.parametrize("name", NETS)
def test_a_net_has_the_same_outputs_and_parameters_in_keras_and_by_hand(name: str) -> None:
    import handwritten
    import reference_nets

    net = NETS[name]
    model, peer = reference_nets.BUILDS[name](net.shape, net.classes), handwritten.build(name)
    inputs, truth = examples(net, 1)
    told = handwritten.as_torch_reads(net, inputs, truth)[0]
    with torch.no_grad():
        assert tuple(model(inputs).shape) == tuple(peer(torch.from_numpy(told)).shape) == (*truth.shape, net.classes)
    theirs = sum(each.numel() for each in peer.parameters())
    assert sum(math.prod(each.shape) for each in model.trainable_variables) == theirs - TWO_BIASES.get(name, 0)


@pytest.mark.parametrize("name", ["encoder", "decoder"])
def test_plain_attention_gathers_what_the_fused_one_does(name: str) -> None:
    import handwritten

    net = NETS[name]
    fused, plain = (handwritten.build(name, each) for each in (handwritten.FusedAttention, handwritten.PlainAttention))
    plain.load_state_dict(fused.state_dict())
    inputs = torch.from_numpy(handwritten.as_torch_reads(net, *examples(net, 2))[0])
    with torch.no_grad():
        # Logits of about one; float32 sums of 128 terms in another order.
        torch.testing.assert_close(plain(inputs), fused(inputs), rtol=0, atol=1e-5)


def test_the_causal_nets_see_no_later_token() -> None:
    import handwritten
    import reference_nets

    net = NETS["decoder"]
    before = examples(net, 1)[0]
    after = before.copy()
    after[0, -1] = (after[0, -1] + 1) % net.classes
    attentions = (handwritten.ShippedAttention, handwritten.FusedAttention, handwritten.PlainAttention)
    models = [handwritten.build("decoder", each) for each in attentions]
    with torch.no_grad():
        pairs = [[model(torch.from_numpy(each)).numpy() for each in (before, after)] for model in models]
        model = reference_nets.BUILDS["decoder"](net.shape, net.classes)
        pairs.append([np.asarray(model(each).detach()) for each in (before, after)])
    for first, second in pairs:
        changed = np.abs(first - second).max(axis=-1)[0]
        assert changed[:-1].max() < 1e-5 < changed[-1]


@pytest.mark.parametrize("way", ["tutorial", "expert"])
def test_the_steps_by_hand_learn(way: str) -> None:
    import handwritten

    torch.manual_seed(0)
    net = NETS["resnet8"]
    model = handwritten.build("resnet8")
    step = handwritten.tutorial_step(model) if way == "tutorial" else handwritten.expert_step(model, net)
    inputs, truth = handwritten.as_torch_reads(net, *examples(net, 8))
    losses = [step(inputs, truth) for _ in range(6)]
    assert losses[-1] < losses[0] - 0.3


def test_the_operations_of_an_lstm_are_counted_forward_and_twice_back() -> None:
    import limits

    # Two layers over 28 rows: 28 or 128 inputs and 128 states to four gates of 128, a product and a sum each.
    forward = 2 * 28 * 4 * 128 * ((28 + 128) + (128 + 128))
    assert limits.lstm_flops("lstm") == 3 * forward * 256
    assert limits.lstm_flops("cnn") == 0
