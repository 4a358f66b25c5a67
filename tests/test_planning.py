"""A plan holds every option with its origin, and refuses what cannot be before anything is written."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from makers import class_folders
from sonde import data, planning
from sonde.answers import ANSWERS
from sonde.config import Settings, from_assignments, from_words
from sonde.config.settings import Origin
from sonde.data import AUGMENTATIONS, MODALITIES
from sonde.errors import BackendError, ConfigError, DataError, SondeError
from sonde.planning.parts import TABLES


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SONDE_CACHE", str(tmp_path / "cache"))


def said(*words: str, data: str = "digits") -> Settings:
    return from_assignments(["training.precision=fp32", *words]).over(from_words({"run.data": data}))


def test_a_plan_resolves_every_option_of_every_part() -> None:
    plan = planning.make_plan(said("run.epochs=2"))
    for part, options in planning.parts(plan.settings).items():
        assert set(options.model_fields) == set(plan.settings.part(part))
    assert {key.partition(".")[0] for key in plan.settings} == (
        set(TABLES) - set(MODALITIES) - set(ANSWERS) | {"image", "classification"}
    )
    assert all(setting.origin in get_args(Origin) for setting in plan.settings.values())
    assert all(setting.reason for setting in plan.settings.values() if setting.origin == "guessed")
    assert all(key in planning.sentences(plan.settings) for key in plan.settings)


def test_what_was_said_stands() -> None:
    plan = planning.make_plan(said("run.epochs=2", "training.batch_size=7", "image.size=[6, 6]", "model.width=4"))
    assert plan.settings["run.epochs"].origin == "command line"
    assert plan.settings.value("training.batch_size") == 7
    assert plan.dataset.spec.shape == (6, 6, 1)


def test_planning_writes_nothing(tmp_path: Path) -> None:
    planning.make_plan(said())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("run.model=lenett", "Did you mean 'lenet'?"),
        ("run.task=image-clasification", "Did you mean 'image-classification'?"),
        ("run.recipe=fsat", "Did you mean 'fast'?"),
        ("model.widht=3", "Did you mean 'width'?"),
        ("training.epochs=3", "[training] has no option called 'epochs'"),
        ("augment.flp=0.5", "Did you mean 'flip'?"),
        ("augment.flip=2", "flip"),
        ("text.length=9", "text.length is an option of text data, and digits is image data"),
        ("evaluation.resample=100", "Did you mean 'resamples'?"),
        ("run.name=../../x", "letters, digits"),
        ("run.epochs=0", "at least 1"),
        ("image.size=[0, 8]", "at least 1"),
    ],
)
def test_a_wrong_word_is_refused_with_a_suggestion_or_a_range(word: str, says: str) -> None:
    with pytest.raises(SondeError) as caught:
        planning.make_plan(said(word))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("words", "model", "views"),
    [
        ([], "fast", "shift"),
        (["augment.flip=0.5"], "fast", "flip"),
        (["run.model=cnn"], "cnn", "one"),
        (["evaluation.views=one"], "fast", "one"),
    ],
)
def test_a_recipe_is_a_guess_that_what_is_said_goes_before(words: list[str], model: str, views: str) -> None:
    settings = planning.make_plan(said("run.recipe=fast", "training.batch_size=64", *words)).settings
    assert (settings.value("run.model"), settings.value("evaluation.views")) == (model, views)
    assert (settings.value("training.optimizer"), settings.value("training.batch_size")) == ("muon", 64)
    rate = settings["training.learning_rate"]
    assert (rate.value, rate.origin, rate.reason) == (0.05, "guessed", "the recipe 'fast'")


def test_a_recipe_sets_what_the_task_has_of_its_options(tmp_path: Path) -> None:
    settings = planning.make_plan(said("run.recipe=fast")).settings
    smoothing = settings["classification.label_smoothing"]
    assert (smoothing.value, smoothing.reason) == (0.1, "the recipe 'fast'")
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for number in range(20):
        Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(tmp_path / f"images/{number}.png")
    rows = [f"images/{number}.png,{number / 7}" for number in range(20)]
    (tmp_path / "areas.csv").write_text("\n".join(["path,area", *rows]))
    words = {"run.data": str(tmp_path / "areas.csv"), "run.recipe": "fast", "data.label_column": "area"}
    settings = planning.make_plan(from_words(words)).settings
    assert settings.value("run.task") == "image-regression" and settings.value("run.model") == "fast"
    assert not settings.part("classification")


@pytest.mark.parametrize("data", ["wine", "breast-cancer"])
def test_views_are_refused_where_there_are_none(data: str) -> None:
    with pytest.raises(ConfigError, match=r"evaluation\.views = 'flip' averages over views of an image"):
        planning.make_plan(from_words({"run.data": data, "evaluation.views": "flip"}))


def test_a_recipe_goes_before_what_a_run_file_says_of_the_same_options() -> None:
    Path("old.toml").write_text(
        '[run]\ndata = "digits"\nmodel = "cnn"\n[model]\nwidth = 4\nnorm = 1\n[evaluation]\nviews = "one"\n'
        '[training]\noptimizer = "adamw"\nlearning_rate = 0.1\nbatch_size = 7\nwarm_up = 0.3\n'
    )
    merged, note = planning.merge(
        from_words({"run.recipe": "fast", "training.batch_size": 50, "training.precision": "fp32"}), "old.toml"
    )
    assert "run.model" not in merged and not merged.part("model")
    assert "are for 'cnn' and are set aside for 'fast'" in note
    assert "that the recipe 'fast' sets are set aside" in note
    merged = from_words({"run.data": "digits"}).over(merged)
    settings = planning.make_plan(merged).settings
    assert (settings.value("run.model"), settings.value("evaluation.views")) == ("fast", "shift")
    assert (settings.value("training.learning_rate"), settings.value("training.batch_size")) == (0.05, 50)
    assert settings.value("training.warm_up") == 0.3


def test_a_run_file_that_sets_otherwise_than_the_recipe_it_names_is_told_so() -> None:
    Path("both.toml").write_text(
        '[run]\ndata = "digits"\nrecipe = "fast"\nmodel = "cnn"\n[training]\noptimizer = "muon"\nbatch_size = 7\n'
    )
    merged, note = planning.merge(Settings(), "both.toml")
    assert merged.value("run.model") == "cnn"
    assert "names the recipe 'fast' and sets otherwise itself: run.model, training.batch_size." in note
    assert planning.merge(from_words({"run.recipe": ""}), "both.toml")[1] == ""
    Path("bad.toml").write_text('[run]\ndata = "digits"\nrecipe = "fsat"\n')
    with pytest.raises(ConfigError, match=r"bad\.toml, line 3: .*Did you mean 'fast'\?"):
        planning.merge(Settings(), "bad.toml")


def test_an_unknown_backend_and_one_too_many_are_refused() -> None:
    with pytest.raises(BackendError, match=r"Did you mean 'torch'\?"):
        planning.make_plan(said("run.backend=torhc"))
    planning.make_plan(said())
    with pytest.raises(BackendError, match="one per process"):
        planning.make_plan(said("run.backend=jax"))


def test_a_path_that_is_not_there_is_a_clear_answer() -> None:
    with pytest.raises(DataError, match="digits"):
        planning.make_plan(said(data="digit"))
    with pytest.raises(ConfigError, match="names no data"):
        planning.make_plan(from_assignments(["run.epochs=3"]))


def test_the_data_of_a_run_file_is_found_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class_folders(tmp_path / "there" / "pets")
    (tmp_path / "there" / "run.toml").write_text("[run]\ndata = 'pets'\n")
    assert planning.merge(Settings(), "there/run.toml")[0].value("run.data") == str(Path("there/pets"))
    monkeypatch.chdir(tmp_path / "there")
    assert planning.merge(Settings(), "run.toml")[0].value("run.data") == "pets"


def test_the_options_of_another_model_are_set_aside_and_said(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text("[run]\ndata = 'digits'\nmodel = 'cnn'\n[model]\nstages = 2\n")
    settings, note = planning.merge(from_assignments(["run.model=mlp"]), str(file))
    assert "model.stages" not in settings
    assert "are for 'cnn'" in note
    assert planning.merge(from_assignments(["run.model=cnn"]), str(file))[0].value("model.stages") == 2


def test_the_schema_knows_every_option_and_nothing_else() -> None:
    settings = planning.make_plan(said()).settings
    schema = planning.schema(settings)
    for key in settings:
        part, _, name = key.partition(".")
        assert name in schema["properties"][part]["properties"]
        assert schema["properties"][part]["additionalProperties"] is False


def test_the_schema_bounds_each_augmentation_as_the_table_does() -> None:
    numbers = planning.schema(planning.make_plan(said()).settings)["properties"]["augment"]["properties"]
    bounds = {name: (row["minimum"], row["maximum"]) for name, row in numbers.items()}
    assert bounds == {name: (row.low, row.high) for name, row in AUGMENTATIONS["image"].items()}


@pytest.mark.parametrize("option", ["run.data", "run.task", "run.model", "run.backend", "training.optimizer"])
@pytest.mark.parametrize("value", [[], ["cnn"], 3, {"a": 1}])
def test_what_is_no_name_is_refused_with_its_place(option: str, value: object) -> None:
    words = from_words({"run.data": "digits", "training.precision": "fp32", option: value}, flag="--{}")
    with pytest.raises(SondeError, match=f"^--{option.partition('.')[2]}: ") as caught:
        planning.make_plan(words)
    assert "needs the option" not in str(caught.value)


@pytest.mark.parametrize(
    "line", ["model = 'cn'", "task = 'image-lable'", "backend = 'torhc'", "data = 'digit'", "model = ['cnn']"]
)
def test_a_wrong_name_in_a_run_file_is_said_with_file_and_line(line: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    first = "" if line.startswith("data") else "data = 'digits'"
    file.write_text(f"[run]\n{first}\n{line}\n")
    with pytest.raises(SondeError, match=r"mine\.toml, line 3: "):
        planning.make_plan(planning.merge(Settings(), str(file))[0])


def test_the_figures_of_another_optimizer_are_set_aside_and_said(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text("[run]\ndata = 'digits'\n[training]\nlearning_rate = 0.002\nweight_decay = 0.05\n")
    settings, note = planning.merge(from_assignments(["training.optimizer=sgd"]), str(file))
    assert "training.learning_rate" not in settings and "training.weight_decay" not in settings
    assert "are for 'adamw' and are set aside for 'sgd'" in note
    words = ["training.optimizer=sgd", "training.learning_rate=0.1"]
    settings, note = planning.merge(from_assignments(words), str(file))
    assert settings.value("training.learning_rate") == 0.1
    assert note.startswith("The weight decay of")
    assert planning.merge(from_assignments(["training.optimizer=adamw"]), str(file))[1] == ""


def test_a_runs_own_file_trains_under_a_free_name(tmp_path: Path) -> None:
    file = tmp_path / "runs" / "pets-1" / "run.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[run]\ndata = 'digits'\nname = 'pets-1'\n")
    name = planning.merge(Settings(), str(file))[0]["run.name"]
    assert (name.value, name.origin, name.reason) == ("pets-2", "guessed", "pets-1 exists")
    assert planning.merge(from_words({"run.name": "other"}), str(file))[0].value("run.name") == "other"


@pytest.mark.parametrize("taken", ["runs", "runs/first/run.toml"])
def test_a_run_that_has_no_room_is_refused_before_its_data_is_read(
    taken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / taken).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / taken).write_text("")
    monkeypatch.setattr(data, "load", lambda *given, **words: pytest.fail("the data was read"))
    with pytest.raises(SondeError, match=r"no folder|already"):
        planning.make_plan(said("run.name=first"))


def test_the_notes_on_the_data_are_shown_and_the_rest_counted() -> None:
    plan = planning.make_plan(said())
    notes = tuple(f"note {number}" for number in range(6))
    findings = replace(plan.dataset.findings, notes=notes)
    seen = planning.facts(replace(plan, dataset=replace(plan.dataset, findings=findings)))
    assert seen["notes"] == "Note 0. Note 1. Note 2. Note 3. And 2 more in the report."


def test_what_was_given_is_shown_beside_what_was_guessed() -> None:
    plan = planning.make_plan(said("run.model=mlp", "image.size=[6, 6]"))
    assert planning.facts(plan)["given"] == (
        "model mlp (command line), image size 6x6 (command line), precision fp32 (command line)"
    )
