"""Who chose each option of a run and why: kept in `origins.json` beside `run.toml`, whose comments are for people.

    {"training.epochs": {"value": 20, "origin": "guessed", "reason": "the default for 1,797 examples"}, ...}

The value stands there too, so that an option that was changed in the run file later is known to come from the file.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sonde.config.settings import Setting, Settings
from sonde.config.toml import toml_value


def origins_of(settings: Settings) -> dict[str, Any]:
    """Return the content of origins.json.

    Args:
        settings: every option of a run.
    """
    return {
        key: {"value": each.value, "origin": each.origin, **({"reason": each.reason} if each.reason else {})}
        for key, each in settings.items()
    }


def with_origins(settings: Settings, origins: Mapping[str, Any]) -> Settings:
    """Return the options of a run file with their origins.

    Args:
        settings: as the run file has them.
        origins: content of origins.json, of the right shape.
    """
    return Settings({key: _with_origin(each, origins.get(key)) for key, each in settings.items()})


def _with_origin(setting: Setting, known: Mapping[str, Any] | None) -> Setting:
    # As they are written: a list was a tuple, and 1 and 1.0 are two values.
    if known is None or toml_value(setting.value) != toml_value(known["value"]):
        return setting
    return replace(setting, origin=known["origin"], reason=known.get("reason", ""))
