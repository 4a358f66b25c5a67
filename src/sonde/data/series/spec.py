"""Time series: their options, and how a stored series becomes what a model reads.

A series is T steps of C channels. What is missing is NaN in the raw examples, and filled in when they are encoded.

See what the model sees:  sonde show DATA
"""

# N examples, B batch, T steps of time, C channels

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sonde.config import Options as OptionSet
from sonde.config import Setting, Settings
from sonde.data.decoded import Decoded, as_listed
from sonde.data.listing import Listing
from sonde.data.ragged import Ragged, Stored, lengths_of, present, round_up
from sonde.data.series.augment import TABLE, Look
from sonde.data.spec import Spec
from sonde.errors import DataError

LONGEST, MOST_CHANNELS = 1_000_000, 10_000
"""Steps and channels of a series, at most."""

FEW = 500
"""Training examples below which a larger share of them is kept for validation."""

SMALLEST_SPREAD = 1e-12
"""Deviations below it are those of a channel that stands still."""


class Options(OptionSet):
    """How series are filled in, scaled and brought to one length."""

    scale: Literal["data", "series", "none"] = "data"
    """Each channel to mean 0 and deviation 1 of the training split, or of each series by itself, or not at all."""

    missing: Literal["interpolate", "mean"] = "interpolate"
    """Missing values become the line between their neighbours in time, or the training mean of their channel."""

    length: Annotated[int, Field(ge=0, le=LONGEST)] = 0
    """Steps that every series is resampled to; 0 takes them as they are. Some models need one length."""


Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e30, le=1e30)]
Positive = Annotated[float, Field(allow_inf_nan=False, ge=1e-30, le=1e30)]


