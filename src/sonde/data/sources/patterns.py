"""Files whose names hold the label, such as 7_theo_3.wav: a pattern says which part of a name is what.

    --set 'data.pattern={label}_{speaker}_{index}.wav' --set data.group_column=speaker --set 'data.test_where=index<5'

A field takes as few letters as it can. {label} is the answer, {group} what stays on one side of a split, {split} train,
validation or test; every other name is free, and {_} is passed over. A pattern with a slash is compared with the path
below the folder, any other with the file's name alone. Without a pattern a folder of recordings whose names all have
the same parts is recognised, and the guess is said.
"""

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from sonde.data.listing import Listing, split_named, text_array
from sonde.data.options import Options
from sonde.data.sources.class_folders import IMAGES, SOUNDS, Kind, holds, subfolders
from sonde.data.sources.conditions import with_test
from sonde.errors import DataError, did_you_mean

FIELD = re.compile(r"\{([^{}]*)\}")
NAME = re.compile(r"[A-Za-z_]\w*")
SEPARATORS = "_-"
"""What stands between the parts of a name, in the order in which it is tried."""
LONGEST = 512
"""Letters of a pattern."""
MOST_FIELDS = 16
SAMPLE = 2000
"""Files that are looked at to recognise how names are made."""
SHARE = 0.95
"""Of the names that must have the same number of parts."""
PER_LABEL = 4
"""Examples that a label must have on average, for a part of the names to be one."""
LIKE_GROUPS = ("speaker", "subject", "patient", "person", "singer", "actor", "site", "session")


@dataclass(frozen=True)
class Pattern:
    """How names are made."""

    text: str
    fields: tuple[str, ...]
    """The names of its fields, "_" for what is passed over."""
    pieces: tuple[str, ...]
    """What stands before, between and behind the fields."""

    @property
    def is_path(self) -> bool:
        """Whether it is compared with the path below the folder, and not with the name alone."""
        return "/" in self.text

    @property
    def has_ending(self) -> bool:
        """Whether it says how names end, as in ".wav"."""
        return "." in self.pieces[-1]

    def values(self, name: str) -> tuple[str, ...] | None:
        """Return what the fields hold in a file's name or path, or None where it does not fit.

        Each field ends where what follows it is first found: a regular expression would try all the other places too,
        which takes for ever for a long name with many separators.

        Args:
            name: without the folder, or the path below it.
        """
        first, *between, last = self.pieces
        if not (name.startswith(first) and name.endswith(last)):
            return None
        place, end = len(first), len(name) - len(last)
        found = []
        for piece in between:
            stop = name.find(piece, place + 1, end)
            if stop < 0:
                return None
            found.append(name[place:stop])
            place = stop + len(piece)
        found.append(name[place:end])
        return tuple(found) if all(found) and not any("/" in value for value in found) else None


def parse(text: str) -> Pattern:
    """Understand a pattern.

    Args:
        text: such as "{label}_{speaker}_{index}.wav".

    Raises:
        DataError: it has no {label}, a name twice, or braces that do not close.
    """
    said = f"data.pattern = '{text}'"
    names = FIELD.findall(text)
    if len(text) > LONGEST or len(names) > MOST_FIELDS:
        raise DataError(f"{said} is too long: at most {LONGEST} letters and {MOST_FIELDS} fields.")
    if "{" in FIELD.sub("", text) or "}" in FIELD.sub("", text):
        raise DataError(f"{said} has a brace too many or too few. Write fields like {{label}}_{{speaker}}_{{index}}.")
    wrong = [name for name in names if not NAME.fullmatch(name)]
    if wrong:
        raise DataError(f"{said}: '{{{wrong[0]}}}' is no name of a field. Take letters, digits and _.")
    named = [name for name in names if name != "_"]
    twice = next((name for name in named if named.count(name) > 1), "")
    if twice:
        raise DataError(f"{said} holds {{{twice}}} more than once. Give each field a name of its own, or {{_}}.")
    if "label" not in named:
        raise DataError(
            f"{said} has no {{label}}, the part of a name that is the answer.{did_you_mean('label', named)}"
        )
    return Pattern(text, tuple(names), tuple(re.split(r"\{[^{}]*\}", text)))


def sniff(path: Path) -> str | None:
    """Say why a path is a folder of recordings whose names hold labels."""
    root = _flat(path)
    guessed = None if root is None else _guess(root)
    return None if guessed is None else f"recordings with names like {guessed.text}"


