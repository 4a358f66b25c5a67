"""Series in tables with a header: wide (a row for each series) or long (a row for each step).

Wide: columns that are numbered by time, such as t0, t1, t2, or x_0 ... x_99, y_0 ... y_99 for two channels.
Long: a column that tells the series, one for the time, one for the label, and one for each channel.
"""

# T steps of time, C channels

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonde.data.listing import Listing, split_named
from sonde.data.options import Options
from sonde.data.sources.conditions import with_test
from sonde.data.sources.delimited import Table, is_number
from sonde.data.sources.multilabel import prepared as prepared_labels
from sonde.data.sources.roles import GROUPS, LABELS, SPLIT_NAMES, in_words, splits_in, told
from sonde.data.sources.series_arrays import Found, as_number, is_value
from sonde.data.sources.text_columns import SUFFIXES, head_table, read_table, tables_in
from sonde.errors import DataError, did_you_mean

IDS = ("series_id", "series", "sample_id", "sample", "case_id", "case", "sequence_id", "sequence", "recording", "id")
TIMES = ("time", "timestamp", "t", "step", "time_step", "timestep", "date", "datetime", "seconds", "tick", "frame")
NUMBERED = re.compile(r"(?P<channel>.*?)[-_. \[]?(?P<step>\d+)\]?")
MADE = "split by data.test_where"
"""Column that holds the splits that the option asks for."""
FEWEST = 8
"""Columns numbered by time that make a table one of series, and not of single numbers."""
Cells = dict[str, list[str]]


@dataclass(frozen=True)
class Columns:
    """Which column is which; "" where there is none."""

    series: str
    """Of a long table; a wide one has none."""
    time: str
    label: str
    split: str
    group: str


def sniff(path: Path) -> str | None:
    """Say why a path is a table of series: its columns are numbered by time, or tell series and time."""
    file = _file(path)
    first = head_table(file) if file else None
    if not file or first is None or len(first) < 2 or not first.has_header:
        return None
    names = list(first.columns)
    if (long := _long_columns(names, Options())) and len(set(first.columns[long[0]])) < len(first):
        return f"a table with a row for each step of a series ({file.name}: series in '{long[0]}', time in '{long[1]}')"
    channels = _wide_channels(names)
    steps = sum(len(columns) for columns in channels.values())
    numbered = [first.columns[names[place]] for place in _all(channels)]
    if steps >= FEWEST and all(is_value(cell) for column in numbered for cell in column[:5]):
        return f"a table with a row for each series ({file.name}: {steps} columns numbered by time)"
    return None


def sniff_any(path: Path) -> str | None:
    """Say why a path can be read as a table of series, where a person has said that it is one."""
    file = _file(path) if path.is_file() else None
    return f"a table ({file.name})" if file else None


def read(path: Path, options: Options) -> Listing:
    """Read the series of a table.

    Args:
        path: a .csv, .tsv or .parquet file, or the folder that holds one.
        options: may name the columns.

    Raises:
        DataError: the table is damaged, or it cannot be told which column is which.
    """
    file = _file(path)
    assert file is not None, "read follows sniff"
    table = prepared_labels(read_table(file, options.encoding, known=told(options)), options, file)
    if not len(table):
        raise DataError(f"{file} holds a header ({', '.join(table.columns)}) and no row below it. Add rows of series.")
    _check_options(table.columns, options, file)
    found = Found(notes=list(table.notes))
    long = _long_columns(list(table.columns), options)
    if long and (options.series_column or len(set(table.columns[long[0]])) < len(table)):
        columns = _rest(table.columns, file, options, taken={*long}, series=long[0], time=long[1])
        columns = _with_test(table, columns, options, file, found)
        _read_long(file, table, columns, found)
        how = "long"
    else:
        columns = _rest(table.columns, file, options, taken=set(), series="", time="")
        columns = _with_test(table, columns, options, file, found)
        _read_wide(file, table, columns, found)
        how = "wide"
    found.encoding = options.encoding
    found.notes.append(f"columns of {file.name}: {in_words(columns)} (change: --set data.label_column=NAME and so on)")
    name = file.stem if path.is_file() else path.resolve().name
    return found.listing(
        name=name, kind=f"{how} table of series", reason=f"{sniff(path) or sniff_any(path)}", path=file
    )