class SeriesSpec(Spec):
    """How a series becomes an array of steps x channels; part of every saved model."""

    kind: Literal["series"] = "series"
    channels: Annotated[int, Field(ge=1, le=MOST_CHANNELS)]
    length: Annotated[int, Field(ge=1, le=LONGEST)] | None
    """Steps of every series; None where they differ."""
    longest: Annotated[int, Field(ge=1, le=LONGEST)]
    """Steps of the longest training series."""
    scale: Literal["data", "series", "none"]
    missing: Literal["interpolate", "mean"]
    resampled: bool
    """Whether series of other lengths are brought to this one."""
    mean: Annotated[tuple[Number, ...], Field(min_length=1, max_length=MOST_CHANNELS)]
    std: Annotated[tuple[Positive, ...], Field(min_length=1, max_length=MOST_CHANNELS)]
    encoding: Annotated[str, Field(max_length=40)] = ""
    """That the training tables were said to be in; new files are read as such."""

    @property
    def shape(self) -> tuple[int | None, ...]:
        """Steps and channels of one prepared series; where the steps differ, a last channel tells real ones."""
        return (self.length, self.channels + (self.length is None))

    @property
    def presence(self) -> bool:
        """Whether the last channel tells real steps (1) from padding (0)."""
        return self.length is None

    @property
    def fault(self) -> str:
        """What contradicts itself, or an empty text."""
        if not len(self.mean) == len(self.std) == self.channels:
            return f"{self.channels} channels but {len(self.mean)} means and {len(self.std)} deviations"
        return "series are brought to no length" if self.resampled and self.length is None else ""

    def encode(self, raw: Stored) -> Stored:
        """Fill in what is missing, scale, and bring to one length where that was asked for.

        Args:
            raw: float32 series with NaN for missing values, N x T x C or ragged.

        Returns:
            float32 series, ragged where lengths differ.

        Raises:
            DataError: the series have other channels, or another length than those that the model was trained on.
        """
        values = raw.values if isinstance(raw, Ragged) else raw
        if values.shape[-1] != self.channels:
            raise DataError(f"The series have {values.shape[-1]} channels; the model reads {self.channels}.")
        series = self._scaled(filled(raw) if self.missing == "interpolate" else raw)
        if self.length is None:
            return series if isinstance(series, Ragged) else Ragged.of(_each(series))
        lengths = np.array([len(each) for each in _each(series)], dtype=np.int64)
        if self.resampled:
            return (
                np.stack([resampled(each, self.length) for each in _each(series)])
                if len(series)
                else np.empty((0, self.length, self.channels), dtype=np.float32)
            )
        odd = lengths[lengths != self.length]
        if len(odd):
            raise DataError(
                f"A series has {odd[0]} steps where the model reads {self.length}. Train on series of different "
                f"lengths, or with --set series.length={self.length}, which brings all of them to that."
            )
        return series.padded(self.length) if isinstance(series, Ragged) else series

    def _scaled(self, raw: Stored) -> Stored:
        if self.scale == "series":
            standard = [_standard(each) for each in _each(raw)]
            if isinstance(raw, Ragged):
                return Ragged(np.concatenate(standard), raw.offsets)
            return np.stack(standard) if standard else raw
        values = raw.values if isinstance(raw, Ragged) else raw
        if self.scale == "data":
            # In float64, since the mean may be large beside the spread.
            values = (values.astype(np.float64) - np.asarray(self.mean)) / np.asarray(self.std)
            values = np.where(np.isnan(values), 0.0, values)
        values = np.where(np.isnan(values), np.asarray(self.mean), values).astype(np.float32)
        return Ragged(values, raw.offsets) if isinstance(raw, Ragged) else values

    def prepare(self, inputs: Stored, out: NDArray[Any] | None = None) -> NDArray[np.float32]:
        """Turn a batch into one array; shorter series are filled up with zeros, and a last channel tells where.

        Args:
            inputs: what `encode` gave, B x T x C or ragged.
            out: where the result is written; a new array when left out.

        Returns:
            float32, B x T x C; of ragged series B x T x (C + 1), T that of the longest, rounded up.
        """
        if isinstance(inputs, Ragged):
            longest = round_up(int(inputs.lengths.max(initial=1)))
            length = longest if out is None else out.shape[1]
            prepared = np.zeros((len(inputs), length, self.channels + 1), dtype=np.float32) if out is None else out
            prepared[..., :-1] = inputs.padded(length)
            prepared[..., -1] = present(inputs.lengths, length)
            return prepared
        prepared = np.empty(inputs.shape, dtype=np.float32) if out is None else out
        prepared[...] = inputs
        return prepared

    def read(self, path: str) -> tuple[list[str], Stored]:
        """Read one file of series.

        Args:
            path: .ts, .npz, .npy, or .csv and .tsv of one row for each step, or of one row for each series; labels in
                them are passed over.

        Returns:
            A name for each series, and the raw series.

        Raises:
            DataError: the file cannot be read, or does not hold series of these channels.
        """
        from sonde.data.sources.series_files import read_series

        steps = None if self.resampled else self.length
        return read_series(Path(path), channels=self.channels, steps=steps, encoding=self.encoding)


def store(listing: Listing, options: Options, contents: str) -> Decoded:
    """Take listed series as they are, and count what is missing in them.

    Args:
        listing: its content is float32, N x T x C or ragged.
        options: say what will be put in place of missing values.
    """
    decoded = as_listed(listing, contents)
    values = decoded.raw.values if isinstance(decoded.raw, Ragged) else decoded.raw
    gaps = np.isnan(values)
    if not gaps.any():
        return decoded
    count = sum(bool(np.isnan(each).any()) for each in _each(decoded.raw))
    how = "interpolated over time" if options.missing == "interpolate" else "put at the training mean"
    note = (
        f"{int(gaps.sum()):,} of {gaps.size:,} values ({gaps.mean():.1%}) are missing, in {count:,} of "
        f"{len(decoded.raw):,} series; they are {how} (series.missing)"
    )
    return Decoded(decoded.raw, decoded.marks, decoded.good, decoded.bad, (*decoded.notes, note), decoded.key)


def learn(raw: Stored, listing: Listing, options: Options) -> SeriesSpec:
    """Measure mean and deviation of each channel, and the longest length, on the training split alone.

    Args:
        raw: float32 training series, N x T x C or ragged.
        listing: says whether lengths differ anywhere in the data.
        options: scaling, filling in and length.
    """
    spec = learn_spec(raw, options, differs=isinstance(listing.stored, Ragged))
    return spec.model_copy(update={"encoding": listing.encoding})


