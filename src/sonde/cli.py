"""The shell's door: one command for each verb, made from the verb's own signature and docstring.

See it:  sonde --help, sonde train --help

What a verb returns goes to standard output, as a table or, with `--json`, for machines; messages about mistakes go to
standard error. The exit code is 0; or 1 for a mistake in data or options, 2 for one in the command line, 130 for
Ctrl-C.
"""

import gc
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Annotated, Any, get_args, get_type_hints

from cyclopts import (
    App,
    CoercionError,
    CycloptsError,
    Group,
    MissingArgumentError,
    Parameter,
    Token,
    UnusedCliTokensError,
)

from sonde import __version__, api, terminal
from sonde.errors import ConfigError, SondeError, shortened

MISTAKE, USAGE, INTERRUPTED, BROKEN_PIPE = 1, 2, 130, 141
"""Exit codes; the last two are 128 + the signal's number, as shells count."""

EPILOGUE = "Start with: sonde train digits. Every verb is a function too: import sonde; sonde.train('digits')"

Json = Annotated[
    bool, Parameter(negative=(), group=Group("Everywhere"), show_default=False, help="print the result as JSON.")
]
"""The flag that every command has beside its verb's own arguments."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command of the shell.

    Args:
        words: the words after `sonde`; those of this process when left out.

    Returns:
        The exit code.
    """
    _never_fail_to_print()
    if words is None:
        terminal.counts_from_its_start()
    try:
        code = _obey(sys.argv[1:] if words is None else [*words])
        return MISTAKE if _has_lost_words() else code
    except SondeError as error:
        return _refuse(str(error), MISTAKE)
    except CycloptsError as error:
        return _refuse(f"{_usage_message(error)}\nHelp: {_help_command(error)}", USAGE)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has gone. Python would flush once more at exit and complain; give it nothing to do.
        _write_nowhere()
        return BROKEN_PIPE
    except Exception as error:
        # The help is printed by cyclopts itself, and may end here on a full disk; another line then fails too.
        if not (isinstance(error, OSError) and _has_lost_words("\n")):
            _report_bug()
        return MISTAKE
    finally:
        if words is None:
            # Else Python looks once more through all that torch and Keras made, a second or three, before it ends.
            gc.freeze()


def app() -> App:
    """Return the shell's commands, one for each verb."""
    shell = App(
        name="sonde",
        help="From labelled data to a model you can trust, in one command, on PyTorch, TensorFlow or JAX.",
        help_epilogue=EPILOGUE,
        help_format="plaintext",
        version=__version__,
        version_format="plaintext",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
        result_action="return_value",
        default_parameter=Parameter(negative=(), show_default=_is_worth_showing),
    )
    for position, (name, verb) in enumerate(api.VERBS.items()):
        shell.command(command(name, verb), name=name, sort_key=position)
    return shell


def command(name: str, verb: Callable[..., Any]) -> Callable[..., int]:
    """Make a verb's command: the same arguments and defaults, and `--json`.

    Args:
        name: the verb's name.
        verb: the function; its annotations may be strings, and its return annotation is not looked at, so that a
            type that only type checkers import stays unimported.

    Returns:
        A function with the verb's parameters that runs it, prints its value and returns the exit code.
    """
    parameters = inspect.signature(verb).parameters
    written = SimpleNamespace(__annotations__={each: verb.__annotations__[each] for each in parameters})
    hints = get_type_hints(written, getattr(verb, "__globals__", {}), include_extras=True)
    assert "json" not in parameters, f"{name}: --json is the shell's own flag"

    def run(*arguments: Any, json: bool = False, **options: Any) -> int:
        if json:
            with terminal.talking_to(sys.stderr):
                value = verb(*arguments, **options)
            terminal.show_json(value)
        else:
            value = verb(*arguments, **options)
            terminal.show_value(name, value)
        return MISTAKE if terminal.has_failures(value) else 0

    run.__name__ = name
    run.__doc__ = verb.__doc__
    run.__annotations__ = {**{each: _strictly(hint) for each, hint in hints.items()}, "json": Json}
    flag = inspect.Parameter("json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json)
    own = [parameter.replace(annotation=_strictly(hints[each])) for each, parameter in parameters.items()]
    run.__signature__ = inspect.Signature([*own, flag])  # type: ignore[attr-defined]
    return run


def _strictly(hint: Any) -> Any:
    """Keep cyclopts from rounding 1.5 epochs to 2."""
    kinds = (hint, *get_args(hint))
    return Annotated[hint, Parameter(converter=_whole)] if int in kinds and str not in kinds else hint


def _whole(hint: Any, tokens: Sequence[Token]) -> int:
    token = tokens[0]
    with suppress(ValueError):
        return int(token.value)
    with suppress(ValueError):
        float(token.value)
        raise ConfigError(f"{token.keyword} {shortened(token.value)} is not possible: expected a whole number.")
    raise CoercionError(token=token, target_type=int)


def _is_worth_showing(default: Any) -> str | None:
    return None if default is None or default == () else str(default)


def _obey(words: list[str]) -> int:
    if words[:1] == ["--json"]:
        words = [*words[1:2], "--json", *words[2:]]
    result = app()(words)
    return result if isinstance(result, int) else 0


def _refuse(message: str, code: int) -> int:
    _complain(f"sonde: {terminal.safe(message, lines=True)}")
    return code


def _usage_message(error: CycloptsError) -> str:
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        name = error.argument.name
        is_word = error.argument.index is not None
        return f"{_verb(error)} needs {name.lstrip('-').upper()}." if is_word else f"{name} needs a value."
    if isinstance(error, UnusedCliTokensError):
        return f"{_verb(error)} does not know what to do with: {' '.join(error.unused_tokens or ())}"
    error.verbose = False
    return str(error)


def _verb(error: CycloptsError) -> str:
    return next((word for word in error.command_chain or () if word in api.VERBS), "")


def _help_command(error: CycloptsError) -> str:
    return " ".join(["sonde", *filter(None, [_verb(error)]), "--help"])


def _complain(text: str) -> None:
    with suppress(OSError):
        sys.stdout.flush()
    with suppress(OSError):
        print(text, file=sys.stderr)


def _has_lost_words(more: str = "") -> bool:
    """Tell whether some of the output could not be written; Python would try once more at exit and complain."""
    try:
        sys.stdout.write(more)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        terminal.note_loss(error)
    lost = terminal.has_lost_words()
    if lost:
        _write_nowhere()
    return lost


def _write_nowhere() -> None:
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _never_fail_to_print() -> None:
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        # Started with some of them closed, as by cron: else the next file would get the number of one, and what
        # libraries print there.
        while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(number)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
    # A terminal that is not UTF-8 shows \u2026 instead of failing on a file's name.
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _report_bug() -> None:
    import traceback

    _complain(
        f"{terminal.safe(traceback.format_exc(), lines=True)}"
        f"This is a bug in sonde {__version__}, not in your data or options. "
        "Please report it with the lines above and the output of: sonde doctor"
    )
