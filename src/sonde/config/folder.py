"""The run folder: where every stage of a run leaves its part and finds the others'.

runs/<name>/
  run.toml            every option, and who chose it
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

from sonde.config.files import append_line, write_atomically, write_folder_atomically
from sonde.config.settings import Settings
from sonde.config.toml import read_settings
from sonde.errors import ConfigError, RunError, StorageError, did_you_mean

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
        """Read the run's options."""
        return read_settings(self.settings_file)

    def history(self) -> list[dict[str, Any]]:
        """Read the records of the epochs; a line cut off by a crash is left out.

        Raises:
            RunError: the file is damaged.
        """
        if not self.history_file.exists():
            return []
        records = []
        try:
            lines = self.history_file.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise self._damaged(self.history_file, str(error)) from None
        for number, line in enumerate(lines, 1):
            try:
                records.append(json.loads(line))
            except json.JSONDecodeError:
                break
            if not _is_epoch(records[-1]):
                raise self._damaged(self.history_file, f"line {number} is no record of an epoch")
        return records

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
        """Read one of the run's JSON files.

        Raises:
            RunError: the file is missing or damaged; the text names the verb that writes it.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"The run '{self.name}' has no {path.name}. ({self._cure(path)})") from None
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise self._damaged(path, str(error)) from None
        if not isinstance(content, dict):
            raise self._damaged(path, "it holds no table")
        return content

    def fingerprint(self) -> str:
        """Read the fingerprint of the data that the run began with.

        Raises:
            RunError: environment.json is missing or damaged.
        """
        dataset = self.read_json(self.environment_file).get("dataset")
        found = dataset.get("fingerprint") if isinstance(dataset, dict) else None
        if not isinstance(found, str):
            raise self._damaged(self.environment_file, "it names no fingerprint of the data")
        return found

    def _damaged(self, path: Path, reason: str) -> RunError:
        return RunError(f"{path} is damaged: {reason}. ({self._cure(path)})")

    def _cure(self, path: Path) -> str:
        if path == self.scores_file:
            return f"sonde evaluate {self.path} writes it anew."
        anew = f"train anew: sonde train {self.settings_file} --name NEW"
        if path == self.history_file:
            return f"Remove it, and the report has no curves; or {anew}"
        return f"Only training writes it; {anew}"

    def write_json(self, path: Path, content: dict[str, Any]) -> None:
        """Write one of the run's JSON files; numbers that are not finite are refused."""
        write_atomically(path, _json(content))


def create_run(name: str, *, settings: str, environment: dict[str, Any], findings: dict[str, Any]) -> RunFolder:
    """Make a new run's folder with all that going on with it needs; it appears in one step.

    Args:
        name: the run's name.
        settings: content of run.toml.
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
        folder.settings_file.name: settings,
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


def _is_epoch(record: Any) -> bool:
    if not isinstance(record, dict) or type(record.get("epoch")) is not int:
        return False
    return all(isinstance(record.get(part) or {}, dict) for part in ("train", "validation", "clock"))


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
        if (candidate / "run.toml").is_file():
            folder = RunFolder(candidate)
            _refuse_links(folder)
            return folder
    for candidate in (Path(path), RUNS / path):
        if RunFolder(candidate).environment_file.is_file() or RunFolder(candidate).model.is_dir():
            raise RunError(
                f"The run in {candidate} has no run.toml, which holds its options; put it back from a copy, "
                "or train anew: sonde train DATA --name NEW"
            )
    # A name with a dot in front is what a killed process left half-made.
    found = [entry.name for entry in RUNS.iterdir() if entry.is_dir()] if RUNS.is_dir() else []
    known = sorted(name for name in found if not name.startswith("."))
    word = Path(path).name
    raise RunError(
        f"There is no run at '{path}'.{did_you_mean(word, known)} "
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