def read_unlabelled(file: Path, found: Found, encoding: str = "") -> None:
    """Add the series of a table to what was found; labels in it are passed over, and need not be there.

    Args:
        file: a table that `sniff` recognised.
        found: is added to.
        encoding: that it is said to be in; empty guesses it.

    Raises:
        DataError: the table is damaged.
    """
    table = read_table(file, encoding)
    long = _long_columns(list(table.columns), Options())
    beside = {name for name in table.columns if name.lower() in (*LABELS, *SPLIT_NAMES, *GROUPS)}
    numbers = {name: cells for name, cells in table.columns.items() if name not in beside - {*(long or ())}}
    unlabelled = replace(table, columns={**numbers, "label": ["?"] * len(table)})
    if long and len(set(table.columns[long[0]])) < len(table):
        _read_long(file, unlabelled, Columns(*long, "label", "", ""), found)
    else:
        _read_wide(file, unlabelled, Columns("", "", "label", "", ""), found)


def _file(path: Path) -> Path | None:
    if path.is_file():
        return path if path.suffix.lower() in SUFFIXES else None
    if not path.is_dir():
        return None
    tables = tables_in(path)
    return tables[0] if len(tables) == 1 else None


def _long_columns(names: list[str], options: Options) -> tuple[str, str] | None:
    """Return the columns of series and time of a long table, or None."""
    series = options.series_column or next((name for known in IDS for name in names if name.lower() == known), "")
    time = options.time_column or next((name for known in TIMES for name in names if name.lower() == known), "")
    return (series, time) if series and time and series != time else None


def _wide_channels(names: list[str]) -> dict[str, list[int]]:
    """Return the columns of each channel in the order of time: names that end in consecutive numbers."""
    found: dict[str, dict[int, int]] = {}
    for column, name in enumerate(names):
        match = NUMBERED.fullmatch(name)
        if match and len(match["step"]) < 8:
            found.setdefault(match["channel"], {})[int(match["step"])] = column
    whole = {
        channel: [steps[step] for step in sorted(steps)]
        for channel, steps in found.items()
        if len(steps) > 1 and max(steps) - min(steps) + 1 == len(steps)
    }
    longest = max((len(steps) for steps in whole.values()), default=0)
    return {channel: steps for channel, steps in whole.items() if len(steps) == longest}


def _all(channels: dict[str, list[int]]) -> list[int]:
    return [column for columns in channels.values() for column in columns]


def _check_options(table: Cells, options: Options, file: Path) -> None:
    for option in ("series_column", "time_column", "label_column", "split_column", "group_column"):
        wanted = getattr(options, option)
        optional = option in ("split_column", "group_column")
        if wanted and wanted not in table and not (optional and wanted == "none"):
            raise DataError(
                f"data.{option} = '{wanted}', but {file} has no such column.{did_you_mean(wanted, table)} "
                f"Its columns: {', '.join(list(table)[:20])}."
            )


def _rest(table: Cells, file: Path, options: Options, *, taken: set[str], series: str, time: str) -> Columns:
    """Tell the columns of label, split and group."""
    split = _named(options.split_column, table, SPLIT_NAMES, taken)
    if split and not options.split_column and not any(split_named(cell) for cell in set(table[split])):
        split = ""
    group = _named(options.group_column, table, GROUPS, taken | {split})
    label = options.label_column
    if not label:
        free = [name for name in table if name not in taken | {split, group}]
        named = sorted((name for name in free if name.lower() in LABELS), key=lambda name: LABELS.index(name.lower()))
        words = [name for name in free if any(cell and not is_number(cell) for cell in table[name][:100])]
        label = next(iter(named), words[0] if len(words) == 1 else "")
        if not label:
            raise DataError(
                f"It cannot be told which column of {file} holds the label; its columns: {', '.join(free[:20])}. "
                "Say it with --set data.label_column=NAME."
            )
    return Columns(series, time, label, split, group)


def _with_test(table: Table, columns: Columns, options: Options, file: Path, found: Found) -> Columns:
    """Let data.test_where say the split of each row, in a column of its own; a long series has that of its first."""
    if not options.test_where:
        return columns
    given = splits_in(table, columns.split, file)
    table.columns[MADE] = with_test(given, options.test_where, dict(table.columns), found.notes)
    return replace(columns, split=MADE)


def _named(wanted: str, table: Cells, names: tuple[str, ...], taken: set[str]) -> str:
    if wanted:
        return "" if wanted == "none" else wanted
    return next((name for name in table if name.lower() in names and name not in taken), "")


