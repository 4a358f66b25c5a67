"""One contender of minirocket.py: trains and tests a MiniRocket on one data set, again and again.

    python benchmarks/minirocket_worker.py sonde DATA THREADS
    AEON_PYTHON benchmarks/minirocket_worker.py aeon DATA THREADS

DATA is an .npz file that minirocket.py wrote. A step is a training and the answers to all test series; its seed is
the number of the step. aeon runs in an environment of its own, so nothing of sonde is imported for it.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from measuring import Burst, Facts, serve

SEEDS = 3
"""Trainings whose accuracy is told."""

Answer = Callable[[int], Any]
"""From a seed to the class numbers of the test series."""


def sonde_answers(held: dict[str, Any], threads: int) -> Answer:
    """Return what trains with sonde.

    Args:
        held: train and test series, N x T x C, and the truth of the first.
        threads: cores to use.
    """
    from sonde import backend

    # Before anything imports Keras.
    module = backend.use("torch")
    module.start(threads=threads)

    from sonde.backend import batches_of, joined, predictions
    from sonde.data import series
    from sonde.models import options_of
    from sonde.models.assemble import Blueprint, rebuild
    from sonde.models.predicting import predicting_engine
    from sonde.models.reads import reads_of
    from sonde.models.solving import Solvable, solved_weights

    classes = int(held["truth"].max()) + 1

    def answer(seed: int) -> Any:
        spec = series.learn_spec(held["train"], series.Options(), differs=False)
        inputs = spec.encode(held["train"])
        blueprint = Blueprint("minirocket", "classification", reads_of(spec), classes, options_of("minirocket")())
        weights = solved_weights(blueprint, module, Solvable(inputs, spec.prepare, held["truth"]), seed=seed)
        engine = predicting_engine(module, rebuild(blueprint, weights), "label")
        found = joined(predictions(engine, batches_of(spec.encode(held["test"]), spec.prepare)))
        return found["logits"].argmax(axis=1)

    return answer


def aeon_answers(held: dict[str, Any], threads: int) -> Answer:
    """Return what trains with aeon, as it comes.

    Args:
        held: train and test series, N x T x C, and the truth of the first.
        threads: cores to use.
    """
    from aeon.classification.convolution_based import MiniRocketClassifier

    train, test = (np.ascontiguousarray(held[name].transpose(0, 2, 1)) for name in ("train", "test"))

    def answer(seed: int) -> Any:
        model = MiniRocketClassifier(random_state=seed, n_jobs=threads)
        model.fit(train, held["truth"])
        return model.predict(test)

    return answer


def prepare() -> tuple[Burst, Facts]:
    """Import and compile, and tell the accuracy of a few seeds."""
    who, file, threads = sys.argv[1:]
    with np.load(file, allow_pickle=False) as archive:
        held = {name: archive[name] for name in archive.files}
    answer = (sonde_answers if who == "sonde" else aeon_answers)(held, int(threads))
    right = [float((answer(seed) == held["answers"]).mean()) for seed in range(SEEDS)]

    def burst(steps: int) -> None:
        for seed in range(steps):
            answer(seed)

    return burst, {"accuracy": right}


if __name__ == "__main__":
    serve(prepare, threads=int(sys.argv[3]))
