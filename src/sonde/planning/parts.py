"""The tables of a run file: which room owns each, in the order in which they are written."""

from typing import Any

from sonde import data, evaluation, training
from sonde.answers import ANSWERS, TASKS
from sonde.config import Options as OptionSet
from sonde.config import Run, Settings, describe
from sonde.config.settings import Setting
from sonde.errors import ConfigError
from sonde.models import options_of

TABLES = ("run", "data", *data.MODALITIES, "augment", "model", *sorted(ANSWERS), "training", "evaluation")
"""Every table that there may be; a run has those of its own modality and answer."""


def parts(settings: Settings) -> dict[str, type[OptionSet]]:
    """Return the options class of each part of a run; [augment] is a table of its own.

    Args:
        settings: decide the task and the model, whose options these are.
    """
    task = TASKS[settings.value("run.task")]
    return {
        "run": Run,
        "data": data.Options,
        task.modality: data.MODALITIES[task.modality].options,
        "model": options_of(settings.value("run.model")),
        task.answer: task.row.options,
        "training": training.Options,
        "evaluation": evaluation.Options,
    }


def modality_of(settings: Settings) -> str:
    """Return what is read: the modality of the run's task."""
    return TASKS[settings.value("run.task")].modality


def refuse_other_tables(settings: Settings) -> None:
    """Refuse options of what is read or asked in another task."""
    task = TASKS[settings.value("run.task")]
    for part, options in ((name, settings.part(name)) for name in (*data.MODALITIES, *ANSWERS)):
        for name, setting in options.items():
            if part in data.MODALITIES and part != task.modality:
                raise ConfigError(
                    f"{at(setting)}{part}.{name} is an option of {part} data, and {settings.value('run.data')} is "
                    f"{task.modality} data. Leave it out, or name the task (sonde list tasks): --set run.task=TASK."
                )
            if part in ANSWERS and part != task.answer:
                raise ConfigError(
                    f"{at(setting)}{part}.{name} is an option of other tasks, and this run is of "
                    f"{settings.value('run.task')}. Leave it out, or name the task (sonde list tasks): "
                    "--set run.task=TASK."
                )


def at(setting: Setting) -> str:
    """Return where a setting was given, to begin an error with."""
    return f"{setting.place}: " if setting.place else ""


def in_order(settings: Settings) -> Settings:
    """Put the tables, and the options of each, in the order in which they are declared."""
    declared, ordered = parts(settings), dict[str, Setting]()
    for part in TABLES:
        names = declared[part].model_fields if part in declared else settings.part(part)
        ordered.update({f"{part}.{name}": settings[f"{part}.{name}"] for name in names})
    ordered.update({key: setting for key, setting in settings.items() if key not in ordered})
    return Settings(ordered)


def sentences(settings: Settings) -> dict[str, str]:
    """Return the help of every option of a run by "part.option", with its range.

    Args:
        settings: decide the model, whose options are among them.
    """
    out = {f"augment.{name}": row.doc for name, row in data.AUGMENTATIONS[modality_of(settings)].items()}
    for part, options in parts(settings).items():
        out.update({f"{part}.{name}": sentence for name, sentence in describe(options).items()})
    return out


def schema(settings: Settings) -> dict[str, Any]:
    """Return a JSON Schema of run files, for editors.

    Args:
        settings: decide the model, whose options are in it.
    """
    tables = {part: options.model_json_schema() for part, options in parts(settings).items()}
    for table in tables.values():
        table.pop("required", None)
    numbers = {
        name: {"type": "number", "minimum": row.low, "maximum": row.high, "description": row.doc}
        for name, row in data.AUGMENTATIONS[modality_of(settings)].items()
    }
    tables["augment"] = {"type": "object", "properties": numbers, "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sonde run file",
        "type": "object",
        "properties": tables,
        "additionalProperties": False,
    }
