"""Runs in a process of its own with one backend, started by `test_explanations`: what explanations see of small models.

python tests/contracts/explanation_worker.py torch FILE.json
"""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from batching import logits_of, maps_of, slopes_of
from sonde import backend
from sonde.evaluation.explanations.integrated import integrate
from sonde.models.reads import Reads

CLASSES = 3
CASES: dict[str, tuple[str, tuple[int | None, ...], dict[str, Any], dict[str, Any]]] = {
    "image": ("cnn", (12, 12, 1), {"width": 4, "stages": 2}, {}),
    "text": ("transformer", (None,), {"width": 8, "depth": 1, "heads": 2}, {"dtype": "int32", "cardinalities": (30,)}),
    "series": ("rnn", (None, 3), {"width": 6, "depth": 1}, {"presence": True}),
}
"""Model, shape, options and what else is said of its input; the series have two channels and one for presence."""


def inputs_of(case: str) -> NDArray[Any]:
    """Return two examples; the second one is shorter where lengths may differ."""
    rng = np.random.default_rng(3)
    if case == "image":
        return rng.normal(size=(2, 12, 12, 1)).astype(np.float32)
    present = np.arange(8) < np.array([[8], [5]])
    if case == "text":
        return (rng.integers(1, 30, size=(2, 8)) * present).astype(np.int32)
    numbers = rng.normal(size=(2, 8, 2)) * present[..., None]
    return np.concatenate([numbers, present[..., None]], axis=-1).astype(np.float32)


def look(module: ModuleType, case: str) -> dict[str, Any]:
    """Build a model of one case and return what its explanations say."""
    from sonde.models import inside, options_of
    from sonde.models.assemble import Blueprint, build

    name, shape, options, more = CASES[case]
    model = build(Blueprint(name, "classification", Reads(shape, **more), CLASSES, options_of(name)(**options)), seed=1)
    head = model.get_layer("answer")
    # Fresh weights answer nearly the same to everything; nobody would see a gap.
    head.kernel.assign(head.kernel * 20)
    engine, inputs = inside.engine_of(module, model), inputs_of(case)
    tensor = {"image": inside.feature_map, "text": inside.embedding, "series": lambda model: None}[case](model)
    said: dict[str, Any] = {}
    target, points, baseline = engine, inputs, np.zeros_like(inputs)
    if case == "series":
        baseline[..., -1] = inputs[..., -1]
    if tensor is not None:
        cut = inside.cut(module, model, tensor)
        middle = cut.middle(inputs)
        said["halves"] = float(np.abs(logits_of(cut.second, middle) - logits_of(engine, inputs)).max())
        if case == "text":
            target, points = cut.second, middle
            baseline = cut.middle(np.where(inputs == 0, 0, 1).astype(np.int32))
            baseline[..., -1] = middle[..., -1]
    said["parts"] = []
    for row in range(2):
        found = integrate(
            lambda batch: slopes_of(target, batch, np.full(len(batch), 1, dtype=np.int32)),
            lambda batch: logits_of(target, batch)[:, 1],
            points[row],
            baseline[row],
        )
        said["parts"].append([found.difference, found.gap, found.steps, float(np.abs(found.parts_X[5:]).max())])
    maps = {
        name: maps_of(inside.engine_of(module, each), inputs) for name, each in inside.attention_maps(model).items()
    }
    said["attention"] = [
        [list(each.shape[:2]), each.sum(axis=-1).tolist(), each[1, ..., 5:].tolist()] for each in maps.values()
    ]
    return said


def main(name: str, file: Path) -> None:
    """Look at all cases on one backend."""
    module = backend.use(name)
    module.start(threads=1)
    file.write_text(json.dumps({case: look(module, case) for case in CASES}), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
