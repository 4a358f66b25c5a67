"""A class of ours has at most one ancestor of ours: abstract or final, nothing between."""

import ast

from rules.source import Module, house, imports, names_of

Classes = dict[str, ast.ClassDef]


def too_deep(modules: tuple[Module, ...] | list[Module]) -> list[str]:
    """Return the classes whose parent, a class of ours, has a parent of ours itself."""
    parents = _parents(modules)
    return [
        f"{name} < {parent} < {above}"
        for name, own in parents.items()
        for parent in own
        for above in parents.get(parent, [])
    ]


def _parents(modules: tuple[Module, ...] | list[Module]) -> dict[str, list[str]]:
    by_name = {module.name: module for module in modules}
    return {
        f"{module.name}.{node.name}": [
            found for base in node.bases if (found := _resolve(ast.unparse(base).split("[")[0], module, by_name, ()))
        ]
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    }


def _resolve(name: str, module: Module, by_name: dict[str, Module], seen: tuple[str, ...]) -> str:
    """Follow a base's name through imports and re-exports to the class of ours that it is, or to nothing."""
    head, _, rest = name.partition(".")
    if module.name in seen:
        return ""
    if not rest and any(isinstance(node, ast.ClassDef) and node.name == head for node in module.tree.body):
        return f"{module.name}.{head}"
    for each in imports(module, names_of([*by_name.values()])):
        if each.name != head and _alias(module, each.name) != head:
            continue
        is_module = each.target.rpartition(".")[2] == each.name and each.target in by_name
        wanted = rest if is_module else each.name
        if each.target in by_name and wanted:
            return _resolve(wanted, by_name[each.target], by_name, (*seen, module.name))
    return ""


def _alias(module: Module, name: str) -> str | None:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.name == name and alias.asname:
                    return alias.asname
    return None


def test_no_class_inherits_beyond_one_step_inside_the_project() -> None:
    assert too_deep(house()) == []


def test_the_rule_sees_inheritance_through_a_packages_door() -> None:
    parents = _parents(house())
    assert parents["sonde.config.run.Run"] == ["sonde.config.options.Options"]


BASE = Module("sonde.config.options", "class Options(BaseModel): ...")
DOOR = Module("sonde.config", "from sonde.config.options import Options", is_package=True)
CNN = Module("sonde.models.cnn", "from sonde import config\nclass Options(config.Options): ...")


def test_one_step_is_fine() -> None:
    assert too_deep([BASE, DOOR, CNN]) == []


def test_two_steps_are_found_in_one_file() -> None:
    assert len(too_deep([Module("sonde.x", "class A: ...\nclass B(A): ...\nclass C(B): ...")])) == 1


def test_two_steps_are_found_across_files_doors_and_aliases() -> None:
    text = "from sonde.models.cnn import Options as Plain\nclass Options(Plain): ..."
    assert too_deep([BASE, DOOR, CNN, Module("sonde.models.resnet", text)]) == [
        "sonde.models.resnet.Options < sonde.models.cnn.Options < sonde.config.options.Options"
    ]
