"""Activation: outcomes are committed once, for what still exists, and survive a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ingle.catalog import Prepared
from ingle.domain.function import State, UpdateStatus

pytestmark = pytest.mark.asyncio

FAILURE = Prepared(reason_code="InvalidRuntime", reason="Ingle does not run nodejs22.x yet.")


def only(plane: Any) -> Any:
    (function,) = list(plane.catalog)
    return function


async def test_a_prepared_function_becomes_active_in_memory_and_in_the_store(plane: Any) -> None:
    async with plane.active() as created:
        function = only(plane)
        assert function.latest.state is State.ACTIVE
        assert function.latest.update_status is UpdateStatus.SUCCESSFUL
        assert function.latest.revision_id != created["RevisionId"]
        assert plane.store.functions[function.key] == function


async def test_a_function_that_cannot_be_prepared_fails_with_the_reason(plane: Any) -> None:
    async with plane.activating():
        await plane.create(Runtime="nodejs22.x")
        await plane.settle(FAILURE)
        shown = await plane.call("GetFunctionConfiguration", FunctionName="F")
        assert (shown["State"], shown["StateReason"], shown["StateReasonCode"]) == (
            "Failed",
            FAILURE.reason,
            FAILURE.reason_code,
        )
        assert "LastUpdateStatus" not in shown
        await plane.call("UpdateFunctionConfiguration", FunctionName="F", Runtime="python3.12")
        await plane.settle()
        assert only(plane).latest.state is State.ACTIVE


async def test_what_was_left_pending_is_resumed_at_the_next_start(
    plane: Any, another_plane: Callable[[Any], Any]
) -> None:
    await plane.create()
    after = another_plane(plane)
    async with after.activating():
        await after.settle()
        assert only(after).latest.state is State.ACTIVE
        await after.call("UpdateFunctionConfiguration", FunctionName="F", Timeout=5)
    assert only(after).latest.update_status is UpdateStatus.IN_PROGRESS
    last = another_plane(after)
    async with last.activating():
        await last.settle()
        assert only(last).latest.update_status is UpdateStatus.SUCCESSFUL


async def test_the_outcome_for_a_deleted_function_is_dropped(plane: Any) -> None:
    async with plane.activating():
        await plane.create()
        await plane.call("DeleteFunction", FunctionName="F")
        await plane.settle()
        assert list(plane.catalog) == []
        assert not plane.store.functions


async def test_the_outcome_for_a_function_created_anew_is_not_the_old_one(plane: Any) -> None:
    async with plane.activating():
        await plane.create()
        await plane.call("DeleteFunction", FunctionName="F")
        await plane.create()
        await plane.settle(FAILURE)
        assert only(plane).latest.state is State.PENDING
        await plane.settle()
        assert only(plane).latest.state is State.ACTIVE


async def test_a_preparation_that_breaks_is_an_internal_error_of_that_function_alone(
    plane: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    async with plane.activating():
        await plane.create()
        request = await plane.catalog.preparations.get()
        request.outcome.set_exception(RuntimeError("out of luck"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert only(plane).latest.state is State.FAILED
        assert only(plane).latest.state_reason_code == "InternalError"
        assert "out of luck" in capsys.readouterr().err
        await plane.create("G")
        await plane.settle()


async def test_functions_are_prepared_beside_each_other(plane: Any) -> None:
    async with plane.activating():
        await plane.create("a")
        await plane.create("b")
        first = await plane.catalog.preparations.get()
        await plane.settle()
        states = {function.key.name: function.latest.state for function in plane.catalog}
        assert states == {"a": State.PENDING, "b": State.ACTIVE}
        first.outcome.set_result(Prepared())


async def test_a_commit_that_fails_is_tried_again(plane: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingle.control.activation._FIRST_DELAY", 0.001)
    async with plane.activating():
        await plane.create()
        plane.store.failing = True
        await plane.settle()
        assert only(plane).latest.state is State.PENDING
        plane.store.failing = False
        for _ in range(1000):
            if only(plane).latest.state is State.ACTIVE:
                break
            await asyncio.sleep(0.001)
    assert only(plane).latest.state is State.ACTIVE
