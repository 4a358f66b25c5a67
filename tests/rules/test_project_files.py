"""What people and programs look for in a project is there and agrees with the Makefile: pages, forms, hooks, CI."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules.source import ROOT
from rules.test_documents import make_targets

FILES = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    ".ci/run",
    ".github/pull_request_template.md",
    ".pre-commit-config.yaml",
)
FORMS = ("bug", "data", "feature")
CHANGES = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
"""Headings of Keep a Changelog 1.1."""
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PHONY = set(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.M)[0].split())


def read(name: str) -> Any:
    """Return what a YAML file of the project holds."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_it_is_there(name: str) -> None:
    assert (ROOT / name).stat().st_size


def test_the_makefiles_header_tells_of_each_of_its_targets() -> None:
    told = set(re.findall(r"^# make (\w+)  ", MAKEFILE, re.M))
    assert told == PHONY <= make_targets(MAKEFILE)


def test_contributing_names_the_commands_that_one_works_with() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert {f"`make {target}`" for target in PHONY - {"demo", "clean"}} <= set(re.findall(r"`make \w+`", text))


def test_a_push_must_pass_style_and_types_before_the_tests() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line.split()[1] for line in lines if line.startswith("make ")] == ["check", "test"]


@pytest.mark.parametrize(("style", "tests"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_a_push_fails_if_either_fails_and_ends_with_what_pytest_says(style: int, tests: int, tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    script = tmp_path / ".ci" / "run"
    script.write_bytes((ROOT / ".ci" / "run").read_bytes())
    (tmp_path / "Makefile").write_text(
        f"check:\n\t@echo style; exit {style}\ntest:\n\t@echo '1 passed in 1.00s'; exit {tests}\n"
    )
    # This test may run below a make itself, whose children say which folder they leave.
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["bash", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=clean
    )
    assert bool(done.returncode) == bool(style or tests)
    assert done.stdout.splitlines()[-1] == "1 passed in 1.00s"


def test_the_changelog_is_a_changelog() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (.*)$", text, re.M)
    assert versions[0] == "[Unreleased]"
    assert [each for each in versions[1:] if not re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", each)] == []
    assert set(re.findall(r"^### (.*)$", text, re.M)) <= CHANGES


def test_security_invents_no_address() -> None:
    assert "@" not in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FORMS)
def test_a_form_asks_for_what_is_needed(name: str) -> None:
    form = read(f".github/ISSUE_TEMPLATE/{name}.yml")
    assert form["name"] and form["description"] and isinstance(form["labels"], list)
    asked = [field for field in form["body"] if field["type"] != "markdown"]
    names = [field["id"] for field in asked]
    assert len(set(names)) == len(names) and all(field["attributes"]["label"] for field in asked)
    assert any(field.get("validations", {}).get("required") for field in asked)


def test_a_report_of_a_fault_brings_what_doctor_says() -> None:
    fields = {field.get("id"): field for field in read(".github/ISSUE_TEMPLATE/bug.yml")["body"]}
    assert "`sonde doctor`" in fields["doctor"]["attributes"]["label"]
    assert fields["doctor"]["validations"] == {"required": True}


def test_hooks_are_local_and_run_the_tools_of_the_environment() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tools = {re.split(r"[><=]", each)[0] for each in settings["project"]["optional-dependencies"]["dev"]}
    (repository,) = read(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        program, *words = hook["entry"].split()
        name = Path(program).name
        assert program.startswith(".venv/bin/") and hook["language"] == "system"
        assert (name if name != "python" else words[1]) in tools
        assert all((ROOT / word).exists() for word in words if "/" in word)


def test_hooks_check_what_make_check_does() -> None:
    recipe = MAKEFILE.partition("\ncheck:")[2].partition("\n\n")[0]
    checked = re.findall(r"\$\(BIN\)/([^\n.]*[^\n. ])", recipe)
    hooked = [hook["entry"].removeprefix(".venv/bin/") for hook in read(".pre-commit-config.yaml")["repos"][0]["hooks"]]
    assert checked == hooked[: len(checked)] and len(checked) == 3
