"""The run folder: where every stage of a run leaves its part and finds the others'.

runs/<name>/
  run.toml            every option, and in comments who chose it
  origins.json        who chose each option, and why
  environment.json    versions, hardware, threads, dataset fingerprint
  history.jsonl       a line for each epoch
  checkpoints/        complete or invisible
  model/              our own description, weights, digests
  scores.json         the scores with their intervals
  predictions.parquet truth, guess and probabilities of every test example
  plots/, report.html, explanations/
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonde.config.disk import append_line, write_atomically, write_folder_atomically
from sonde.config.origins import origins_of, with_origins
from sonde.config.schemas import EPOCH, SHAPES, fault
from sonde.config.settings import Settings
from sonde.config.toml import read_settings
from sonde.config.untrusted import LARGEST_JSON, Unsound, parse_json, read_json, read_text
from sonde.errors import ConfigError, RunError, StorageError, did_you_mean, shortened

RUNS = Path("runs")
"""Where runs live, below the folder that sonde is started in."""


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run; holds paths and reads or writes the small files."""

    path: Path

    def __fspath__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def settings_file(self) -> Path:
        return self.path / "run.toml"

    @property
    def origins_file(self) -> Path:
        return self.path / "origins.json"

    @property
    def history_file(self) -> Path:
        return self.path / "history.jsonl"

    @property
    def scores_file(self) -> Path:
        return self.path / "scores.json"

    @property
    def predictions_file(self) -> Path:
        return self.path / "predictions.parquet"

    @property
    def environment_file(self) -> Path:
        return self.path / "environment.json"

    @property
    def findings_file(self) -> Path:
        return self.path / "findings.json"

    @property
    def report_file(self) -> Path:
        return self.path / "report.html"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        return self.path / "model"

    @property
    def plots(self) -> Path:
        return self.path / "plots"

    @property
    def explanations(self) -> Path:
        return self.path / "explanations"

    def settings(self) -> Settings:
        """Read the run's options, with who chose each; a copied or changed run file's count as from the file.

        Raises:
            ConfigError: the run file is damaged.
            RunError: origins.json is.
        """
        said = read_settings(self.settings_file)
        return with_origins(said, self.read_json(self.origins_file)) if self.origins_file.exists() else said

    def history(self) -> list[dict[str, Any]]:
        """Read the records of the epochs; a last line that a crash cut off is left out.

        Raises:
            RunError: the file is damaged.
        """
        try:
            lines = read_text(self.history_file, largest=LARGEST_JSON).split("\n")
        except FileNotFoundError:
            return []
        except Unsound as error:
            raise self._damaged(self.history_file, str(error)) from None
        records = []
        for number, line in enumerate(lines, 1):
            # What follows the last line break is nothing, or was not written to its end.
            if number == len(lines) and not _is_json(line):
                break
            records.append(self._epoch(number, line))
        return records

    def _epoch(self, number: int, line: str) -> dict[str, Any]:
        try:
            record: dict[str, Any] = parse_json(line)
            reason = fault(EPOCH, record)
        except Unsound as error:
            reason = str(error)
        if reason:
            raise self._damaged(self.history_file, f"line {number:,} is no record of an epoch ({reason})")
        return record

    def append_history(self, record: dict[str, Any]) -> None:
        """Add the record of one epoch."""
        append_line(self.history_file, json.dumps(record))

    def write_history(self, records: list[dict[str, Any]]) -> None:
        """Replace the history, as resuming does when it goes back to a checkpoint."""
        write_atomically(self.history_file, "".join(json.dumps(record) + "\n" for record in records))

    def scores(self) -> dict[str, Any]:
        """Read the run's scores: metric to value, low, high and n under "test", and much beside.

        Raises:
            RunError: the run was not evaluated yet.
        """
        return self.read_json(self.scores_file)

    def read_json(self, path: Path) -> dict[str, Any]:
        """Read one of the run's JSON files, which anybody may have written.

        Raises:
            RunError: the file is missing or damaged; the text names the verb that writes it.
        """
        try:
            content = read_json(path)
        except FileNotFoundError:
            raise RunError(f"The run '{self.name}' has no {path.name}. ({self._cure(path)})") from None
        except Unsound as error:
            raise self._damaged(path, str(error)) from None
        if not isinstance(content, dict):
            raise self._damaged(path, "it holds no table")
        if path.name in SHAPES and (reason := fault(SHAPES[path.name], content)):
            raise self._damaged(path, reason)
        return content

    def fingerprint(self) -> str:
        """Read the fingerprint of the data that the run began with.

        Raises:
            RunError: environment.json is missing or damaged.
        """
        found = (self.read_json(self.environment_file).get("dataset") or {}).get("fingerprint")
        if not found:
            raise self._damaged(self.environment_file, "it names no fingerprint of the data")
        return str(found)

    def _damaged(self, path: Path, reason: str) -> RunError:
        return RunError(f"{path} is damaged: {reason}. ({self._cure(path)})")

    def _cure(self, path: Path) -> str:
        if path.name == self.scores_file.name:
            return f"sonde evaluate {self.path} writes it anew."
        if path.name == self.origins_file.name:
            return "Remove it, and every option counts as from the run file."
        anew = f"train anew: sonde train {self.settings_file} --name NEW"
        if path.name == self.history_file.name:
            return f"Remove it, and the report has no curves; or {anew}"
        return f"Only training writes it; {anew}"

    def write_json(self, path: Path, content: dict[str, Any]) -> None:
        """Write one of the run's JSON files; numbers that are not finite are refused."""
        write_atomically(path, _json(content))


