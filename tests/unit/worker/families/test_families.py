"""Which runtimes Ingle runs, and what every family promises."""

from __future__ import annotations

import pytest

from ingle.domain.runtimes import RUNTIMES
from ingle.worker.families import FAMILIES, family_of


@pytest.mark.parametrize(
    "runtime",
    [
        "python3.9",
        "python3.14",
        "nodejs18.x",
        "nodejs26.x",
        "ruby3.2",
        "ruby4.0",
        "java8.al2",
        "java17",
        "java17.al2023",
        "java25",
        "provided.al2",
        "provided",
    ],
)
def test_runtimes_that_functions_may_have(runtime: str) -> None:
    family = family_of(runtime)
    assert family is not None
    assert runtime.startswith(family.name)


@pytest.mark.parametrize(
    "runtime",
    [
        "python3.8",
        "python2.7",
        "dotnet8",
        "custom",
        "go1.x",
        "nodejs16.x",
        "nodejs",
        "ruby2.7",
        "ruby3.1",
        "java8",
        "java16",
        "java",
        "",
    ],
)
def test_runtimes_that_ingle_does_not_run(runtime: str) -> None:
    assert family_of(runtime) is None


def test_a_runtime_belongs_to_one_family_at_the_most() -> None:
    for runtime in RUNTIMES:
        assert sum(family.covers(runtime) for family in FAMILIES) <= 1, runtime


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_without_an_interpreter_says_what_to_do(family) -> None:
    for runtime in filter(family.covers, RUNTIMES):
        text = family.missing(runtime)
        assert runtime in text
        assert text.endswith(".")
