"""Explanations: what in an example speaks for an answer, and which columns of a table an answer needs.

    subject = Subject(open_model(folder), "image")
    explained = explain_one(subject, raw, name="seven.png")
    explained.found["grad-cam"].weights                       height x width

The pure parts stand by themselves: `integrated`, `gradcam`, `occlusion` and `permutation` know numpy alone. `methods`
puts them onto a model, and the table below says which of them go with what is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sonde.evaluation.explanations import methods
from sonde.evaluation.explanations.found import Example, Found, Subject

__all__ = ["EXPLANATIONS", "Example", "Found", "Method", "Subject"]


@dataclass(frozen=True)
class Method:
    """One way to explain an answer."""

    title: str
    """For people."""
    sentence: str
    """What it shows."""
    function: Callable[[Subject, Example, int], Found]


_GRAD_CAM = Method("Grad-CAM", "Where the last convolution finds the class.", methods.grad_cam)
_INTEGRATED = Method(
    "Integrated gradients",
    "What each place adds to the logit, against the training mean.",
    methods.integrated_gradients,
)

EXPLANATIONS: dict[str, Mapping[str, Method]] = {
    "image": {"grad-cam": _GRAD_CAM, "integrated-gradients": _INTEGRATED},
    "audio": {"grad-cam": _GRAD_CAM, "integrated-gradients": _INTEGRATED},
    "text": {
        "integrated-gradients": Method(
            "Integrated gradients",
            "What each token adds to the prediction's logit, or likelihood, against as many unknown tokens.",
            methods.word_gradients,
        ),
        "occlusion": Method(
            "Occlusion", "What the prediction's logit, or likelihood, loses without each token.", methods.without_words
        ),
        "attention": Method("Attention", "Where the model looks; not why it answers.", methods.attention),
    },
    "series": {
        "integrated-gradients": Method(
            "Integrated gradients",
            "What each step adds to the logit, over all channels, against the training mean.",
            methods.integrated_gradients,
        ),
        "occlusion": Method("Occlusion", "What the logit loses without each window of time.", methods.without_windows),
        "grad-cam": _GRAD_CAM,
    },
    "table": {
        "occlusion": Method("Occlusion", "What the logit loses where a column is missing.", methods.without_columns),
    },
}
"""The methods for each modality, in the order shown to users. Permutation importance is of a whole test split, and
stands in the report of every table."""
