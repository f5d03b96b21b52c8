"""What the documents promise is compared with the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from ingle import settings
from ingle.cli import app
from ingle.frontend.compatibility import TITLES
from ingle.frontend.metrics_page import CATALOGUE
from ingle.operations import implemented_operations

ROOT = Path(__file__).parents[2]


def read(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


@pytest.mark.parametrize("name", settings.names())
def test_every_setting_is_documented(name):
    page = read("docs/reference/settings.md")
    for spelling in (name, settings.option(name), settings.variable(name)):
        assert f"`{spelling}`" in page


@pytest.mark.parametrize("name", settings.names())
def test_every_setting_is_an_option_of_serve(name):
    serve = typer.main.get_command(app).commands["serve"]
    assert settings.option(name) in {option for item in serve.params for option in item.opts}


def verbs(group, prefix="ingle"):
    for name, verb in group.commands.items():
        yield f"{prefix} {name}"
        if hasattr(verb, "commands"):
            yield from verbs(verb, f"{prefix} {name}")


@pytest.mark.parametrize("verb", list(verbs(typer.main.get_command(app))))
def test_every_verb_is_documented(verb):
    assert f"## `{verb}" in read("docs/reference/cli.md")


@pytest.mark.parametrize("family", CATALOGUE, ids=lambda family: family.name)
def test_every_metric_is_documented(family):
    assert f"| `{family.name}` | {family.kind} |" in read("docs/reference/metrics.md")


def test_every_documented_metric_exists():
    documented = re.findall(r"^\| `((?:ingle|process)_\w+)` \|", read("docs/reference/metrics.md"), re.MULTILINE)
    assert sorted(documented) == sorted(family.name for family in CATALOGUE)


def test_generated_pages_are_current():
    command = [sys.executable, str(ROOT / "scripts/generate_docs.py"), "--check"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environ, check=False)
    assert result.returncode == 0, f"run `make docs`: {result.stdout}"


def test_every_operation_with_a_handler_is_told_to_work_and_no_other():
    table = re.compile(r"^\| (\w+) \| (works|not implemented) \|$", re.MULTILINE)
    sections = re.split(r"^## (.+)$", read("docs/reference/operations.md"), flags=re.MULTILINE)[1:]
    told = {
        (title, name)
        for title, section in zip(sections[::2], sections[1::2], strict=True)
        for name, state in table.findall(section)
        if state == "works"
    }
    assert told == {(TITLES[service], name) for service, name in implemented_operations()}
    assert "docs/reference/operations.md" in read("README.md")


def test_every_decision_record_is_in_the_index_and_has_its_parts():
    index = read("docs/decisions/README.md")
    records = sorted(path for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert records
    numbers = [record.name[:4] for record in records]
    assert len(set(numbers)) == len(numbers)
    for record in records:
        assert f"({record.name})" in index
        text = record.read_text("utf-8")
        for part in ("## Context", "## Decision", "## Consequences"):
            assert part in text, f"{record.name} has no {part}"


def test_every_dependency_is_in_the_decision_record():
    project = read("pyproject.toml")
    names = re.findall(r'^    "([a-z-]+)[=>]=', project, re.MULTILINE)
    assert names
    record = read("docs/decisions/0001-dependencies.md")
    for name in names:
        assert f"`{name}`" in record


@pytest.mark.parametrize(
    "page", sorted(str(p.relative_to(ROOT)) for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
)
def test_links_between_documents_lead_somewhere(page):
    folder = (ROOT / page).parent
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(page)):
        assert (folder / target).exists(), f"{page} links to {target}"


ENVIRONMENT_PAGE = "docs/reference/execution-environment.md"
THREAT_MODEL = "docs/threat-model.md"


NAMED_TESTS = {
    named for page in (ENVIRONMENT_PAGE, THREAT_MODEL) for named in re.findall(r"`(\w[\w/]*\.py::\w+)`", read(page))
}


@pytest.mark.parametrize("named", sorted(NAMED_TESTS))
def test_every_test_that_a_document_names_exists(named):
    path, _, function = named.partition("::")
    assert re.search(rf"^ *(async )?def {function}\(", read(f"tests/{path}"), re.MULTILINE)


def test_every_documented_behaviour_of_environments_names_a_test():
    shown = read(ENVIRONMENT_PAGE).partition("## What differs")[0]
    rows = [line for line in shown.splitlines() if line.startswith("| ") and line != "| Behaviour | Shown by |"]
    assert len(rows) > 50
    assert [row for row in rows if "::test_" not in row] == []


def test_every_promise_of_the_threat_model_names_a_test():
    table = read(THREAT_MODEL).partition("## Promises and the tests that show them")[2]
    rows = [line for line in table.splitlines() if line.startswith("| ") and line != "| Promise | Shown by |"]
    assert len(rows) > 10
    assert [row for row in rows if "::test_" not in row] == []
