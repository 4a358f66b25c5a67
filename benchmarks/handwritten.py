"""The reference nets in plain PyTorch: as a tutorial would write and train them, and as an expert would.

The tutorial takes modules that PyTorch ships and trains in fp32. The expert writes queries, keys and values as one
product before `scaled_dot_product_attention`, and trains under bf16 autocast, with images in the channels_last memory
format and a fused optimizer. Parameters are as many as in Keras, but that `nn.LSTM` adds two biases in each gate where
Keras adds one. Padding before a stride differs from Keras in where the zeros lie, not in how many there are.
"""

# B batch, T tokens, D width, H heads

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from nets import (
    CNN_WIDTHS,
    DECODER_BLOCKS,
    DEPTHWISE,
    ENCODER_BLOCKS,
    EPSILON,
    HEADS,
    LSTM_WIDTH,
    NETS,
    RESNET_8,
    RESNET_18,
    WIDTH,
    Net,
    positions,
)
from numpy.typing import NDArray
from torch import nn

Attention = Callable[[bool], nn.Module]
"""causal -> a module of attention over itself, batch x tokens x width."""


class Cnn(nn.Module):
    """The small CNN of convolution, batch normalisation, ReLU and pooling."""

    def __init__(self, net: Net):
        super().__init__()
        height, width, channels = net.shape
        parts: list[nn.Module] = []
        for before, after in itertools.pairwise((channels, *CNN_WIDTHS)):
            parts += [*_convolution(before, after), nn.ReLU(), *_convolution(after, after), nn.ReLU(), nn.MaxPool2d(2)]
        shrunk = 2 ** len(CNN_WIDTHS)
        last = nn.Linear(CNN_WIDTHS[-1] * (height // shrunk) * (width // shrunk), net.classes)
        self.layers = nn.Sequential(*parts, nn.Flatten(), last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits of images, batch x channels x height x width."""
        return self.layers(x)


class Residual(nn.Module):
    """Two convolutions and a shortcut around them."""

    def __init__(self, before: int, after: int, stride: int):
        super().__init__()
        self.first = nn.Sequential(*_convolution(before, after, stride=stride))
        self.second = nn.Sequential(*_convolution(after, after))
        same = stride == 1 and before == after
        self.shortcut = nn.Identity() if same else nn.Sequential(*_convolution(before, after, size=1, stride=stride))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of features."""
        return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class ResNet(nn.Module):
    """A residual network for small images."""

    def __init__(self, net: Net, widths: tuple[int, ...], blocks: int):
        super().__init__()
        parts: list[nn.Module] = [*_convolution(net.shape[-1], widths[0]), nn.ReLU()]
        before = widths[0]
        for stage, width in enumerate(widths):
            for block in range(blocks):
                parts.append(Residual(before, width, 2 if stage > 0 and block == 0 else 1))
                before = width
        self.layers = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, net.classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits of images, batch x channels x height x width."""
        return self.layers(x)


class Depthwise(nn.Module):
    """The CNN of depthwise separable convolutions."""

    def __init__(self, net: Net):
        super().__init__()
        before = 32
        parts: list[nn.Module] = [*_convolution(net.shape[-1], before), nn.ReLU()]
        for width, stride in DEPTHWISE:
            parts += [*_convolution(before, before, stride=stride, groups=before), nn.ReLU()]
            parts += [*_convolution(before, width, size=1), nn.ReLU()]
            before = width
        self.layers = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, net.classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits of images, batch x channels x height x width."""
        return self.layers(x)


def _convolution(before: int, after: int, *, size: int = 3, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, size, stride, padding=size // 2, groups=groups, bias=False)
    # Keras's momentum and epsilon, by PyTorch's count of momentum.
    return [convolution, nn.BatchNorm2d(after, eps=1e-3, momentum=0.01)]


class Lstm(nn.Module):
    """Two LSTM layers whose last output is classified."""

    def __init__(self, net: Net):
        super().__init__()
        self.recurrent = nn.LSTM(net.shape[-1], LSTM_WIDTH, num_layers=2, batch_first=True)
        self.last = nn.Linear(LSTM_WIDTH, net.classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits of sequences, batch x time x features."""
        outputs, _ = self.recurrent(x)
        return self.last(outputs[:, -1])


class ShippedAttention(nn.Module):
    """Attention as `nn.MultiheadAttention` has it."""

    def __init__(self, causal: bool):
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.causal = causal

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Return what each token gathers from the others."""
        mask = nn.Transformer.generate_square_subsequent_mask(x_BTD.shape[1]) if self.causal else None
        gathered, _ = self.attention(x_BTD, x_BTD, x_BTD, attn_mask=mask, is_causal=self.causal, need_weights=False)
        return gathered


class FusedAttention(nn.Module):
    """Attention with one product for queries, keys and values, and `scaled_dot_product_attention`."""

    def __init__(self, causal: bool):
        super().__init__()
        self.project = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.causal = causal

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Return what each token gathers from the others."""
        query, key, value = self.project(x_BTD).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        return self.out(self.gather(query, key, value).transpose(1, 2).flatten(2))

    def gather(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Return the attention of each head, batch x heads x tokens x width of a head."""
        return nn.functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)


class PlainAttention(FusedAttention):
    """The same with two matrix products and a softmax between them."""

    def gather(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Return the attention of each head, batch x heads x tokens x width of a head."""
        scores_BHTT = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
        if self.causal:
            tokens = scores_BHTT.shape[-1]
            later_TT = torch.ones(tokens, tokens, dtype=torch.bool, device=query.device).triu(1)
            scores_BHTT = scores_BHTT.masked_fill(later_TT, float("-inf"))
        return scores_BHTT.softmax(-1).to(value.dtype) @ value


class Block(nn.Module):
    """Attention and a hidden layer, with the norms first."""

    def __init__(self, attention: nn.Module):
        super().__init__()
        self.before_attention = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.attention = attention
        self.before_hidden = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.hidden = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Return tokens of tokens."""
        x_BTD = x_BTD + self.attention(self.before_attention(x_BTD))
        return x_BTD + self.hidden(self.before_hidden(x_BTD))


class Transformer(nn.Module):
    """The encoder, or the causal transformer where the net reads tokens."""

    def __init__(self, net: Net, attention: Attention):
        super().__init__()
        self.causal = net.reads_tokens
        self.first = nn.Embedding(net.classes, WIDTH) if self.causal else nn.Linear(net.shape[-1], WIDTH)
        self.register_buffer("positions", torch.from_numpy(positions(net.shape[0])))
        blocks = DECODER_BLOCKS if self.causal else ENCODER_BLOCKS
        self.blocks = nn.Sequential(*(Block(attention(self.causal)) for _ in range(blocks)))
        self.norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.last = nn.Linear(WIDTH, net.classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits: batch x classes of the encoder, batch x tokens x vocabulary of the causal one."""
        x_BTD = self.norm(self.blocks(self.first(x) + self.positions))
        return self.last(x_BTD if self.causal else x_BTD.mean(dim=1))


def build(name: str, attention: Attention = ShippedAttention) -> nn.Module:
    """Build a reference net.

    Args:
        name: a row of `NETS`.
        attention: how the transformers attend.
    """
    net = NETS[name]
    return {
        "cnn": lambda: Cnn(net),
        "resnet8": lambda: ResNet(net, *RESNET_8),
        "resnet18": lambda: ResNet(net, *RESNET_18),
        "depthwise": lambda: Depthwise(net),
        "lstm": lambda: Lstm(net),
        "encoder": lambda: Transformer(net, attention),
        "decoder": lambda: Transformer(net, attention),
    }[name]()


Step = Callable[[NDArray[Any], NDArray[Any]], float]
"""(a batch as torch reads it, answers as int64) -> the loss."""


def as_torch_reads(net: Net, inputs: NDArray[Any], truth: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return examples the way a PyTorch user keeps them: images channels first, all whole numbers as int64.

    Args:
        net: a row of `NETS`.
        inputs: as `nets.examples` makes them.
        truth: likewise.
    """
    if net.reads_images:
        inputs = np.ascontiguousarray(inputs.transpose(0, 3, 1, 2))
    return inputs.astype(np.int64) if net.reads_tokens else inputs, truth.astype(np.int64)


def tutorial_step(model: nn.Module) -> Step:
    """Return a training step as a tutorial writes it: fp32, and AdamW with its defaults.

    Args:
        model: a net of `build`.
    """
    optimizer, criterion = torch.optim.AdamW(model.parameters()), nn.CrossEntropyLoss()
    model.train()

    def step(inputs: NDArray[Any], truth: NDArray[Any]) -> float:
        optimizer.zero_grad()
        outputs = model(torch.from_numpy(inputs))
        loss = criterion(outputs.flatten(0, -2), torch.from_numpy(truth).flatten())
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def expert_step(model: nn.Module, net: Net) -> Step:
    """Return a training step as an expert writes it: bf16 autocast, channels_last, a fused AdamW.

    Args:
        model: a net of `build`.
        net: what it reads.
    """
    layout = torch.channels_last if net.reads_images else torch.contiguous_format
    model = model.to(memory_format=layout).train()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)

    def step(inputs: NDArray[Any], truth: NDArray[Any]) -> float:
        optimizer.zero_grad(set_to_none=True)
        batch = torch.from_numpy(inputs).contiguous(memory_format=layout)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs = model(batch)
        loss = nn.functional.cross_entropy(outputs.float().flatten(0, -2), torch.from_numpy(truth).flatten())
        loss.backward()
        optimizer.step()
        return loss.item()

    return step
