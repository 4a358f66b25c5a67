"""What was found in the data, in words, to stand above what was chosen."""

from sonde.config import Settings
from sonde.planning.plan import Plan

MOST_NOTES = 4
"""Notes on the data that are shown on the terminal; the report has all."""


def facts(plan: Plan) -> dict[str, str]:
    """Return what was found in the data, in words, to stand above what was chosen.

    Args:
        plan: the run.
    """
    dataset = plan.dataset
    sides = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    found = {
        "data": f"{dataset.name} ({plan.listing.format}: {plan.listing.reason})",
        **plan.row.in_words(plan.target),
        "splits": ", ".join(f"{name} {len(each):,} ({dataset.split_origin[name]})" for name, each in sides.items()),
    }
    findings = dataset.findings
    if findings.bad_files:
        name, reason = findings.bad_files[0]
        more = f", and {len(findings.bad_files) - 1} more in the report" if len(findings.bad_files) > 1 else ""
        found["left out"] = f"{name}: {reason}{more}"
    if findings.duplicates:
        found["copies"] = f"{findings.duplicates:,} exact duplicates"
    if findings.leak_count:
        found["leakage"] = f"{findings.leak_count:,} test or validation examples have an exact copy in another split"
    notes = list(dict.fromkeys([*plan.warnings, *findings.notes]))
    if notes:
        more = f" And {len(notes) - MOST_NOTES} more in the report." if len(notes) > MOST_NOTES else ""
        found["notes"] = " ".join(_as_sentence(note) for note in notes[:MOST_NOTES]) + more
    if given := _given(plan.settings):
        found["given"] = given
    return found


def _as_sentence(note: str) -> str:
    return note[:1].upper() + note[1:] + ("" if note.endswith((".", "!", "?")) else ".")


def _given(settings: Settings) -> str:
    """Name what every run is told by, where it was not guessed: the guesses stand in a table of their own."""
    words = []
    for key in ("run.task", "run.model", "image.size", "training.precision"):
        setting = settings.get(key)
        if setting is not None and setting.origin != "guessed":
            value = "x".join(map(str, setting.value)) if isinstance(setting.value, list | tuple) else setting.value
            name = key.removeprefix("run.").removeprefix("training.").replace(".", " ")
            words.append(f"{name} {value} ({setting.origin})")
    return ", ".join(words)
