"""Reads and writes `run.toml`, the file that holds every option of a run and says where each came from."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonde.config.settings import Setting, Settings, check_key
from sonde.config.untrusted import Unsound, parse_toml, read_text
from sonde.errors import ConfigError

LARGEST_FILE = 1_000_000
"""Bytes; a run file is some 3 kB, and a larger one is not ours."""


def read_settings(path: Path) -> Settings:
    """Read a run file.

    Args:
        path: a TOML file with the tables `[run]`, `[data]`, ....

    Raises:
        ConfigError: the file is missing, too large, no TOML within bounds, or has an unknown table; the text names the
            line.
    """
    try:
        text = read_text(path, largest=LARGEST_FILE)
        tables = parse_toml(text)
    except FileNotFoundError as error:
        raise ConfigError(
            f"Cannot read the run file {path}: {error.strerror}. (sonde init DATA writes a new one.)"
        ) from None
    except Unsound as error:
        raise ConfigError(f"Cannot read the run file {path}: {error}. (sonde init DATA writes a new one.)") from None
    return _settings(tables, _lines_of_keys(text), path)


def _settings(tables: dict[str, Any], lines: dict[str, int], path: Path) -> Settings:
    entries = {}
    for part, options in tables.items():
        place = f"{path}, line {lines.get(part, 1)}"
        if not isinstance(options, dict):
            raise ConfigError(
                f"{place}: '{part}' stands outside of a table. Write [run], [data] or another table's name on a line "
                "of its own, and the options below it."
            )
        check_key(f"{part}.x", place=place)
        for name, value in options.items():
            key = f"{part}.{name}"
            entries[key] = Setting(value, "file", place=f"{path}, line {lines.get(key, lines.get(part, 1))}")
    return Settings(entries)


def _lines_of_keys(text: str) -> dict[str, int]:
    """Find the line of each table and key; good for messages, so that unusual TOML falls back to its table's line."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[{1,2}\s*([\w-]+)\s*\]", line):
            table = header[1]
            lines.setdefault(table, number)
        elif key := re.match(r"\s*([\w.-]+)\s*=", line):
            lines.setdefault(f"{table}.{key[1]}" if table else key[1], number)
    return lines


def write_settings(settings: Settings, help_by_key: Mapping[str, str] | None = None, *, title: str = "") -> str:
    """Return a run file's text: each table, each value, and behind it who chose it.

    Args:
        settings: what to write; options whose value is None are written as comments.
        help_by_key: a sentence for each "part.option", written above it.
    """
    out = [f"# {line}".rstrip() for line in title.splitlines()]
    for part in dict.fromkeys(key.partition(".")[0] for key in settings):
        entries = settings.part(part)
        if not entries and part not in ("run",):
            continue
        out += ["", f"[{part}]"]
        for name, setting in entries.items():
            sentence = (help_by_key or {}).get(f"{part}.{name}")
            if sentence:
                out.append(f"# {sentence}")
            out.append(_line(name, setting))
    return "\n".join(out) + "\n"


def _line(name: str, setting: Setting) -> str:
    note = f"{setting.origin}: {setting.reason}" if setting.reason else setting.origin
    note = " ".join(note.split())
    if setting.value is None:
        return f"# {name} is not set  # {note}"
    return f"{_key(name)} = {toml_value(setting.value)}  # {note}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def toml_value(value: Any) -> str:
    """Write one value as TOML.

    Args:
        value: bool, int, float, str, or a list or tuple of these.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    # JSON's escapes are TOML's, but for the delete character and the surrogates that JSON writes for astral planes.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
