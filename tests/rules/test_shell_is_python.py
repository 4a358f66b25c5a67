"""Every verb has the same name, arguments and defaults in the shell and in Python."""

import ast
import inspect
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

import pytest
from cyclopts import App

from rules.source import house
from sonde import api, cli

SHELL_ONLY = {"json": False}
"""Flags of every command that are no argument of a verb, with their default."""


def differences(verb: Callable[..., Any], shell: App) -> list[str]:
    """Return how a command departs from its verb: arguments, order, defaults, words or flags."""
    shown = {
        argument.field_info.name: argument
        for argument in shell.assemble_argument_collection()
        if argument.field_info.name not in SHELL_ONLY
    }
    own = inspect.signature(verb).parameters
    found = [] if [*shown] == [*own] else [f"the shell takes {[*shown]}, Python {[*own]}"]
    for name in shown.keys() & own.keys():
        argument, parameter = shown[name], own[name]
        default = inspect.Parameter.empty if argument.required else argument.field_info.default
        if default != parameter.default:
            found.append(f"{name}: the shell's default is {default!r}, Python's {parameter.default!r}")
        if f"--{name}" not in argument.names:
            found.append(f"{name}: the shell's flag is {argument.names}")
        if (argument.index is None) != (parameter.kind is inspect.Parameter.KEYWORD_ONLY):
            found.append(f"{name}: a word in one, a flag in the other")
    return found


def undescribed(verb: Callable[..., Any]) -> list[str]:
    """Return the parameters that a verb's docstring, which is the shell's help, says nothing of."""
    text = inspect.getdoc(verb) or ""
    described = text.partition("Args:\n")[2].partition("\n\n")[0]
    return [name for name in inspect.signature(verb).parameters if f"    {name}: " not in f"{described}\n"]


def test_the_shells_commands_are_the_verbs_in_their_order() -> None:
    assert [name for name in cli.app() if not name.startswith("-")] == [*api.VERBS]


def test_a_verbs_name_is_its_functions_name_and_every_public_function_of_the_api_is_a_verb() -> None:
    tree = next(module for module in house() if module.name == "sonde.api").tree
    public = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    assert {name: verb.__name__ for name, verb in api.VERBS.items()} == {name: name for name in api.VERBS}
    assert sorted(public) == sorted(api.VERBS)


@pytest.mark.parametrize("name", api.VERBS)
def test_a_command_is_its_verb(name: str) -> None:
    assert differences(api.VERBS[name], cli.app()[name]) == []


@pytest.mark.parametrize("name", api.VERBS)
def test_the_help_says_something_of_every_argument(name: str) -> None:
    assert undescribed(api.VERBS[name]) == []


@pytest.mark.parametrize("name", api.VERBS)
def test_every_command_knows_the_flags_of_the_shell(name: str) -> None:
    arguments = {argument.field_info.name: argument for argument in cli.app()[name].assemble_argument_collection()}
    assert {flag: arguments[flag].field_info.default for flag in SHELL_ONLY} == SHELL_ONLY


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["train", "digits"], {"data": "digits"}),
        (
            ["train", "d", "--backend", "jax", "--epochs=3", "--set", "a.b=c", "--set=x.y=-1"],
            {"data": "d", "backend": "jax", "epochs": 3, "set": ["a.b=c", "x.y=-1"]},
        ),
        (["evaluate", "r", "--data", "d"], {"run": "r", "data": "d"}),
        (["predict", "r", "a.png", "b.png"], {"run": "r", "files": ["a.png", "b.png"]}),
        (["predict", "r", "--", "-a.png"], {"run": "r", "files": ["-a.png"]}),
        (["compare", "r", "s", "t"], {"runs": ["r", "s", "t"]}),
        (["list", "models"], {"kind": "models"}),
        (["doctor"], {}),
    ],
)
def test_words_become_the_verbs_arguments(words: list[str], arguments: dict[str, Any]) -> None:
    _, bound, _ = cli.app().parse_args(words, print_error=False, exit_on_error=False)
    assert bound.arguments == arguments


def _sample(data: str, *, epochs: int = 3, set: Sequence[str] = ()) -> None:
    """Do something.

    Args:
        data: some data.
        epochs: some number.
        set: some options.
    """


def _command(verb: Callable[..., Any]) -> App:
    shell = App()
    shell.command(cli.command("sample", verb), name="sample")
    return shell["sample"]


def test_the_rule_finds_no_difference_in_a_command_made_from_its_verb() -> None:
    assert differences(_sample, _command(_sample)) == []
    assert undescribed(_sample) == []


def _other_default(data: str, *, epochs: int = 4, set: Sequence[str] = ()) -> None: ...


def _other_name(data: str, *, epoch: int = 3, set: Sequence[str] = ()) -> None: ...


def _other_kind(data: str, epochs: int = 3, *, set: Sequence[str] = ()) -> None: ...


def _one_less(data: str, *, epochs: int = 3) -> None: ...


def _not_required(data: str = "", *, epochs: int = 3, set: Sequence[str] = ()) -> None: ...


@pytest.mark.parametrize("other", [_other_default, _other_name, _other_kind, _one_less, _not_required])
def test_a_command_that_departs_from_its_verb_is_found(other: Callable[..., Any]) -> None:
    assert differences(_sample, _command(other)) != []


def test_an_argument_without_help_is_found() -> None:
    assert undescribed(_one_less) == ["data", "epochs"]


def test_the_shell_reads_types_as_python_does() -> None:
    hints = get_type_hints(cli.command("sample", _sample))
    assert (hints["data"], hints["epochs"], hints["set"]) == (str, int, Sequence[str])
