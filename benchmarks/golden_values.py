"""Reads what a run left as plain values, keeps them in files, and says where two runs differ.

What users see may be called something else one day; what is compared are the values. `KEYS` and `COLUMNS` are where
new names are led back to the ones that were kept.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEYS: dict[str, str] = {}
"""Keys of scores.json, model.json and history.jsonl that are new, and what they were called when they were kept."""

COLUMNS: dict[str, tuple[str, ...]] = {"truth": ("truth", "target"), "guess": ("guess", "prediction")}
"""Columns of predictions.parquet as they were kept, and all names that they have had since."""
CHANCES = re.compile(r"p_(\d+)")
"""Columns of one class's probability, by its number."""

SECTIONS = (
    "test",
    "baselines",
    "per_class",
    "verdict",
    "decision",
    "confusion",
    "calibration",
    "abstention",
    "conformal",
)
"""What is kept of scores.json, wherever it stands in there."""
DECISIONS = ("temperature", "decision", "sets", "abstention", "weights")
"""What is kept of model.json; the last are those of an ensemble's members."""
CLOCK = "clock"
"""The part of a record of the history that tells times."""

ROUNDED = {re.compile(r"history/\d+/train/loss"): 1e-6, re.compile(r"scores/.+"): 1e-12}
"""Values that may differ by rounding, and by how much. The loss that is recorded in training is a sum of weights times
losses now where it was a mean, and a metric is a value of sums: their terms are added in another order. No weight and
no prediction depends on either."""

UNUSED = {re.compile(r"model(/\d+)?/abstention/threshold"): 0.0}
"""What may be gone, if this is what it was: models of several labels never abstained, and say so no more."""

Tree = dict[str, Any]
"""Dicts of dicts down to numbers, lists of numbers, and digests."""


@dataclass(frozen=True)
class Part:
    """What one run folder holds: a run, or a fold or a member of one."""

    tree: Tree
    """scores, model, history, columns, first and weights."""
    arrays: Mapping[str, NDArray[Any]]
    """Weights and columns of probabilities, so that a difference has a size."""


def read(folder: Path) -> Part:
    """Read a run folder.

    Args:
        folder: of a run that ended; where it has no model of its own, as with folds, that is left out.
    """
    from pyarrow import parquet
    from safetensors.numpy import load_file

    scores = _renamed(json.loads((folder / "scores.json").read_text(encoding="utf-8")))
    tree: Tree = {"scores": {name: _numbers(_found(scores, name)) for name in SECTIONS}}
    if (folder / "history.jsonl").exists():
        records = [_renamed(json.loads(line)) for line in (folder / "history.jsonl").read_text().splitlines()]
        tree["history"] = {
            str(number): _numbers({key: value for key, value in record.items() if key != CLOCK})
            for number, record in enumerate(records)
        }
    arrays: dict[str, NDArray[Any]] = {}
    for path in sorted((folder / "model").rglob("model.json")):
        described = _renamed(json.loads(path.read_text(encoding="utf-8")))
        place = path.parent.relative_to(folder).as_posix()
        tree[place] = {name: _numbers(_found(described, name)) for name in DECISIONS}
        if path.with_name("weights.safetensors").exists():
            weights = load_file(path.with_name("weights.safetensors"))
            arrays |= {f"{place}/{name}": array for name, array in weights.items()}
            tree[place]["tensors"] = {name: digest(weights[name]) for name in sorted(weights)}
    table = parquet.read_table(folder / "predictions.parquet")
    columns = {_column(name): table[name].to_numpy() for name in table.column_names if _column(name)}
    tree["columns"] = {name: digest(column) for name, column in columns.items()}
    tree["first"] = {name: [_plain(value) for value in column[:5]] for name, column in columns.items()}
    arrays |= {f"columns/{name}": column for name, column in columns.items() if column.dtype.kind == "f"}
    return Part(tree, arrays)


def _column(name: str) -> str:
    kept = [old for old, names in COLUMNS.items() if name in names]
    chance = CHANCES.fullmatch(name)
    return kept[0] if kept else f"p_{chance[1]}" if chance else ""


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _renamed(document: Any) -> Any:
    if isinstance(document, dict):
        return {KEYS.get(key, key): _renamed(value) for key, value in document.items()}
    return [_renamed(each) for each in document] if isinstance(document, list) else document


def _found(document: Any, key: str) -> Any:
    """Return the value of a key, the one nearest to the top; None where there is none."""
    level = [document]
    while level:
        for each in level:
            if key in each:
                return each[key]
        level = [value for each in level for value in each.values() if isinstance(value, dict)]
    return None