def _read_wide(file: Path, table: Table, columns: Columns, found: Found) -> None:
    cells = table.columns
    kept = [name for name in cells if name not in vars(columns).values()]
    channels = _wide_channels(kept)
    if not channels:
        # Said to be series: all numbers of a row, in the order of the columns.
        numeric = [place for place, name in enumerate(kept) if all(is_value(cell) for cell in cells[name])]
        channels = {"": numeric}
    if sum(len(steps) for steps in channels.values()) < 2:
        raise DataError(
            f"{file} has no columns that are numbered by time (such as t0, t1, t2). For a row per step, name the "
            "columns: --set data.series_column=NAME --set data.time_column=NAME."
        )
    values_NTC = np.stack(
        [np.stack([_numbers(table, kept[place], file) for place in steps], axis=1)
         for steps in channels.values()], axis=2,
    )  # fmt: skip
    used = {kept[place] for place in _all(channels)}
    others = [name for name in kept if name not in used]
    if others:
        found.notes.append(f"{file.name}: columns that are no steps of time are not read: {', '.join(others[:6])}")
    splits = splits_in(table, columns.split, file)
    for row, series in enumerate(values_NTC):
        found.add(
            series, name=f"{file.name}:{table.numbers[row]}", answer=cells[columns.label][row], split=splits[row],
            group=cells[columns.group][row] if columns.group else None,
        )  # fmt: skip


def _read_long(file: Path, table: Table, columns: Columns, found: Found) -> None:
    roles, cells = set(vars(columns).values()), table.columns
    channels = [name for name in cells if name not in roles and all(is_value(cell) for cell in cells[name])]
    if not channels:
        raise DataError(f"{file} has no column of numbers beside {in_words(columns)}; its values are missing.")
    values_TC = np.stack([_numbers(table, name, file) for name in channels], axis=1)
    ids, first, kind = np.unique(np.array(cells[columns.series]), return_index=True, return_inverse=True)
    times = _times(table, columns.time, file)
    # A stable sort keeps rows of equal time as they stand.
    order = np.lexsort((times, kind))
    bounds = np.searchsorted(kind[order], np.arange(len(ids) + 1))
    for place in np.argsort(first, kind="stable").tolist():
        rows = order[bounds[place] : bounds[place + 1]]
        name = f"{file.name}:{columns.series}={ids[place]}"
        labels = {cells[columns.label][row] for row in rows}
        if len(labels) > 1:
            found.bad.append((name, f"has several labels: {', '.join(sorted(labels)[:4])}"))
            continue
        start = int(rows[0])
        found.add(
            values_TC[rows], name=name, answer=labels.pop(), split=splits_in(table, columns.split, file, [start])[0],
            group=cells[columns.group][start] if columns.group else None,
        )  # fmt: skip
    found.notes.append(f"{file.name}: channels {', '.join(channels[:8])}{', ...' if len(channels) > 8 else ''}")


def _numbers(table: Table, name: str, file: Path) -> NDArray[np.float64]:
    cells = table.columns[name]
    bad = next((row for row, cell in enumerate(cells) if not is_value(cell)), None)
    if bad is not None:
        raise DataError(
            f"{file}: {table.place(bad)} of the column '{name}' holds '{cells[bad][:40]}', which is no number."
        )
    return np.array([as_number(cell) for cell in cells], dtype=np.float64)


def _times(table: Table, name: str, file: Path) -> NDArray[np.float64]:
    """Return when each row is, as numbers that sort; dates in the ISO form are taken too."""
    cells = table.columns[name]
    if all(is_number(cell) for cell in cells):
        return np.array([float(cell) for cell in cells])
    try:
        return np.array(cells, dtype="datetime64[us]").astype(np.int64).astype(np.float64)
    except ValueError:
        bad = next(row for row, cell in enumerate(cells) if not _is_time(cell))
        raise DataError(
            f"{file}: {table.place(bad)} of the column '{name}' holds '{cells[bad][:40]}', which is neither a number "
            "nor a date such as 2024-05-31T12:00, as all of them must be. Write the times so, or name another column: "
            "--set data.time_column=NAME."
        ) from None


def _is_time(cell: str) -> bool:
    try:
        np.datetime64(cell, "us")
    except ValueError:
        return False
    return True
