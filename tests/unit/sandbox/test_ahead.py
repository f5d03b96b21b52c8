"""Handing settings over to a runtime that runs already, with real processes in its place."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from ingle.sandbox.inside.ahead import Ahead


@pytest.fixture
def heard() -> Any:
    """(reader, writer) of a pipe through which a started process tells what it read."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)


def repeat(told: int) -> Callable[[int], None]:
    """A runtime that repeats its settings, then ends with status 3."""

    def become(descriptor: int) -> None:
        with os.fdopen(descriptor, "rb") as stream:
            os.write(told, stream.read())
        os._exit(3)

    return become


def end(_descriptor: int) -> None:
    os._exit(0)


def wait(started: Ahead) -> int:
    return os.waitpid(started.pid, 0)[1]


def test_a_started_runtime_takes_over(heard: tuple[int, int]) -> None:
    reader, writer = heard
    started = Ahead(repeat(writer))
    os.close(writer)
    assert not started.took_over()
    assert started.hand_over({"variables": {"A": "x" * 100_000}})
    started.forget_settings()
    with os.fdopen(os.dup(reader), "rb") as stream:
        assert json.loads(stream.read()) == {"variables": {"A": "x" * 100_000}}
    assert os.waitstatus_to_exitcode(wait(started)) == 3
    assert started.took_over()


def test_one_that_has_ended_takes_nothing_over() -> None:
    started = Ahead(end)
    wait(started)
    assert not started.hand_over({"variables": {}})
    started.forget_settings()
    assert not started.took_over()


def test_one_that_cannot_be_used_is_killed(heard: tuple[int, int]) -> None:
    _, writer = heard
    started = Ahead(repeat(writer))
    os.close(writer)
    started.discard()
    assert os.WTERMSIG(wait(started)) == signal.SIGKILL
    started.discard()
    started.forget_settings()
    assert not started.took_over()


def test_it_sees_the_end_when_nobody_can_give_it_settings(heard: tuple[int, int]) -> None:
    reader, writer = heard
    started = Ahead(repeat(writer))
    os.close(writer)
    started.forget_settings()
    wait(started)
    assert os.read(reader, 1) == b""
