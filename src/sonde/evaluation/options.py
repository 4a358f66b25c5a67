"""How a run is scored: the `[evaluation]` table."""

from typing import Annotated, Literal

from pydantic import Field

from sonde.config import Options as _Options


class Options(_Options):
    """The bootstrap, the size of the batches, and how many mistakes are shown."""

    resamples: Annotated[int, Field(ge=100, le=100_000)] = 1000
    """Drawings of the bootstrap behind every 95 % interval."""

    baseline_examples: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    """Training examples that the linear baseline learns from at most, evenly spread over each class."""

    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    """Start of those drawings; apart from run.seed, so that runs compare."""

    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 256
    """Examples predicted at a time; changes the time, not the scores."""

    views: Literal["one", "flip", "shift", "flip-and-shift"] = "one"
    """What each answer is averaged over, in `predict` too: the image alone, its mirror image, both moved by a pixel."""

    headline: str = ""
    """Metric that stands first and decides the verdict (sonde list metrics); empty for the usual one of the answer."""

    positive: str = ""
    """Of two classes the one that is searched for; its precision, recall and F1 are scored. Empty for none."""

    tune_for: Literal["none", "f1", "balanced_accuracy", "accuracy"] = "none"
    """What the decision is tuned for on validation: offsets of classes, thresholds of labels; probabilities stay."""

    mistakes: Annotated[int, Field(ge=0, le=200)] = 24
    """Mistakes shown in the report, the surest ones first."""

    explain: Annotated[int, Field(ge=0, le=50)] = 4
    """Test examples explained in the report, right and wrong answers in turns; 0 for none, and for no importance."""

    coverage: Annotated[float, Field(ge=0.5, le=0.999)] = 0.9
    """Share of the prediction sets that are to hold the true class; chosen on validation, checked on the test."""

    sets: Literal["lac", "aps"] = "lac"
    """How sets are made: lac, the smallest on average; aps, larger ones for harder examples."""

    sets_by_class: bool = False
    """Whether each class is to be covered that often, and not only all together; takes many examples of each."""

    abstain_below: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Confidence below which `predict` gives no answer; of this and the next two, the strictest counts."""

    wanted_accuracy: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Accuracy that given answers are to have: a threshold of confidence is chosen on validation; 0 asks for none."""

    wanted_share: Annotated[float, Field(ge=0.01, le=1.0)] = 1.0
    """Share of examples to be answered, the surest ones: a threshold is chosen on validation; 1 answers all."""
