"""Guesses what the user did not say of recordings: rate, length, frames and augmentations, each with its reason."""

from collections import Counter
from math import ceil

from sonde.config import Setting, Settings
from sonde.data.audio.augment import TABLE, Look
from sonde.data.audio.sound import Header, read_header
from sonde.data.listing import Listing
from sonde.errors import DataError

SAMPLE = 400
"""Files whose headers are looked at; evenly spread, so that every class has its turn."""

BEST_RATE = 16_000
"""Samples in a second that are taken of faster recordings: speech has little above 8 kHz, and time grows with them."""

MOST_SECONDS = 10.0
"""Longest window that is guessed."""

COVERED = 0.98
"""Share of the recordings that are heard whole in the guessed window, where that is not too long."""

FRAMES = 256
"""Frames of a guessed window at most; longer windows take longer hops."""

SHORT, FINE, USUAL = 0.7, 10.0, 20.0
"""Seconds of a window below which the guessed hop is fine; in milliseconds the fine one, and that of longer windows."""


def guess(listing: Listing) -> Settings:
    """Guess the options of recordings from a look at the headers of some.

    Args:
        listing: what `survey` found.

    Returns:
        Settings for audio.sample_rate, audio.seconds, audio.hop and every augmentation, each with its reason.
    """
    headers = _look(listing)
    rate, why_rate = _rate(headers)
    seconds, why_seconds = _seconds(headers)
    hop = max(FINE if seconds < SHORT else USUAL, float(ceil(1000 * seconds / FRAMES)))
    why_hop = f"{int(1000 * seconds / hop)} frames of {seconds:g} s; half of it takes twice the time"
    guesses = {
        "audio.sample_rate": Setting(rate, "guessed", reason=why_rate),
        "audio.seconds": Setting(seconds, "guessed", reason=why_seconds),
        "audio.hop": Setting(hop, "guessed", reason=why_hop),
        "audio.window": Setting(2 * hop, "guessed", reason="two hops"),
    }
    look = Look(seconds=seconds, classes=listing.kinds)
    for name, row in TABLE.items():
        strength, reason = row.guess(look)
        guesses[f"augment.{name}"] = Setting(strength, "guessed", reason=reason)
    return Settings(guesses)


def _look(listing: Listing) -> list[Header]:
    assert isinstance(listing.content, tuple)
    headers = []
    problem = None
    for row in listing.spread(SAMPLE):
        try:
            headers.append(read_header(listing.content[row]))
        except DataError as error:
            problem = error  # Loading names it, unless nothing can be read for want of a package.
    if not headers and problem is not None and "pip install" in str(problem):
        raise problem
    return headers


def _rate(headers: list[Header]) -> tuple[int, str]:
    if not headers:
        return BEST_RATE, "the usual for speech"
    rate, _ = Counter(header.rate for header in headers).most_common(1)[0]
    if rate > BEST_RATE:
        return BEST_RATE, f"recordings have {rate:,}; more is slower, and better for music and animals"
    return rate, "that of the recordings"


def _seconds(headers: list[Header]) -> tuple[float, str]:
    lengths = sorted(header.seconds for header in headers if header.seconds > 0)
    if not lengths:
        return 1.0, "no recording says how long it is"
    enough = lengths[min(len(lengths) - 1, int(COVERED * len(lengths)))]
    longest = lengths[-1]
    if longest <= min(1.25 * enough, MOST_SECONDS):
        enough = longest
    seconds = max(0.1, ceil(min(enough, MOST_SECONDS) * 20) / 20)
    if enough > MOST_SECONDS:
        half = lengths[len(lengths) // 2]
        return (
            seconds,
            f"recordings are longer, half of them above {half:.1f} s; more is slower: --set audio.seconds=20",
        )
    if longest > seconds + 0.05:
        return seconds, f"98 % of the recordings are no longer; the longest has {longest:.1f} s"
    return seconds, "no recording that was looked at is longer"