def create_run(
    name: str, *, settings: Settings, text: str, environment: dict[str, Any], findings: dict[str, Any]
) -> RunFolder:
    """Make a new run's folder with all that going on with it needs; it appears in one step.

    Args:
        name: the run's name.
        settings: every option, with its origin.
        text: content of run.toml, as it was written from them.
        environment: content of environment.json.
        findings: content of findings.json.

    Raises:
        RunError: a run of that name exists.
        StorageError: the disk is full or the folder cannot be written.
    """
    check_room(name)
    folder = RunFolder(RUNS / name)
    files = {
        folder.environment_file.name: _json(environment),
        folder.findings_file.name: _json(findings),
        folder.origins_file.name: _json(origins_of(settings)),
        folder.settings_file.name: text,
    }
    write_folder_atomically(folder.path, files, marker=folder.settings_file.name, replace=False)
    return folder


def check_room(name: str) -> None:
    """Refuse a name that a run has, and a place that cannot be written, before any work is done.

    Args:
        name: the name of a run that is to be made.

    Raises:
        RunError: a run of that name exists.
        StorageError: the folder of the runs cannot be written.
    """
    folder = RunFolder(RUNS / name)
    if RUNS.exists() and not RUNS.is_dir():
        raise StorageError(f"{RUNS} is no folder, and runs are kept in it; rename it, or start sonde elsewhere.")
    place = RUNS if RUNS.exists() else Path()
    if not os.access(place, os.W_OK | os.X_OK):
        raise StorageError(
            f"Cannot write in {place.resolve()}, where the run's folder would be. "
            "Change its permissions, or start sonde in a folder that you may write to."
        )
    if folder.path.exists() and not (folder.path.is_dir() and not any(folder.path.iterdir())):
        raise RunError(
            f"There is a run called '{name}' already ({folder.path}). Choose another with --name, "
            f"go on with it (sonde resume {folder.path}), or remove the folder."
        )


def _is_json(line: str) -> bool:
    try:
        parse_json(line, finite=False)
    except Unsound:
        return False
    return True


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def free_name(stem: str) -> str:
    """Return the first of stem-1, stem-2, ... that no run has."""
    clean = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in stem).strip("-") or "run"
    taken = set(os.listdir(RUNS)) if RUNS.is_dir() else set()
    return next(name for number in range(1, 10**9) if (name := f"{clean[:80]}-{number}") not in taken)


def open_run(path: str | os.PathLike[str]) -> RunFolder:
    """Find a run by its path or by its name under `runs/`, or take what a verb returned.

    Raises:
        ConfigError: it is neither.
        RunError: there is no such run, or a part of it is a link.
    """
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(f"{path!r} is no run; name its folder, its name under {RUNS}/, or what sonde.train returned.")
    for candidate in (Path(path), RUNS / path):
        # Not `Path.is_file`, which fails on a name that is longer than the system allows.
        if os.path.isfile(candidate / "run.toml"):
            folder = RunFolder(candidate)
            _refuse_links(folder)
            return folder
    for candidate in (Path(path), RUNS / path):
        if os.path.isfile(RunFolder(candidate).environment_file) or os.path.isdir(RunFolder(candidate).model):
            raise RunError(
                f"The run in {candidate} has no run.toml, which holds its options; put it back from a copy, "
                "or train anew: sonde train DATA --name NEW"
            )
    # A name with a dot in front is what a killed process left half-made.
    found = [entry.name for entry in RUNS.iterdir() if entry.is_dir()] if RUNS.is_dir() else []
    known = sorted(name for name in found if not name.startswith("."))
    word = Path(path).name
    raise RunError(
        f"There is no run at '{shortened(str(path))}'.{did_you_mean(word, known)} "
        + (f"Runs here: {', '.join(known[-8:])}." if known else "No runs here yet: sonde train DATA makes one.")
    )


def _refuse_links(folder: RunFolder) -> None:
    """Refuse a run in which sonde would write, replace or remove files that lie elsewhere; anybody may have made it."""
    parts = [folder.checkpoints, folder.plots, folder.explanations, folder.model, folder.history_file]
    for other in folder.path.glob("on-*"):
        parts += [other, RunFolder(other).plots, RunFolder(other).explanations]
    if folder.checkpoints.is_dir() and not folder.checkpoints.is_symlink():
        parts += folder.checkpoints.iterdir()
    for part in parts:
        if part.is_symlink():
            raise RunError(
                f"{part} is a link to {part.readlink()}, and sonde would write and remove files there. "
                "Put the folder or file itself in its place, or remove the link. (The run's own folder may be a link.)"
            )
