"""The methods: each takes a subject, an example and the number of a class, and returns what it found or why not."""

# B batch, T time, F bands, H height, W width, C channels, D width of an embedding

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonde.data import Ragged
from sonde.data.text.tokens import UNKNOWN
from sonde.drawing import Lines, Row, Spectrogram, Text
from sonde.evaluation.explanations import gradcam, occlusion
from sonde.evaluation.explanations.found import Example, Found, Subject, signed, strongest
from sonde.evaluation.explanations.integrated import Integral, integrate

SEVERAL = "several models answer together here, each with a gradient of its own; explain one of them"
STEP_LIKE = (
    "its parts do not add up (they miss {gap} of {difference} after {steps} steps): the answer moves in jumps, where a "
    "gradient says nothing"
)
HOT = 0.5
"""Share of the largest weight from which on a place is called strong."""


def grad_cam(subject: Subject, example: Example, target: int) -> Found:
    """Show where a convolutional network finds a class (Selvaraju et al., 2017).

    Args:
        target: number of the class.
    """
    if subject.model is None:
        return Found(reason=SEVERAL)
    cut = subject.map_cut
    if cut is None:
        return Found(reason="the model has no feature map of convolutions that all of its answer passes through")
    middle = cut.middle(subject.prepared(example.inputs))
    slopes = subject.slope(cut.second, target)(middle)
    width = middle.shape[-1] - cut.beside
    maps_PC = middle[0, ..., :width]
    heat_P = gradcam.heat(maps_PC, slopes[0, ..., :width])
    if subject.spec.presence:
        # What was found in padding is not shown.
        real = len(example.inputs[0]) / subject.prepared(example.inputs).shape[1]
        heat_P = heat_P[: max(1, round(len(heat_P) * real))]
    places = " x ".join(map(str, heat_P.shape))
    about = f"feature maps of {places} places behind {cut.name}"
    if not heat_P.any():
        return Found(f"Nothing in the {about} speaks for it.", np.zeros(_places(example)), {"layer": cut.name})
    weights = _onto(heat_P, example)
    return Found(f"{_where(weights, example)} ({about}).", weights, {"layer": cut.name, "places": list(heat_P.shape)})


def _onto(heat_P: NDArray[np.float64], example: Example) -> NDArray[np.float64]:
    """Spread a map over the places of a picture; a map over time alone holds for all bands."""
    shape = _places(example)
    if heat_P.ndim == len(shape):
        return gradcam.spread(heat_P, shape)
    if heat_P.ndim == 1:
        return np.broadcast_to(gradcam.spread(heat_P, shape[:1])[:, None], shape).copy()
    return gradcam.spread(heat_P.mean(axis=1), shape)


def _places(example: Example) -> tuple[int, ...]:
    assert example.picture is not None
    return example.picture.places


def integrated_gradients(subject: Subject, example: Example, target: int) -> Found:
    """Show what each pixel, step or band adds to the logit, against the training mean (Sundararajan et al., 2017).

    Args:
        target: number of the class.
    """
    if subject.model is None:
        return Found(reason=SEVERAL)
    input_X = subject.prepared(example.inputs)[0]
    baseline_X = np.zeros_like(input_X)
    if subject.spec.presence:
        # Padding stays padding: how long an example is, is no part of the question.
        baseline_X[..., -1] = input_X[..., -1]
    found = _integral(subject, subject.engine, (input_X, baseline_X), target)
    if not isinstance(found, Integral):
        return found
    weights = found.parts_X
    if not isinstance(example.picture, Spectrogram):
        weights = weights.sum(axis=-1)
    elif weights.shape != example.picture.values_TF.shape:
        return Found(reason="the model reads coefficients, which are no places of a spectrogram")
    if isinstance(example.picture, Lines):
        length = len(example.inputs[0])
        weights = _resampled(weights[:length], len(example.picture.values_TC))
    return Found(f"{_where(weights, example)}. {_sum_in_words(found, subject.noun)}", weights, _sum_facts(found))


