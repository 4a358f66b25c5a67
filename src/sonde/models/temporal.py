"""Convolutions over time, for series of one length and of many: what stands at padding never reaches what is real.

x = convolved(sequence, 128, 8, name="conv_1")
features_BD = masked_mean(x.x_BTD, x.present_BT)
"""

# B batch, T time, D width

from keras import layers, ops

from sonde.models.sequences import NOWHERE, Sequence, silence


def convolved(sequence: Sequence, width: int, size: int, *, name: str, activation: str = "relu") -> Sequence:
    """Return a convolution over time, batch norm and an activation; as many steps as before.

    Args:
        name: begins the layers' names.
        activation: a Keras activation; "linear" for none.
    """
    x_BTD = layers.Conv1D(
        width, size, padding="same", use_bias=False, kernel_initializer="he_uniform", name=f"{name}_conv"
    )(sequence.x_BTD)
    return normed(Sequence(x_BTD, sequence.present_BT), name=name, activation=activation)


def normed(sequence: Sequence, *, name: str, activation: str = "relu") -> Sequence:
    """Return batch norm and an activation; the statistics are those of real steps.

    Args:
        sequence: anything may stand at padding.
        name: begins the layers' names.
        activation: a Keras activation; "linear" for none.
    """
    x_BTD, present_BT = sequence.x_BTD, sequence.present_BT
    norm = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")
    x_BTD = norm(x_BTD) if present_BT is None else norm(x_BTD, mask=present_BT)
    if activation != "linear":
        x_BTD = layers.Activation(activation, name=f"{name}_{activation}")(x_BTD)
    return Sequence(silence(x_BTD, present_BT), present_BT)


def added(first: Sequence, second: Sequence, *, name: str) -> Sequence:
    """Return the sum of two sequences behind a ReLU, as at the end of a residual block.

    Args:
        second: another one of the same shape and padding.
        name: begins the layers' names.
    """
    x_BTD = layers.Add(name=f"{name}_add")([first.x_BTD, second.x_BTD])
    return Sequence(layers.Activation("relu", name=f"{name}_relu")(x_BTD), first.present_BT)


def pooled(sequence: Sequence, size: int, *, name: str) -> Sequence:
    """Return the largest of each step and its neighbours; as many steps as before."""
    x_BTD, present_BT = sequence.x_BTD, sequence.present_BT
    if present_BT is not None:
        # Beyond the end of a series nothing counts, as beyond the end of the array.
        x_BTD = ops.where(ops.expand_dims(present_BT, -1), x_BTD, NOWHERE)
    x_BTD = layers.MaxPooling1D(size, strides=1, padding="same", name=name)(x_BTD)
    return Sequence(silence(x_BTD, present_BT), present_BT)
