"""How a number is learned and given: the `[regression]` table."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sonde.config import Options as _Options


def _rising(shares: tuple[float, ...]) -> tuple[float, ...]:
    if list(shares) != sorted(set(shares)) or len(shares) % 2 == 0:
        raise ValueError("expected an odd number of different shares, in rising order, such as [0.05, 0.5, 0.95]")
    return shares


Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class Options(_Options):
    """Loss, scale, quantiles and the coverage of the prediction intervals."""

    loss: Literal["huber", "squared", "quantiles"] = "huber"
    """What is minimised: huber counts large errors linearly, squared counts them more, quantiles predicts a range."""

    huber_distance: Annotated[float, Field(gt=0.0, le=100.0)] = 1.0
    """Error, in standard deviations of the target, from which on huber counts linearly."""

    quantiles: Annotated[tuple[Share, ...], Field(min_length=3, max_length=99), AfterValidator(_rising)] = (
        0.05,
        0.5,
        0.95,
    )
    """Shares that the quantiles loss predicts, rising; the middle one is the prediction, the outer two its interval."""

    scale: Literal["plain", "log"] = "plain"
    """Scale that the target is learned on; log suits positive targets with a long tail, such as prices."""

    coverage: Annotated[float, Field(ge=0.5, le=0.999)] = 0.9
    """Share of the prediction intervals that are to hold the target; set on validation, checked on the test split."""