def _resampled(weights_T: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    if len(weights_T) == length:
        return weights_T
    return np.interp(np.linspace(0, len(weights_T) - 1, length), np.arange(len(weights_T)), weights_T)


def word_gradients(subject: Subject, example: Example, target: int) -> Found:
    """Show what each token adds to the logit: integrated gradients on the embeddings, against as many unknown tokens.

    Not against embeddings of zeros: a layer norm makes of next to nothing what it makes of the whole, so that all would
    happen within a millionth of the way.

    Args:
        target: number of the class.
    """
    if subject.model is None:
        return Found(reason=SEVERAL)
    cut = subject.word_cut
    if cut is None:
        return Found(reason="its embeddings are not those of one token each (n-grams, or none); see occlusion")
    ids_BT = subject.prepared(example.inputs)
    middle_X, baseline_X = (cut.middle(each)[0] for each in (ids_BT, np.where(ids_BT == 0, ids_BT, UNKNOWN)))
    width = middle_X.shape[-1] - cut.beside
    # The numbers beside the embeddings tell what is padding, and stay.
    baseline_X[..., width:] = middle_X[..., width:]
    found = _integral(subject, cut.second, (middle_X, baseline_X), target)
    if not isinstance(found, Integral):
        return found
    pieces = _pieces(example)
    weights = found.parts_X.sum(axis=-1)[: len(pieces)]
    return Found(
        f"{_first(strongest(pieces, weights))}. {_sum_in_words(found, subject.noun)}", weights, _sum_facts(found)
    )


def _integral(subject: Subject, engine: Any, ends: tuple[NDArray[Any], NDArray[Any]], target: int) -> Integral | Found:
    """Integrate from the second to the first, or say why that means nothing."""
    slope, value = subject.slope(engine, target), subject.value(engine, target)
    found = integrate(slope, value, *ends, most_steps=subject.most_steps)
    # With a tenth missing the picture is still the same; a model that counts misses all of it.
    if abs(found.gap) > 0.5 * max(abs(found.difference), 0.1):
        gap, difference = signed(found.gap), signed(found.difference)
        return Found(reason=STEP_LIKE.format(gap=gap, difference=difference, steps=found.steps))
    return found


def _sum_in_words(found: Integral, noun: str) -> str:
    rest = "" if found.is_complete else ", which is more than a hundredth: read it with care"
    return (
        f"All parts add up to {signed(float(found.parts_X.sum()))} of {noun}'s {signed(found.difference)} over the "
        f"baseline (gap {abs(found.gap):.2g} with {found.steps} steps{rest})."
    )


def _sum_facts(found: Integral) -> dict[str, Any]:
    return {"difference": found.difference, "gap": found.gap, "steps": found.steps, "complete": found.is_complete}


def without_words(subject: Subject, example: Example, target: int) -> Found:
    """Show what the logit loses when each token is left out of the text.

    Args:
        target: number of the class.
    """
    if subject.written is not None and subject.model is None:
        return Found(reason=SEVERAL)
    pieces = _pieces(example)
    if len(pieces) < 2:
        return Found(reason="there is but one token, and a text without any says nothing")
    if isinstance(subject.spec.encode(example.raw), Ragged) and example.inputs.dtype == np.int32:
        ids = example.inputs[0]
        variants = Ragged.of([ids, *(np.delete(ids, at) for at in range(len(pieces)))])
    else:
        return Found(reason="several models cut the text in their own ways; explain one of them")
    logits = subject.outputs(variants)[:, target]
    weights = logits[0] - logits[1:]
    return Found(f"{_first(strongest(pieces, weights))} (what {subject.noun} loses without it).", weights)


def attention(subject: Subject, example: Example, target: int) -> Found:
    """Show where attention looks: its weights, averaged over heads; where it looks is not why it answers.

    That difference is shown by Jain and Wallace (2019).

    Args:
        target: not read, as attention is the same for all classes.
    """
    if subject.model is None:
        return Found(reason=SEVERAL)
    if not subject.attentions:
        return Found(reason="nothing in the model attends")
    pieces = _pieces(example)
    prepared = subject.prepared(example.inputs)
    maps = []
    for title, engine in subject.attentions.items():
        weights_TT = engine.predict({"inputs": prepared})["outputs"][0].astype(np.float64).mean(axis=0)
        if weights_TT.shape[-1] < prepared.shape[1]:
            continue
        maps.append((title, weights_TT[: len(pieces), : len(pieces)]))
    if not maps:
        return Found(reason="what attends are not the tokens, but what was made of them")
    weights = np.mean([each.mean(axis=0) for _, each in maps], axis=0)
    order = np.argsort(-weights, kind="stable")[:3].tolist()
    most = ", ".join(f"'{pieces[at].strip()}' {weights[at]:.1%}" for at in order)
    sentence = (
        f"Looks most at {most}, averaged over {len(maps)} attentions and their heads (blue here; where is not why)."
    )
    return Found(sentence, weights, {"attentions": [title for title, _ in maps]}, tuple(maps))


def without_windows(subject: Subject, example: Example, target: int) -> Found:
    """Show what the logit loses when a window of time is put to the training mean, averaged over windows that overlap.

    Args:
        target: number of the class.
    """
    whole_TC = np.asarray(example.inputs[0])
    places = occlusion.windows(len(whole_TC))
    variants = np.repeat(whole_TC[None], len(places) + 1, axis=0)
    for variant, (start, end) in zip(variants[1:], places, strict=True):
        variant[start:end] = 0
    stored = Ragged.of(list(variants)) if isinstance(example.inputs, Ragged) else variants
    if subject.model is None:
        return Found(reason=SEVERAL)
    logits = subject.outputs(stored)[:, target]
    weights = occlusion.over_time(logits[0] - logits[1:], places, len(whole_TC))
    assert isinstance(example.picture, Lines)
    weights = _resampled(weights, len(example.picture.values_TC))
    return Found(f"{_where(weights, example)} (what {subject.noun} loses where it is put to the mean).", weights)


def without_columns(subject: Subject, example: Example, target: int) -> Found:
    """Show what the logit loses when a column's value is taken away and filled in as a missing one is.

    Args:
        example: a row of a table.
        target: number of the class.
    """
    assert isinstance(example.picture, Row) and isinstance(example.raw, np.ndarray)
    columns = example.picture.columns
    variants = np.repeat(example.raw, len(columns) + 1)
    for at, column in enumerate(columns, 1):
        variants[column][at] = np.nan if variants.dtype[column].kind == "f" else ""
    logits = subject.outputs(subject.spec.encode(variants))[:, target]
    weights = logits[0] - logits[1:]
    return Found(f"{_first(strongest(columns, weights))} (what {subject.noun} loses where it is missing).", weights)


def _pieces(example: Example) -> tuple[str, ...]:
    assert isinstance(example.picture, Text)
    return example.picture.pieces


def _where(weights: NDArray[np.float64], example: Example) -> str:
    """Say where the weights are strongest."""
    strong = np.abs(weights) >= HOT * np.abs(weights).max(initial=0.0)
    if not weights.any():
        return "Nothing speaks for or against it"
    if isinstance(example.picture, Lines):
        at = int(np.abs(weights).argmax())
        start, end = at, at
        while start and strong[start - 1]:
            start -= 1
        while end + 1 < len(strong) and strong[end + 1]:
            end += 1
        span = f"step {start + 1}" if start == end else f"steps {start + 1} to {end + 1}"
        side = "for" if weights[at] > 0 else "against"
        return f"Speaks most {side} it: {span} of {len(weights)}"
    rows, columns = np.nonzero(strong)
    axes = ("frame", "band") if isinstance(example.picture, Spectrogram) else ("row", "column")
    spans = " and ".join(
        f"{axis}s {int(np.percentile(found, 10)) + 1} to {int(np.percentile(found, 90)) + 1}"
        for axis, found in zip(axes, (rows, columns), strict=True)
    )
    return f"Strongest in {spans} of {weights.shape[0]} x {weights.shape[1]}"


def _first(words: str) -> str:
    return words[:1].upper() + words[1:]
