"""Model folders of earlier versions: one gives the predictions that it gave then, one is refused in a line.

tests/models/stored/classification is a small cnn, trained on digits; classification.json holds test images and the
probabilities that its run wrote of them. tests/models/stored/first_format was written before targets were saved.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from sonde import backend
from sonde.errors import ModelError
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


def test_a_model_of_the_first_format_is_refused_in_a_line_that_says_what_to_do() -> None:
    with pytest.raises(ModelError) as caught:
        open_single(STORED / "first_format", backend.use("torch"))
    said = str(caught.value)
    assert "has format 1, and this version of sonde reads format 2. Train the model anew." in said
    assert "\n" not in said