def _numbers(value: Any) -> Any:
    """Return what holds numbers of a value, without all words; {} where nothing does."""
    if isinstance(value, dict):
        kept = {str(key): _numbers(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each != {}}
    if isinstance(value, list):
        if all(isinstance(each, dict) for each in value):
            return _numbers({str(place): each for place, each in enumerate(value)})
        return value if _is_numeric(value) else {}
    return value if isinstance(value, int | float) else {}


def _is_numeric(value: Any) -> bool:
    return all(_is_numeric(each) for each in value) if isinstance(value, list) else isinstance(value, int | float)


def digest(column: NDArray[Any]) -> str:
    """Return an array's type and shape, and the SHA-256 of its bytes; of words, that of their lines."""
    shape = "x".join(map(str, column.shape)) or "one"
    if column.dtype.kind in "OUS":
        lines = "".join(f"{word}\n" for word in column.tolist())
        return f"words {shape} {sha256(lines.encode()).hexdigest()}"
    return f"{column.dtype} {shape} {sha256(np.ascontiguousarray(column).tobytes()).hexdigest()}"


def leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each value of a tree with its path; the first rows, which are there for readers, are left out."""
    for key, value in tree.items():
        if isinstance(value, dict):
            if path or key != "first":
                yield from leaves(value, f"{path}{key}/")
        else:
            yield f"{path}{key}", value


def differences(kept: Part, found: Part) -> list[str]:
    """Return a line for each group of values that differ, with the largest difference.

    Values that were not kept are no difference: there may be more metrics than there were.

    Args:
        kept: what is expected.
        found: what there is.
    """
    old, new = dict(leaves(kept.tree)), dict(leaves(found.tree))
    lines = []
    groups = list(dict.fromkeys(_group(path) for path in old))
    for group in groups:
        paths = [path for path in old if _group(path) == group]
        gone = [path for path in paths if path not in new and not _unused(path, old[path])]
        if group.endswith("/tensors"):
            gone = _gone_for_good(gone, old, [new[path] for path in new if path not in old and _group(path) == group])
        if gone:
            lines.append(f"{group}: {len(gone)} of {len(paths)} values are not there, such as {gone[0]}")
        changed = {path: _distance(path, old[path], new[path], kept, found) for path in paths if path in new}
        changed = {path: size for path, size in changed.items() if not size <= _allowed(path)}
        if changed:
            # NaN, where no difference has a size, sorts before all numbers.
            worst = max(changed, key=lambda path: (not math.isnan(changed[path]), changed[path]))
            lines.append(
                f"{group}: {len(changed)} of {len(paths)} values differ, {_said(worst, old, new, changed[worst])}"
            )
    return lines


def _unused(path: str, value: Any) -> bool:
    return any(pattern.fullmatch(path) and value == was for pattern, was in UNUSED.items())


def _allowed(path: str) -> float:
    return next((size for pattern, size in ROUNDED.items() if pattern.fullmatch(path)), 0.0)


def _group(path: str) -> str:
    """Return what a value is told with: scores/test, model/tensors, columns."""
    parts = path.split("/")
    if "tensors" in parts:
        return "/".join(parts[: parts.index("tensors") + 1])
    return "/".join(parts[:2]) if parts[0] == "scores" else parts[0]


def _gone_for_good(gone: Sequence[str], old: Mapping[str, Any], strangers: Sequence[str]) -> list[str]:
    """Return the tensors that are not there under another name either."""
    left, lost = list(strangers), []
    for path in gone:
        if old[path] in left:
            left.remove(old[path])
        else:
            lost.append(path)
    return lost


def _said(path: str, old: Mapping[str, Any], new: Mapping[str, Any], size: float) -> str:
    if isinstance(old[path], int | float):
        return f"at most by {size:.3g} ({path}: {old[path]} -> {new[path]})"
    return f"such as {path}" if math.isnan(size) else f"at most by {size:.3g} ({path})"


def _distance(path: str, old: Any, new: Any, kept: Part, found: Part) -> float:
    """Return the largest difference of two values; 0 where they are the same, NaN where it has no size."""
    if isinstance(old, str):
        if old == new:
            return 0.0
        place = path.replace("/tensors/", "/", 1)
        return _largest(kept.arrays.get(place), found.arrays.get(place))
    return 0.0 if _same(old, new) else _largest(old, new)


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(_same, old, new))
    return bool(old == new or (old != old and new != new))


def _largest(old: Any, new: Any) -> float:
    if old is None or new is None or isinstance(new, str | dict):
        return math.nan
    try:
        first, second = np.asarray(old, dtype=np.float64), np.asarray(new, dtype=np.float64)
    except ValueError:
        # Lists of lists of different lengths.
        return math.nan
    if first.shape != second.shape:
        return math.nan
    with np.errstate(invalid="ignore"):
        # Nothing differs in value, but in bits: -0.0, or the type.
        return float(np.max(np.abs(first - second))) or math.nan


def written(tree: Mapping[str, Any], indent: str = "") -> str:
    """Return a tree as JSON that can be read and compared by line: a dict without dicts stands on one."""
    if not any(isinstance(value, dict) and value for value in tree.values()):
        return json.dumps(tree)
    inner = indent + " "
    lines = [
        f"{inner}{json.dumps(key)}: {written(value, inner) if isinstance(value, dict) else json.dumps(value)}"
        for key, value in tree.items()
    ]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def keep(parts: Mapping[str, Part], path: Path) -> Tree:
    """Write the arrays of a run's parts to a file, and return their trees.

    Args:
        parts: by name.
        path: of the file, .safetensors.
    """
    from safetensors.numpy import save_file

    arrays = {f"{name}:{place}": array for name, part in parts.items() for place, array in part.arrays.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    return {name: part.tree for name, part in parts.items()}


def kept(trees: Mapping[str, Tree], path: Path) -> dict[str, Part]:
    """Return the parts of a run as they were kept; the opposite of `keep`."""
    from safetensors.numpy import load_file

    arrays = load_file(path)
    parts = {}
    for name, tree in trees.items():
        own = {place: array for place, array in arrays.items() if place.startswith(f"{name}:")}
        parts[name] = Part(tree, {place.removeprefix(f"{name}:"): array for place, array in own.items()})
    return parts