def learn_spec(raw: Stored, options: Options, *, differs: bool) -> SeriesSpec:
    """Measure mean and deviation of each channel, and the longest length.

    Args:
        raw: float32 series, N x T x C or ragged.
        options: scaling, filling in and length.
        differs: whether there are series of different lengths, perhaps elsewhere.
    """
    values = raw.values if isinstance(raw, Ragged) else raw.reshape(-1, raw.shape[-1])
    channels = values.shape[-1]
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    numbers = np.where(known, values, 0).astype(np.float64)
    mean = numbers.sum(axis=0) / count
    std = np.sqrt((np.where(known, numbers - mean, 0) ** 2).sum(axis=0) / count)
    std[std < SMALLEST_SPREAD * np.maximum(1.0, np.abs(mean))] = 1.0
    longest = raw.shape[1] if isinstance(raw, np.ndarray) else int(raw.lengths.max(initial=1))
    return SeriesSpec(
        channels=channels,
        length=options.length or (None if differs else longest),
        longest=max(1, options.length or longest),
        scale=options.scale,
        missing=options.missing,
        resampled=bool(options.length),
        mean=tuple(float(f"{value:.9g}") for value in mean),
        std=tuple(float(f"{value:.9g}") for value in std),
    )


def guess(listing: Listing) -> Settings:
    """Guess the augmentations of a data set of series.

    Args:
        listing: what `survey` found.
    """
    stored = listing.stored
    assert stored is not None
    lengths = lengths_of(stored)
    usual = int(np.median(lengths)) if lengths is not None else _each(stored)[0].shape[0]
    look = Look(length=usual, examples=len(listing))
    guesses: dict[str, tuple[float, str]] = {f"augment.{name}": row.guess(look) for name, row in TABLE.items()}
    training = int(np.isin(listing.splits, ("", "train")).sum())
    if training < FEW:
        guesses["data.validation"] = (0.2, f"a tenth of {training:,} examples would say little")
    return Settings({key: Setting(value, "guessed", reason=reason) for key, (value, reason) in guesses.items()})


def filled(raw: Stored) -> Stored:
    """Put the line between their neighbours in time in the place of missing values; the ends repeat.

    A channel without any value stays missing.

    Args:
        raw: float32 series with NaN, N x T x C or ragged.
    """
    values = raw.values if isinstance(raw, Ragged) else raw
    if not np.isnan(values).any():
        return raw
    whole = np.array(values)
    for each in _each(Ragged(whole, raw.offsets) if isinstance(raw, Ragged) else whole):
        for channel in np.flatnonzero(np.isnan(each).any(axis=0)):
            line = each[:, channel]
            known = np.flatnonzero(~np.isnan(line))
            if len(known):
                gaps = np.flatnonzero(np.isnan(line))
                line[gaps] = np.interp(gaps, known, line[known])
    return Ragged(whole, raw.offsets) if isinstance(raw, Ragged) else whole


def resampled(series_TC: NDArray[Any], length: int) -> NDArray[np.float32]:
    """Return a series read at so many evenly spaced times, from its first step to its last.

    Args:
        series_TC: without missing values.
    """
    steps = len(series_TC)
    if steps == length:
        return series_TC.astype(np.float32)
    times = np.linspace(0, steps - 1, length)
    return np.stack([np.interp(times, np.arange(steps), channel) for channel in series_TC.T], axis=1).astype(np.float32)


def _each(stored: Stored) -> list[NDArray[Any]]:
    """Return the series one by one, as views."""
    return [stored[row] for row in range(len(stored))]


def _standard(series_TC: NDArray[Any]) -> NDArray[np.float32]:
    """Bring each channel of a series to mean 0 and deviation 1; missing values become the mean."""
    known = ~np.isnan(series_TC)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, series_TC, 0).sum(axis=0, dtype=np.float64) / count
    offsets = np.where(known, series_TC - mean, 0)
    std = np.sqrt((offsets**2).sum(axis=0) / count)
    std[std < SMALLEST_SPREAD * np.maximum(1.0, np.abs(mean))] = 1.0
    return (offsets / std).astype(np.float32)
