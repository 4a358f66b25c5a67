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

    mistakes: Annotated[int, Field(ge=0, le=200)] = 24
    """Mistakes shown in the report, the surest ones first."""

    explain: Annotated[int, Field(ge=0, le=50)] = 4
    """Test examples explained in the report, right and wrong answers in turns; 0 for none, and for no importance."""
