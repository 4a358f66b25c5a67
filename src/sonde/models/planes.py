"""One form for what convolutions along two axes read: spectrograms and images."""

# B batch, T time or height, F frequency or width, C channels

from typing import Any

from keras import layers

from sonde.models.reads import Reads


def as_picture(inputs: Any, reads: Reads, *, images: bool = False) -> Any:
    """Return a spectrogram as a picture of one channel; an image stays as it is.

    Args:
        inputs: symbolic tensor, B x T x F or B x H x W x C.
        reads: what is known of it.
        images: whether the model reads images too.

    Raises:
        ValueError: the input is of another kind, or differs in length.
    """
    if images and reads.modality == "image":
        return inputs
    if reads.modality == "sequence" and not reads.presence and None not in reads.shape:
        return layers.Reshape((*inputs.shape[1:], 1), name="picture")(inputs)
    raise ValueError(f"It reads spectrograms{' and images' if images else ''} of one size.")


def normed(x_BTFC: Any, layer: Any, name: str) -> Any:
    """Return a convolution with batch norm and ReLU.

    Args:
        layer: the convolution, without bias.
        name: of the norm and the ReLU, behind "norm_" and "relu_".
    """
    # Momentum 0.9: runs on small data have too few steps for Keras's 0.99 to settle.
    x_BTFC = layers.BatchNormalization(momentum=0.9, name=f"norm_{name}")(layer(x_BTFC))
    return layers.Activation("relu", name=f"relu_{name}")(x_BTFC)


def halved(x_BTFC: Any, name: str, *, time: bool = True) -> Any:
    """Return a picture at half the size along each axis that has at least 4 places left.

    Args:
        time: whether the first axis is halved too.
    """
    size = tuple(2 if side >= 4 and (axis or time) else 1 for axis, side in enumerate(x_BTFC.shape[1:3]))
    return x_BTFC if size == (1, 1) else layers.MaxPooling2D(size, name=name)(x_BTFC)