def read(path: Path, options: Options) -> Listing:
    """List the images or recordings below a folder whose names fit the pattern, sorted by name.

    Args:
        options: the pattern, and which fields are the group and the test split; the pattern is guessed if empty.

    Raises:
        DataError: the pattern cannot be understood, or fits no file.
    """
    notes: list[str] = []
    if options.pattern:
        pattern, root = parse(options.pattern), path
        reason = f"names like {pattern.text}, as data.pattern says"
    else:
        flat = _flat(path)
        found = None if flat is None else _guess(flat)
        assert flat is not None and found is not None, "read follows sniff"
        pattern, root = found, flat
        reason = f"recordings with names like {pattern.text}"
    kind, fits, others = _matched(root, pattern)
    fields = {name: [each[place] for _, each in fits] for place, name in enumerate(pattern.fields) if name != "_"}
    if others:
        notes.append(f"{len(others):,} {kind.thing}s do not fit the pattern and were left out, such as {others[0]}")
    if not options.pattern:
        labels = sorted(set(fields["label"]))
        notes.append(
            f"the labels are guessed from the names, {pattern.text}: {', '.join(labels[:6])}"
            f"{', ...' if len(labels) > 6 else ''} (change: --set 'data.pattern={pattern.text}')"
        )
    group = _group(options.group_column, fields, notes)
    splits = _splits(fields)
    return Listing(
        name=path.resolve().name,
        format="file names with labels",
        reason=reason,
        names=text_array([file for file, _ in fits]),
        truth=text_array(fields["label"]),
        splits=text_array(with_test(splits, options.test_where, fields, notes)),
        content=tuple(root / file for file, _ in fits),
        groups=text_array(fields[group]) if group else None,
        notes=tuple(notes),
        modality=kind.modality,
    )


def _matched(root: Path, pattern: Pattern) -> tuple[Kind, list[tuple[str, tuple[str, ...]]], list[str]]:
    """Return what the files are, those that fit with their fields, and those that do not."""
    if not root.is_dir():
        raise DataError(f"data.pattern is for a folder of files, and {root} is none.")
    files = [file for file in _below(root) if any(file.lower().endswith(tuple(kind.suffixes)) for kind in KINDS)]
    found: list[tuple[str, tuple[str, ...]]] = []
    others = []
    for file in files:
        compared = file if pattern.is_path else file.rpartition("/")[2]
        values = pattern.values(compared) if pattern.has_ending else pattern.values(os.path.splitext(compared)[0])
        if values is None:
            others.append(file)
        else:
            found.append((file, values))
    if not found:
        such = f", such as {files[0]}" if files else ""
        raise DataError(
            f"data.pattern = '{pattern.text}' fits none of the {len(files):,} images and recordings below {root}{such}."
        )
    counts = Counter(kind for file, _ in found for kind in KINDS if file.lower().endswith(tuple(kind.suffixes)))
    kind = counts.most_common(1)[0][0]
    of_kind = [each for each in found if each[0].lower().endswith(tuple(kind.suffixes))]
    others += [file for file, _ in found if not file.lower().endswith(tuple(kind.suffixes))]
    return kind, of_kind, others


def _below(root: Path) -> list[str]:
    """Return the paths of all files below a folder, sorted, without hidden ones."""
    found = []
    for place, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name != "__MACOSX")
        found += [Path(place, name).relative_to(root).as_posix() for name in names if not name.startswith(".")]
    return sorted(found)


def _group(wanted: str, fields: dict[str, list[str]], notes: list[str]) -> str:
    if wanted == "none":
        return ""
    if wanted and wanted not in fields:
        raise DataError(
            f"data.group_column = '{wanted}', but the names have no such field.{did_you_mean(wanted, fields)} "
            f"Their fields: {', '.join(fields)}."
        )
    if not wanted and "group" not in fields:
        like = next((name for name in fields if name.lower() in LIKE_GROUPS), "")
        if like:
            notes.append(
                f"examples of one {like} stand on both sides of the splits; for a score on {like}s that were never "
                f"heard: --set data.group_column={like}"
            )
    return wanted or ("group" if "group" in fields else "")


def _splits(fields: dict[str, list[str]]) -> list[str]:
    words = fields.get("split")
    if words is None:
        return [""] * len(fields["label"])
    unknown = sorted({word for word in words if not split_named(word)})
    if unknown:
        raise DataError(
            f"The field {{split}} of data.pattern holds {', '.join(unknown[:5])}; expected train, validation or test. "
            "Give the field another name."
        )
    return [split_named(word) for word in words]


def _flat(path: Path) -> Path | None:
    """Return the one folder that holds recordings itself: the one that was named, or the only one below it."""
    if not path.is_dir():
        return None
    inside = [folder for folder in subfolders(path) if holds(folder, SOUNDS)]
    if not inside:
        return path if _loose(path) else None
    deeper = len(inside) > 1 or any(holds(folder, SOUNDS) for folder in subfolders(inside[0]))
    return None if deeper or _loose(path) else inside[0]


def _loose(folder: Path) -> list[str]:
    """Return the names of the recordings that lie directly in a folder, sorted."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".")]
    return sorted(name for name in names if os.path.splitext(name)[1].lower() in SOUNDS.suffixes)


def _guess(root: Path) -> Pattern | None:
    """Guess how names are made: parts between separators, of which the first that repeats enough is the label."""
    names = _loose(root)
    stems = [os.path.splitext(name)[0] for name in names[:: max(1, len(names) // SAMPLE)]]
    for separator in SEPARATORS:
        parts = [stem.split(separator) for stem in stems]
        count, common = Counter(map(len, parts)).most_common(1)[0]
        if count < 2 or count > MOST_FIELDS or common < SHARE * len(stems):
            continue
        columns = list(zip(*(each for each in parts if len(each) == count), strict=True))
        label = next((place for place, cells in enumerate(columns) if 2 <= len(set(cells)) <= common / PER_LABEL), None)
        if label is None:
            continue
        fields = [f"{{field{place + 1}}}" if place != label else "{label}" for place in range(count)]
        return parse(separator.join(fields))
    return None


KINDS = (IMAGES, SOUNDS)
"""What a pattern may find."""
