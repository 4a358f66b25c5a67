"""Imports only go down, rooms on one floor do not meet, and nobody inside goes through the front door."""

import pytest

from rules.source import Module, house, imports, names_of, room_of

NUMPY_COLUMN = {"errors", "config", "drawing", "data", "metrics", "answers"}
KERAS_COLUMN = {"errors", "config", "backend", "models"}
STAGES = {"training", "evaluation", "export"}
HOUSE = NUMPY_COLUMN | KERAS_COLUMN | STAGES | {"serving"}

BELOW: dict[str, set[str]] = {
    "errors": set(),
    "config": {"errors"},
    "drawing": {"errors"},
    "data": {"errors", "config", "drawing"},
    "metrics": {"errors", "config", "drawing"},
    "answers": NUMPY_COLUMN - {"answers"},
    "backend": {"errors", "config"},
    "models": KERAS_COLUMN - {"models"},
    "training": NUMPY_COLUMN | KERAS_COLUMN,
    "evaluation": NUMPY_COLUMN | KERAS_COLUMN,
    "export": NUMPY_COLUMN | KERAS_COLUMN,
    "serving": NUMPY_COLUMN,
    "terminal": HOUSE,
    # What the verbs are made of; each of these sees all rooms, as its work is to bring them together.
    "tables": HOUSE,
    "environment": HOUSE,
    "planning": HOUSE,
    "stages": HOUSE | {"terminal", "environment", "planning"},
    "ensembles": HOUSE | {"environment"},
    "studies": HOUSE | {"terminal", "planning", "stages", "ensembles"},
    "api": HOUSE | {"terminal", "tables", "planning", "stages", "ensembles", "studies"},
    "cli": {"api", "terminal", "errors"},
    "__main__": {"cli"},
    "": {"api", "errors"},
}
"""What each room may import; "" is the front door."""


def climbs(modules: tuple[Module, ...] | list[Module]) -> list[str]:
    """Return each import that does not go down."""
    known = names_of(modules) | {"sonde"}
    found = []
    for module in modules:
        if module.room not in BELOW:
            found.append(f"{module.name}: the room '{module.room}' stands on no floor; give it a row in BELOW")
            continue
        for each in imports(module, known):
            if each.target.split(".")[0] != "sonde" or (each.target, each.name) == ("sonde", "__version__"):
                continue
            room = room_of(each.target)
            if room == "" and each.name:
                found.append(f"{module.name}:{each.line} imports '{each.name}' through the front door")
            elif room != module.room and room not in BELOW[module.room]:
                found.append(f"{module.name}:{each.line} imports {each.target}")
    return found


def test_imports_only_go_down() -> None:
    assert climbs(house()) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sonde.errors", "from sonde.config import Run"),
        ("sonde.config.run", "import sonde.data"),
        ("sonde.drawing.chart", "from sonde.metrics.curves import Curve"),
        ("sonde.data.spec", "from sonde import metrics"),
        ("sonde.metrics.confusion", "from sonde.data.dataset import Dataset"),
        ("sonde.backend.torch", "from sonde.answers import TASKS"),
        ("sonde.models.cnn", "from sonde.data import Dataset"),
        ("sonde.answers.names", "def late():\n    from sonde.models import MODELS"),
        ("sonde.evaluation.report", "import sonde.training.loop"),
        ("sonde.training.loop", "if TYPE_CHECKING:\n    from sonde import evaluation"),
        ("sonde.evaluation.report", "from sonde.terminal import say"),
        ("sonde.terminal.printing", "from sonde import api"),
        ("sonde.api", "from sonde.cli import main"),
        ("sonde.cli", "from sonde.training import loop"),
        ("sonde.data.spec", "from ..metrics import METRICS"),
        ("sonde.training.loop", "from sonde import train"),
        ("sonde.attic.trunk", "import json"),
    ],
)
def test_an_import_that_climbs_or_crosses_is_found(name: str, text: str) -> None:
    rooms = [Module(f"sonde.{room}", "", is_package=True) for room in BELOW if room not in ("", name.split(".")[1])]
    assert len(climbs([Module(name, text), *rooms])) == 1


def test_an_import_that_goes_down_or_stays_in_its_room_is_allowed() -> None:
    text = (
        "import numpy\nfrom sonde import __version__, config\nfrom sonde.data.dataset import Dataset\nfrom . import x"
    )
    rooms = [Module("sonde.config", "", is_package=True), Module("sonde.data", "", is_package=True)]
    assert climbs([Module("sonde.data.spec", text), *rooms]) == []
