"""Finds out whether bf16 is right and faster with TensorFlow on this machine, with a trial of under a second."""

# B batch, F features

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from sonde.backend.engine import Precision
from sonde.backend.trials import judge

Cast = Callable[[Any], Any]
"""To the precision of the trial."""


def bfloat16_pays(work: str) -> Precision:
    """Choose bf16 where an operation of the model's kind, forward and backward, is right and faster in it.

    Args:
        work: what the model mostly does; what is no row of `TRIALS` stays in fp32.
    """
    if tf.config.list_physical_devices("GPU"):
        return Precision("bf16", "the GPU computes it natively")
    if work not in TRIALS:
        # Keras's loop over time casts the kernels anew at each turn: a two-layer LSTM-128 ran at 0.96 times the speed.
        return Precision("fp32", f"bf16 gains nothing with TensorFlow where a model is mostly {work}")
    slow_trial, fast_trial = (_compiled(work, precision) for precision in (tf.float32, tf.bfloat16))
    exact = slow_trial()
    error = float(tf.reduce_max(tf.abs(fast_trial() - exact)) / tf.reduce_max(tf.abs(exact)))
    return judge(work, error, lambda: slow_trial().numpy(), lambda: fast_trial().numpy())


def _compiled(work: str, precision: Any) -> Callable[[], Any]:
    """Return an operation with all its gradients as one graph, from and to float32 as a network's weights are."""
    operation, *shapes = TRIALS[work]
    # The same numbers each time, and no generator of the run is touched.
    leaves = [tf.random.stateless_normal(shape, [0, place]) for place, shape in enumerate(shapes)]

    def trial(*leaves: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(leaves)
            outputs = tf.cast(operation(lambda each: tf.cast(each, precision), *leaves), tf.float32)
            mean = tf.reduce_mean(outputs)
        return outputs, tape.gradient(mean, leaves)

    graph = tf.function(trial, autograph=False)
    return lambda: graph(*leaves)[0]


def _convolution(cast: Cast, images: Any, kernel: Any) -> Any:
    return tf.nn.conv2d(cast(images), cast(kernel), 1, "SAME")


def _product(cast: Cast, x_BF: Any, kernel: Any) -> Any:
    return tf.matmul(cast(x_BF), cast(kernel))


TRIALS: dict[str, tuple[Any, ...]] = {
    "convolution": (_convolution, (32, 16, 16, 32), (3, 3, 32, 64)),
    "matrix product": (_product, (256, 512), (512, 512)),
}
"""An operation to try for each kind of work that bf16 may speed up, and the shapes of what it reads."""
