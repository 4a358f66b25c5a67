"""Nothing that a file, a config or a request holds is ever run as code: no pickle, eval, shell or extractall."""

import ast

import pytest

from rules.source import ROOT, Module, house

MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
NAMES = {"eval", "exec", "load_model", "enable_unsafe_deserialization"}
"""Calls by these names, whoever offers them; a method called eval is torch's switch and not meant."""
METHODS = {"extractall", "load_model", "enable_unsafe_deserialization", "read_pickle", "to_pickle", "popen"}
DOTTED = {"torch.load", "torch.save", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "os.system", "builtins.eval"}
PARSERS = {"json.load", "json.loads", "tomllib.load", "tomllib.loads"}
"""Calls that end in tracebacks on what somebody else wrote; `config.untrusted` reads it within bounds."""
PARSING = {
    "sonde.config.untrusted": "reads within bounds",
    "sonde.data.tokens": "what the library of tokens said of its own",
    "sonde.training.resuming": "what was written a moment before",
}
"""The modules that may call them, and what they read."""
KEYWORDS = {"allow_pickle": False, "shell": False, "safe_mode": True, "weights_only": True}
"""Arguments that may only have this value."""


def dangers(module: Module) -> list[str]:
    """Return each forbidden import, name and argument of a module."""
    found = []
    for node in ast.walk(module.tree):
        for what in _imported(node) + _called(node):
            found.append(f"{module.name}:{node.lineno} uses {what}")  # type: ignore[attr-defined]
    return found


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name.split(".")[0] in MODULES]
    if isinstance(node, ast.ImportFrom):
        source = node.module or ""
        if source.split(".")[0] in MODULES:
            return [source]
        return [
            f"{source}.{alias.name}"
            for alias in node.names
            if f"{source}.{alias.name}" in DOTTED or alias.name in METHODS | NAMES
        ]
    return []


def _called(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Attribute):
        dotted = ast.unparse(node)
        return [dotted] if dotted in DOTTED or node.attr in METHODS else []
    if not isinstance(node, ast.Call):
        return []
    names = [node.func.id] if isinstance(node.func, ast.Name) and node.func.id in NAMES else []
    return names + [
        f"{word.arg}={ast.unparse(word.value)}"
        for word in node.keywords
        if word.arg in KEYWORDS
        and not (isinstance(word.value, ast.Constant) and word.value.value is KEYWORDS[word.arg])
    ]


def test_nothing_from_outside_is_run_as_code() -> None:
    scripts = [path for room in ("benchmarks", "docs", "tutorials") for path in sorted((ROOT / room).rglob("*.py"))]
    modules = [*house(), *(Module(path.name, path.read_text(encoding="utf-8")) for path in scripts)]
    assert [danger for module in modules for danger in dangers(module)] == []


def parsing(module: Module) -> list[str]:
    """Return each call of a parser that is not bounded, in a module that may not call one."""
    dotted = [node for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)]
    named = [node for node in ast.walk(module.tree) if isinstance(node, ast.ImportFrom)]
    found = [each for node in dotted if (each := ast.unparse(node)) in PARSERS]
    found += [f"{node.module}.{alias.name}" for node in named for alias in node.names]
    return [] if module.name in PARSING else [f"{module.name} calls {each}" for each in found if each in PARSERS]


def test_json_and_toml_are_read_within_bounds() -> None:
    assert [call for module in house() for call in parsing(module)] == []


@pytest.mark.parametrize("text", ["json.loads(x)", "json.load(f)", "tomllib.loads(x)", "from json import loads"])
def test_a_parser_without_bounds_is_found(text: str) -> None:
    assert len(parsing(Module("sonde.x", text))) == 1
    assert parsing(Module("sonde.config.untrusted", text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "def late():\n    import cloudpickle",
        "import joblib",
        "torch.load('x')",
        "from torch import load",
        "load = torch.load",
        "eval('1')",
        "exec(text)",
        "yaml.load(text)",
        "keras.models.load_model('x')",
        "from keras.models import load_model",
        "archive.extractall('.')",
        "np.load('x', allow_pickle=True)",
        "np.load('x', allow_pickle=trusted)",
        "subprocess.run('ls', shell=True)",
        "os.system('ls')",
        "os.popen('ls')",
        "keras.saving.deserialize_keras_object(x, safe_mode=False)",
    ],
)
def test_a_danger_is_found(text: str) -> None:
    assert len(dangers(Module("sonde.x", text))) == 1


@pytest.mark.parametrize(
    "text", ["model.eval()", "np.load('x', allow_pickle=False)", "'no pickle, no eval()'", "run(['ls'], shell=False)"]
)
def test_what_only_looks_alike_is_fine(text: str) -> None:
    assert dangers(Module("sonde.x", text)) == []
