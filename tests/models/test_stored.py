"""A model folder that was written by an earlier version gives the predictions that it gave then.

tests/models/stored/classification is a small cnn, trained on digits; classification.json holds test images and the
probabilities that its run wrote of them.
"""

import json
from pathlib import Path

import numpy as np
from scipy.special import softmax

from sonde import backend
from sonde.evaluation.trained_model import open_single

STORED = Path(__file__).with_name("stored")


def test_a_stored_model_predicts_as_it_did_when_it_was_written() -> None:
    model = open_single(STORED / "classification", backend.use("torch"))
    examples = json.loads((STORED / "classification.json").read_text(encoding="utf-8"))
    pixels = np.array([each["pixels"] for each in examples], dtype=np.uint8)[..., None]
    outputs = model.engine.predict({"inputs": model.spec.prepare(pixels)})
    found = softmax(np.asarray(outputs["logits"], dtype=np.float64) / model.fitted.temperature, axis=1)
    # Other processors sum in another order, which moves a float32 near 1 by some 1e-7.
    np.testing.assert_allclose(found, [each["probabilities"] for each in examples], rtol=0, atol=1e-6)
    assert model.target.classes == tuple("0123456789")
