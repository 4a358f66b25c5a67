"""The verbs from Python, on small real data, in the order in which a person would use them."""

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import sonde
from makers import class_folders
from sonde import config, data, planning, stages, terminal
from sonde.answers.classification.target import ClassTarget
from sonde.config import RunFolder
from sonde.data.image import looks as image_looks
from sonde.errors import ConfigError
from sonde.training.batches import TrainingSet

QUICK = ("training.precision=fp32", "training.threads=1", "evaluation.resamples=100", "evaluation.explain=2")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    class_folders(folder / "pets", per_class=20)
    return folder


@pytest.fixture(autouse=True)
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("SONDE_CACHE", str(place / "cache"))


@pytest.fixture(scope="module")
def run(place: Path) -> RunFolder:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("SONDE_CACHE", str(place / "cache"))
        return sonde.train("pets", model="mlp", epochs=3, name="first", set=QUICK)


def test_training_leaves_a_whole_run(run: RunFolder) -> None:
    names = {file.name for file in run.path.iterdir()}
    assert names >= {"run.toml", "environment.json", "history.jsonl", "checkpoints", "model", "scores.json"}
    assert names >= {"predictions.parquet", "plots", "report.html", "findings.json"}
    assert len(run.history()) == 3
    assert run.read_json(run.environment_file)["dataset"]["sizes"]["test"] == 8


def test_a_run_file_repeats_the_run_to_the_bit(run: RunFolder) -> None:
    again = sonde.train(str(run.settings_file), name="again")
    assert (again.model / "weights.safetensors").read_bytes() == (run.model / "weights.safetensors").read_bytes()
    assert again.read_json(again.scores_file) == run.read_json(run.scores_file)


def test_another_seed_is_another_run_on_the_same_split(run: RunFolder) -> None:
    other = sonde.train(str(run.settings_file), name="other", seed=7)
    assert (other.model / "weights.safetensors").read_bytes() != (run.model / "weights.safetensors").read_bytes()
    comparison: Any = sonde.compare([run.path, other.path])
    assert "run.seed" in {difference.key for difference in comparison.settings}


