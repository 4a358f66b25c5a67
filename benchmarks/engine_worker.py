"""One contender of engine.py: a process that trains one net in one way, in bursts. Started by engine.py.

    python benchmarks/engine_worker.py NET WAY BACKEND PRECISION BATCH THREADS
    python benchmarks/engine_worker.py precision BACKEND WORK THREADS     prints what sonde would choose, as JSON

Everybody trains with AdamW on float32 arrays in memory, and has its loss read after each step, but for `keras.fit`,
which reads it when it likes to.
"""

import json
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from measuring import Burst, Facts, pin, serve
from nets import NETS, Net, examples

POOL = 8
"""Batches that are kept in memory and gone through again and again."""
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 0.004
"""The defaults of `keras.optimizers.AdamW`."""


@dataclass(frozen=True)
class Job:
    """What this worker was started for."""

    name: str
    """A row of `NETS`."""
    way: str
    """A row of `WAYS`."""
    backend: str
    precision: str
    """fp32 or bf16; only sonde's way asks for it."""
    batch: int
    threads: int

    @property
    def net(self) -> Net:
        """The row of `NETS`."""
        return NETS[self.name]

    def batches(self) -> tuple[Any, Any]:
        """Return the pool of examples, and their answers."""
        return examples(self.net, POOL * self.batch)


def with_sonde(job: Job) -> tuple[Burst, Facts]:
    """Train with sonde's engine.

    Args:
        job: what to train.
    """
    from sonde import backend
    from sonde.backend import EngineSettings

    module = backend.use(job.backend)
    module.start(threads=job.threads)

    import keras
    from reference_nets import BUILDS, named

    from sonde.data.target import equal_weights
    from sonde.models.heads import head as head_of

    keras.config.set_dtype_policy(module.dtype_policy(job.precision))
    model = named(BUILDS[job.name](job.net.shape, job.net.classes))
    keras.config.set_dtype_policy("float32")
    # Of tokens too: all that is guessed counts alike.
    head = head_of("classification")
    settings = EngineSettings(optimizer="adamw", weight_decay=WEIGHT_DECAY, precision=job.precision)
    engine = module.build(model, head.loss({}), head.scores, settings)
    facts = {
        "parameters": _trained_numbers(model),
        "precision": job.precision,
        "fallbacks": list(getattr(engine, "fallbacks", ())),
    }

    def step(inputs: Any, truth: Any) -> Any:
        return engine.step({"inputs": inputs, "truth": truth, "weights": equal_weights(*truth.shape)}, LEARNING_RATE)

    return _stepping(job, *job.batches(), step), facts


def with_fit(job: Job) -> tuple[Burst, Facts]:
    """Train with `keras.Model.fit` and its defaults.

    What is timed lies between the callbacks `on_train_begin` and `on_train_end`, so that making ready for an epoch,
    which weighs little in one of hundreds of steps, weighs nothing in one of few.

    Args:
        job: what to train.
    """
    os.environ["KERAS_BACKEND"] = job.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    _limit_threads(job)

    import keras
    from reference_nets import BUILDS

    class Watch(keras.callbacks.Callback):
        """Keeps the time between the first step and the last."""

        begin = end = 0.0

        def on_train_begin(self, logs: Any = None) -> None:
            """Start the watch."""
            self.begin = time.perf_counter()

        def on_train_end(self, logs: Any = None) -> None:
            """Stop the watch."""
            self.end = time.perf_counter()

    model = BUILDS[job.name](job.net.shape, job.net.classes)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adamw", loss=loss, metrics=["accuracy"])
    inputs, truth = job.batches()

    def burst(steps: int) -> float:
        rows = np.arange(steps * job.batch) % len(inputs)
        watch = Watch()
        model.fit(inputs[rows], truth[rows], batch_size=job.batch, verbose=0, callbacks=[watch])
        return watch.end - watch.begin

    burst(2)
    return burst, {"parameters": _trained_numbers(model), "precision": "fp32"}


def with_tutorial(job: Job) -> tuple[Burst, Facts]:
    """Train in plain PyTorch, as a tutorial would.

    Args:
        job: what to train.
    """
    _limit_threads(job)
    import handwritten

    model = handwritten.build(job.name)
    return _in_torch(job, model, handwritten.tutorial_step(model), "fp32")


def with_expert(job: Job) -> tuple[Burst, Facts]:
    """Train in plain PyTorch, as an expert would.

    Args:
        job: what to train.
    """
    _limit_threads(job)
    import handwritten

    plain = job.way == "expert, plain attention"
    model = handwritten.build(job.name, handwritten.PlainAttention if plain else handwritten.FusedAttention)
    return _in_torch(job, model, handwritten.expert_step(model, job.net), "bf16")


def _trained_numbers(model: Any) -> int:
    # Without the running statistics of batch normalisation, which Keras would count among the parameters.
    return sum(math.prod(each.shape) for each in model.trainable_variables)


def _in_torch(job: Job, model: Any, step: Callable[[Any, Any], Any], precision: str) -> tuple[Burst, Facts]:
    import handwritten

    inputs, truth = handwritten.as_torch_reads(job.net, *job.batches())
    parameters = sum(each.numel() for each in model.parameters())
    return _stepping(job, inputs, truth, step), {"parameters": parameters, "precision": precision}


def _stepping(job: Job, inputs: Any, truth: Any, step: Callable[[Any, Any], Any]) -> Burst:
    taken = 0

    def burst(steps: int) -> None:
        nonlocal taken
        for _ in range(steps):
            first = taken % POOL * job.batch
            step(inputs[first : first + job.batch], truth[first : first + job.batch])
            taken += 1

    # Compiled in the first step, and on some backends once more in the second.
    burst(2)
    return burst


def _limit_threads(job: Job) -> None:
    if job.backend == "torch":
        import torch

        torch.set_num_threads(job.threads)
    elif job.backend == "tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(job.threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(job.threads)


WAYS: dict[str, Callable[[Job], tuple[Burst, Facts]]] = {
    "sonde": with_sonde,
    "fit": with_fit,
    "tutorial": with_tutorial,
    "expert": with_expert,
    "expert, plain attention": with_expert,
}
"""From a way of training to what gets it ready."""


def show_precision(backend_name: str, work: str, threads: int) -> None:
    """Print the precision that sonde chooses here, as JSON.

    Args:
        backend_name: torch, tensorflow or jax.
        work: what the net mostly does; see `Net.work`.
        threads: what it would train with.
    """
    from sonde import backend

    pin(threads)
    module = backend.use(backend_name)
    module.start(threads=threads)
    print(json.dumps(asdict(module.choose_precision(work=work))))


def main(words: list[str]) -> None:
    """Be the worker that the words ask for.

    Args:
        words: as in the module's docstring.
    """
    if words[0] == "precision":
        show_precision(words[1], words[2], int(words[3]))
    else:
        job = Job(words[0], words[1], words[2], words[3], int(words[4]), int(words[5]))
        serve(lambda: WAYS[job.way](job), threads=job.threads)


if __name__ == "__main__":
    main(sys.argv[1:])
