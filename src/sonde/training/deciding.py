"""How a trained model decides: as its training was told to even out the classes, or as was tuned on validation.

A training with weights, balanced batches or adjusted logits learns the chances of a more even world. The way back is
added to the bias of the head, so that the model's probabilities are those of the data as it is; the decision then
answers as the training asked for, or as is best on validation for what the run is tuned for.
"""

# N examples, C classes or labels

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde import tasks
from sonde.config import Settings
from sonde.errors import ConfigError
from sonde.tasks.imbalance import Evening
from sonde.training.calibrating import abstain, calibrate, wanted
from sonde.training.options import Options


def evening_for(answer: ModuleType, truth: NDArray[Any], classes: int, options: Options, *, solved: bool) -> Evening:
    """Return what evens out the classes of a training.

    Args:
        answer: the module of `tasks.ANSWERS`.
        truth: of the training examples, as the task encodes it.
        classes: how many there are.
        options: of the training.
        solved: whether the model's head is solved for in one go instead of trained.

    Raises:
        ConfigError: the model cannot be told to even out classes.
    """
    asked = {name: getattr(options, name) for name in ("class_weights", "sampling", "logit_adjustment", "loss")}
    usual = {name: Options.model_fields[name].default for name in asked}
    if not solved:
        said = {"weights": options.class_weights, "sampling": options.sampling, "adjustment": options.logit_adjustment}
        evening: Evening = answer.even_out(truth, classes, options=said)
        return evening
    changed = next((name for name in asked if asked[name] != usual[name]), None)
    if changed is not None:
        raise ConfigError(
            f"training.{changed} = {asked[changed]!r} is not possible here: this model's head is solved for, not "
            "trained. Tune how it decides instead: --set evaluation.tune_for=f1 (or balanced_accuracy)."
        )
    return Evening()


def loss_options(options: Options, evening: Evening) -> dict[str, Any]:
    """Return what the head's loss is told; empty for plain cross-entropy.

    Args:
        options: of the training.
        evening: what evens out the classes.
    """
    said = {
        "label_smoothing": options.label_smoothing,
        "focus": options.focal_gamma if options.loss == "focal" else 0.0,
        "weights": evening.weights,
        "shifts": evening.shifts,
    }
    return {name: value for name, value in said.items() if value}


def with_corrected_bias(weights: Mapping[str, NDArray[Any]], bias: str, evening: Evening) -> dict[str, NDArray[Any]]:
    """Return a model's weights with the way back to the data as it is added to the bias of the head.

    Args:
        weights: by name.
        bias: name of the head's bias.
        evening: holds the correction.
    """
    if not evening.correction:
        return dict(weights)
    corrected = weights[bias] + np.asarray(evening.correction)
    return {**weights, bias: corrected.astype(weights[bias].dtype)}


def known_from(
    logits: NDArray[np.float32],
    truth: NDArray[Any],
    *,
    answer: ModuleType,
    untuned: Callable[[float], Sequence[float]],
    classes: Sequence[str],
    settings: Settings,
) -> dict[str, Any]:
    """Return what the validation examples tell, as the description says it: temperature, decision, doubt.

    Args:
        logits: of the model with the corrected bias, on the validation examples.
        truth: of the validation examples, as the task encodes it.
        answer: the module of `tasks.ANSWERS`.
        untuned: gives the decision where nothing is tuned, from the temperature.
        classes: names, in order.
        settings: say what the decision is tuned for, which class is searched for, and what is asked of doubt.
    """
    if answer is tasks.label:
        known: dict[str, Any] = dict(vars(calibrate(logits, truth, wanted(settings))))
    else:
        known = {"temperature": answer.calibrate(logits, truth)}
    warmth = known["temperature"]
    shares = answer.probabilities(logits, warmth)
    known |= decide(answer, shares, truth, untuned=untuned(warmth), classes=classes, settings=settings)
    if answer is tasks.label and known["decision"]:
        known["abstention"] = abstain(logits, truth, wanted(settings), temperature=warmth, decision=known["decision"])
    return known


def decide(
    answer: ModuleType,
    probabilities_NC: NDArray[np.float64],
    truth: NDArray[Any],
    *,
    untuned: Sequence[float],
    classes: Sequence[str],
    settings: Settings,
) -> dict[str, Any]:
    """Return how the model decides, as its description says it.

    Args:
        answer: the module of `tasks.ANSWERS`.
        probabilities_NC: calibrated, of the validation examples.
        truth: of the validation examples, as the task encodes it.
        untuned: the decision where nothing is tuned.
        classes: names, in order.
        settings: say what the decision is tuned for, and which class is searched for.
    """
    goal, named = settings.value("evaluation.tune_for", "none"), settings.value("evaluation.positive", "")
    if goal == "none":
        return {"decision": tuple(untuned), "tuned_for": "none"}
    positive = list(classes).index(named) if named in classes and len(classes) == 2 else None
    # Rounded as the test's are (predictions.parquet), so that the same logits fall on the same side.
    rounded = probabilities_NC.astype(np.float32).astype(np.float64)
    return {"decision": answer.tune(rounded, truth, goal, positive), "tuned_for": goal}
