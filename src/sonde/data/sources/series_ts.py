"""The text format of sktime and aeon: lines of @key, then @data and one series per line, its label last.

Channels are parted by ":", values by ","; a missing value is "?" or NaN. The specification:
https://www.aeon-toolkit.org/en/latest/api_reference/file_specifications/ts.html
"""

# T steps of time, C channels

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonde.data.bounded import LARGEST_TABLE, read_bytes
from sonde.data.listing import Listing
from sonde.data.options import Options
from sonde.data.sources.series_arrays import Found, left_out, paired, parted
from sonde.errors import DataError

SUFFIXES = (".ts",)
HEAD = 1 << 16
"""Bytes that are looked at to tell the format from TypeScript, whose files end the same; headers may be long."""
STAMPED = re.compile(r"\([^,()]*,([^,()]*)\)")
"""A value with its time, as in (0.5,3.2)."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself."""

    labels: tuple[str, ...] | None
    """The classes, or None where its series have none."""
    stamped: bool
    """Whether each value stands with its time."""


def sniff(path: Path) -> str | None:
    """Say why a path is a .ts data set."""
    files = [path] if path.is_file() else sorted(path.glob("*.ts")) if path.is_dir() else []
    files = [file for file in files if file.suffix.lower() in SUFFIXES]
    if not files or not _is_one(files[0]):
        return None
    return f"time series in the .ts format ({files[0].name})"


def read(path: Path, options: Options) -> Listing:
    """Read the series of a .ts file and of those with the other splits beside it.

    Args:
        path: a file, or the folder that holds them.
        options: not used by this format.

    Raises:
        DataError: a file is damaged, has no labels, or the folder holds several data sets.
    """
    files = paired(path, SUFFIXES)
    found = Found()
    for split, file in sorted(files.items(), key=lambda each: ("", "train", "validation", "test").index(each[0])):
        read_file(file, found, split)
    found.notes += left_out(path, files.values(), SUFFIXES)
    first = next(iter(files.values()))
    return found.listing(
        name=parted(first)[0] or path.resolve().name, kind=".ts series", reason=f"{sniff(path)}", path=path
    )


def read_file(file: Path, found: Found, split: str, *, labelled: bool = True) -> None:
    """Add the series of one file to what was found.

    Args:
        found: is added to.
        labelled: whether a file without labels is refused.

    Raises:
        DataError: the file is damaged, or has no labels where they are needed.
    """
    text = read_bytes(file, LARGEST_TABLE).decode("utf-8", "replace")
    header, lines = _parse_header(file, text)
    if header.labels is None and labelled:
        raise DataError(
            f"{file} has no class labels (@classLabel false, or a regression's @targetLabel). Add them: "
            "'@classLabel true a b' in the header and ':a' behind each series."
        )
    for number, line in lines:
        name = f"{file.name}:{number}"
        answer, label = line, "?"
        if header.labels is not None:
            answer, _, label = line.rpartition(":")
            label = label.strip()
        if labelled and header.labels and label not in header.labels:
            found.bad.append((name, f"has the label '{label[:40]}', which @classLabel does not declare"))
            continue
        try:
            channels = [_values(channel, stamped=header.stamped) for channel in answer.split(":")]
        except ValueError as error:
            raise DataError(
                f"{file}: line {number:,} holds what is no number ({str(error)[:80]}). Repair or remove the line."
            ) from None
        lengths = {len(channel) for channel in channels}
        if len(lengths) > 1:
            found.bad.append((name, f"has channels of different lengths: {sorted(lengths)}"))
            continue
        found.add(np.stack(channels, axis=1), name=name, answer=label, split=split)


def _is_one(file: Path) -> bool:
    with file.open("rb") as opened:
        head = opened.read(HEAD).decode("utf-8", "replace")
    lines = [line.strip().lower() for line in head.splitlines()]
    first = next((line for line in lines if line and not line.startswith(("#", "%"))), "")
    return first.startswith("@") and not first.startswith("@import")


def _parse_header(file: Path, text: str) -> tuple[Header, Iterator[tuple[int, str]]]:
    lines = enumerate(text.split("\n"), 1)
    keys: dict[str, list[str]] = {}
    for _, line in lines:
        words = line.split()
        if not words or words[0].startswith(("#", "%")):
            continue
        key = words[0].lower()
        if key == "@data":
            break
        if not key.startswith("@"):
            raise DataError(f"{file} has a line that begins with '{words[0][:40]}' before @data; it is no .ts file.")
        keys[key.removeprefix("@")] = words[1:]
    else:
        raise DataError(f"{file} has no @data line: it is cut off, or no .ts file. Fetch or write it again.")
    declared = keys.get("classlabel", ["false"])
    has = bool(declared) and declared[0].lower() == "true"
    header = Header(tuple(declared[1:]) if has else None, keys.get("timestamps", ["false"])[:1] in (["true"], ["True"]))
    rest = ((number, line.strip()) for number, line in lines)
    return header, (each for each in rest if each[1] and not each[1].startswith(("#", "%")))


def _values(channel: str, *, stamped: bool) -> NDArray[np.float64]:
    """Read the values of one channel; those with a time are taken in the order in which they stand."""
    words = STAMPED.findall(channel) if stamped else channel.split(",")
    if stamped and not words and channel.strip():
        raise ValueError(channel.strip())
    words = (
        ["nan" if word.strip() in ("?", "") else word for word in words] if "?" in channel or ",," in channel else words
    )
    return np.array(words, dtype=np.float64) if channel.strip() else np.empty(0)
