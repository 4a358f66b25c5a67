"""Every option has one value and one origin; what is wrong is said with its place, its range and a suggestion."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from sonde.config import (
    Options,
    Setting,
    Settings,
    fill,
    from_assignments,
    from_words,
    guessed,
    read_settings,
    with_defaults,
    write_settings,
)
from sonde.config.fill import unknown_option
from sonde.config.settings import Origin, check_tables
from sonde.config.toml import toml_value
from sonde.errors import ConfigError


class Sample(Options):
    """Options to try the rules on."""

    rate: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    """A share."""

    count: Annotated[int, Field(ge=1, le=10)] = 3
    """A number."""

    kind: Literal["red", "green"] = "red"
    """A choice."""

    size: tuple[Annotated[int, Field(ge=1, le=9)], Annotated[int, Field(ge=1, le=9)]] = (1, 1)
    """A pair."""

    on: bool = False
    """A switch."""


def test_the_command_line_wins_over_the_file_over_guesses_over_defaults() -> None:
    origins: list[Origin] = ["default", "guessed", "file", "command line"]
    layers = [Settings({"training.epochs": Setting(rank, origin)}) for rank, origin in enumerate(origins)]
    for first in layers:
        for second in layers:
            higher = max(first.value("training.epochs"), second.value("training.epochs"))
            assert first.over(second).value("training.epochs") == higher


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("training.rate=0.1", 0.1),
        ("training.rate=3", 3),
        ("training.kind=one-cycle", "one-cycle"),
        ("training.size=[28, 28]", [28, 28]),
        ("training.on=true", True),
        ('training.kind="quoted = text"', "quoted = text"),
        ("training.kind=a=b", "a=b"),
    ],
)
def test_an_assignment_is_read_as_toml_or_as_a_word(text: str, value: object) -> None:
    assert from_assignments([text]).value(text.partition("=")[0]) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("training.rate", "expected part.option=value"),
        ("rate=1", "does not say which table"),
        ("training.rate=", "expected part.option=value"),
        (".rate=1", "does not say which table"),
    ],
)
def test_an_assignment_that_is_none_says_how_one_looks(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says.replace("?", r"\?")):
        from_assignments([text])


def test_a_table_that_there_is_not_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("[trainig]\nrate = 1\n")
    for said in (from_assignments(["trainig.rate=1"]), read_settings(tmp_path / "run.toml")):
        with pytest.raises(ConfigError, match=r"no table called 'trainig'\. Did you mean 'training'\?"):
            check_tables(said, ("run", "training"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("training.rat=1", "Did you mean 'rate'?"),
        ("training.rate=0", "a number, more than 0, at most 1"),
        ("training.rate=nan", "a number, more than 0, at most 1"),
        ("training.count=11", "a whole number, at least 1, at most 10"),
        ("training.count=2.5", "a whole number, at least 1, at most 10"),
        ("training.count=true", "a whole number"),
        ("training.count=many", "a whole number"),
        ("training.kind=gren", "one of red, green. Did you mean 'green'?"),
        ("training.size=[1]", "a list of 2, each a whole number, at least 1, at most 9"),
        ("training.size=[1, 10]", "a list of 2, each a whole number, at least 1, at most 9"),
        ("training.on=1", "true or false"),
    ],
)
def test_an_impossible_value_is_refused_with_its_place_and_its_range(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        fill(Sample, "training", from_assignments([text]))
    assert says in str(caught.value)
    assert f"--set {text}" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("9" * 5000, "it is a number of more than 300 digits"),
        ("0x" + "f" * 5000, "it is a number of more than 300 digits"),
        ("[" * 100_000, "lists inside of lists, more than 64 deep"),
    ],
    ids=["digits", "hexadecimal", "depth"],
)
def test_a_value_that_could_not_be_read_in_a_moment_is_refused_in_few_words(value: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"--set training.count={value[:9]}".replace("[", r"\[")) as caught:
        from_assignments([f"training.count={value}"])
    assert says in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize("value", ["x" * 100_000, 10**5000, [[9] * 1000] * 1000], ids=["text", "number", "lists"])
def test_a_refused_value_is_shown_as_far_as_a_message_can_hold_it(value: object) -> None:
    with pytest.raises(ConfigError, match=r"count = .* is not possible: expected a whole number") as caught:
        fill(Sample, "training", from_words({"training.count": value}))
    assert len(str(caught.value)) < 400


def test_names_of_any_length_make_short_messages(tmp_path: Path) -> None:
    name = "x" * 100_000
    (tmp_path / "run.toml").write_text(f"[{name}]\na = 1\n")
    for act in (
        lambda: check_tables(from_assignments([f"{name}.a=1"]), ("run",)),
        lambda: from_assignments([f"{name}=1"]),
        lambda: check_tables(read_settings(tmp_path / "run.toml"), ("run",)),
        lambda: fill(Sample, "training", from_assignments([f"training.{name}=1"])),
    ):
        with pytest.raises(ConfigError) as caught:
            act()
        assert len(str(caught.value)) < 1000


def test_a_mistake_in_a_file_names_file_line_and_key(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text("# a run\n[run]\ndata = 'x'\n\n[training]\nrate = 0.5\ncount = 99\n")
    with pytest.raises(ConfigError, match=r"run\.toml, line 7: training\.count = 99 is not possible"):
        fill(Sample, "training", read_settings(file))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[training\n", "not valid TOML"),
        ("epochs = 3\n", "stands outside of a table"),
        ("[training]\nrate = 1\nrate = 2\n", "not valid TOML"),
        ("x" * 1_000_001, "1,000,001 bytes where at most 1,000,000 can be right"),
        ("[run]\ndata = '\x00'", "not valid TOML"),
        ("[run]\nx = " + "[" * 10_000, "line 2 holds lists inside of lists"),
        ("[run]\nepochs = 1" + "0" * 5000, "line 2 holds a number of more than 300 digits"),
        ("[run]\n" + ".".join(["a"] * 50_000) + " = 1", "line 2 holds a key of more than 8 parts"),
    ],
    ids=lambda words: words[:20],
)
def test_a_file_that_is_no_run_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=says.replace("?", r"\?")):
        read_settings(file)


def test_a_missing_or_binary_run_file_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sonde init DATA"):
        read_settings(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_settings(tmp_path / "binary.toml")


values = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@given(values)
def test_what_is_written_is_what_is_read(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    file = tmp_path_factory.mktemp("toml") / "run.toml"
    settings = Settings({"model.thing": Setting(value, "command line")})
    file.write_text(write_settings(settings), encoding="utf-8")
    assert read_settings(file).value("model.thing") == value
    assert "\n" not in toml_value(value)


def test_a_run_file_says_where_each_value_came_from() -> None:
    settings = (
        from_words({"training.count": 5})
        .over(guessed("training.rate", 0.1, "a reason\nof two lines"))
        .over(with_defaults(Sample(), "training", Settings()))
    )
    lines = write_settings(settings).splitlines()
    assert "count = 5  # command line" in lines
    assert "rate = 0.1  # guessed: a reason of two lines" in lines
    assert 'kind = "red"  # default' in lines


def test_options_are_frozen_and_every_one_has_a_sentence() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Sample().count = 4  # type: ignore[misc]
    assert all(field.description for field in Sample.model_fields.values())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("run = 'tiny'", r"line 1: 'run' stands outside of a table. Write \[run\]"),
        ("\n[[data]]\n", r"line 2: 'data' stands outside of a table"),
    ],
)
def test_a_table_that_is_none_is_explained(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(ConfigError, match=says):
        read_settings(tmp_path / "run.toml")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_bytes(b"\xef\xbb\xbf[run]\nseed = 3\n")
    assert read_settings(tmp_path / "run.toml").value("run.seed") == 3


def test_the_names_of_other_tools_are_understood_well_enough_to_name_ours() -> None:
    settings = from_assignments(["training.lr=0.1"])
    message = unknown_option("lr", "training", settings["training.lr"], ["learning_rate", "threads"])
    assert "Did you mean 'learning_rate'?" in message
    message = unknown_option("epochs", "training", settings["training.lr"], ["learning_rate"])
    assert "Did you mean 'run.epochs'?" in message
