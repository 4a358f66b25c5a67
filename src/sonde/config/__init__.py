"""What a run is: its options with their origins, the file that holds them, and the run folder."""

from sonde.config.fill import describe, fill, with_defaults
from sonde.config.options import Options
from sonde.config.recipes import RECIPES, recipe, recipe_follows, recipe_of_answer
from sonde.config.run import Run
from sonde.config.run_folder import RUNS, RunFolder, check_room, create_run, free_name, open_run
from sonde.config.settings import Setting, Settings, check_tables, from_assignments, from_words, guessed, is_run_file
from sonde.config.toml import read_settings, write_settings

__all__ = [
    "RECIPES",
    "RUNS",
    "Options",
    "Run",
    "RunFolder",
    "Setting",
    "Settings",
    "check_room",
    "check_tables",
    "create_run",
    "describe",
    "fill",
    "free_name",
    "from_assignments",
    "from_words",
    "guessed",
    "is_run_file",
    "open_run",
    "read_settings",
    "recipe",
    "recipe_follows",
    "recipe_of_answer",
    "with_defaults",
    "write_settings",
]
