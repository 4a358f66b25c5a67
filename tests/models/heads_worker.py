"""Computes the losses of every head on one backend, and prints them: heads_worker.py BACKEND."""

import json
import sys

import numpy as np

from sonde import backend
from sonde.data.target import equal_weights

CASES = {
    "plain": {},
    "weights": {"weights": (0.5, 2.0, 1.0)},
    "focal": {"focus": 2.0},
    "soft focal": {"focus": 0.5},
    "adjusted": {"shifts": (-0.2, -1.5, -2.0)},
    "all": {"focus": 1.5, "weights": (0.5, 2.0, 1.0), "shifts": (-0.2, -1.5, -2.0)},
}
"""What a loss is told beside the label smoothing."""
SMOOTHINGS = (0.0, 0.1)


def examples() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return logits, class numbers, and labels of 0 and 1; one example is beyond doubt."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (8, 3)).astype(np.float32)
    logits[0] = (60.0, -60.0, 0.0)
    numbers = rng.integers(0, 3, 8).astype(np.int32)
    numbers[0] = 0
    return logits, numbers, rng.integers(0, 2, (8, 3)).astype(np.int32)


def measure() -> dict[str, float]:
    """Return the losses and the scores on the backend of this process."""
    from keras import ops

    from sonde.models.heads import head as head_of

    logits, numbers, table = examples()
    told = {}
    for answer, truth in (("classification", numbers), ("multilabel", table)):
        head = head_of(answer)
        outputs, weights = {"logits": ops.convert_to_tensor(logits)}, equal_weights(*truth.shape)
        batch = {"truth": ops.convert_to_tensor(truth), "weights": ops.convert_to_tensor(weights)}
        for case, options in CASES.items():
            for smoothing in SMOOTHINGS:
                loss = head.loss({"label_smoothing": smoothing, **options})(outputs, batch)
                told[f"{answer} {case} {smoothing}"] = float(ops.convert_to_numpy(loss))
        (score,) = head.scores(outputs, batch).values()
        told[f"{answer} score"] = float(ops.convert_to_numpy(score))
    return told


if __name__ == "__main__":
    backend.use(sys.argv[1]).start(threads=1)
    print(json.dumps(measure()))