def test_resuming_a_finished_run_changes_nothing(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    before = run.report_file.read_bytes()
    sonde.resume("first")
    assert run.report_file.read_bytes() == before
    assert "'first' had finished already" in capsys.readouterr().out


def test_scoring_other_data_leaves_the_runs_own_scores_alone(run: RunFolder, place: Path) -> None:
    class_folders(place / "more", per_class=4)
    before = run.scores_file.read_bytes()
    scores = sonde.evaluate(run.path, data="more")
    assert scores["test"]["accuracy"]["n"] == 8
    assert run.scores_file.read_bytes() == before


def test_predicting_names_each_file_and_why_one_cannot_be_read(run: RunFolder) -> None:
    Path("broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    good, broken, missing = sonde.predict(run.path, ["pets/dog/000.png", "broken.png", "none.png"])
    assert good["prediction"] in ("cat", "dog")
    assert good["confidence"] + sum(other["confidence"] for other in good["others"]) == pytest.approx(1.0)
    assert "broken.png" in broken["error"]
    assert "none.png" in missing["error"]


def test_explaining_draws_each_file_and_says_what_was_found(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    first, broken = sonde.explain(run.path, ["pets/dog/000.png", "none.png"], label="cat")
    (second,) = sonde.explain(run.path, "pets/dog/000.png", method="integrated-gradients")
    assert Path(first["picture"]).parent == run.explanations and first["picture"] != second["picture"]
    assert "Integrated gradients" in Path(second["picture"]).read_text(encoding="utf-8")
    grad_cam, gradients = first["methods"]
    assert "no feature map" in grad_cam["does_not_apply"] and first["explained"] == "cat"
    assert gradients["complete"] and abs(gradients["gap"]) < abs(gradients["difference"])
    assert "none.png" in broken["error"]
    terminal.show_value("explain", [first, broken])
    told = capsys.readouterr().out
    assert f"  {first['picture']}\n  grad-cam: does not apply: " in told and "none.png: " in told


def test_a_report_explains_a_few_answers_and_none_where_that_was_said(run: RunFolder) -> None:
    assert 1 <= len(list(run.plots.glob("explained-*.svg"))) <= 2
    report = run.report_file.read_text(encoding="utf-8")
    assert '<section id="explanations"' in report and f"sonde explain runs/{run.name} FILE" in report
    other = sonde.train(str(run.settings_file), name="plain", epochs=1, set=("evaluation.explain=0",))
    assert not list(other.plots.glob("explained-*.svg"))
    assert '<section id="explanations"' not in other.report_file.read_text(encoding="utf-8")


def test_a_contact_sheet_is_a_picture_and_replaces_nothing() -> None:
    first, second = sonde.show("pets"), sonde.show("pets")
    assert first != second
    with Image.open(first) as sheet:
        assert sheet.width > 100


def test_a_contact_sheet_shows_the_very_images_of_the_first_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(image_looks, "contact_sheet", lambda images, labels: seen.append((images, labels)) or b"")
    words = {"run.data": "pets", "run.seed": 5, "run.model": "mlp", "training.batch_size": 7, "augment.shift": 0.3}
    sonde.show("pets", set=[f"{key}={value}" for key, value in words.items() if key not in ("run.data", "run.model")])
    plan = planning.make_plan(config.from_words(words))
    train = plan.dataset.train
    numbers = np.arange(len(train), dtype=np.int32)
    made = TrainingSet(
        train,
        ClassTarget(()),
        numbers,
        plan.dataset.spec,
        "image",
        data.fill_augment(plan.settings, "image"),
        seed=5,
        batch_size=7,
    )
    batch = made.batch(1, 0).batch
    ((images, labels),) = seen
    assert np.array_equal(images, plan.dataset.spec.restore(batch["inputs"]))
    assert labels == train.truth[batch["truth"]].tolist()


def test_many_files_are_announced_before_they_are_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stages, "MANY_FILES", 39)
    for act in (lambda: sonde.show("pets"), lambda: sonde.init("pets", to="announced.toml")):
        act()
        assert capsys.readouterr().out == "Reading the 40 images of pets (folder of classes) ...\n"
    monkeypatch.setattr(stages, "MANY_FILES", 40)
    sonde.show("pets")
    assert capsys.readouterr().out == ""


def test_training_reads_the_data_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    load = data.load
    monkeypatch.setattr(
        data, "load", lambda listing, *how, **more: read.append(listing.name) or load(listing, *how, **more)
    )
    sonde.train("pets", model="mlp", epochs=1, name="once", set=QUICK)
    assert read == ["pets"]


def test_an_initial_run_file_trains_and_is_never_replaced(place: Path) -> None:
    file = sonde.init("pets", to="my.toml", schema="my.schema.json")
    assert json.loads(Path("my.schema.json").read_text())["type"] == "object"
    with pytest.raises(sonde.SondeError, match="exists already"):
        sonde.init("pets", to="my.toml")
    trained = sonde.train(str(file), epochs=1, set=QUICK, model="mlp")
    assert trained.name == "pets-1"


def test_an_initial_run_file_starts_from_the_recipe_that_is_named(place: Path) -> None:
    file = sonde.init("pets", recipe="fast", to="fast.toml")
    settings = config.read_settings(file)
    assert [settings.value(f"run.{key}") for key in ("recipe", "model")] == ["fast", "fast"]
    assert settings.value("training.optimizer") == "muon"
    with pytest.raises(sonde.SondeError, match=r"--recipe: .*Did you mean 'fast'\?"):
        sonde.init("pets", recipe="fsat", to="other.toml")


def test_a_second_run_of_one_name_is_refused(run: RunFolder) -> None:
    before = run.settings_file.read_bytes()
    with pytest.raises(sonde.SondeError, match="a run called 'first' already"):
        sonde.train("pets", name="first")
    assert run.settings_file.read_bytes() == before


def test_the_doctor_names_every_backend() -> None:
    parts = [row["part"] for row in sonde.doctor()]
    assert {"python", "keras", "backend torch", "backend tensorflow", "backend jax"} <= set(parts)


def test_the_verbs_take_what_the_verbs_return_and_one_item_for_a_list(run: RunFolder) -> None:
    (answer,) = sonde.predict(run, "pets/dog/000.png")
    assert answer["prediction"] in ("cat", "dog")
    assert sonde.resume(run) == run
    with pytest.raises(sonde.SondeError, match="two"):
        sonde.compare("first")
    with pytest.raises(sonde.SondeError, match="'learning_rate'"):
        sonde.train(Path("pets"), set="training.lr=3")
    with pytest.raises(sonde.SondeError, match="Did you mean 'models'"):
        sonde.list("modells")  # type: ignore[arg-type]


@pytest.mark.parametrize("other", [None, 3, ["pets"]])
def test_data_that_is_no_path_is_refused(other: Any) -> None:
    for verb in (sonde.train, sonde.show, sonde.init):
        with pytest.raises(ConfigError, match="is no path"):
            verb(other)


def test_interrupting_the_reading_says_that_nothing_was_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "load", interrupted)
    for act in (lambda: sonde.train("pets"), lambda: sonde.show("pets")):
        with pytest.raises(KeyboardInterrupt):
            act()
        assert capsys.readouterr().out == "\nStopped; nothing was written.\n"


def test_a_second_training_of_the_process_waits_for_the_first(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config.from_words({"run.data": "pets"})
    planned = threading.Event()
    monkeypatch.setattr(planning, "survey", lambda said: planned.set() or pytest.fail("planned"))

    def plan() -> None:
        with pytest.raises(BaseException, match="planned"):
            stages.plan(settings)

    second = threading.Thread(target=plan)

    def training_that_looks_around(*_: Any) -> None:
        second.start()
        assert not planned.wait(0.2)

    monkeypatch.setattr(stages, "_is_trained", lambda folder: False)
    monkeypatch.setattr(stages, "_train", training_that_looks_around)
    stages.go_on(run)
    second.join()
    assert planned.is_set()
